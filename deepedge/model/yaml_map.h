// YamlMap: reads the keys of one YAML map into typed fields and keeps the first thing that is wrong, with file, line,
// path of the key and what is allowed.
//
//   YamlErrors errors("model.yaml");
//   YamlMap map(errors, node, "input");
//   map.Number("width", &input.width, 1, 16384);
//   map.Choice("layout", &input.layout, kLayouts);
//   map.RefuseOtherKeys();
//   if (errors.first()) return *errors.first();
//
// A key that is absent leaves its field as it is. Threads: thread-compatible.
#pragma once

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <cmath>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "deepedge/base/result.h"

namespace deepedge {

class YamlErrors {
 public:
  explicit YamlErrors(std::string file) : file_(std::move(file)) {}

  // Keeps the first call's error: "file:line: path: message".
  void Add(const YAML::Mark& mark, std::string_view path, std::string_view message);
  const std::optional<Error>& first() const { return first_; }

 private:
  std::string file_;
  std::optional<Error> first_;
};

// One scalar as a finite number in [lowest, highest].
template <typename T>
void ReadNumber(YamlErrors& errors, const YAML::Node& node, std::string_view path, T* value, T lowest, T highest) {
  T read{};
  if (node.IsScalar() && YAML::convert<T>::decode(node, read) && std::isfinite(static_cast<double>(read)) &&
      read >= lowest && read <= highest) {
    *value = read;
    return;
  }
  errors.Add(
      node.Mark(), path,
      fmt::format("expected a {} from {} to {}", std::is_integral_v<T> ? "whole number" : "number", lowest, highest));
}

class YamlMap {
 public:
  // `node` that is no map is an error; then all reads leave their fields alone.
  YamlMap(YamlErrors& errors, const YAML::Node& node, std::string path);

  bool Has(std::string_view key) const;
  // The value under a key, undefined when absent. The key counts as known.
  YAML::Node Take(std::string_view key);
  // Where the key is, for messages about its value; the map itself when absent.
  YAML::Mark MarkOf(std::string_view key) const;
  std::string PathOf(std::string_view key) const;

  void Text(std::string_view key, std::string* value);
  void Texts(std::string_view key, std::vector<std::string>* values);
  void Flag(std::string_view key, bool* value);

  template <typename T>
  void Number(std::string_view key, T* value, T lowest, T highest) {
    if (const YAML::Node node = Take(key)) ReadNumber(errors_, node, PathOf(key), value, lowest, highest);
  }

  // A list of lowest_count to highest_count numbers.
  template <typename T>
  void Numbers(std::string_view key, std::vector<T>* values, T lowest, T highest, size_t lowest_count,
               size_t highest_count) {
    const YAML::Node node = Take(key);
    if (!node) return;
    if (!node.IsSequence() || node.size() < lowest_count || node.size() > highest_count) {
      errors_.Add(node.Mark(), PathOf(key),
                  lowest_count == highest_count
                      ? fmt::format("expected a list of {} numbers", lowest_count)
                      : fmt::format("expected a list of {} to {} numbers", lowest_count, highest_count));
      return;
    }
    values->assign(node.size(), T{});
    for (size_t i = 0; i < node.size(); ++i) {
      ReadNumber(errors_, node[i], fmt::format("{}[{}]", PathOf(key), i), &(*values)[i], lowest, highest);
    }
  }

  template <typename T>
  void Choice(std::string_view key, T* value, std::span<const std::pair<std::string_view, T>> choices) {
    const YAML::Node node = Take(key);
    if (!node) return;
    std::string allowed;
    for (const auto& [name, choice] : choices) {
      if (node.IsScalar() && node.Scalar() == name) {
        *value = choice;
        return;
      }
      allowed += (allowed.empty() ? "" : ", ") + std::string(name);
    }
    errors_.Add(node.Mark(), PathOf(key),
                node.IsScalar() ? fmt::format("'{}' is not known; allowed: {}", node.Scalar(), allowed)
                                : fmt::format("expected one of: {}", allowed));
  }

  // Call last: a key that was not asked for, or comes twice, is an error.
  void RefuseOtherKeys();

 private:
  YamlErrors& errors_;
  YAML::Node node_;
  std::string path_;
  std::vector<std::string> known_;
};

}  // namespace deepedge
