// CgroupMeter: what this process's cgroups allow and use, whichever version holds a controller (cgroup_files.h). A
// limit of a folder above holds too: the tightest is told. Files that are missing mean "no limit", as they do at the
// root of a tree; a controller that is mounted nowhere is named in `missing`.
//
// Thread rule: thread-compatible; reads files, so not on a lane.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "deepedge/base/file.h"
#include "deepedge/profiler/meter/cgroup_files.h"
#include "deepedge/profiler/meter/meter_report.h"
#include "deepedge/profiler/meter/pressure_meter.h"

namespace deepedge {

struct CgroupReading {
  std::optional<double> cpu_limit;  // in cores
  // Of the folder with that limit, or of the process's own where there is none.
  std::optional<CgroupCpuStat> cpu;
  std::optional<int64_t> cpu_usage_us;
  std::optional<int64_t> memory_limit;   // of the folder where the least is left
  std::optional<int64_t> memory_used;    // there, or in the process's own without a limit; cached files count
  std::optional<Pressure> cpu_pressure;  // of the process's own cgroup; version 2 only
  std::vector<MissingSource> missing;    // files that are there and cannot be read or understood
};

class CgroupMeter {
 public:
  // Looks where the cgroups lie. `root` is "/" or a test's tree.
  explicit CgroupMeter(Path root);

  CgroupReading Read() const;

 private:
  struct Tree {
    bool is_v2 = false;
    std::vector<std::string> folders;  // the process's own first
  };

  std::optional<Tree> FindTree(const std::vector<CgroupMount>& mounts, const std::vector<CgroupLine>& lines,
                               std::string_view controller);
  // Nothing where there is no such file.
  std::optional<std::string> Value(const std::string& folder, std::string_view file, CgroupReading& reading) const;
  std::optional<double> CpuLimit(const std::string& folder, CgroupReading& reading) const;
  std::optional<int64_t> CpuacctUsage(size_t folder, CgroupReading& reading) const;
  std::optional<int64_t> MemoryLimit(const std::string& folder, CgroupReading& reading) const;
  std::optional<int64_t> MemoryUsed(const std::string& folder, CgroupReading& reading) const;
  void ReadCpu(CgroupReading& reading) const;
  void ReadMemory(CgroupReading& reading) const;

  Path root_;
  std::optional<Tree> cpu_;
  std::optional<Tree> cpuacct_;  // version 1 only
  std::optional<Tree> memory_;
  std::vector<MissingSource> missing_;  // found at construction
};

}  // namespace deepedge
