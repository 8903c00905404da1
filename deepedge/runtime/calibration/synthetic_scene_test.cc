#include "deepedge/runtime/calibration/synthetic_scene.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace deepedge {
namespace {

std::vector<uint8_t> Luma(SyntheticScene& scene, int index) {
  const PictureView view = scene.Draw(index);
  return {view.planes[0], view.planes[0] + static_cast<ptrdiff_t>(view.width) * view.height};
}

// Mean absolute difference.
double Difference(const std::vector<uint8_t>& a, const std::vector<uint8_t>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += std::abs(a[i] - b[i]);
  return sum / static_cast<double>(a.size());
}

TEST(SyntheticScene, IsTheSameForTheSameSeed) {
  SyntheticScene one(160, 90, CameraMotion::kPanning);
  SyntheticScene two(160, 90, CameraMotion::kPanning);
  EXPECT_EQ(Luma(one, 7), Luma(two, 7));
  SyntheticScene other(160, 90, CameraMotion::kPanning, 2);
  EXPECT_GT(Difference(Luma(one, 7), Luma(other, 7)), 5);
}

TEST(SyntheticScene, PanningChangesMoreThanNoiseDoes) {
  SyntheticScene still(160, 90, CameraMotion::kStill);
  SyntheticScene panning(160, 90, CameraMotion::kPanning);
  const double of_still = Difference(Luma(still, 0), Luma(still, 5));
  const double of_panning = Difference(Luma(panning, 0), Luma(panning, 5));
  EXPECT_GT(of_still, 0.5);
  EXPECT_GT(of_panning, of_still + 1);
}

TEST(SyntheticScene, DrawsPicturesOfAnyIndexAndSmallSize) {
  SyntheticScene scene(64, 64, CameraMotion::kPanning);
  for (const int index : {0, 1, 100, 1'000, 100'000}) {
    const PictureView view = scene.Draw(index);
    EXPECT_EQ(view.width, 64);
    EXPECT_EQ(view.format, PixelFormat::kYuv420p);
  }
}

}  // namespace
}  // namespace deepedge
