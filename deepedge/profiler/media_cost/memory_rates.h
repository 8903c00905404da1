// MemoryRates: how fast this box reads memory and its caches, as runtime/calibration has measured it. Plain data.
#pragma once

#include <cstdint>
#include <vector>

namespace deepedge {

// So many cores reading at once, all of them together. GB are 1e9 bytes.
struct ReadRate {
  int cores = 1;
  double gb_s = 0;

  friend bool operator==(const ReadRate&, const ReadRate&) = default;
};

struct CacheSizes {
  int64_t l1_bytes = 0;  // of one core, data
  int64_t l2_bytes = 0;  // of one core; of several that share it where there is no other
  int64_t last_level_bytes = 0;
  bool guessed = false;  // the system did not tell all of them

  friend bool operator==(const CacheSizes&, const CacheSizes&) = default;
};

struct MemoryRates {
  CacheSizes caches;
  std::vector<ReadRate> memory;  // of a buffer that no cache holds; by number of cores, rising
  double l2_gb_s = 0;            // one core, what lies in its own second level; 0: not measured
  double last_level_gb_s = 0;    // one core, what lies in the last level

  friend bool operator==(const MemoryRates&, const MemoryRates&) = default;
};

}  // namespace deepedge
