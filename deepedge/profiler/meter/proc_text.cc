#include "deepedge/profiler/meter/proc_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "deepedge/base/text.h"

namespace deepedge {
namespace {

constexpr size_t kShownBytes = 60;  // of a text that is refused

bool IsDigits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<int> ParseCpu(std::string_view text) {
  const auto value = ParseAmount(text);
  if (!value || *value >= kMostCpus) return std::nullopt;
  return static_cast<int>(*value);
}

}  // namespace

Result<std::string> ReadProcFile(const Path& root, std::string_view name, size_t most) {
  const Path path = root / name;
  DE_TRY(std::string text, ReadFilePrefix(path, most));
  if (text.empty()) return Error{ErrorCode::kBadInput, fmt::format("{}: is empty", path.string())};
  return text;
}

Result<std::string> ReadProcValue(const Path& root, std::string_view name) {
  DE_TRY(const std::string text, ReadProcFile(root, name, 4096));
  return std::string(Trim(text));
}

std::optional<std::string_view> NextLine(std::string_view& rest) {
  if (rest.empty()) return std::nullopt;
  const size_t end = rest.find('\n');
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return line;
}

std::vector<std::string_view> Words(std::string_view line) {
  std::vector<std::string_view> words;
  size_t begin = 0;
  while ((begin = line.find_first_not_of(" \t\r\n", begin)) != std::string_view::npos) {
    const size_t end = std::min(line.find_first_of(" \t\r\n", begin), line.size());
    words.push_back(line.substr(begin, end - begin));
    begin = end;
  }
  return words;
}

std::optional<int64_t> ParseAmount(std::string_view digits) {
  if (!IsDigits(digits)) return std::nullopt;
  int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

std::optional<double> ParseDecimal(std::string_view text) {
  const size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  if (!IsDigits(whole) || text.size() > 20) return std::nullopt;
  if (point != std::string_view::npos && !IsDigits(text.substr(point + 1))) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Result<std::vector<int>> ParseCpuList(std::string_view text) {
  const std::string_view whole = Trim(text);
  const auto refuse = [&] {
    return Error{ErrorCode::kBadInput, fmt::format("list of CPUs '{}': expected the form 0-3,7 with numbers below {}",
                                                   whole.substr(0, kShownBytes), kMostCpus)};
  };
  std::vector<int> cpus;
  std::string_view rest = whole;
  while (!rest.empty()) {
    const size_t comma = std::min(rest.find(','), rest.size());
    const std::string_view part = rest.substr(0, comma);
    const size_t dash = part.find('-');
    const auto first = ParseCpu(part.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : ParseCpu(part.substr(dash + 1));
    if (!first || !last || *last < *first) return refuse();
    if (!cpus.empty() && *first <= cpus.back()) return refuse();
    for (int cpu = *first; cpu <= *last; ++cpu) cpus.push_back(cpu);
    if (comma + 1 == rest.size()) return refuse();
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return cpus;
}

std::string CpuListText(const std::vector<int>& cpus) {
  std::string text;
  for (size_t i = 0; i < cpus.size();) {
    size_t last = i;
    while (last + 1 < cpus.size() && cpus[last + 1] == cpus[last] + 1) ++last;
    if (!text.empty()) text += ',';
    text += last == i ? fmt::format("{}", cpus[i]) : fmt::format("{}-{}", cpus[i], cpus[last]);
    i = last + 1;
  }
  return text;
}

}  // namespace deepedge
