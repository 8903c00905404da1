#include "deepedge/profiler/meter/topology.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "deepedge/base/text.h"
#include "deepedge/profiler/meter/proc_text.h"
#include "deepedge/profiler/report/text_table.h"

namespace deepedge {
namespace {

constexpr int kMostCaches = 16;  // of a CPU, folders in sysfs
constexpr int kLevels = 3;

bool IsBefore(const CacheInfo& a, const CacheInfo& b) {
  return a.level != b.level ? a.level < b.level : a.cpus < b.cpus;
}

// "32K", "1024K", "32M".
std::optional<int64_t> ParseCacheSize(std::string_view text) {
  int64_t unit = 1;
  if (text.ends_with('K')) unit = int64_t{1} << 10;
  if (text.ends_with('M')) unit = int64_t{1} << 20;
  if (unit > 1) text.remove_suffix(1);
  const auto amount = ParseAmount(text);
  if (!amount || *amount > (int64_t{1} << 40) / unit) return std::nullopt;
  return *amount * unit;
}

std::optional<CacheInfo> ReadCache(const Path& root, const std::string& folder) {
  const auto type = ReadProcValue(root, folder + "/type");
  const auto level = ReadProcValue(root, folder + "/level");
  const auto size = ReadProcValue(root, folder + "/size");
  const auto list = ReadProcValue(root, folder + "/shared_cpu_list");
  if (!type.ok() || !level.ok() || !size.ok() || !list.ok() || type.value() == "Instruction") return std::nullopt;
  const auto number = ParseAmount(level.value());
  const auto bytes = ParseCacheSize(size.value());
  const auto cpus = ParseCpuList(list.value());
  if (!number || *number < 1 || *number > kLevels || !bytes || !cpus.ok() || cpus.value().empty()) return std::nullopt;
  return CacheInfo{.level = static_cast<int>(*number), .bytes = *bytes, .cpus = cpus.value()};
}

void ReadCpu(const Path& root, int cpu, Topology& topology) {
  const std::string folder = fmt::format("sys/devices/system/cpu/cpu{}", cpu);
  auto core = ReadProcValue(root, folder + "/topology/core_cpus_list");
  if (!core.ok()) core = ReadProcValue(root, folder + "/topology/thread_siblings_list");
  if (core.ok()) {
    const auto cpus = ParseCpuList(core.value());
    if (cpus.ok() && !cpus.value().empty() && cpus.value().front() == cpu) topology.cores.push_back(cpus.value());
  }
  for (int i = 0; i < kMostCaches; ++i) {
    const auto cache = ReadCache(root, fmt::format("{}/cache/index{}", folder, i));
    if (cache && cache->cpus.front() == cpu) topology.caches.push_back(*cache);
  }
}

// "Node 0 MemTotal:   24684532 kB" among others.
int64_t NodeBytes(const Path& root, int node) {
  const auto text = ReadProcFile(root, fmt::format("sys/devices/system/node/node{}/meminfo", node));
  if (!text.ok()) return 0;
  std::string_view rest = text.value();
  while (const auto line = NextLine(rest)) {
    const auto words = Words(*line);
    if (words.size() < 4 || words[2] != "MemTotal:") continue;
    const auto kilobytes = ParseAmount(words[3]);
    return kilobytes && *kilobytes < INT64_MAX / 1024 ? *kilobytes * 1024 : 0;
  }
  return 0;
}

void ReadNodes(const Path& root, Topology& topology) {
  const auto online = ReadProcValue(root, "sys/devices/system/node/online");
  const auto nodes = online.ok() ? ParseCpuList(online.value()) : Result<std::vector<int>>(online.error());
  if (!nodes.ok()) return;
  for (const int node : nodes.value()) {
    const auto list = ReadProcValue(root, fmt::format("sys/devices/system/node/node{}/cpulist", node));
    const auto cpus = list.ok() ? ParseCpuList(list.value()) : Result<std::vector<int>>(list.error());
    if (!cpus.ok()) continue;
    topology.nodes.push_back({.id = node, .bytes = NodeBytes(root, node), .cpus = cpus.value()});
  }
}

std::string Bytes(int64_t bytes) {
  if (bytes >= int64_t{1} << 20) return fmt::format("{} MiB", bytes >> 20);
  return fmt::format("{} KiB", bytes >> 10);
}

std::string CacheText(const Topology& topology, int level) {
  std::map<int64_t, std::vector<std::string>> places;
  for (const CacheInfo& cache : topology.caches) {
    if (cache.level == level) places[cache.bytes].push_back(CpuListText(cache.cpus));
  }
  std::string text;
  for (const auto& [bytes, cpus] : places) {
    text += WrapText(fmt::format("level {} cache: {} for {}CPU {}", level, Bytes(bytes),
                                 cpus.size() > 1 ? "each of " : "", fmt::join(cpus, "; ")),
                     2);
  }
  return text;
}

}  // namespace

std::string_view ToString(TopologySource source) {
  switch (source) {
    case TopologySource::kHwloc: return "hwloc";
    case TopologySource::kSysfs: return "sysfs";
    case TopologySource::kUnknown: return "unknown";
  }
  return "";
}

int64_t Topology::CacheBytes(int level, int cpu) const {
  for (const CacheInfo& cache : caches) {
    if (cache.level == level && std::ranges::binary_search(cache.cpus, cpu)) return cache.bytes;
  }
  return 0;
}

Result<Topology> TopologyFromSysfs(const Path& root) {
  Topology topology = {.source = TopologySource::kSysfs};
  const auto online = ReadProcValue(root, "sys/devices/system/cpu/online");
  if (!online.ok()) return Error{ErrorCode::kUnavailable, online.error().message};
  DE_TRY(topology.cpus, ParseCpuList(online.value()));
  if (topology.cpus.empty()) return Error{ErrorCode::kUnavailable, "sys/devices/system/cpu/online: names no CPU"};
  for (const int cpu : topology.cpus) ReadCpu(root, cpu, topology);
  std::ranges::sort(topology.caches, IsBefore);
  ReadNodes(root, topology);
  return topology;
}

Topology ReadTopology(const Path& root, std::vector<MissingSource>& missing) {
  if (root == "/") {
    auto topology = TopologyFromHwloc();
    if (topology.ok()) return std::move(topology).value();
    missing.push_back({"topology by hwloc", topology.error().message});
  }
  auto topology = TopologyFromSysfs(root);
  if (!topology.ok()) {
    missing.push_back({"topology", fmt::format("{}; sizes of caches are unknown", topology.error().message)});
    return {};
  }
  if (topology.value().cores.empty()) missing.push_back({"cores", "sysfs does not tell which CPUs are one core"});
  if (topology.value().caches.empty()) missing.push_back({"caches", "sysfs does not tell of any"});
  if (topology.value().nodes.empty()) missing.push_back({"memory nodes", "sysfs does not tell of any"});
  return std::move(topology).value();
}

std::string TopologyText(const Topology& topology) {
  if (topology.source == TopologySource::kUnknown) return "topology: unknown\n";
  std::string text = WrapText(fmt::format("topology ({}): {} cores, {} CPUs ({})", ToString(topology.source),
                                          topology.cores.empty() ? "?" : fmt::format("{}", topology.cores.size()),
                                          topology.cpus.size(), CpuListText(topology.cpus)),
                              2);
  for (int level = 1; level <= kLevels; ++level) text += CacheText(topology, level);
  for (const MemoryNode& node : topology.nodes) {
    text += WrapText(fmt::format("memory node {}: {} near CPU {}", node.id, node.bytes > 0 ? Bytes(node.bytes) : "?",
                                 CpuListText(node.cpus)),
                     2);
  }
  return text;
}

}  // namespace deepedge
