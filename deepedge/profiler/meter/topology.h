// Topology: cores, the caches they share and the memory they are near to. Asked of hwloc; where that fails, of sysfs;
// where that fails too, unknown parts are empty and named.
//
// hwloc: any 2.x library does. The inference engine's wheel carries one of the same soname (its own user, tbbbind, is
// not shipped), so that either may be the one that is loaded; its version is asked at run time. The x86 reader of hwloc
// is switched off: it would bind the calling thread to every CPU in turn.
//
// Thread rule: functions are thread-safe; they read many files (20 ms and more), so never on a lane.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "deepedge/base/file.h"
#include "deepedge/base/result.h"
#include "deepedge/profiler/meter/meter_report.h"

namespace deepedge {

struct CacheInfo {
  int level = 1;  // of data: 1, 2, 3
  int64_t bytes = 0;
  std::vector<int> cpus;  // that share it

  friend bool operator==(const CacheInfo&, const CacheInfo&) = default;
};

struct MemoryNode {
  int id = 0;
  int64_t bytes = 0;  // 0: unknown
  std::vector<int> cpus;

  friend bool operator==(const MemoryNode&, const MemoryNode&) = default;
};

enum class TopologySource { kHwloc, kSysfs, kUnknown };

std::string_view ToString(TopologySource source);

struct Topology {
  TopologySource source = TopologySource::kUnknown;
  std::vector<int> cpus;                // logical ones, ascending
  std::vector<std::vector<int>> cores;  // the logical CPUs of each core; two where cores run two threads
  std::vector<CacheInfo> caches;        // by level, then CPUs; levels 1 to 3 of data
  std::vector<MemoryNode> nodes;

  // Bytes of that level's cache of a CPU; 0: unknown.
  int64_t CacheBytes(int level, int cpu) const;

  friend bool operator==(const Topology&, const Topology&) = default;
};

// Of this box; of the box that `synthetic` describes (hwloc's words: "numa:1 core:2 pu:1") if not empty. Errors:
// kUnavailable, with what hwloc said.
Result<Topology> TopologyFromHwloc(const std::string& synthetic = "");
// Errors: kUnavailable where sysfs names no CPU; what else is missing stays empty.
Result<Topology> TopologyFromSysfs(const Path& root);

// The best there is; what is not is added to `missing`. hwloc is asked for the root "/" only.
Topology ReadTopology(const Path& root, std::vector<MissingSource>& missing);

// A line for each level and node, 120 columns at most: "2 cores", "level 1 cache 33 kB for each of 0, 1".
std::string TopologyText(const Topology& topology);

}  // namespace deepedge
