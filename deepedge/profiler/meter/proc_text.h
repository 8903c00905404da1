// Text of procfs, sysfs and cgroupfs: small readers that all meters share. Files are read below a root folder, "/" or a
// tree that a test made. Numbers are those that the kernel writes: digits only, that fit int64_t; what is negative,
// too long or followed by something else is refused and never wraps around. Pure but for ReadProcFile; thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "deepedge/base/file.h"
#include "deepedge/base/result.h"

namespace deepedge {

inline constexpr int kMostCpus = 4096;  // that a list may name; the kernel's own limit is 8192, of no PC

// The first `most` bytes of a file, `name` as "proc/stat"; such files tell no size. A last line that is cut off stays
// cut off: what the meters need stands at the beginning. Errors: as ReadFilePrefix, and kBadInput when empty.
Result<std::string> ReadProcFile(const Path& root, std::string_view name, size_t most = size_t{1} << 16);
// The same, of a file that holds one value: without blanks around it.
Result<std::string> ReadProcValue(const Path& root, std::string_view name);

// Takes the next line off the front of `rest`, without its line break; nothing: there is none left.
std::optional<std::string_view> NextLine(std::string_view& rest);
// What stands between blanks and tabs.
std::vector<std::string_view> Words(std::string_view line);

std::optional<int64_t> ParseAmount(std::string_view digits);
// "12.34", as it is written in /proc/pressure and /proc/loadavg; neither sign nor exponent.
std::optional<double> ParseDecimal(std::string_view text);
// "0-3,7" in ascending order, each once; "" is none. Errors: kBadInput with the text, also for more than kMostCpus.
Result<std::vector<int>> ParseCpuList(std::string_view text);
std::string CpuListText(const std::vector<int>& cpus);  // ascending: "0-3,7"

}  // namespace deepedge
