#include "deepedge/pipeline/crop/patches.h"

#include <gtest/gtest.h>

#include <limits>

namespace deepedge {
namespace {

PictureInput InputOf(int patches) {
  return {.width = 4, .height = 4, .pad = 7, .patches = patches, .patch_size = 0.25F};
}

DetectedObject ObjectWith(std::vector<Point> points) {
  DetectedObject object{.box = {0.1F, 0.1F, 0.5F, 0.3F}, .keypoints = {}};  // 80x40 pixels of 200x200
  for (const Point& point : points) object.keypoints.push_back({point, 0.8F});
  return object;
}

TEST(PatchBoxes, AreSquaresOfAShareOfTheLongerSideAroundThePoints) {
  const auto boxes = PatchBoxes(ObjectWith({{0.25F, 0.25F}, {0.02F, 0.9F}}), 200, 200, InputOf(2));
  ASSERT_TRUE(boxes.ok());
  ASSERT_EQ(boxes.value().size(), 2U);  // 80 * 0.25 = 20 pixels
  EXPECT_NEAR(boxes.value()[0].x1, 0.2, 1e-6);
  EXPECT_NEAR(boxes.value()[0].y2, 0.3, 1e-6);
  EXPECT_NEAR(boxes.value()[1].x1, -0.03, 1e-6) << "reaches out of the picture";
}

TEST(PatchBoxes, RefuseObjectsWithoutTheirPoints) {
  EXPECT_FALSE(PatchBoxes(ObjectWith({}), 200, 200, InputOf(2)).ok());
  EXPECT_FALSE(PatchBoxes(ObjectWith({{0.5F, 0.5F}}), 200, 200, InputOf(2)).ok());
  EXPECT_FALSE(PatchBoxes(ObjectWith({{std::numeric_limits<float>::quiet_NaN(), 0}}), 200, 200, InputOf(1)).ok());
  EXPECT_FALSE(PatchBoxes(ObjectWith({{1e9F, 0}}), 200, 200, InputOf(1)).ok());
}

// A picture whose red is the column and whose green is the row.
RgbPicture Ramp() {
  RgbPicture picture{.width = 200, .height = 200, .pixels = {}};
  for (int y = 0; y < 200; ++y) {
    for (int x = 0; x < 200; ++x) {
      picture.pixels.insert(picture.pixels.end(), {static_cast<uint8_t>(x), static_cast<uint8_t>(y), 0});
    }
  }
  return picture;
}

TEST(TakePatches, ShowWhatLiesAroundThePointsAndPaddingOutside) {
  const RgbPicture picture = Ramp();
  PictureWarper warper;
  const auto patches =
      TakePatches(warper, picture.View(), ObjectWith({{0.5F, 0.25F}, {0, 0.5F}, {-1, -1}}), InputOf(3));
  ASSERT_TRUE(patches.ok()) << patches.error().message;
  ASSERT_EQ(patches.value().pictures.size(), 3U);
  const auto& inside = patches.value().pictures[0].pixels;  // pixels 90..110 x 40..60, 5 in one
  EXPECT_NEAR(inside[0], 92, 2);
  EXPECT_NEAR(inside[1], 42, 2);
  EXPECT_NEAR(inside[3 * 15], 107, 2);
  EXPECT_NEAR(inside[3 * 15 + 1], 57, 2);
  const auto& border = patches.value().pictures[1].pixels;  // -10..10
  EXPECT_EQ(border[0], 7);
  EXPECT_EQ(border[3], 7);
  EXPECT_NEAR(border[6], 2, 2);
  const auto& outside = patches.value().pictures[2].pixels;
  EXPECT_EQ(outside, std::vector<uint8_t>(48, 7));
}

TEST(FromPatches, IsTheWayBack) {
  const DetectedObject object = ObjectWith({{0.25F, 0.25F}, {0.02F, 0.9F}});
  const auto boxes = PatchBoxes(object, 200, 200, InputOf(2));
  ASSERT_TRUE(boxes.ok());
  InferenceResult result;
  result.keypoints = {{{0.5F, 0.5F}, 1}, {{0.75F, 0}, 1}};
  FromPatches(boxes.value(), object.keypoints, result);
  EXPECT_NEAR(result.keypoints[0].point.x, 0.25, 1e-6);
  EXPECT_NEAR(result.keypoints[0].point.y, 0.25, 1e-6);
  EXPECT_NEAR(result.keypoints[1].point.x, 0.02 + 0.025, 1e-6);
  EXPECT_NEAR(result.keypoints[1].point.y, 0.9 - 0.05, 1e-6);
  EXPECT_FLOAT_EQ(result.keypoints[0].score, 0.8F);
}

}  // namespace
}  // namespace deepedge
