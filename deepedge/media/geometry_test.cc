#include "deepedge/media/geometry.h"

#include <gtest/gtest.h>

namespace deepedge {
namespace {

TEST(BoxTest, AreaOfAnInvertedBoxIsZero) {
  EXPECT_FLOAT_EQ((Box{0.25F, 0.5F, 0.75F, 1.0F}.Area()), 0.25F);
  EXPECT_FLOAT_EQ((Box{0.75F, 0.5F, 0.25F, 1.0F}.Area()), 0.0F);
}

TEST(IouTest, FollowsTheTable) {
  struct Case {
    Box a;
    Box b;
    float expected;
  };
  const Case cases[] = {
      {{0, 0, 1, 1}, {0, 0, 1, 1}, 1.0F},
      {{0, 0, 0.5F, 1}, {0.5F, 0, 1, 1}, 0.0F},            // touching
      {{0, 0, 0.2F, 0.2F}, {0.5F, 0.5F, 1, 1}, 0.0F},      // apart
      {{0, 0, 1, 1}, {0, 0, 0.5F, 0.5F}, 0.25F},           // inside
      {{0, 0, 0.6F, 1}, {0.3F, 0, 0.9F, 1}, 1.0F / 3.0F},  // half overlapping
      {{0, 0, 0, 0}, {0, 0, 0, 0}, 0.0F},                  // both empty
  };
  for (const Case& c : cases) {
    EXPECT_NEAR(Iou(c.a, c.b), c.expected, 1e-6F);
    EXPECT_NEAR(Iou(c.b, c.a), c.expected, 1e-6F);
  }
}

TEST(ClipTest, CutsToThePicture) {
  EXPECT_EQ(Clip({-0.5F, 0.25F, 1.5F, 0.75F}), (Box{0, 0.25F, 1, 0.75F}));
  EXPECT_EQ(Clip({1.5F, 1.5F, 2, 2}), (Box{1, 1, 1, 1}));
}

TEST(PlacePictureTest, FollowsTheTable) {
  struct Case {
    ResizeRule rule;
    int source_width, source_height, input_width, input_height;
    int x, y, width, height;
  };
  const Case cases[] = {
      {ResizeRule::kStretch, 1920, 1080, 300, 300, 0, 0, 300, 300},
      {ResizeRule::kLetterboxTopLeft, 1920, 1080, 416, 416, 0, 0, 416, 234},
      {ResizeRule::kLetterboxCentered, 1920, 1080, 416, 416, 0, 91, 416, 234},
      {ResizeRule::kLetterboxCentered, 1080, 1920, 416, 416, 91, 0, 234, 416},
      {ResizeRule::kLetterboxCentered, 100, 100, 640, 480, 80, 0, 480, 480},  // grows
      {ResizeRule::kLetterboxCentered, 626, 360, 416, 416, 0, 88, 416, 239},  // odd padding: less above
      {ResizeRule::kLetterboxTopLeft, 10000, 1, 100, 100, 0, 0, 100, 1},      // never vanishes
      {ResizeRule::kLetterboxTopLeft, 640, 360, 640, 360, 0, 0, 640, 360},
  };
  for (const Case& c : cases) {
    const Placement place = PlacePicture(c.rule, c.source_width, c.source_height, c.input_width, c.input_height);
    EXPECT_EQ(place.x, c.x);
    EXPECT_EQ(place.y, c.y);
    EXPECT_EQ(place.width, c.width);
    EXPECT_EQ(place.height, c.height);
    EXPECT_EQ(place.input_width, c.input_width);
    EXPECT_EQ(place.input_height, c.input_height);
  }
}

TEST(PlacementTest, MapsInputCornersToSourceCorners) {
  const Placement place = PlacePicture(ResizeRule::kLetterboxCentered, 1920, 1080, 416, 416);
  const Box whole{0, 91.0F / 416, 1, 325.0F / 416};
  const Box source = place.ToSource(whole);
  EXPECT_NEAR(source.x1, 0, 1e-6);
  EXPECT_NEAR(source.y1, 0, 1e-6);
  EXPECT_NEAR(source.x2, 1, 1e-6);
  EXPECT_NEAR(source.y2, 1, 1e-6);
  const Point middle = place.ToSource(Point{0.5F, 0.5F});
  EXPECT_NEAR(middle.x, 0.5F, 1e-6);
  EXPECT_NEAR(middle.y, 0.5F, 1e-6);
}

}  // namespace
}  // namespace deepedge
