#include "deepedge/profiler/meter/cgroup_meter.h"

#include <gtest/gtest.h>

#include "deepedge/profiler/meter/fake_tree_for_test.h"

namespace deepedge {
namespace {

constexpr std::string_view kV2Mount =
    "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
constexpr std::string_view kV1Mounts =
    "22 27 0:21 / /proc rw - proc proc rw\n"
    "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
    "35 31 0:32 /docker/a /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
    "40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n"
    "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";

TEST(CgroupFiles, ReadsTheProcesssOwnGroups) {
  const auto lines = ParseSelfCgroup("12:cpu,cpuacct:/a:b\n1:name=systemd:/\n0::/edge.slice/x\nnonsense\n::\n");
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0], (CgroupLine{.controllers = {"cpu", "cpuacct"}, .path = "/a:b"}));
  EXPECT_EQ(lines[2], (CgroupLine{.controllers = {}, .path = "/edge.slice/x"}));
}

TEST(CgroupFiles, ReadsMountsOfBothVersions) {
  const auto mounts = ParseCgroupMounts(kV1Mounts);
  ASSERT_EQ(mounts.size(), 4u);
  EXPECT_EQ(mounts[0].controllers, (std::vector<std::string>{"cpu", "cpuacct"}));
  EXPECT_EQ(mounts[1].root, "/docker/a");
  EXPECT_TRUE(mounts[3].controllers.empty());
}

TEST(CgroupFiles, MountPointsMayHoldBlanksButLeadNowhereElse) {
  EXPECT_EQ(ParseCgroupMounts("1 2 0:1 / /my\\040groups rw - cgroup2 none rw\n")[0].point, "/my groups");
  EXPECT_TRUE(ParseCgroupMounts("1 2 0:1 / /a/../../b rw - cgroup2 none rw\n").empty());
  EXPECT_TRUE(ParseCgroupMounts("1 2 0:1 / relative rw - cgroup2 none rw\n").empty());
  EXPECT_TRUE(ParseCgroupMounts("1 2 - cgroup2\n-\n\n").empty());
}

TEST(CgroupFiles, FoldersGoUpToTheMountPoint) {
  struct Case {
    const char* root;
    const char* path;
    std::vector<std::string> folders;
  };
  const Case cases[] = {
      {"/", "/a/b", {"/m/a/b", "/m/a", "/m"}},
      {"/", "/", {"/m"}},
      {"/docker/x", "/docker/x", {"/m"}},
      {"/docker/x", "/docker/x/y", {"/m/y", "/m"}},
      {"/docker/x", "/docker/xy", {"/m"}},  // another group, whose name begins alike
      {"/docker/x", "/elsewhere", {"/m"}},
      {"/", "/../../etc", {"/m"}},  // outside of the container's namespace
      {"/", "no path", {"/m"}},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(CgroupFolders({.root = c.root, .point = "/m"}, {.path = c.path}), c.folders) << c.root << " " << c.path;
  }
  std::string deep;
  for (int i = 0; i < 1000; ++i) deep += "/d";
  EXPECT_EQ(CgroupFolders({.root = "/", .point = "/m"}, {.path = deep}).size(), 32u);
}

TEST(CgroupFiles, CpuLimits) {
  EXPECT_DOUBLE_EQ(ParseCpuMax("50000 100000\n").value().value(), 0.5);
  EXPECT_FALSE(ParseCpuMax("max 100000\n").value());
  EXPECT_DOUBLE_EQ(ParseCfsQuota("150000\n", "100000\n").value().value(), 1.5);
  EXPECT_FALSE(ParseCfsQuota("-1\n", "100000\n").value());
  for (const char* text : {"", "0 100000", "50000 0", "-5 100000", "x", "1 2 3", "9223372036854775807 1"}) {
    EXPECT_FALSE(ParseCpuMax(text).ok()) << text;
  }
  EXPECT_FALSE(ParseCfsQuota("-2", "100000").ok());
}

TEST(CgroupFiles, MemoryLimits) {
  EXPECT_EQ(ParseMemoryLimit("1048576\n").value(), 1048576);
  EXPECT_FALSE(ParseMemoryLimit("max\n").value());
  EXPECT_FALSE(ParseMemoryLimit("9223372036854771712\n").value());  // what version 1 writes for none
  for (const char* text : {"", "-7", "1e6", "99999999999999999999"}) EXPECT_FALSE(ParseMemoryLimit(text).ok()) << text;
}

TEST(CgroupFiles, CpuStatOfBothVersions) {
  EXPECT_EQ(ParseCgroupCpuStat("usage_usec 900\nnr_periods 10\nnr_throttled 3\nthrottled_usec 700\nnew 1\n").value(),
            (CgroupCpuStat{.usage_us = 900, .periods = 10, .throttled_periods = 3, .throttled_us = 700}));
  EXPECT_EQ(ParseCgroupCpuStat("nr_periods 10\nnr_throttled 3\nthrottled_time 700000\n").value(),
            (CgroupCpuStat{.periods = 10, .throttled_periods = 3, .throttled_us = 700}));
  EXPECT_FALSE(ParseCgroupCpuStat("nr_periods -1\n").ok());
}

