#include "deepedge/pipeline/crop/crop_box.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace deepedge {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

struct Case {
  const char* rule_of_case;
  Box object;
  CropRule rule;
  Box expected;
};

void ExpectNear(const Box& found, const Box& expected, const std::string& what) {
  EXPECT_NEAR(found.x1, expected.x1, 1e-5) << what;
  EXPECT_NEAR(found.y1, expected.y1, 1e-5) << what;
  EXPECT_NEAR(found.x2, expected.x2, 1e-5) << what;
  EXPECT_NEAR(found.y2, expected.y2, 1e-5) << what;
}

// A picture of 200x100 and a child that takes 50x50, so that a square part is twice as high as wide in fractions.
TEST(CropBoxTest, FollowsTheRule) {
  const CropRule keep{.aspect = CropAspect::kKeep};
  const std::vector<Case> cases{
      {"as it is", {0.4F, 0.4F, 0.5F, 0.7F}, keep, {0.4F, 0.4F, 0.5F, 0.7F}},
      {"a margin on every end", {0.4F, 0.4F, 0.6F, 0.6F}, {0.25F, CropAspect::kKeep}, {0.35F, 0.35F, 0.65F, 0.65F}},
      {"a margin that takes away", {0.4F, 0.4F, 0.6F, 0.6F}, {-0.25F, CropAspect::kKeep}, {0.45F, 0.45F, 0.55F, 0.55F}},
      {"too narrow: wider", {0.45F, 0.3F, 0.55F, 0.7F}, {}, {0.4F, 0.3F, 0.6F, 0.7F}},
      {"too wide: higher", {0.4F, 0.45F, 0.6F, 0.55F}, {}, {0.4F, 0.3F, 0.6F, 0.7F}},
      {"the margin first", {0.45F, 0.4F, 0.55F, 0.6F}, {0.5F, {}}, {0.4F, 0.3F, 0.6F, 0.7F}},
      {"moved in from the left", {0.0F, 0.3F, 0.1F, 0.7F}, {}, {0.0F, 0.3F, 0.2F, 0.7F}},
      {"moved in from the right below", {0.95F, 0.8F, 1.0F, 1.0F}, {0.5F, {}}, {0.8F, 0.6F, 1.0F, 1.0F}},
      {"cut where it is too long", {0.1F, 0.4F, 0.9F, 0.6F}, {}, {0.1F, 0.0F, 0.9F, 1.0F}},
      {"cut on both sides", {0.1F, 0.1F, 0.9F, 0.9F}, {1.0F, CropAspect::kKeep}, {0, 0, 1, 1}},
      {"cut to the picture first", {-0.5F, 0.4F, 0.1F, 0.6F}, keep, {0.0F, 0.4F, 0.1F, 0.6F}},
  };
  for (const Case& c : cases) {
    const auto box = CropBox(c.object, 200, 100, 50, 50, c.rule);
    ASSERT_TRUE(box) << c.rule_of_case;
    ExpectNear(*box, c.expected, c.rule_of_case);
  }
}

TEST(CropBoxTest, TakesTheShapeOfAnyInput) {
  const auto tall = CropBox({0.4F, 0.4F, 0.6F, 0.6F}, 100, 100, 64, 128, {});
  ASSERT_TRUE(tall);
  ExpectNear(*tall, {0.4F, 0.3F, 0.6F, 0.7F}, "twice as high as wide");
}

TEST(CropBoxTest, KeepsTheObjectInside) {
  for (int i = 0; i <= 20; ++i) {
    const float at = static_cast<float>(i) * 0.045F;
    const Box object{at, 0.9F - at, at + 0.1F, 1.0F - at};
    const auto box = CropBox(object, 640, 360, 112, 112, {.margin = 0.2F});
    ASSERT_TRUE(box);
    constexpr float kRounding = 1e-5F;
    EXPECT_LE(box->x1, object.x1 + kRounding);
    EXPECT_LE(box->y1, object.y1 + kRounding);
    EXPECT_GE(box->x2, object.x2 - kRounding);
    EXPECT_GE(box->y2, object.y2 - kRounding);
    EXPECT_EQ(Clip(*box), *box);
  }
}

TEST(CropBoxTest, NothingWhereThereIsNoObject) {
  for (const Box& object : {Box{0.5F, 0.5F, 0.5F, 0.9F}, Box{0.6F, 0.1F, 0.5F, 0.9F}, Box{1.1F, 0.1F, 1.4F, 0.9F},
                            Box{-2, -2, -1, -1}, Box{kNan, 0, 1, 1}, Box{0, 0, 1, INFINITY}}) {
    EXPECT_FALSE(CropBox(object, 200, 100, 50, 50, {}));
  }
}

TEST(ToWholeTest, MapsEveryPlace) {
  InferenceResult result;
  result.objects.push_back({.box = {0, 0.5F, 1, 1}, .keypoints = {{{0.5F, 0.5F}, 1}}});
  result.keypoints = {{{1, 0}, 1}};
  result.text.push_back({.corners = {Point{0, 0}, {1, 0}, {1, 1}, {0, 1}}, .score = 1});
  ToWhole({0.5F, 0.25F, 0.75F, 0.75F}, result);
  ExpectNear(result.objects[0].box, {0.5F, 0.5F, 0.75F, 0.75F}, "box");
  EXPECT_FLOAT_EQ(result.objects[0].keypoints[0].point.x, 0.625F);
  EXPECT_FLOAT_EQ(result.objects[0].keypoints[0].point.y, 0.5F);
  EXPECT_FLOAT_EQ(result.keypoints[0].point.x, 0.75F);
  EXPECT_FLOAT_EQ(result.keypoints[0].point.y, 0.25F);
  EXPECT_FLOAT_EQ(result.text[0].corners[2].x, 0.75F);
  EXPECT_FLOAT_EQ(result.text[0].corners[2].y, 0.75F);
}

}  // namespace
}  // namespace deepedge
