// Where this process's cgroups lie and what their files say: version 2 (one tree), version 1 (a tree for each
// controller) and boxes with both. Pure, thread-safe. Numbers as in proc_text.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "deepedge/base/result.h"

namespace deepedge {

// A line of /proc/self/cgroup: "0::/edge.slice" (version 2), "4:memory:/edge" (version 1).
struct CgroupLine {
  std::vector<std::string> controllers;  // none: version 2
  std::string path;                      // as the process sees it

  friend bool operator==(const CgroupLine&, const CgroupLine&) = default;
};

// Lines that are not understood are left out.
std::vector<CgroupLine> ParseSelfCgroup(std::string_view text);

// A mounted tree of /proc/self/mountinfo.
struct CgroupMount {
  std::string root;                      // the cgroup that is seen at `point`
  std::string point;                     // absolute
  std::vector<std::string> controllers;  // none: version 2

  friend bool operator==(const CgroupMount&, const CgroupMount&) = default;
};

std::vector<CgroupMount> ParseCgroupMounts(std::string_view mountinfo);

// From the process's own cgroup up to the mount point: all folders whose limits hold for it. Absolute; at most 32.
// Where the path leads out of the mounted tree, as that of a cgroup outside a container does: the mount point alone.
std::vector<std::string> CgroupFolders(const CgroupMount& mount, const CgroupLine& line);

// cpu.max: "50000 100000" is half a core, "max 100000" none. In cores. Errors: kBadInput.
Result<std::optional<double>> ParseCpuMax(std::string_view text);
// cpu.cfs_quota_us and cpu.cfs_period_us: "-1" is no limit. In cores. Errors: kBadInput.
Result<std::optional<double>> ParseCfsQuota(std::string_view quota, std::string_view period);
// memory.max, memory.high: "max" is no limit. memory.limit_in_bytes: a number beyond all memory is none. Errors:
// kBadInput.
Result<std::optional<int64_t>> ParseMemoryLimit(std::string_view text);

struct CgroupCpuStat {
  std::optional<int64_t> usage_us;  // version 2 only
  int64_t periods = 0;
  int64_t throttled_periods = 0;
  int64_t throttled_us = 0;  // summed up over CPUs

  friend bool operator==(const CgroupCpuStat&, const CgroupCpuStat&) = default;
};

// cpu.stat of either version. Errors: kBadInput for a number that is none.
Result<CgroupCpuStat> ParseCgroupCpuStat(std::string_view text);

}  // namespace deepedge