TEST(CgroupMeter, VersionTwoTellsTheTightestLimitOfAllFoldersAbove) {
  const FakeTree tree;
  tree.Write("proc/self/mountinfo", kV2Mount);
  tree.Write("proc/self/cgroup", "0::/edge/serve\n");
  tree.Write("sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory\n");
  tree.Write("sys/fs/cgroup/edge/cpu.max", "100000 100000\n");
  tree.Write("sys/fs/cgroup/edge/cpu.stat", "usage_usec 5000\nnr_periods 4\nnr_throttled 1\n");
  tree.Write("sys/fs/cgroup/edge/memory.max", "8000000\n");
  tree.Write("sys/fs/cgroup/edge/memory.current", "7000000\n");
  tree.Write("sys/fs/cgroup/edge/serve/cpu.max", "max 100000\n");
  tree.Write("sys/fs/cgroup/edge/serve/cpu.stat", "usage_usec 4000\nnr_periods 0\n");
  tree.Write("sys/fs/cgroup/edge/serve/memory.max", "max\n");
  tree.Write("sys/fs/cgroup/edge/serve/memory.high", "6000000\n");
  tree.Write("sys/fs/cgroup/edge/serve/memory.current", "3000000\n");
  tree.WritePressure("sys/fs/cgroup/edge/serve/cpu.pressure", 10, 1);
  const CgroupReading reading = CgroupMeter(tree.root()).Read();
  EXPECT_DOUBLE_EQ(reading.cpu_limit.value(), 1);
  EXPECT_EQ(reading.cpu_usage_us, 5000);
  EXPECT_EQ(reading.cpu->throttled_periods, 1);
  EXPECT_EQ(reading.memory_limit, 8000000);  // 1 MB left there, 3 MB below
  EXPECT_EQ(reading.memory_used, 7000000);
  EXPECT_EQ(reading.cpu_pressure->some.total_us, 10);
  EXPECT_TRUE(reading.missing.empty());
}

TEST(CgroupMeter, VersionOneBesideAnEmptyVersionTwo) {
  const FakeTree tree;
  tree.Write("proc/self/mountinfo", kV1Mounts);
  tree.Write("proc/self/cgroup", "2:cpu,cpuacct:/edge\n4:memory:/docker/a/edge\n0::/\n");
  tree.Write("sys/fs/cgroup/unified/cgroup.controllers", "hugetlb\n");
  tree.Write("sys/fs/cgroup/cpu,cpuacct/edge/cpu.cfs_quota_us", "50000\n");
  tree.Write("sys/fs/cgroup/cpu,cpuacct/edge/cpu.cfs_period_us", "100000\n");
  tree.Write("sys/fs/cgroup/cpu,cpuacct/edge/cpu.stat", "nr_periods 8\nnr_throttled 2\nthrottled_time 3000\n");
  tree.Write("sys/fs/cgroup/cpu,cpuacct/edge/cpuacct.usage", "7000000\n");
  tree.Write("sys/fs/cgroup/memory/edge/memory.limit_in_bytes", "5000000\n");
  tree.Write("sys/fs/cgroup/memory/edge/memory.usage_in_bytes", "4000000\n");
  tree.Write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  const CgroupReading reading = CgroupMeter(tree.root()).Read();
  EXPECT_DOUBLE_EQ(reading.cpu_limit.value(), 0.5);
  EXPECT_EQ(reading.cpu_usage_us, 7000);
  EXPECT_EQ(reading.memory_limit, 5000000);
  EXPECT_EQ(reading.memory_used, 4000000);
  EXPECT_FALSE(reading.cpu_pressure);
  EXPECT_TRUE(reading.missing.empty());
}

TEST(CgroupMeter, NamesWhatIsMissing) {
  const FakeTree tree;
  EXPECT_EQ(CgroupMeter(tree.root()).Read().missing.at(0).source, "cgroup");
  tree.Write("proc/self/mountinfo", kV2Mount);
  tree.Write("proc/self/cgroup", "0::/\n");
  tree.Write("sys/fs/cgroup/cgroup.controllers", "memory\n");
  const CgroupReading reading = CgroupMeter(tree.root()).Read();
  ASSERT_EQ(reading.missing.size(), 1u);
  EXPECT_EQ(reading.missing[0],
            (MissingSource{.source = "cgroup cpu", .reason = "no mounted cgroup tree has this controller"}));
  EXPECT_FALSE(reading.cpu_limit);
}

TEST(CgroupMeter, ALimitThatIsNotUnderstoodIsNamedAndNotTaken) {
  const FakeTree tree;
  tree.Write("proc/self/mountinfo", kV2Mount);
  tree.Write("proc/self/cgroup", "0::/edge\n");
  tree.Write("sys/fs/cgroup/cgroup.controllers", "cpu memory\n");
  tree.Write("sys/fs/cgroup/edge/cpu.max", "-5 100000\n");
  tree.Write("sys/fs/cgroup/edge/memory.max", "99999999999999999999999\n");
  tree.Write("sys/fs/cgroup/edge/memory.current", " \n");
  const CgroupReading reading = CgroupMeter(tree.root()).Read();
  EXPECT_FALSE(reading.cpu_limit);
  EXPECT_FALSE(reading.memory_limit);
  EXPECT_FALSE(reading.memory_used);
  ASSERT_EQ(reading.missing.size(), 2u);
  EXPECT_NE(reading.missing[0].reason.find("/edge: cpu.max: '-5' is not understood"), std::string::npos);
}

}  // namespace
}  // namespace deepedge
