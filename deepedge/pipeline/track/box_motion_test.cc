#include "deepedge/pipeline/track/box_motion.h"

#include <gtest/gtest.h>

#include <limits>

#include "deepedge/pipeline/track/box_filter.h"

namespace deepedge {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

Track Moving(float gain) {
  return {.id = 1,
          .last_s = 10,
          .box = {0.4F, 0.4F, 0.5F, 0.6F},
          .velocity = {.x = 0.1F, .y = -0.05F, .width = 0.01F, .height = 0},
          .position_gain = gain,
          .size_gain = gain};
}

void ExpectNear(const Box& a, const Box& b, const char* what) {
  EXPECT_NEAR(a.x1, b.x1, 1e-5) << what;
  EXPECT_NEAR(a.y1, b.y1, 1e-5) << what;
  EXPECT_NEAR(a.x2, b.x2, 1e-5) << what;
  EXPECT_NEAR(a.y2, b.y2, 1e-5) << what;
}

TEST(BoxMotion, MovesTheMeasuredBoxByItsVelocityAndItsRecord) {
  struct Case {
    const char* name;
    float gain;
    double time_s;
    Box expected;
  };
  const Case cases[] = {
      {"at its own time the measured box", 1, 10, {0.4F, 0.4F, 0.5F, 0.6F}},
      {"a second later", 1, 11, {0.495F, 0.35F, 0.605F, 0.55F}},
      {"half trusted", 0.5F, 11, {0.4475F, 0.375F, 0.5525F, 0.575F}},
      {"not trusted", 0, 11, {0.4F, 0.4F, 0.5F, 0.6F}},
      {"before", 1, 9, {0.305F, 0.45F, 0.395F, 0.65F}},
      {"cut to the picture", 1, 15, {0.875F, 0.15F, 1.0F, 0.35F}},
      {"not longer than 5 s", 1, 1e9, {0.875F, 0.15F, 1.0F, 0.35F}},
      {"time that is no number", 1, std::numeric_limits<double>::quiet_NaN(), {0.4F, 0.4F, 0.5F, 0.6F}},
      {"never", 1, kInf, {0.4F, 0.4F, 0.5F, 0.6F}},
  };
  for (const Case& c : cases) ExpectNear(Moving(c.gain).BoxAt(c.time_s), c.expected, c.name);
}

TEST(BoxMotion, HoldsTheBox) {
  const Track track = Moving(1);
  EXPECT_EQ(HoldMover().Move(track, track.box, 10, 20), track.box);
}

TEST(BoxMotion, ABoxNeverShrinksToNothingOrFillsThePicture) {
  Track track = Moving(1);
  track.velocity = {.width = -1, .height = 5};
  const Box moved = VelocityMover().Move(track, track.box, 10, 15);
  EXPECT_NEAR(moved.x2 - moved.x1, 0.05, 1e-5);
  EXPECT_NEAR(moved.y2 - moved.y1, 0.4, 1e-5);
}

TEST(BoxMotion, DropsABoxThatHasLeftThePicture) {
  EXPECT_EQ(CutToPicture({0.9F, 0.2F, 1.1F, 0.4F}), (Box{0.9F, 0.2F, 1.0F, 0.4F}));
  EXPECT_FALSE(CutToPicture({0.95F, 0.2F, 1.15F, 0.4F}).has_value());  // a quarter is left
  EXPECT_FALSE(CutToPicture({1.2F, 0.2F, 1.4F, 0.4F}).has_value());
  EXPECT_FALSE(CutToPicture({0.3F, 0.2F, 0.3F, 0.4F}).has_value());
}

// The filter finds the same speed whether a second has 2 measurements or 30.
TEST(BoxFilter, FindsTheSpeedAtAnyRate) {
  for (const double rate : {0.5, 2.0, 10.0, 30.0}) {
    const auto at = [](double s) {
      const auto x = static_cast<float>(0.1 + 0.05 * s);
      return Box{x, 0.4F, x + 0.05F, 0.6F};
    };
    BoxFilter filter(at(0), 1.0);
    for (double time = 1 / rate; time <= 8; time += 1 / rate) filter.Correct(at(time), 1 / rate, 1.0);
    EXPECT_NEAR(filter.Velocity().x, 0.05, 0.002) << rate;
    EXPECT_NEAR(filter.Velocity().y, 0, 0.001) << rate;
    EXPECT_GT(Iou(filter.Predicted(1), at(9)), 0.85F) << rate;
  }
}

TEST(BoxFilter, IsLessSureTheLongerItHasSeenNothing) {
  const Box box{0.4F, 0.4F, 0.5F, 0.6F};
  const Box beside{0.45F, 0.4F, 0.55F, 0.6F};
  const BoxFilter filter(box, 1.0);
  double before = 1e9;
  for (const double seconds : {0.0, 0.1, 0.5, 2.0, 10.0}) {
    const double distance = filter.CentreDistance(beside, seconds, 1.0);
    EXPECT_LT(distance, before);
    before = distance;
  }
}

}  // namespace
}  // namespace deepedge
