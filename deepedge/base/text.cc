#include "deepedge/base/text.h"

#include <fmt/format.h>

#include <charconv>

namespace deepedge {

Result<Duration> ParseDuration(std::string_view text) {
  const struct {
    std::string_view unit;
    double seconds;
  } units[] = {{"ms", 1e-3}, {"s", 1}, {"m", 60}, {"h", 3600}};
  const Error error{ErrorCode::kBadInput,
                    fmt::format("'{}' is no duration; allowed: a number and ms, s, m or h, such as 30s", text)};
  double number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || !(number >= 0) || number > 1e9) return error;
  const std::string_view rest = text.substr(static_cast<size_t>(parsed.ptr - text.data()));
  for (const auto& unit : units) {
    if (rest == unit.unit) return Duration(static_cast<int64_t>(number * unit.seconds * 1e6));
  }
  return error;
}

}  // namespace deepedge
