#include "deepedge/profiler/interference/overlap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace deepedge {
namespace {

constexpr Boundness kCompute = {.compute = 1, .cache = 0, .memory = 0};
constexpr Boundness kMemory = {.compute = 0, .cache = 0, .memory = 1};

StageRun Ran(int lane, int64_t start_us, int64_t end_us, const Boundness& bound = kCompute) {
  return {.key = {.model = "m"}, .lane = lane, .start = {start_us}, .end = {end_us}, .solo_us = 1, .bound = bound};
}

// By definition: every pair of runs.
std::vector<NeighbourLoad> ByPairs(const std::vector<StageRun>& runs) {
  std::vector<NeighbourLoad> loads(runs.size());
  for (size_t i = 0; i < runs.size(); ++i) {
    const double took = static_cast<double>((runs[i].end - runs[i].start).count());
    if (took <= 0) continue;
    std::vector<bool> accompanied(static_cast<size_t>(took));
    for (const StageRun& other : runs) {
      if (other.lane == runs[i].lane) continue;
      const int64_t from = std::max(runs[i].start.us, other.start.us);
      const int64_t to = std::min(runs[i].end.us, other.end.us);
      if (to <= from) continue;
      const double share = static_cast<double>(to - from) / took;
      loads[i].compute += share * other.bound.compute;
      loads[i].cache += share * other.bound.cache;
      loads[i].memory += share * other.bound.memory;
      for (int64_t t = from; t < to; ++t) accompanied[static_cast<size_t>(t - runs[i].start.us)] = true;
    }
    loads[i].share = static_cast<double>(std::count(accompanied.begin(), accompanied.end(), true)) / took;
  }
  return loads;
}

void ExpectSame(const std::vector<NeighbourLoad>& a, const std::vector<NeighbourLoad>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_NEAR(a[i].compute, b[i].compute, 1e-9) << i;
    EXPECT_NEAR(a[i].cache, b[i].cache, 1e-9) << i;
    EXPECT_NEAR(a[i].memory, b[i].memory, 1e-9) << i;
    EXPECT_NEAR(a[i].share, b[i].share, 1e-9) << i;
  }
}

TEST(Overlap, SharesByTable) {
  struct Case {
    const char* what;
    std::vector<StageRun> runs;
    std::vector<NeighbourLoad> expected;
  };
  const Case cases[] = {
      {"nothing", {}, {}},
      {"alone", {Ran(0, 0, 100)}, {{}}},
      {"one after the other", {Ran(0, 0, 100), Ran(1, 100, 200)}, {{}, {}}},
      {"half",
       {Ran(0, 0, 100), Ran(1, 50, 250, kMemory)},
       {{.memory = 0.5, .share = 0.5}, {.compute = 0.25, .share = 0.25}}},
      {"a lane is no neighbour of itself", {Ran(0, 0, 100), Ran(0, 50, 150)}, {{}, {}}},
      {"two at once on three lanes",
       {Ran(0, 0, 100), Ran(1, 0, 100, kMemory), Ran(2, 0, 50, kMemory)},
       {{.memory = 1.5, .share = 1},
        {.compute = 1, .memory = 0.5, .share = 1},
        {.compute = 1, .memory = 1, .share = 1}}},
      {"ends before it starts", {Ran(0, 100, 0), Ran(1, 0, 100)}, {{}, {}}},
      {"of no length", {Ran(0, 50, 50), Ran(1, 0, 100)}, {{}, {}}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    ExpectSame(NeighboursOf(c.runs), c.expected);
  }
}

std::vector<StageRun> RandomTrace(unsigned seed, int lanes, int runs_a_lane) {
  std::mt19937 random(seed);
  std::vector<StageRun> runs;
  for (int lane = 0; lane < lanes; ++lane) {
    int64_t t = 1'000'000'000'000;  // a box that is up for days
    for (int i = 0; i < runs_a_lane; ++i) {
      t += random() % 3 == 0 ? random() % 40 : 0;
      const auto took = static_cast<int64_t>(1 + random() % 60);
      const double compute = static_cast<double>(random() % 100) / 100;
      const double cache = (1 - compute) * static_cast<double>(random() % 100) / 100;
      runs.push_back(Ran(lane, t, t + took, {.compute = compute, .cache = cache, .memory = 1 - compute - cache}));
      t += took;
    }
  }
  std::shuffle(runs.begin(), runs.end(), random);
  return runs;
}

TEST(Overlap, SweepIsWhatAllPairsAre) {
  for (unsigned seed = 1; seed <= 10; ++seed) {
    const auto runs = RandomTrace(seed, 1 + static_cast<int>(seed % 5), 60);
    ExpectSame(NeighboursOf(runs), ByPairs(runs));
  }
}

TEST(OverlapWindow, JudgesEachRunOnceWithAllItsNeighbours) {
  auto runs = RandomTrace(3, 3, 200);
  const auto expected = NeighboursOf(runs);
  std::vector<size_t> by_end(runs.size());
  for (size_t i = 0; i < by_end.size(); ++i) by_end[i] = i;
  std::sort(by_end.begin(), by_end.end(), [&](size_t a, size_t b) { return runs[a].end < runs[b].end; });

  for (size_t i = 0; i < runs.size(); ++i) runs[i].key.stage = static_cast<int>(i);
  OverlapWindow window;
  std::vector<NeighbourLoad> judged(runs.size());
  std::vector<int> times(runs.size(), 0);
  size_t largest = 0;
  const auto take = [&](Time settled) {
    for (const JudgedRun& run : window.Take(settled)) {
      judged[static_cast<size_t>(run.run.key.stage)] = run.neighbours;
      ++times[static_cast<size_t>(run.run.key.stage)];
    }
    largest = std::max(largest, window.size());
  };
  for (size_t n = 0; n < by_end.size(); ++n) {
    window.Add(runs[by_end[n]]);
    if (n % 7 != 0) continue;
    // What has not ended yet began at this time at the earliest.
    Time settled = runs[by_end[n]].end;
    for (size_t later = n + 1; later < by_end.size(); ++later) {
      settled = std::min(settled, runs[by_end[later]].start);
    }
    take(settled);
  }
  take(kTimeNever);
  ExpectSame(judged, expected);
  for (const int t : times) EXPECT_EQ(t, 1);
  EXPECT_LT(largest, 40u);  // what is nobody's neighbour any more goes
  EXPECT_EQ(window.lost(), 0);
  EXPECT_EQ(window.size(), 0u);
}

TEST(OverlapWindow, IsBoundedAndCountsWhatItLoses) {
  OverlapWindow window(10);
  for (int i = 0; i < 25; ++i) window.Add(Ran(0, 10 * i, 10 * i + 10));
  EXPECT_EQ(window.size(), 10u);
  EXPECT_EQ(window.lost(), 15);
  const auto judged = window.Take(kTimeNever);
  ASSERT_EQ(judged.size(), 10u);
  EXPECT_EQ(judged.front().run.start.us, 150);
}

}  // namespace
}  // namespace deepedge
