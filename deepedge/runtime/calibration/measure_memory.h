// How fast this box reads memory and its caches.
#pragma once

#include <vector>

#include "deepedge/base/file.h"
#include "deepedge/profiler/media_cost/memory_rates.h"
#include "deepedge/runtime/calibration/measuring.h"

namespace deepedge {

// Of the CPU that `folder` describes (/sys/devices/system/cpu/cpu0/cache); what it does not tell is guessed: 32 KiB,
// 1 MiB, 8 MiB. Pure but for the files.
CacheSizes ReadCacheSizes(const Path& folder);

struct MemoryMeasuring {
  Path cache_folder = "/sys/devices/system/cpu/cpu0/cache";
  std::vector<int> cpus;                           // empty: all that the process may run on
  int64_t most_bytes = int64_t{512} << 20;         // of the buffer; otherwise four times the last level
  Duration slice = std::chrono::milliseconds(80);  // of one run
  int rounds = 3;                                  // the fastest counts
};

// Reads with 1, 2, 4, .. cores and with all of them, each by a thread bound to its CPU, on a part of the buffer of its
// own. A cap on `most_bytes` that leaves less than twice the last level is noted. Stops between runs; what is not
// measured is left out.
MemoryRates MeasureMemory(const MemoryMeasuring& plan, Measuring& measuring);

}  // namespace deepedge
