#include "deepedge/pipeline/post/nms.h"

#include <gtest/gtest.h>

namespace deepedge {
namespace {

DetectedObject Object(int label, float score, Box box) { return {.label = label, .score = score, .box = box}; }

TEST(Nms, TheBetterOfTwoOverlappingBoxesStays) {
  // The first two overlap by 0.8/1.2 = 2/3.
  const auto kept = SuppressOverlaps(
      {Object(0, 0.5F, {0.0F, 0, 0.5F, 1}), Object(0, 0.9F, {0.1F, 0, 0.6F, 1}), Object(0, 0.7F, {0.7F, 0, 1.0F, 1})},
      0.5F);
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_FLOAT_EQ(kept[0].score, 0.9F);
  EXPECT_FLOAT_EQ(kept[1].score, 0.7F);
}

TEST(Nms, OverlapOfExactlyTheLimitIsAllowed) {
  const std::vector<DetectedObject> two = {Object(0, 0.9F, {0, 0, 1, 1}), Object(0, 0.8F, {0, 0, 0.5F, 1})};
  EXPECT_EQ(SuppressOverlaps(two, 0.5F).size(), 2U);
  EXPECT_EQ(SuppressOverlaps(two, 0.49F).size(), 1U);
}

TEST(Nms, LabelsAreApartUnlessToldOtherwise) {
  const std::vector<DetectedObject> two = {Object(0, 0.9F, {0, 0, 1, 1}), Object(1, 0.8F, {0, 0, 1, 1})};
  EXPECT_EQ(SuppressOverlaps(two, 0.5F).size(), 2U);
  EXPECT_EQ(SuppressOverlaps(two, 0.5F, false).size(), 1U);
}

TEST(Nms, EqualScoresKeepTheirOrderAndTheLimitHolds) {
  std::vector<DetectedObject> many;
  for (int i = 0; i < 10; ++i) many.push_back(Object(i, 0.5F, {0, 0, 1, 1}));
  const auto kept = SuppressOverlaps(many, 0.5F, true, 3);
  ASSERT_EQ(kept.size(), 3U);
  EXPECT_EQ(kept[0].label, 0);
  EXPECT_EQ(kept[2].label, 2);
}

TEST(Nms, NoiseTakesABoundedTime) {
  std::vector<DetectedObject> noise;
  for (int i = 0; i < 100'000; ++i) {
    const float x = static_cast<float>(i % 1000) / 1000.0F;
    noise.push_back(Object(i % 80, 0.5F, {x, 0, x + 0.0005F, 1}));
  }
  EXPECT_LE(SuppressOverlaps(noise, 0.5F).size(), 300U);
}

}  // namespace
}  // namespace deepedge
