#include "deepedge/bench/tracker_bench.h"

#include <gtest/gtest.h>

namespace deepedge {
namespace {

// Not a measurement: a build for debugging under load must not fail. It catches a cost that is out of all proportion.
TEST(TrackerBench, FiftyBoxesCostLittle) {
  const Result<TrackerCost> cost = MeasureTracker({.boxes = 50, .rounds = 5});
  ASSERT_TRUE(cost.ok());
  EXPECT_GT(cost.value().tracker_us, 0);
  EXPECT_LT(cost.value().tracker_us, 20'000);
  EXPECT_LT(cost.value().watch_us, 20'000);
}

}  // namespace
}  // namespace deepedge
