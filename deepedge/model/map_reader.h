// MapReader: reads the keys of one table of a YAML document into typed fields and notes everything that is wrong.
//
//   std::vector<Problem> problems;
//   MapReader map(problems, document.json()["input"], "/input");
//   map.Number("width", &input.width, 1, 16384);
//   map.Choice<TensorLayout>("layout", &input.layout, kLayoutNames);
//   map.RefuseOtherKeys();
//   if (!problems.empty()) return ToError(document.source(), problems);
//
// A key that is absent leaves its field as it is. Borrows what it is given. Threads: thread-compatible.
#pragma once

#include <fmt/format.h>

#include <concepts>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "deepedge/config/yaml_document.h"

namespace deepedge {

// One number in [lowest, highest]; noted as a problem otherwise.
template <typename T>
void ReadNumber(std::vector<Problem>& problems, const nlohmann::json& value, const std::string& pointer, T* number,
                T lowest, T highest) {
  const bool fits = std::integral<T> ? value.is_number_integer() : value.is_number();
  if (fits && value.get<double>() >= static_cast<double>(lowest) &&
      value.get<double>() <= static_cast<double>(highest)) {
    *number = value.get<T>();
    return;
  }
  problems.push_back({pointer, fmt::format("expected a {} from {} to {}", std::integral<T> ? "whole number" : "number",
                                           lowest, highest)});
}

// One of the words of `choices`; noted as a problem otherwise.
template <typename T>
void ReadChoice(std::vector<Problem>& problems, const nlohmann::json& value, const std::string& pointer, T* choice,
                std::span<const std::pair<std::string_view, T>> choices) {
  std::string allowed;
  for (const auto& [name, candidate] : choices) {
    if (value.is_string() && value.get_ref<const std::string&>() == name) {
      *choice = candidate;
      return;
    }
    allowed += (allowed.empty() ? "" : ", ") + std::string(name);
  }
  problems.push_back({pointer, fmt::format("{} is not known; allowed: {}", value.dump(), allowed)});
}

class MapReader {
 public:
  // A value that is no table is a problem; then all reads leave their fields alone.
  MapReader(std::vector<Problem>& problems, const nlohmann::json& value, std::string pointer);

  bool Has(std::string_view key) const { return map_->contains(std::string(key)); }
  // The value under a key, null when absent. The key counts as known.
  const nlohmann::json* Take(std::string_view key);
  std::string PointerOf(std::string_view key) const { return PointerTo(pointer_, key); }
  void Report(std::string_view key, std::string message) { problems_.push_back({PointerOf(key), std::move(message)}); }

  void Text(std::string_view key, std::string* text);
  void Texts(std::string_view key, std::vector<std::string>* texts);
  void Flag(std::string_view key, bool* flag);

  template <typename T>
  void Number(std::string_view key, T* number, T lowest, T highest) {
    if (const auto* value = Take(key)) ReadNumber(problems_, *value, PointerOf(key), number, lowest, highest);
  }

  // A list of lowest_count to highest_count numbers.
  template <typename T>
  void Numbers(std::string_view key, std::vector<T>* numbers, T lowest, T highest, size_t lowest_count,
               size_t highest_count) {
    const nlohmann::json* list = Take(key);
    if (list == nullptr) return;
    if (!list->is_array() || list->size() < lowest_count || list->size() > highest_count) {
      Report(key, lowest_count == highest_count
                      ? fmt::format("expected a list of {} numbers", lowest_count)
                      : fmt::format("expected a list of {} to {} numbers", lowest_count, highest_count));
      return;
    }
    numbers->assign(list->size(), T{});
    for (size_t i = 0; i < list->size(); ++i) {
      ReadNumber(problems_, (*list)[i], PointerTo(PointerOf(key), i), &(*numbers)[i], lowest, highest);
    }
  }

  template <typename T>
  void Choice(std::string_view key, T* choice, std::span<const std::pair<std::string_view, T>> choices) {
    if (const auto* value = Take(key)) ReadChoice(problems_, *value, PointerOf(key), choice, choices);
  }

  // Call last: a key that was not asked for is a problem.
  void RefuseOtherKeys();

 private:
  std::vector<Problem>& problems_;
  const nlohmann::json* map_;
  std::string pointer_;
  std::vector<std::string> known_;
};

}  // namespace deepedge
