#include "deepedge/profiler/meter/pressure_meter.h"

#include <fmt/format.h>

#include <algorithm>

#include "deepedge/base/check.h"
#include "deepedge/profiler/meter/proc_text.h"

namespace deepedge {
namespace {

constexpr size_t kShownBytes = 60;

std::optional<std::string_view> ValueOf(const std::vector<std::string_view>& words, std::string_view name) {
  for (const std::string_view word : words) {
    if (word.starts_with(name)) return word.substr(name.size());
  }
  return std::nullopt;
}

Result<PressureCount> ParseLine(std::string_view line) {
  const auto words = Words(line);
  const auto percent = ParseDecimal(ValueOf(words, "avg10=").value_or(""));
  const auto total = ParseAmount(ValueOf(words, "total=").value_or(""));
  if (!percent || !total || *percent > 100) {
    return Error{ErrorCode::kBadInput,
                 fmt::format("pressure: line '{}' is not understood", line.substr(0, kShownBytes))};
  }
  return PressureCount{.last_10s = *percent / 100, .total_us = *total};
}

double Share(int64_t before, int64_t after, Duration interval) {
  const double waited = static_cast<double>(std::max<int64_t>(0, after - before));
  return std::min(1.0, waited / static_cast<double>(interval.count()));
}

}  // namespace

Result<Pressure> ParsePressure(std::string_view text) {
  Pressure pressure;
  bool has_some = false;
  while (const auto line = NextLine(text)) {
    if (line->starts_with("some ")) {
      DE_TRY(pressure.some, ParseLine(*line));
      has_some = true;
    } else if (line->starts_with("full ")) {
      DE_TRY(pressure.full, ParseLine(*line));
    }
  }
  if (!has_some) return Error{ErrorCode::kBadInput, "pressure: no line 'some' in it"};
  return pressure;
}

PressureUse PressureBetween(const Pressure& before, const Pressure& after, Duration interval) {
  DE_CHECK(interval.count() > 0);
  PressureUse use = {.some = Share(before.some.total_us, after.some.total_us, interval)};
  if (before.full && after.full) use.full = Share(before.full->total_us, after.full->total_us, interval);
  return use;
}

}  // namespace deepedge
