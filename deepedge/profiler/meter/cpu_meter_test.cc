#include "deepedge/profiler/meter/cpu_meter.h"

#include <gtest/gtest.h>

#include "deepedge/profiler/meter/fake_tree_for_test.h"

namespace deepedge {
namespace {

TEST(CpuMeter, ReadsTicksOfEveryCpu) {
  const auto cores = ParseCpuStat(
      "cpu  9 9 9 9 9 9 9 9 9 9\n"
      "cpu0 10 20 30 40 5 6 7 8 3 2\n"
      "cpu2 1 2 3 4\n"
      "intr 5 6\nunknown -7\n");
  EXPECT_EQ(cores.value(), (std::vector<CoreTicks>{{.cpu = 0, .busy = 73, .idle = 45, .steal = 8},
                                                   {.cpu = 2, .busy = 6, .idle = 4, .steal = 0}}));
}

TEST(CpuMeter, LeavesOutALineThatWasCut) { EXPECT_EQ(ParseCpuStat("cpu0 1 2 3 4\ncpu1 1 2").value().size(), 1u); }

TEST(CpuMeter, RefusesHostileNumbers) {
  for (const char* text : {"", "intr 5\n", "cpu0 1 2 3\n", "cpu0 1 2 3 -4\n", "cpu0 1 2 3 99999999999999999999\n",
                           "cpu0 1 2 3 9223372036854775807\n", "cpux 1 2 3 4\n", "cpu99999 1 2 3 4\n",
                           "cpu0 1 2 3 4\ncpu0 1 2 3 4\n", "cpu0 1 2 nan 4\n"}) {
    EXPECT_FALSE(ParseCpuStat(text).ok()) << text;
  }
}

TEST(CpuMeter, ReadsATaskWhateverItsName) {
  EXPECT_EQ(ParseTaskStat(FakeTree::Stat(7, 123, 3)).value(), (TaskTicks{.ticks = 123, .cpu = 3}));
  for (const char* text : {"", "1 (x S 1", "1 (x) S 1 2 3", ")"}) EXPECT_FALSE(ParseTaskStat(text).ok()) << text;
  EXPECT_FALSE(ParseTaskStat(FakeTree::Stat(7, -1, 3)).ok());
  EXPECT_FALSE(ParseTaskStat(FakeTree::Stat(7, 1, 1 << 20)).ok());
}

TEST(CpuMeter, ReadsThreadsAndPassesOverThoseThatCannotBeRead) {
  const FakeTree tree;
  tree.WriteOwn(50, {{30, 0}, {15, 1}});
  tree.Write("proc/self/task/99/stat", "nonsense");
  tree.Write("proc/self/task/100/other", "has ended");
  const auto own = ReadOwnTicks(tree.root()).value();
  EXPECT_EQ(own.process, 50);
  EXPECT_EQ(own.threads.size(), 2u);
}

CpuReading Reading(std::vector<CoreTicks> cores, int64_t process, std::vector<ThreadTicks> threads) {
  return {.cores = std::move(cores), .own = OwnTicks{.process = process, .threads = std::move(threads)}};
}

TEST(CpuMeter, SplitsACoreIntoOwnOthersStealAndIdle) {
  const auto before = Reading({{0, 0, 0, 0}, {1, 0, 0, 0}}, 0, {{7, {0, 0}}, {8, {0, 1}}});
  const auto after = Reading({{0, 80, 10, 10}, {1, 20, 80, 0}}, 70, {{7, {60, 0}}, {8, {10, 1}}});
  const CpuUse use = UseBetween(before, after, {0, 1});
  ASSERT_EQ(use.cores.size(), 2u);
  EXPECT_EQ(use.cores[0], (CoreUse{.cpu = 0, .own = 0.6, .others = 0.2, .steal = 0.1, .idle = 0.1}));
  EXPECT_EQ(use.cores[1], (CoreUse{.cpu = 1, .own = 0.1, .others = 0.1, .steal = 0, .idle = 0.8}));
  EXPECT_DOUBLE_EQ(use.own_cores, 0.7);
}

TEST(CpuMeter, SpreadsTicksOfThreadsThatEndedOverWhatIsUnexplained) {
  const auto before = Reading({{0, 0, 0, 0}, {1, 0, 0, 0}}, 0, {{7, {0, 0}}});
  const auto after = Reading({{0, 60, 40, 0}, {1, 20, 80, 0}}, 40, {{7, {20, 0}}});
  const CpuUse use = UseBetween(before, after, {0, 1});
  // 20 ticks more than threads tell of, 60 unexplained: a third of each core's.
  EXPECT_NEAR(use.cores[0].own, 0.2 + 0.4 / 3, 1e-9);
  EXPECT_NEAR(use.cores[1].own, 0.2 / 3, 1e-9);
}

TEST(CpuMeter, AThreadThatMovedNeverExceedsItsCore) {
  const auto before = Reading({{0, 0, 0, 0}, {1, 0, 0, 0}}, 0, {{7, {0, 0}}});
  const auto after = Reading({{0, 100, 0, 0}, {1, 30, 70, 0}}, 90, {{7, {90, 1}}});
  const CpuUse use = UseBetween(before, after, {0, 1});
  EXPECT_NEAR(use.cores[1].own, 0.3, 1e-9);
  EXPECT_NEAR(use.cores[1].others, 0, 1e-9);
  EXPECT_NEAR(use.cores[0].own, 0.6, 1e-9);
}

TEST(CpuMeter, CountsAllowedCpusOnlyAndThoseThatWereThereBefore) {
  const auto before = Reading({{0, 0, 0, 0}, {1, 0, 0, 0}}, 0, {});
  const auto after = Reading({{0, 50, 50, 0}, {1, 50, 50, 0}, {2, 50, 50, 0}, {3, 0, 0, 0}}, 0, {});
  const CpuUse use = UseBetween(before, after, {1, 2, 3});
  ASSERT_EQ(use.cores.size(), 1u);
  EXPECT_EQ(use.cores[0].cpu, 1);
}

TEST(CpuMeter, CountersThatGoBackwardsStandStill) {
  const auto before = Reading({{0, 100, 100, 100}}, 100, {{7, {100, 0}}});
  const auto after = Reading({{0, 50, 200, 0}}, 50, {{7, {50, 0}}});
  const CpuUse use = UseBetween(before, after, {0});
  EXPECT_EQ(use.cores[0], (CoreUse{.cpu = 0, .own = 0, .others = 0, .steal = 0, .idle = 1}));
  EXPECT_EQ(use.own_cores, 0);
}

TEST(CpuMeter, NothingCountedTellsNothing) {
  const auto same = Reading({{0, 1, 2, 3}}, 1, {});
  EXPECT_TRUE(UseBetween(same, same, {0}).cores.empty());
  EXPECT_TRUE(UseBetween({}, {}, {}).cores.empty());
}

}  // namespace
}  // namespace deepedge
