#include "deepedge/ingest/camera_mode.h"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace deepedge {
namespace {

int Preference(CameraCodec codec) {
  switch (codec) {
    case CameraCodec::kRaw: return 0;
    case CameraCodec::kMjpeg: return 1;
    case CameraCodec::kH264: return 2;
  }
  return 3;
}

// Smaller is better, the first member counting most.
std::tuple<double, double, double, int> Cost(const CameraMode& mode, const CameraWish& wish) {
  constexpr double kRounding = 0.99;  // 29.97 will do for 30
  const double missing_rate = mode.frame_rate >= wish.frame_rate * kRounding ? 0 : wish.frame_rate - mode.frame_rate;
  // Twice the pixels is as far from the wish as half of them.
  const double pixels = std::max(1.0, static_cast<double>(mode.width) * mode.height);
  const double wished_pixels = std::max(1.0, static_cast<double>(wish.width) * wish.height);
  const double shape = std::abs(std::log(static_cast<double>(std::max(1, mode.width)) * wish.height /
                                         (static_cast<double>(std::max(1, mode.height)) * wish.width)));
  const double size = std::abs(std::log(pixels / wished_pixels)) + 0.1 * shape;
  return {missing_rate, size, mode.frame_rate, Preference(mode.codec)};
}

}  // namespace

std::optional<CameraMode> ChooseCameraMode(std::span<const CameraMode> offered, const CameraWish& wish) {
  const auto best = std::min_element(offered.begin(), offered.end(), [&](const CameraMode& a, const CameraMode& b) {
    return Cost(a, wish) < Cost(b, wish);
  });
  if (best == offered.end()) return std::nullopt;
  return *best;
}

}  // namespace deepedge
