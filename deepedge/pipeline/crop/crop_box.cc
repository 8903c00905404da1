#include "deepedge/pipeline/crop/crop_box.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "deepedge/base/check.h"

namespace deepedge {
namespace {

// One side of a part, in pixels.
struct Span {
  double center = 0;
  double length = 0;
};

// As fractions of the side of the picture: moved inside, else all of it.
std::array<float, 2> Inside(const Span& span, int size) {
  if (span.length >= size) return {0.0F, 1.0F};
  const double low = std::clamp(span.center - span.length / 2, 0.0, size - span.length);
  return {static_cast<float>(low / size), static_cast<float>((low + span.length) / size)};
}

}  // namespace

std::optional<Box> CropBox(const Box& object, int picture_width, int picture_height, int input_width, int input_height,
                           const CropRule& rule) {
  DE_CHECK(picture_width > 0 && picture_height > 0 && input_width > 0 && input_height > 0);
  DE_CHECK(rule.margin > -0.5F && std::isfinite(rule.margin));
  const bool numbers =
      std::isfinite(object.x1) && std::isfinite(object.y1) && std::isfinite(object.x2) && std::isfinite(object.y2);
  if (!numbers) return std::nullopt;
  const Box cut = Clip(object);
  if (!(cut.x2 > cut.x1 && cut.y2 > cut.y1)) return std::nullopt;

  const double grown = 1 + 2 * static_cast<double>(rule.margin);
  Span x{(static_cast<double>(cut.x1) + cut.x2) / 2 * picture_width,
         (static_cast<double>(cut.x2) - cut.x1) * picture_width * grown};
  Span y{(static_cast<double>(cut.y1) + cut.y2) / 2 * picture_height,
         (static_cast<double>(cut.y2) - cut.y1) * picture_height * grown};
  if (rule.aspect == CropAspect::kAsInput) {
    const double wanted = static_cast<double>(input_width) / input_height;
    x.length = std::max(x.length, y.length * wanted);
    y.length = std::max(y.length, x.length / wanted);
  }
  const auto [x1, x2] = Inside(x, picture_width);
  const auto [y1, y2] = Inside(y, picture_height);
  return Box{x1, y1, x2, y2};
}

void ToWhole(const Box& crop, InferenceResult& result) {
  const float width = crop.x2 - crop.x1;
  const float height = crop.y2 - crop.y1;
  const auto whole = [&](Point p) { return Point{crop.x1 + p.x * width, crop.y1 + p.y * height}; };
  for (DetectedObject& object : result.objects) {
    const Point low = whole({object.box.x1, object.box.y1});
    const Point high = whole({object.box.x2, object.box.y2});
    object.box = Clip({low.x, low.y, high.x, high.y});
    for (Keypoint& keypoint : object.keypoints) keypoint.point = whole(keypoint.point);
  }
  std::erase_if(result.objects, [](const DetectedObject& object) { return !(object.box.Area() > 0); });
  for (Keypoint& keypoint : result.keypoints) keypoint.point = whole(keypoint.point);
  for (TextRegion& region : result.text) {
    for (Point& corner : region.corners) corner = whole(corner);
  }
}

}  // namespace deepedge
