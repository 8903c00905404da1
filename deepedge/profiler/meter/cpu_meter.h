// Who used which CPU: /proc/stat tells of the box, /proc/self of this process, in ticks (1/100 s everywhere but on odd
// kernels) since they started. The difference of two readings is what Meter reports.
//
// What a core's own share is: every thread's ticks count for the CPU that it ran on last, which is exact for threads
// that are bound, as lanes are. Never more than the core was busy; what is left, and the ticks of threads that have
// ended, are spread over the cores in proportion to what is still unexplained there. The kernel may count a core's
// ticks by samples, so that short intervals and short bursts are uncertain by some ticks.
//
// Pure but for ReadOwnTicks; thread-safe. Lines and fields that are not known are passed over.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "deepedge/base/file.h"
#include "deepedge/base/result.h"

namespace deepedge {

struct CoreTicks {
  int cpu = 0;
  int64_t busy = 0;   // of any process, interrupts included
  int64_t niced = 0;  // of that, of processes with a nice value over 0
  int64_t idle = 0;   // waiting for a disk included
  int64_t steal = 0;  // that the hypervisor gave to somebody else

  friend bool operator==(const CoreTicks&, const CoreTicks&) = default;
};

// /proc/stat: CPUs in the order of the file. Errors: kBadInput, no CPU in it, a number that is none, one CPU twice.
Result<std::vector<CoreTicks>> ParseCpuStat(std::string_view text);

struct TaskTicks {
  int64_t ticks = 0;  // user and system
  int cpu = 0;        // that it ran on last
  int nice = 0;       // its nice value, -20 to 19

  friend bool operator==(const TaskTicks&, const TaskTicks&) = default;
};

// /proc/self/stat and /proc/self/task/ID/stat; a thread's name may hold anything. Errors: kBadInput.
Result<TaskTicks> ParseTaskStat(std::string_view text);

struct ThreadTicks {
  int64_t id = 0;
  TaskTicks used;
};

struct OwnTicks {
  int64_t process = 0;    // threads that have ended included
  bool is_niced = false;  // the process's first thread is
  std::vector<ThreadTicks> threads;
};

// A thread that ends while it is read is left out, and of more than 4096 the rest. Errors: of /proc/self/stat.
Result<OwnTicks> ReadOwnTicks(const Path& root);

struct CpuReading {
  std::vector<CoreTicks> cores;
  std::optional<OwnTicks> own;
};

// Shares of a core's time: own, others, steal and idle add up to 1.
struct CoreUse {
  int cpu = 0;
  double own = 0;
  double others = 0;  // of other processes, and of the kernel for them
  double steal = 0;
  double idle = 0;
  double niced = 0;  // part of `others`: of processes that yield to this one; 0 where this one is niced itself

  friend bool operator==(const CoreUse&, const CoreUse&) = default;
};

struct CpuUse {
  std::vector<CoreUse> cores;  // of `allowed`, those that were in both readings and have counted since
  double own_cores = 0;        // CPUs that this process kept busy; unknown (0, all is `others`) without `own`
};

// Counters that went backwards, as those of waiting may, count as standing still.
CpuUse UseBetween(const CpuReading& before, const CpuReading& after, const std::vector<int>& allowed);

}  // namespace deepedge
