#include "deepedge/runtime/probe_budget.h"

#include <gtest/gtest.h>

#include <vector>

namespace deepedge {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Time At(double s) { return {static_cast<int64_t>(s * 1e6)}; }

// Two cores: 20 ms a second, 1.2 s a minute.
TEST(ProbeBudget, FollowsTheTable) {
  struct Spent {
    double at_s;
    Duration took;
  };
  struct Case {
    const char* what;
    std::vector<Spent> before;
    double now_s;
    BoxUse use;
    Duration expected;
    ProbeVerdict verdict;
  };
  const BoxUse idle{.busy = 0.2};
  const Case cases[] = {
      {"an idle box", {}, 100, idle, milliseconds(10), ProbeVerdict::kGo},
      {"at the limit", {}, 100, {.busy = 0.85}, milliseconds(10), ProbeVerdict::kGo},
      {"above it", {}, 100, {.busy = 0.86}, milliseconds(10), ProbeVerdict::kBoxBusy},
      {"nobody knows", {}, 100, {}, milliseconds(10), ProbeVerdict::kBoxBusy},
      {"packets wait", {}, 100, {.busy = 0.2, .decode_waits = true}, milliseconds(10), ProbeVerdict::kDecodeWaits},
      {"the pause is 50 times what it took",
       {{100, milliseconds(10)}},
       100.49,
       idle,
       milliseconds(10),
       ProbeVerdict::kPause},
      {"and then over", {{100, milliseconds(10)}}, 100.5, idle, milliseconds(10), ProbeVerdict::kGo},
      {"pauses add up",
       {{100, milliseconds(10)}, {100.1, milliseconds(10)}},
       100.95,
       idle,
       milliseconds(10),
       ProbeVerdict::kPause},
      {"not more than is left of the minute",
       {{100, milliseconds(500)}},
       130,
       idle,
       milliseconds(701),
       ProbeVerdict::kSpent},
      {"what is left of it", {{100, milliseconds(500)}}, 130, idle, milliseconds(700), ProbeVerdict::kGo},
      {"the minute after", {{100, milliseconds(500)}}, 162, idle, milliseconds(701), ProbeVerdict::kGo},
      {"more than a minute has, all alone", {}, 100, idle, seconds(5), ProbeVerdict::kGo},
      {"more than a minute has, after something",
       {{100, milliseconds(13)}},
       110,
       idle,
       seconds(5),
       ProbeVerdict::kSpent},
      {"more than a minute has, after next to nothing",
       {{100, milliseconds(12)}},
       110,
       idle,
       seconds(5),
       ProbeVerdict::kGo},
      {"after more than a minute has", {{100, seconds(3)}}, 249, idle, milliseconds(1), ProbeVerdict::kPause},
      {"long after", {{100, seconds(3)}}, 250, idle, milliseconds(1), ProbeVerdict::kGo},
      {"what took no time", {{100, Duration(0)}}, 100, idle, milliseconds(1), ProbeVerdict::kGo},
      {"before zero", {{-3, milliseconds(10)}}, -2.4, idle, milliseconds(10), ProbeVerdict::kGo},
  };
  for (const Case& c : cases) {
    ProbeBudget budget(2);
    for (const Spent& spent : c.before) budget.Spend(At(spent.at_s), spent.took);
    EXPECT_EQ(ToString(budget.Ask(At(c.now_s), c.use, c.expected)), ToString(c.verdict)) << c.what;
  }
}

TEST(ProbeBudget, InNoMinuteMoreThanItsShareWhateverTheSteps) {
  ProbeBudget budget(2);
  const BoxUse idle{.busy = 0};
  std::vector<std::pair<Time, Duration>> spent;
  uint32_t chance = 1;
  for (Time now{0}; now < At(600); now = now + milliseconds(100)) {
    chance = chance * 1664525 + 1013904223;
    const Duration took = milliseconds(1 + chance % 400);
    if (budget.Ask(now, idle, took) != ProbeVerdict::kGo) continue;
    budget.Spend(now + took, took);
    spent.emplace_back(now + took, took);
  }
  ASSERT_GT(spent.size(), 20U);
  Duration all{0};
  for (const auto& [at, took] : spent) all += took;
  EXPECT_EQ(budget.spent(), all);
  EXPECT_GT(all, seconds(8)) << "of twelve that there are";
  for (const auto& [end, last] : spent) {
    Duration minute{0};
    for (const auto& [at, took] : spent) {
      if (at <= end && at > end - ProbeBudget::kWindow) minute += took;
    }
    EXPECT_LE(minute, budget.allowance());
  }
}

TEST(BusyMeter, TellsTheShareOfTheLastSecond) {
  BusyMeter meter;
  EXPECT_FALSE(meter.Busy());
  meter.Add(At(0), seconds(100), 2);
  meter.Add(At(0.9), seconds(100), 2);
  EXPECT_FALSE(meter.Busy()) << "not a second yet";
  meter.Add(At(1), seconds(101), 2);
  ASSERT_TRUE(meter.Busy());
  EXPECT_DOUBLE_EQ(*meter.Busy(), 0.5);
  meter.Add(At(2), seconds(103), 2);
  EXPECT_DOUBLE_EQ(*meter.Busy(), 1.0);
  meter.Add(At(12), seconds(108), 2);
  EXPECT_DOUBLE_EQ(*meter.Busy(), 0.25) << "nobody looked for ten";
}

TEST(BusyMeter, LooksBackASecondHoweverOftenItIsTold) {
  BusyMeter meter;
  for (int i = 0; i <= 50; ++i) meter.Add(At(0.2 * i), i < 40 ? Duration(0) : milliseconds(200 * (i - 40)), 1);
  EXPECT_DOUBLE_EQ(*meter.Busy(), 1.0);
}

}  // namespace
}  // namespace deepedge
