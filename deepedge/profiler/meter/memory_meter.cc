#include "deepedge/profiler/meter/memory_meter.h"

#include <fmt/format.h>

#include <algorithm>

#include "deepedge/base/text.h"
#include "deepedge/profiler/meter/proc_text.h"

namespace deepedge {
namespace {

constexpr size_t kShownBytes = 60;

// The value of "Name:   value"; nothing where there is no such line.
std::optional<std::string_view> FindValue(std::string_view text, std::string_view name) {
  while (const auto line = NextLine(text)) {
    if (line->starts_with(name) && line->substr(name.size()).starts_with(':')) {
      return Trim(line->substr(name.size() + 1));
    }
  }
  return std::nullopt;
}

// "123 kB", in bytes; nothing where there is no such line.
Result<std::optional<int64_t>> FindBytes(std::string_view text, std::string_view name) {
  const auto value = FindValue(text, name);
  if (!value) return std::optional<int64_t>();
  const auto words = Words(*value);
  const auto kilobytes = words.empty() ? std::nullopt : ParseAmount(words[0]);
  if (!kilobytes || *kilobytes > INT64_MAX / 1024 || words.size() != 2 || words[1] != "kB") {
    return Error{ErrorCode::kBadInput, fmt::format("{}: '{}' is no size in kB", name, value->substr(0, kShownBytes))};
  }
  return std::optional<int64_t>(*kilobytes * 1024);
}

}  // namespace

Result<BoxMemory> ParseMeminfo(std::string_view text) {
  DE_TRY(const auto total, FindBytes(text, "MemTotal"));
  DE_TRY(const auto available, FindBytes(text, "MemAvailable"));
  DE_TRY(const auto swap, FindBytes(text, "SwapTotal"));
  DE_TRY(const auto swap_free, FindBytes(text, "SwapFree"));
  if (!total || *total == 0) return Error{ErrorCode::kBadInput, "/proc/meminfo: no MemTotal in it"};
  return BoxMemory{.total = *total,
                   .available = available,
                   .swap_used = std::max<int64_t>(0, swap.value_or(0) - swap_free.value_or(0))};
}

Result<ProcessMemory> ParseProcessMemory(std::string_view status) {
  DE_TRY(const auto resident, FindBytes(status, "VmRSS"));
  DE_TRY(const auto anonymous, FindBytes(status, "RssAnon"));
  DE_TRY(const auto swapped, FindBytes(status, "VmSwap"));
  if (!resident) return Error{ErrorCode::kBadInput, "/proc/self/status: no VmRSS in it"};
  return ProcessMemory{.resident = *resident, .anonymous = anonymous, .swapped = swapped.value_or(0)};
}

Result<std::vector<int>> ParseAllowedCpus(std::string_view status) {
  const auto list = FindValue(status, "Cpus_allowed_list");
  if (!list || list->empty()) return Error{ErrorCode::kBadInput, "/proc/self/status: no Cpus_allowed_list in it"};
  return ParseCpuList(*list);
}

}  // namespace deepedge
