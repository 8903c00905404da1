#include "deepedge/runtime/data_plane.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>

#include "deepedge/base/thread.h"
#include "deepedge/runtime/test_fakes.h"

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

TEST(DataPlaneTest, ReportsWhileItStops) {
  const RealClock clock;
  testing::RememberingSink sink;
  auto plane = DataPlane::Create({.cpus = {AllowedCpus().front()}}, {}, {}, sink, clock);
  ASSERT_TRUE(plane.ok());
  plane.value()->Start();
  std::latch reporting(1);
  std::atomic<bool> plane_stopped = false;
  Thread reporter({.name = "reporter"}, [&](std::stop_token) {
    Duration last{0};
    while (true) {
      const bool stopped = plane_stopped;
      const Duration elapsed = plane.value()->Report().elapsed;
      EXPECT_GE(elapsed, last);
      last = elapsed;
      if (stopped) return;
      if (!reporting.try_wait()) reporting.count_down();
    }
  });
  reporting.wait();
  plane.value()->Stop();
  plane_stopped = true;
  reporter.Join();
  EXPECT_EQ(plane.value()->Report().elapsed, plane.value()->Report().elapsed);
}

}  // namespace
}  // namespace deepedge
