#include "deepedge/runtime/run_log.h"

#include <gtest/gtest.h>

#include <thread>

namespace deepedge {
namespace {

EngineRun RunOf(int stage, int64_t start_us, int64_t end_us) {
  return {.stage = stage, .start = {start_us}, .end = {end_us}};
}

TEST(RunLog, GivesEachRunOnceInTheOrderOfItsLane) {
  ManualClock clock({100});
  RunLog log(2, clock);
  log.lane(1).End(RunOf(7, 10, 20));
  log.lane(0).End(RunOf(1, 10, 30));
  log.lane(0).End(RunOf(2, 30, 40));
  std::vector<RunLog::LaneRun> runs;
  EXPECT_EQ(log.Drain(runs), Time{100});
  ASSERT_EQ(runs.size(), 3U);
  EXPECT_EQ(runs[0].run.stage, 1);
  EXPECT_EQ(runs[1].run.stage, 2);
  EXPECT_EQ(runs[2].run.stage, 7);
  EXPECT_EQ(runs[2].lane, 1);
  log.Drain(runs);
  EXPECT_EQ(runs.size(), 3U);
  log.lane(0).End(RunOf(3, 40, 50));
  log.Drain(runs);
  ASSERT_EQ(runs.size(), 4U);
  EXPECT_EQ(runs[3].run.stage, 3);
  EXPECT_EQ(log.dropped(), 0);
}

TEST(RunLog, TheOldestGoesWhenItIsFull) {
  const ManualClock clock;
  RunLog log(1, clock, 3);
  for (int i = 0; i < 5; ++i) log.lane(0).End(RunOf(i, i, i + 1));
  std::vector<RunLog::LaneRun> runs;
  log.Drain(runs);
  ASSERT_EQ(runs.size(), 3U);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(runs[static_cast<size_t>(i)].run.stage, i + 2);
  EXPECT_EQ(log.dropped(), 2);
}

TEST(RunLog, IsSettledUpToTheRunThatGoesOnForLongest) {
  ManualClock clock({50});
  RunLog log(3, clock);
  std::vector<RunLog::LaneRun> runs;
  EXPECT_EQ(log.lane(2).Begin(), Time{50});
  clock.Set({60});
  log.lane(0).Begin();
  clock.Set({90});
  EXPECT_EQ(log.Drain(runs), Time{50});
  log.lane(2).End(RunOf(0, 50, 90));
  EXPECT_EQ(log.Drain(runs), Time{60});
  log.lane(0).Abandon();
  EXPECT_EQ(log.Drain(runs), Time{90});
  EXPECT_EQ(runs.size(), 1U) << "a run that failed is none";
}

TEST(RunLog, NoRunIsLostOrGivenTwiceWhileLanesGoOn) {
  const RealClock clock;
  constexpr int kRuns = 20'000;
  RunLog log(2, clock, 64);
  const auto work = [&](size_t lane) {
    for (int i = 0; i < kRuns; ++i) {
      EngineRun run{.stage = i, .start = log.lane(lane).Begin()};
      run.end = clock.Now();
      log.lane(lane).End(run);
    }
  };
  std::vector<RunLog::LaneRun> runs;
  {
    const std::jthread first([&] { work(0); });
    const std::jthread second([&] { work(1); });
    for (int i = 0; i < 1000; ++i) {
      const size_t before = runs.size();
      const Time settled = log.Drain(runs);
      static_cast<void>(settled);
      ASSERT_LE(runs.size() - before, 128U);
    }
  }
  log.Drain(runs);
  EXPECT_EQ(static_cast<int64_t>(runs.size()) + log.dropped(), 2 * kRuns);
  int last[2] = {-1, -1};
  for (const RunLog::LaneRun& run : runs) {
    EXPECT_GT(run.run.stage, last[run.lane]);
    last[run.lane] = run.run.stage;
  }
  EXPECT_EQ(last[0], kRuns - 1);
  EXPECT_EQ(last[1], kRuns - 1);
}

}  // namespace
}  // namespace deepedge
