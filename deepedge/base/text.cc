#include "deepedge/base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
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

std::string LowerCase(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

bool IsSha256(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace deepedge
