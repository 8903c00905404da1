// MeterReport: what the meters of a box say between two samples (meter.h). Plain data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "deepedge/base/clock.h"
#include "deepedge/profiler/meter/cpu_meter.h"
#include "deepedge/profiler/meter/pressure_meter.h"

namespace deepedge {

// A source that this box does not have, and why.
struct MissingSource {
  std::string source;  // "memory pressure"
  std::string reason;  // "/proc/pressure/memory: no such file"

  friend bool operator==(const MissingSource&, const MissingSource&) = default;
};

// Bytes.
struct MemoryState {
  std::optional<int64_t> total;      // of the box
  std::optional<int64_t> available;  // of the box, without pushing anything out
  std::optional<int64_t> own;        // of this process, anonymous (all that is resident where the kernel is old)
  std::optional<int64_t> own_resident;
  std::optional<int64_t> cgroup_used;  // cached files included
  std::optional<int64_t> cgroup_limit;

  // What this process may use at most: the less of box and cgroup.
  std::optional<int64_t> limit() const {
    if (!total || !cgroup_limit) return total ? total : cgroup_limit;
    return *total < *cgroup_limit ? total : cgroup_limit;
  }
};

struct MeterReport {
  Time at;
  // Since the sample before; 0 for the first one, which tells of memory, limits and what is missing only.
  Duration interval{0};
  // Shares are uncertain by about this much: a tick of the kernel's counters against the interval.
  double resolution = 0;

  std::vector<int> allowed;             // CPUs that this process may use; empty: unknown
  std::vector<CoreUse> cores;           // of those; empty: unknown
  std::optional<double> own_cores;      // CPUs that this process kept busy
  std::optional<double> foreign_cores;  // of the allowed, that others kept busy
  std::optional<double> steal_cores;    // of the allowed, that the hypervisor took away
  std::optional<double> capacity;       // cores: the allowed, or less by the cgroup's quota
  std::optional<double> quota;          // the cgroup's, in cores; nothing: none, or unknown
  // With a quota, cores that other processes of the cgroup used.
  std::optional<double> cgroup_others;
  // Share of the quota's periods in which the cgroup was stopped.
  std::optional<double> throttled;

  // Of the process's own cgroup where that tells, else of the box.
  std::optional<PressureUse> cpu_pressure;
  std::optional<PressureUse> memory_pressure;  // of the box
  std::optional<PressureUse> io_pressure;

  MemoryState memory;
  std::vector<MissingSource> missing;
};

}  // namespace deepedge
