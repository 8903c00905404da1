#include "deepedge/profiler/meter/meter.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "deepedge/profiler/meter/fake_tree_for_test.h"

namespace deepedge {
namespace {

using std::chrono::seconds;

bool IsMissing(const MeterReport& report, std::string_view source) {
  return std::ranges::find(report.missing, source, &MissingSource::source) != report.missing.end();
}

// A box of two cores whose group may use one of them, at its beginning.
void WriteBox(const FakeTree& tree) {
  tree.WriteStat({{0, 0, 0}, {0, 0, 0}});
  tree.WriteOwn(0, {{0, 0}, {0, 1}});
  tree.WriteStatus("0-1");
  tree.WriteMemory();
  for (const char* resource : {"cpu", "memory", "io"})
    tree.WritePressure(std::string("proc/pressure/") + resource, 0, 0);
  tree.Write("proc/self/mountinfo", "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
  tree.Write("proc/self/cgroup", "0::/edge\n");
  tree.Write("sys/fs/cgroup/cgroup.controllers", "cpu memory\n");
  tree.Write("sys/fs/cgroup/edge/cpu.max", "100000 100000\n");
  tree.Write("sys/fs/cgroup/edge/cpu.stat", "usage_usec 0\nnr_periods 0\nnr_throttled 0\nthrottled_usec 0\n");
  tree.Write("sys/fs/cgroup/edge/memory.max", "1000000000\n");
  tree.Write("sys/fs/cgroup/edge/memory.current", "400000000\n");
}

TEST(Meter, TellsWhatHappenedSinceTheSampleBefore) {
  const FakeTree tree;
  WriteBox(tree);
  ManualClock clock;
  Meter meter({.root = tree.root(), .ticks_per_second = 100});
  const MeterReport first = meter.Sample(clock);
  EXPECT_EQ(first.interval.count(), 0);
  EXPECT_TRUE(first.cores.empty());
  EXPECT_EQ(first.allowed, (std::vector<int>{0, 1}));

  // Two seconds: own 100 + 20 ticks, others 40 and 60, the hypervisor 20.
  tree.WriteStat({{140, 40, 20}, {80, 120, 0}});
  tree.WriteOwn(120, {{100, 0}, {20, 1}});
  tree.WritePressure("proc/pressure/cpu", 500'000, 0);
  tree.WritePressure("proc/pressure/memory", 100'000, 20'000);
  tree.Write("sys/fs/cgroup/edge/cpu.stat", "usage_usec 1600000\nnr_periods 20\nnr_throttled 5\nthrottled_usec 1\n");
  clock.Advance(seconds(2));
  const MeterReport report = meter.Sample(clock);
  EXPECT_EQ(report.interval, seconds(2));
  EXPECT_DOUBLE_EQ(report.resolution, 0.005);
  ASSERT_EQ(report.cores.size(), 2u);
  EXPECT_EQ(report.cores[0], (CoreUse{.cpu = 0, .own = 0.5, .others = 0.2, .steal = 0.1, .idle = 0.2}));
  EXPECT_EQ(report.cores[1], (CoreUse{.cpu = 1, .own = 0.1, .others = 0.3, .steal = 0, .idle = 0.6}));
  EXPECT_DOUBLE_EQ(report.own_cores.value(), 0.6);
  EXPECT_DOUBLE_EQ(report.foreign_cores.value(), 0.5);
  EXPECT_DOUBLE_EQ(report.steal_cores.value(), 0.1);
  EXPECT_DOUBLE_EQ(report.capacity.value(), 1);
  EXPECT_NEAR(report.cgroup_others.value(), 0.2, 1e-9);
  EXPECT_DOUBLE_EQ(report.throttled.value(), 0.25);
  EXPECT_DOUBLE_EQ(report.cpu_pressure->some, 0.25);
  EXPECT_DOUBLE_EQ(report.memory_pressure->full, 0.01);
  EXPECT_EQ(report.memory.own, 2000 * 1024);
  EXPECT_EQ(report.memory.limit(), 1000000000);
  EXPECT_EQ(report.memory.cgroup_used, 400000000);
  EXPECT_TRUE(report.missing.empty());
}

TEST(Meter, PrefersThePressureOfItsOwnGroup) {
  const FakeTree tree;
  WriteBox(tree);
  tree.WritePressure("sys/fs/cgroup/edge/cpu.pressure", 0, 0);
  ManualClock clock;
  Meter meter({.root = tree.root(), .ticks_per_second = 100});
  meter.Sample(clock);
  tree.WritePressure("proc/pressure/cpu", 900'000, 0);
  tree.WritePressure("sys/fs/cgroup/edge/cpu.pressure", 100'000, 0);
  clock.Advance(seconds(1));
  EXPECT_DOUBLE_EQ(meter.Sample(clock).cpu_pressure->some, 0.1);
}

TEST(Meter, EverySourceIsOptionalAndNamedWhenMissing) {
  struct Case {
    const char* removed;
    const char* source;
  };
  const Case cases[] = {{"proc/stat", "use of CPUs"},
                        {"proc/self/stat", "own use of CPUs"},
                        {"proc/meminfo", "memory of the box"},
                        {"proc/self/status", "own memory"},
                        {"proc/self/status", "allowed CPUs"},
                        {"proc/pressure/cpu", "cpu pressure"},
                        {"proc/pressure", "io pressure"},
                        {"proc/self/cgroup", "cgroup"},
                        {"sys/fs/cgroup/cgroup.controllers", "cgroup cpu"},
                        {"proc", "use of CPUs"}};
  for (const Case& c : cases) {
    const FakeTree tree;
    WriteBox(tree);
    tree.Remove(c.removed);
    ManualClock clock;
    Meter meter({.root = tree.root(), .ticks_per_second = 100});
    meter.Sample(clock);
    clock.Advance(seconds(1));
    EXPECT_TRUE(IsMissing(meter.Sample(clock), c.source)) << c.removed;
  }
}

TEST(Meter, WithoutOwnUseOthersAreUnknown) {
  const FakeTree tree;
  WriteBox(tree);
  tree.Remove("proc/self/stat");
  ManualClock clock;
  Meter meter({.root = tree.root(), .ticks_per_second = 100});
  meter.Sample(clock);
  tree.WriteStat({{50, 50, 0}, {0, 100, 0}});
  clock.Advance(seconds(1));
  const MeterReport report = meter.Sample(clock);
  EXPECT_EQ(report.cores.size(), 2u);
  EXPECT_FALSE(report.own_cores);
  EXPECT_FALSE(report.foreign_cores);
}

TEST(Meter, WithoutStatusAllCpusAreAllowed) {
  const FakeTree tree;
  WriteBox(tree);
  tree.Remove("proc/self/status");
  Meter meter({.root = tree.root(), .ticks_per_second = 100});
  EXPECT_EQ(meter.Sample(ManualClock()).allowed, (std::vector<int>{0, 1}));
}

TEST(Meter, HostileFilesAreNamedAndHarmless) {
  const FakeTree tree;
  WriteBox(tree);
  ManualClock clock;
  Meter meter({.root = tree.root(), .ticks_per_second = 100});
  meter.Sample(clock);
  for (const char* file : {"proc/stat", "proc/self/stat", "proc/self/status", "proc/meminfo", "proc/pressure/cpu",
                           "proc/pressure/memory", "sys/fs/cgroup/edge/cpu.max", "sys/fs/cgroup/edge/cpu.stat",
                           "sys/fs/cgroup/edge/memory.max", "sys/fs/cgroup/edge/memory.current"}) {
    tree.Write(file, std::string(3000, '9') + "\ncpu0 -1 -1 -1 -1\nnr_periods 99999999999999999999\n");
  }
  clock.Advance(seconds(1));
  const MeterReport report = meter.Sample(clock);
  EXPECT_TRUE(report.cores.empty());
  EXPECT_FALSE(report.memory.total);
  for (const char* source : {"use of CPUs", "own use of CPUs", "own memory", "cpu pressure", "limit of CPU",
                             "cgroup cpu.stat", "cgroup memory.max"}) {
    EXPECT_TRUE(IsMissing(report, source)) << source;
  }
}

TEST(Meter, NoTimeBetweenTellsNoRates) {
  const FakeTree tree;
  WriteBox(tree);
  const ManualClock clock;
  Meter meter({.root = tree.root()});
  meter.Sample(clock);
  const MeterReport report = meter.Sample(clock);
  EXPECT_EQ(report.interval.count(), 0);
  EXPECT_FALSE(report.own_cores);
}

// On the box that the test runs on, whichever sources that has: shares are shares.
TEST(Meter, WorksOnThisBox) {
  Meter meter;
  const RealClock clock;
  meter.Sample(clock);
  const MeterReport report = meter.Sample(clock);
  for (const CoreUse& core : report.cores) {
    EXPECT_NEAR(core.own + core.others + core.steal + core.idle, 1, 1e-9);
    for (const double share : {core.own, core.others, core.steal, core.idle}) EXPECT_GE(share, 0);
  }
  for (const MissingSource& missing : report.missing) EXPECT_FALSE(missing.reason.empty()) << missing.source;
  EXPECT_GT(report.memory.own.value_or(1), 0);
}

}  // namespace
}  // namespace deepedge
