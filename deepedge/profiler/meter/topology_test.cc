#include "deepedge/profiler/meter/topology.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "deepedge/engine/openvino/openvino_engine.h"
#include "deepedge/profiler/meter/fake_tree_for_test.h"

namespace deepedge {
namespace {

void WriteCache(const FakeTree& tree, int cpu, int index, std::array<std::string_view, 4> values) {
  const std::string folder = fmt::format("sys/devices/system/cpu/cpu{}/cache/index{}/", cpu, index);
  tree.Write(folder + "level", values[0]);
  tree.Write(folder + "type", values[1]);
  tree.Write(folder + "size", values[2]);
  tree.Write(folder + "shared_cpu_list", values[3]);
}

// Two cores of two threads, 0+2 and 1+3.
void WriteBox(const FakeTree& tree) {
  tree.Write("sys/devices/system/cpu/online", "0-3\n");
  for (int cpu = 0; cpu < 4; ++cpu) {
    const std::string pair = cpu % 2 == 0 ? "0,2\n" : "1,3\n";
    tree.Write(fmt::format("sys/devices/system/cpu/cpu{}/topology/core_cpus_list", cpu), pair);
    WriteCache(tree, cpu, 0, {"1\n", "Data\n", "32K\n", pair});
    WriteCache(tree, cpu, 1, {"1\n", "Instruction\n", "64K\n", pair});
    WriteCache(tree, cpu, 2, {"2\n", "Unified\n", "1024K\n", pair});
    WriteCache(tree, cpu, 3, {"3\n", "Unified\n", "32M\n", "0-3\n"});
  }
  tree.Write("sys/devices/system/node/online", "0\n");
  tree.Write("sys/devices/system/node/node0/cpulist", "0-3\n");
  tree.Write("sys/devices/system/node/node0/meminfo", "\nNode 0 MemTotal:  1024 kB\nNode 0 MemFree: 1 kB\n");
}

TEST(Topology, FromSysfs) {
  const FakeTree tree;
  WriteBox(tree);
  std::vector<MissingSource> missing;
  const Topology topology = ReadTopology(tree.root(), missing);
  EXPECT_EQ(topology.source, TopologySource::kSysfs);
  EXPECT_EQ(topology.cpus, (std::vector<int>{0, 1, 2, 3}));
  EXPECT_EQ(topology.cores, (std::vector<std::vector<int>>{{0, 2}, {1, 3}}));
  ASSERT_EQ(topology.caches.size(), 5u);
  EXPECT_EQ(topology.CacheBytes(1, 3), 32 << 10);
  EXPECT_EQ(topology.CacheBytes(2, 2), 1 << 20);
  EXPECT_EQ(topology.CacheBytes(3, 0), 32 << 20);
  EXPECT_EQ(topology.CacheBytes(3, 9), 0);
  EXPECT_EQ(topology.nodes, (std::vector<MemoryNode>{{.id = 0, .bytes = 1 << 20, .cpus = {0, 1, 2, 3}}}));
  EXPECT_TRUE(missing.empty());
}

TEST(Topology, UnknownPartsAreNamed) {
  const FakeTree tree;
  std::vector<MissingSource> missing;
  EXPECT_EQ(ReadTopology(tree.root(), missing).source, TopologySource::kUnknown);
  ASSERT_EQ(missing.size(), 1u);
  EXPECT_EQ(missing[0].source, "topology");
  EXPECT_EQ(TopologyText({}), "topology: unknown\n");

  tree.Write("sys/devices/system/cpu/online", "0-1\n");
  missing.clear();
  EXPECT_EQ(ReadTopology(tree.root(), missing).cpus.size(), 2u);
  EXPECT_EQ(missing.size(), 3u);
}

TEST(Topology, HostileNumbersAreLeftOut) {
  const FakeTree tree;
  tree.Write("sys/devices/system/cpu/online", "0\n");
  WriteCache(tree, 0, 0, {"1\n", "Data\n", "99999999999999999K\n", "0\n"});
  WriteCache(tree, 0, 1, {"9\n", "Data\n", "32K\n", "0\n"});
  WriteCache(tree, 0, 2, {"2\n", "Unified\n", "-1K\n", "0\n"});
  WriteCache(tree, 0, 3, {"3\n", "Unified\n", "32K\n", "\n"});
  EXPECT_TRUE(TopologyFromSysfs(tree.root()).value().caches.empty());
  tree.Write("sys/devices/system/cpu/online", "0-99999\n");
  EXPECT_FALSE(TopologyFromSysfs(tree.root()).ok());
}

TEST(Topology, FromHwlocOfADescribedBox) {
  const auto described = TopologyFromHwloc("numa:1(memory=1048576) l3:1(size=33554432) l2:2 l1:1 core:1 pu:2");
  ASSERT_TRUE(described.ok()) << described.error().message;
  const Topology& topology = described.value();
  EXPECT_EQ(topology.cores, (std::vector<std::vector<int>>{{0, 1}, {2, 3}}));
  EXPECT_EQ(topology.CacheBytes(3, 3), 33554432);
  EXPECT_GT(topology.CacheBytes(1, 0), 0);
  ASSERT_EQ(topology.nodes.size(), 1u);
  EXPECT_EQ(topology.nodes[0].bytes, 1048576);
  EXPECT_NE(TopologyText(topology).find("level 3 cache: 32 MiB for CPU 0-3\n"), std::string::npos)
      << TopologyText(topology);
}

TEST(Topology, HwlocSaysWhatItDoesNotUnderstand) {
  const auto topology = TopologyFromHwloc("no such box");
  ASSERT_FALSE(topology.ok());
  EXPECT_EQ(topology.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(topology.error().message.find("no such box"), std::string::npos);
}

// Both ways tell the same of the box that the test runs on, where both can tell.
TEST(Topology, HwlocAndSysfsAgree) {
  const auto hwloc = TopologyFromHwloc();
  const auto sysfs = TopologyFromSysfs("/");
  if (!hwloc.ok() || !sysfs.ok()) GTEST_SKIP() << "this box tells its topology one way only";
  if (hwloc.value().cpus != sysfs.value().cpus) GTEST_SKIP() << "a cgroup hides some CPUs from hwloc";
  EXPECT_EQ(hwloc.value().cores.size(), sysfs.value().cores.size());
  for (const int cpu : hwloc.value().cpus) {
    for (int level = 1; level <= 3; ++level) {
      if (sysfs.value().CacheBytes(level, cpu) == 0) continue;
      EXPECT_EQ(hwloc.value().CacheBytes(level, cpu), sysfs.value().CacheBytes(level, cpu)) << cpu << " " << level;
    }
  }
}

// The engine's libraries bring an hwloc of the same name into the process: whichever is loaded, both work.
TEST(Topology, WorksBesideTheEngine) {
  const auto before = TopologyFromHwloc("core:2 pu:1");
  auto engine = CreateOpenVinoEngine();
  ASSERT_TRUE(engine.ok()) << engine.error().message;
  EXPECT_FALSE(engine.value()->Precisions().empty()) << engine.value()->Description();
  const auto after = TopologyFromHwloc("core:2 pu:1");
  ASSERT_TRUE(before.ok() && after.ok());
  EXPECT_EQ(before.value(), after.value());
  EXPECT_EQ(after.value().cores.size(), 2u);
}

}  // namespace
}  // namespace deepedge
