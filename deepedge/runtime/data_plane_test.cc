#include "deepedge/runtime/data_plane.h"

#include <gtest/gtest.h>

namespace deepedge {
namespace {

TEST(MaxRateInMediaTimeTest, FollowsTheTable) {
  struct Case {
    SourceKind kind;
    Pace pace;
    double speed;
    double expected;
  };
  const Case cases[] = {
      {SourceKind::kFile, Pace::kReal, 1.0, 6},
      {SourceKind::kFile, Pace::kReal, 1.5, 4},  // a second of the box passes 1.5 s of media time
      {SourceKind::kFile, Pace::kReal, 0.5, 12},
      {SourceKind::kFile, Pace::kFast, 1.5, 6},
      {SourceKind::kRtsp, Pace::kReal, 1.5, 6},  // a camera has no speed
  };
  for (const Case& c : cases) EXPECT_EQ(MaxRateInMediaTime(6, c.kind, c.pace, c.speed), c.expected) << c.speed;
  EXPECT_EQ(MaxRateInMediaTime(0, SourceKind::kFile, Pace::kReal, 1.5), 0);  // no limit stays none
}

}  // namespace
}  // namespace deepedge
