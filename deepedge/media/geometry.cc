#include "deepedge/media/geometry.h"

#include <algorithm>
#include <cmath>

#include "deepedge/base/check.h"

namespace deepedge {

float Box::Area() const { return std::max(0.0F, x2 - x1) * std::max(0.0F, y2 - y1); }

float Iou(const Box& a, const Box& b) {
  const Box common{std::max(a.x1, b.x1), std::max(a.y1, b.y1), std::min(a.x2, b.x2), std::min(a.y2, b.y2)};
  const float intersection = common.Area();
  const float both = a.Area() + b.Area() - intersection;
  return both > 0 ? intersection / both : 0.0F;
}

Box Clip(const Box& box) {
  return {std::clamp(box.x1, 0.0F, 1.0F), std::clamp(box.y1, 0.0F, 1.0F), std::clamp(box.x2, 0.0F, 1.0F),
          std::clamp(box.y2, 0.0F, 1.0F)};
}

Point Placement::ToSource(Point p) const {
  return {(p.x * static_cast<float>(input_width) - static_cast<float>(x)) / static_cast<float>(width),
          (p.y * static_cast<float>(input_height) - static_cast<float>(y)) / static_cast<float>(height)};
}

Box Placement::ToSource(const Box& box) const {
  const Point a = ToSource(Point{box.x1, box.y1});
  const Point b = ToSource(Point{box.x2, box.y2});
  return {a.x, a.y, b.x, b.y};
}

Placement PlacePicture(ResizeRule rule, int source_width, int source_height, int input_width, int input_height) {
  DE_CHECK(source_width > 0 && source_height > 0 && input_width > 0 && input_height > 0);
  Placement place{
      .input_width = input_width, .input_height = input_height, .width = input_width, .height = input_height};
  if (rule == ResizeRule::kStretch) return place;
  const double scale =
      std::min(static_cast<double>(input_width) / source_width, static_cast<double>(input_height) / source_height);
  place.width = std::clamp(static_cast<int>(std::lround(source_width * scale)), 1, input_width);
  place.height = std::clamp(static_cast<int>(std::lround(source_height * scale)), 1, input_height);
  if (rule == ResizeRule::kLetterboxCentered) {
    place.x = (input_width - place.width) / 2;
    place.y = (input_height - place.height) / 2;
  }
  return place;
}

}  // namespace deepedge
