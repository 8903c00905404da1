#include "deepedge/formats/darknet/darknet_cfg.h"

#include <fmt/format.h>

#include <cctype>
#include <charconv>
#include <cmath>
#include <optional>

#include "deepedge/formats/graph/graph_ops.h"

namespace deepedge {
namespace {

// Deeper networks than any that is known; the engine walks a graph recursively in places.
constexpr size_t kMaxSections = 2000;
constexpr size_t kMaxOptions = 200;  // of one section
constexpr size_t kMaxShown = 60;     // characters of a value that a message repeats

std::string WithoutBlanks(std::string_view line) {
  std::string text;
  for (const char c : line) {
    if (std::isspace(static_cast<unsigned char>(c)) == 0 && c != '\0') text += c;
  }
  return text;
}

// A comment behind a value is no part of it.
std::string_view WithoutComment(std::string_view value) { return value.substr(0, value.find_first_of("#;")); }

std::string Printable(std::string_view text) {
  std::string shown;
  for (const char c : text.substr(0, kMaxShown)) shown += c >= 0x20 && c < 0x7F ? c : '?';
  if (text.size() > kMaxShown) shown += "...";
  return shown;
}

template <typename T>
std::optional<T> ParseNumber(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  T number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

template <typename T>
Result<std::vector<T>> ListOption(const DarknetPlace& place, std::string_view key) {
  std::vector<T> numbers;
  const std::string* value = place.section.Find(key);
  if (value == nullptr) return numbers;
  std::string_view rest = WithoutComment(*value);
  while (!rest.empty()) {
    const size_t comma = rest.find(',');
    const auto number = ParseNumber<T>(rest.substr(0, comma));
    if (!number || numbers.size() == kMaxDarknetList) {
      return DarknetError(ErrorCode::kBadInput, place,
                          fmt::format("{}={} is no list of up to {} numbers", key, Printable(*value), kMaxDarknetList));
    }
    numbers.push_back(*number);
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
  }
  return numbers;
}

}  // namespace

const std::string* DarknetSection::Find(std::string_view key) const {
  for (const auto& [name, value] : options) {
    if (name == key) return &value;
  }
  return nullptr;
}

Error DarknetError(ErrorCode code, const DarknetPlace& place, std::string_view what) {
  const std::string name = std::to_string(place.index);
  const std::string type = Printable(place.section.type);
  return LayerError(code, {place.file, name, type}, fmt::format("line {}: {}", place.section.line, what));
}

Result<std::vector<DarknetSection>> ParseDarknetCfg(const Path& file, std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::vector<DarknetSection> sections;
  const auto wrong = [&](int line, std::string_view what) {
    return Error{ErrorCode::kBadInput, fmt::format("{}: line {}: {}", file.string(), line, what)};
  };
  for (int number = 1; !text.empty(); ++number) {
    const size_t end = text.find_first_of("\r\n");
    const std::string line = WithoutBlanks(text.substr(0, end));
    const bool two = end != std::string_view::npos && text.substr(end, 2) == "\r\n";
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + (two ? 2 : 1));
    if (line.empty() || line[0] == '#' || line[0] == ';') continue;
    if (line[0] == '[') {
      const size_t close = line.find(']');
      if (close == std::string::npos) return wrong(number, "the name of a section without its ']'");
      if (sections.size() == kMaxSections) return wrong(number, fmt::format("more than {} sections", kMaxSections));
      sections.push_back({.type = line.substr(1, close - 1), .line = number, .options = {}});
      continue;
    }
    if (sections.empty()) return wrong(number, "stands in front of the first section, which must be [net]");
    const size_t equals = line.find('=');
    if (equals == std::string::npos) continue;
    auto& options = sections.back().options;
    if (options.size() == kMaxOptions) {
      return wrong(number, fmt::format("more than {} options in one section", kMaxOptions));
    }
    options.emplace_back(line.substr(0, equals), line.substr(equals + 1));
  }
  if (sections.empty() || (sections[0].type != "net" && sections[0].type != "network")) {
    return wrong(sections.empty() ? 1 : sections[0].line, "the first section is not [net]");
  }
  return sections;
}

Result<int64_t> IntOption(const DarknetPlace& place, std::string_view key, int64_t otherwise, int64_t min,
                          int64_t max) {
  const std::string* value = place.section.Find(key);
  if (value == nullptr) return otherwise;
  const auto number = ParseNumber<int64_t>(WithoutComment(*value));
  if (number && *number >= min && *number <= max) return *number;
  return DarknetError(ErrorCode::kBadInput, place,
                      fmt::format("{}={} is no whole number from {} to {}", key, Printable(*value), min, max));
}

Result<double> RealOption(const DarknetPlace& place, std::string_view key, double otherwise) {
  const std::string* value = place.section.Find(key);
  if (value == nullptr) return otherwise;
  const auto number = ParseNumber<double>(WithoutComment(*value));
  if (number && std::isfinite(*number)) return *number;
  return DarknetError(ErrorCode::kBadInput, place, fmt::format("{}={} is no number", key, Printable(*value)));
}

Result<std::vector<int64_t>> IntListOption(const DarknetPlace& place, std::string_view key) {
  return ListOption<int64_t>(place, key);
}

Result<std::vector<double>> RealListOption(const DarknetPlace& place, std::string_view key) {
  DE_TRY(std::vector<double> numbers, ListOption<double>(place, key));
  for (const double number : numbers) {
    if (!std::isfinite(number)) {
      return DarknetError(ErrorCode::kBadInput, place, fmt::format("{} holds what is no number", key));
    }
  }
  return numbers;
}

}  // namespace deepedge
