// Memory of the box and of this process: /proc/meminfo and /proc/self/status, in bytes. Pure, thread-safe; lines that
// are not known are passed over.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "deepedge/base/result.h"

namespace deepedge {

struct BoxMemory {
  int64_t total = 0;
  std::optional<int64_t> available;  // without pushing anything out; kernels before 3.14 do not tell
  int64_t swap_used = 0;

  friend bool operator==(const BoxMemory&, const BoxMemory&) = default;
};

// Errors: kBadInput without MemTotal, and for a number that is none.
Result<BoxMemory> ParseMeminfo(std::string_view text);

struct ProcessMemory {
  int64_t resident = 0;
  std::optional<int64_t> anonymous;  // of that, what no file stands behind; kernels before 4.5 do not tell
  int64_t swapped = 0;

  friend bool operator==(const ProcessMemory&, const ProcessMemory&) = default;
};

// /proc/self/status. Errors: kBadInput without VmRSS, and for a number that is none.
Result<ProcessMemory> ParseProcessMemory(std::string_view status);
// The CPUs that the process may use, from the same file: of its affinity and its cpuset. Errors: kBadInput.
Result<std::vector<int>> ParseAllowedCpus(std::string_view status);

}  // namespace deepedge
