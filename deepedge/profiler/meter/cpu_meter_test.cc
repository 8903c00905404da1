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
  EXPECT_EQ(cores.value(), (std::vector<CoreTicks>{{.cpu = 0, .busy = 73, .niced = 20, .idle = 45, .steal = 8},
                                                   {.cpu = 2, .busy = 6, .niced = 2, .idle = 4, .steal = 0}}));
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
  EXPECT_EQ(ParseTaskStat(FakeTree::Stat(7, 1, 3, -5)).value().nice, -5);
  EXPECT_FALSE(ParseTaskStat(FakeTree::Stat(7, 1, 3, 99)).ok());
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
  return {.cores = std::move(cores),
          .own = OwnTicks{.process = process, .is_niced = false, .threads = std::move(threads)}};
}

TEST(CpuMeter, SplitsACoreIntoOwnOthersStealAndIdle) {
  const auto before =
      Reading({{.cpu = 0, .busy = 0, .idle = 0, .steal = 0}, {.cpu = 1, .busy = 0, .idle = 0, .steal = 0}}, 0,
              {{7, {0, 0}}, {8, {0, 1}}});
  const auto after =
      Reading({{.cpu = 0, .busy = 80, .idle = 10, .steal = 10}, {.cpu = 1, .busy = 20, .idle = 80, .steal = 0}}, 70,
              {{7, {60, 0}}, {8, {10, 1}}});
  const CpuUse use = UseBetween(before, after, {0, 1});
  ASSERT_EQ(use.cores.size(), 2u);
  EXPECT_EQ(use.cores[0], (CoreUse{.cpu = 0, .own = 0.6, .others = 0.2, .steal = 0.1, .idle = 0.1}));
  EXPECT_EQ(use.cores[1], (CoreUse{.cpu = 1, .own = 0.1, .others = 0.1, .steal = 0, .idle = 0.8}));
  EXPECT_DOUBLE_EQ(use.own_cores, 0.7);
}

TEST(CpuMeter, SpreadsTicksOfThreadsThatEndedOverWhatIsUnexplained) {
  const auto before = Reading(
      {{.cpu = 0, .busy = 0, .idle = 0, .steal = 0}, {.cpu = 1, .busy = 0, .idle = 0, .steal = 0}}, 0, {{7, {0, 0}}});
  const auto after =
      Reading({{.cpu = 0, .busy = 60, .idle = 40, .steal = 0}, {.cpu = 1, .busy = 20, .idle = 80, .steal = 0}}, 40,
              {{7, {20, 0}}});
  const CpuUse use = UseBetween(before, after, {0, 1});
  // 20 ticks more than threads tell of, 60 unexplained: a third of each core's.
  EXPECT_NEAR(use.cores[0].own, 0.2 + 0.4 / 3, 1e-9);
  EXPECT_NEAR(use.cores[1].own, 0.2 / 3, 1e-9);
}

TEST(CpuMeter, AThreadThatMovedNeverExceedsItsCore) {
  const auto before = Reading(
      {{.cpu = 0, .busy = 0, .idle = 0, .steal = 0}, {.cpu = 1, .busy = 0, .idle = 0, .steal = 0}}, 0, {{7, {0, 0}}});
  const auto after =
      Reading({{.cpu = 0, .busy = 100, .idle = 0, .steal = 0}, {.cpu = 1, .busy = 30, .idle = 70, .steal = 0}}, 90,
              {{7, {90, 1}}});
  const CpuUse use = UseBetween(before, after, {0, 1});
  EXPECT_NEAR(use.cores[1].own, 0.3, 1e-9);
  EXPECT_NEAR(use.cores[1].others, 0, 1e-9);
  EXPECT_NEAR(use.cores[0].own, 0.6, 1e-9);
}

TEST(CpuMeter, CountsAllowedCpusOnlyAndThoseThatWereThereBefore) {
  const auto before =
      Reading({{.cpu = 0, .busy = 0, .idle = 0, .steal = 0}, {.cpu = 1, .busy = 0, .idle = 0, .steal = 0}}, 0, {});
  const auto after = Reading({{.cpu = 0, .busy = 50, .idle = 50, .steal = 0},
                              {.cpu = 1, .busy = 50, .idle = 50, .steal = 0},
                              {.cpu = 2, .busy = 50, .idle = 50, .steal = 0},
                              {.cpu = 3, .busy = 0, .idle = 0, .steal = 0}},
                             0, {});
  const CpuUse use = UseBetween(before, after, {1, 2, 3});
  ASSERT_EQ(use.cores.size(), 1u);
  EXPECT_EQ(use.cores[0].cpu, 1);
}

TEST(CpuMeter, NicedProcessesYieldUnlessWeAreNicedToo) {
  const auto before = Reading({{.cpu = 0}}, 0, {});
  auto after = Reading({{.cpu = 0, .busy = 80, .niced = 50, .idle = 20}}, 20, {{7, {20, 0}}});
  EXPECT_NEAR(UseBetween(before, after, {0}).cores[0].niced, 0.5, 1e-9);
  after.cores[0].niced = 90;  // counted by samples: never more than others used
  EXPECT_NEAR(UseBetween(before, after, {0}).cores[0].niced, 0.6, 1e-9);
  after.own->is_niced = true;
  EXPECT_EQ(UseBetween(before, after, {0}).cores[0].niced, 0);
}

TEST(CpuMeter, CountersThatGoBackwardsStandStill) {
  const auto before = Reading({{.cpu = 0, .busy = 100, .idle = 100, .steal = 100}}, 100, {{7, {100, 0}}});
  const auto after = Reading({{.cpu = 0, .busy = 50, .idle = 200, .steal = 0}}, 50, {{7, {50, 0}}});
  const CpuUse use = UseBetween(before, after, {0});
  EXPECT_EQ(use.cores[0], (CoreUse{.cpu = 0, .own = 0, .others = 0, .steal = 0, .idle = 1}));
  EXPECT_EQ(use.own_cores, 0);
}

TEST(CpuMeter, NothingCountedTellsNothing) {
  const auto same = Reading({{.cpu = 0, .busy = 1, .idle = 2, .steal = 3}}, 1, {});
  EXPECT_TRUE(UseBetween(same, same, {0}).cores.empty());
  EXPECT_TRUE(UseBetween({}, {}, {}).cores.empty());
}

}  // namespace
}  // namespace deepedge
