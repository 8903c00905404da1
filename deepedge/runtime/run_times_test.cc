#include "deepedge/runtime/run_times.h"

#include <gtest/gtest.h>

#include <vector>

namespace deepedge {
namespace {

const Setting kSetting{{Precision::kFp32, 416, 416}, 2};

TEST(RunTimes, CountsAllAndRemembersTheLast) {
  RunTimes times;
  EXPECT_EQ(times.median_us(), 0);
  for (int i = 1; i <= 5; ++i) times.Add(i);
  EXPECT_EQ(times.median_us(), 3);
  EXPECT_EQ(times.Quantile(0), 1);
  EXPECT_EQ(times.Quantile(1), 5);
  for (size_t i = 0; i < RunTimes::kRemembered; ++i) times.Add(80);
  EXPECT_EQ(times.Quantile(0), 80);
  EXPECT_EQ(times.count(), 5 + static_cast<int64_t>(RunTimes::kRemembered));
}

TEST(RunTimes, AMeasurementOfServingSaysSo) {
  RunTimes times;
  for (int i = 1; i <= 11; ++i) times.Add(10.0 * i);
  const ProbeResult found = times.AsMeasurement(kSetting, 0.5);
  EXPECT_EQ(found.setting, kSetting);
  EXPECT_EQ(found.runs, 11);
  EXPECT_EQ(found.min_us, 10);
  EXPECT_EQ(found.median_us, 60);
  EXPECT_EQ(found.p90_us, 100);
  EXPECT_EQ(found.origin, ProbeOrigin::kServing);
  EXPECT_EQ(found.busy, 0.5);
}

ProbeResult Served(double median_us, int runs = 100, ProbeOrigin origin = ProbeOrigin::kServing) {
  return {.setting = kSetting, .runs = runs, .median_us = median_us, .origin = origin};
}

TEST(IsWorthKeeping, FollowsTheTable) {
  ProbeResult other = Served(50);
  other.setting.batch = 8;
  const ProbeResult alone = Served(50, 10, ProbeOrigin::kAlone);
  struct Case {
    const char* what;
    ProbeResult found;
    std::vector<ProbeResult> known;
    bool expected;
  };
  const Case cases[] = {
      {"the first", Served(50), {}, true},
      {"ten runs", Served(50, 10), {}, true},
      {"too few runs", Served(50, 9), {}, false},
      {"took no time", Served(0), {}, false},
      {"the fourth", Served(50), {Served(50), Served(50), Served(50)}, true},
      {"the fifth says the same", Served(50), {Served(90), Served(50), Served(50), Served(52)}, false},
      {"the fifth says something else", Served(50), {Served(50), Served(50), Served(50), Served(60)}, true},
      {"others do not count", Served(50), {other, other, alone, alone, Served(50)}, true},
  };
  for (const Case& c : cases) EXPECT_EQ(IsWorthKeeping(c.found, c.known), c.expected) << c.what;
}

}  // namespace
}  // namespace deepedge
