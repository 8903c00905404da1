#include "deepedge/pipeline/crop/align.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

#include "deepedge/base/check.h"

namespace deepedge {
namespace {

constexpr double kTemplateSide = 112;
constexpr double kTemplateNarrowest = 96;
// In pixels counted by their centres, as published with ArcFace.
constexpr std::array<std::array<double, 2>, 5> kTemplate{
    {{38.2946, 51.6963}, {73.5318, 51.5014}, {56.0252, 71.7366}, {41.5493, 92.3655}, {70.7299, 92.2041}}};

// Landmarks may lie a little outside of the picture that a face is cut by.
constexpr float kFarOutside = 1.0F;
// Root of the mean squared distance of landmarks from their centre, in pixels of the picture.
constexpr double kLeastSpread = 1.5;
// How much of the template's spread the landmarks must explain: 1 for a face from the front, 0.6 from the side, 0.05
// when mirrored.
constexpr double kLeastLikeness = 0.3;

struct Moments {
  double from_x = 0, from_y = 0, to_x = 0, to_y = 0;  // centres
  double from_squares = 0, to_squares = 0;            // of distances from the centres, summed
  double cosine = 0, sine = 0;                        // sums of the products that give the turn
};

Moments MomentsOf(std::span<const Point> from, std::span<const Point> to) {
  Moments m;
  const auto n = static_cast<double>(from.size());
  for (size_t i = 0; i < from.size(); ++i) {
    m.from_x += static_cast<double>(from[i].x) / n;
    m.from_y += static_cast<double>(from[i].y) / n;
    m.to_x += static_cast<double>(to[i].x) / n;
    m.to_y += static_cast<double>(to[i].y) / n;
  }
  for (size_t i = 0; i < from.size(); ++i) {
    const double x = static_cast<double>(from[i].x) - m.from_x;
    const double y = static_cast<double>(from[i].y) - m.from_y;
    const double u = static_cast<double>(to[i].x) - m.to_x;
    const double v = static_cast<double>(to[i].y) - m.to_y;
    m.from_squares += x * x + y * y;
    m.to_squares += u * u + v * v;
    m.cosine += x * u + y * v;
    m.sine += x * v - y * u;
  }
  return m;
}

bool AllFinite(std::span<const Point> points) {
  return std::all_of(points.begin(), points.end(),
                     [](const Point& p) { return std::isfinite(p.x) && std::isfinite(p.y); });
}

Error BadLandmarks(const char* why) { return {ErrorCode::kBadInput, std::string("landmarks of a face: ") + why}; }

// Pixels [x1, x2) x [y1, y2) of a picture.
struct Part {
  int x1 = 0, y1 = 0, x2 = 0, y2 = 0;
};

// What of the source the output shows, with a pixel around it for the sampling; nothing where it shows none of it.
std::optional<Part> PartShown(const PictureView& source, const Similarity& to_source, int width, int height) {
  double x1 = INFINITY, y1 = INFINITY, x2 = -INFINITY, y2 = -INFINITY;
  for (const auto& [x, y] : {std::array{0, 0}, {width, 0}, {0, height}, {width, height}}) {
    const auto [sx, sy] = to_source.Apply(x, y);
    x1 = std::min(x1, sx);
    x2 = std::max(x2, sx);
    y1 = std::min(y1, sy);
    y2 = std::max(y2, sy);
  }
  const auto low = [](double v, int size) { return static_cast<int>(std::clamp(std::floor(v) - 1, 0.0, 1.0 * size)); };
  const auto high = [](double v, int size) { return static_cast<int>(std::clamp(std::ceil(v) + 1, 0.0, 1.0 * size)); };
  const bool overlaps = x2 > 0 && y2 > 0 && x1 < source.width && y1 < source.height;  // also false for NaN
  if (!overlaps) return std::nullopt;
  return Part{low(x1, source.width), low(y1, source.height), high(x2, source.width), high(y2, source.height)};
}

// Bilinear between the four pixels around (x, y); the outermost pixels reach to the border.
void Sample(const RgbPicture& picture, double x, double y, uint8_t* out) {
  const double px = std::clamp(x - 0.5, 0.0, static_cast<double>(picture.width - 1));
  const double py = std::clamp(y - 0.5, 0.0, static_cast<double>(picture.height - 1));
  const auto left = static_cast<size_t>(px);
  const auto top = static_cast<size_t>(py);
  const auto width = static_cast<size_t>(picture.width);
  const size_t right = std::min(left + 1, width - 1);
  const size_t bottom = std::min(top + 1, static_cast<size_t>(picture.height) - 1);
  const auto fx = static_cast<float>(px - static_cast<double>(left));
  const auto fy = static_cast<float>(py - static_cast<double>(top));
  const uint8_t* p = picture.pixels.data();
  for (size_t c = 0; c < 3; ++c) {
    const auto at = [&](size_t row, size_t column) { return static_cast<float>(p[(row * width + column) * 3 + c]); };
    const float above = at(top, left) + (at(top, right) - at(top, left)) * fx;
    const float below = at(bottom, left) + (at(bottom, right) - at(bottom, left)) * fx;
    out[c] = static_cast<uint8_t>(above + (below - above) * fy + 0.5F);
  }
}

}  // namespace

double Similarity::Scale() const { return std::hypot(a, b); }

Similarity Similarity::Inverse() const {
  const double squared = a * a + b * b;
  DE_CHECK(squared > 0);
  const double ia = a / squared;
  const double ib = -b / squared;
  return {ia, ib, -(ia * x0 - ib * y0), -(ib * x0 + ia * y0)};
}

Result<Similarity> FitSimilarity(std::span<const Point> from, std::span<const Point> to) {
  DE_CHECK(from.size() == to.size() && from.size() >= 2);
  if (!AllFinite(from) || !AllFinite(to)) return Error{ErrorCode::kBadInput, "points to align are no numbers"};
  const Moments m = MomentsOf(from, to);
  const double magnitude = std::abs(m.from_x) + std::abs(m.from_y);
  if (!(m.from_squares > 1e-12 * (1 + magnitude * magnitude))) {
    return Error{ErrorCode::kBadInput, "points to align are all in one place"};
  }
  Similarity s{.a = m.cosine / m.from_squares, .b = m.sine / m.from_squares};
  s.x0 = m.to_x - (s.a * m.from_x - s.b * m.from_y);
  s.y0 = m.to_y - (s.b * m.from_x + s.a * m.from_y);
  return s;
}

FaceLandmarks FaceTemplate(int width, int height) {
  DE_CHECK(width > 0 && height > 0);
  const double scale = std::min(height / kTemplateSide, width / kTemplateNarrowest);
  const double left = (width - kTemplateSide * scale) / 2;
  const double top = (height - kTemplateSide * scale) / 2;
  FaceLandmarks points;
  for (size_t i = 0; i < points.size(); ++i) {
    points[i] = {static_cast<float>(left + (kTemplate[i][0] + 0.5) * scale),
                 static_cast<float>(top + (kTemplate[i][1] + 0.5) * scale)};
  }
  return points;
}

Result<Similarity> AlignFace(const FaceLandmarks& landmarks, int picture_width, int picture_height, int input_width,
                             int input_height) {
  DE_CHECK(picture_width > 0 && picture_height > 0);
  if (!AllFinite(landmarks)) return BadLandmarks("they are no numbers");
  FaceLandmarks pixels;
  for (size_t i = 0; i < pixels.size(); ++i) {
    const Point p = landmarks[i];
    const bool far = std::abs(p.x - 0.5F) > 0.5F + kFarOutside || std::abs(p.y - 0.5F) > 0.5F + kFarOutside;
    if (far) return BadLandmarks("they are far outside of the picture");
    pixels[i] = {p.x * static_cast<float>(picture_width), p.y * static_cast<float>(picture_height)};
  }
  const FaceLandmarks places = FaceTemplate(input_width, input_height);
  const Moments m = MomentsOf(pixels, places);
  if (m.from_squares < kLeastSpread * kLeastSpread * 5) return BadLandmarks("they are all in one place");
  DE_TRY(const Similarity transform, FitSimilarity(pixels, places));
  const double likeness = transform.Scale() * transform.Scale() * m.from_squares / m.to_squares;
  if (likeness < kLeastLikeness) {
    return BadLandmarks("they are not the eyes, the nose and the corners of the mouth, in this order");
  }
  return transform;
}

Status PictureWarper::WarpInto(const PictureView& source, const Similarity& transform, uint8_t pad, RgbPicture& out) {
  DE_CHECK(out.width > 0 && out.height > 0);
  if (source.width <= 0 || source.height <= 0 || source.planes[0] == nullptr) {
    return Error{ErrorCode::kUnsupported, "picture without pixels"};
  }
  const double scale = transform.Scale();
  const bool usable =
      std::isfinite(scale) && scale > 1e-6 && scale < 1e6 && std::isfinite(transform.x0) && std::isfinite(transform.y0);
  const std::optional<Part> shown =
      usable ? PartShown(source, transform.Inverse(), out.width, out.height) : std::nullopt;
  if (!shown) return Error{ErrorCode::kBadInput, "the place to align lies outside of the picture"};

  const auto width = static_cast<float>(source.width);
  const auto height = static_cast<float>(source.height);
  const CroppedPicture crop =
      Crop(source, {static_cast<float>(shown->x1) / width, static_cast<float>(shown->y1) / height,
                    static_cast<float>(shown->x2) / width, static_cast<float>(shown->y2) / height});
  const int shrink = std::max(1, static_cast<int>(0.5 / scale));
  part_.width = std::max(1, crop.picture.width / shrink);
  part_.height = std::max(1, crop.picture.height / shrink);
  part_.pixels.resize(static_cast<size_t>(part_.width) * static_cast<size_t>(part_.height) * 3);
  const Placement all =
      PlacePicture(ResizeRule::kStretch, crop.picture.width, crop.picture.height, part_.width, part_.height);
  DE_TRY_STATUS(scaler_.ScaleInto(crop.picture, all, ChannelOrder::kRgb, pad, part_.pixels));

  const double part_x = static_cast<double>(crop.box.x1) * source.width;
  const double part_y = static_cast<double>(crop.box.y1) * source.height;
  const double per_x = static_cast<double>(part_.width) / crop.picture.width;
  const double per_y = static_cast<double>(part_.height) / crop.picture.height;
  const Similarity to_source = transform.Inverse();
  out.pixels.resize(static_cast<size_t>(out.width) * static_cast<size_t>(out.height) * 3);
  uint8_t* pixel = out.pixels.data();
  for (int y = 0; y < out.height; ++y) {
    for (int x = 0; x < out.width; ++x, pixel += 3) {
      const auto [sx, sy] = to_source.Apply(x + 0.5, y + 0.5);
      const bool inside = sx >= 0 && sy >= 0 && sx <= source.width && sy <= source.height;
      if (inside) {
        Sample(part_, (sx - part_x) * per_x, (sy - part_y) * per_y, pixel);
      } else {
        std::fill_n(pixel, 3, pad);
      }
    }
  }
  return {};
}

}  // namespace deepedge
