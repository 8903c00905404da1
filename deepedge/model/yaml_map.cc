#include "deepedge/model/yaml_map.h"

#include <fmt/ranges.h>

#include <algorithm>

namespace deepedge {

void YamlErrors::Add(const YAML::Mark& mark, std::string_view path, std::string_view message) {
  if (first_) return;
  const std::string place = mark.is_null() ? file_ : fmt::format("{}:{}", file_, mark.line + 1);
  first_ = Error{ErrorCode::kBadInput, path.empty() ? fmt::format("{}: {}", place, message)
                                                    : fmt::format("{}: {}: {}", place, path, message)};
}

YamlMap::YamlMap(YamlErrors& errors, const YAML::Node& node, std::string path)
    : errors_(errors), path_(std::move(path)) {
  if (node.IsMap()) {
    node_.reset(node);
  } else {
    errors_.Add(node.Mark(), path_, "expected a map of keys and values");
    node_.reset(YAML::Node(YAML::NodeType::Map));
  }
}

bool YamlMap::Has(std::string_view key) const {
  // Read-only access: the other operator[] would add the key.
  const YAML::Node& node = node_;
  return node[std::string(key)].IsDefined();
}

YAML::Node YamlMap::Take(std::string_view key) {
  known_.emplace_back(key);
  const YAML::Node& node = node_;
  return node[std::string(key)];
}

YAML::Mark YamlMap::MarkOf(std::string_view key) const {
  const YAML::Node& node = node_;
  const YAML::Node value = node[std::string(key)];
  return value.IsDefined() ? value.Mark() : node_.Mark();
}

std::string YamlMap::PathOf(std::string_view key) const {
  return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
}

void YamlMap::Text(std::string_view key, std::string* value) {
  const YAML::Node node = Take(key);
  if (!node) return;
  if (node.IsScalar()) {
    *value = node.Scalar();
  } else {
    errors_.Add(node.Mark(), PathOf(key), "expected text");
  }
}

void YamlMap::Texts(std::string_view key, std::vector<std::string>* values) {
  const YAML::Node node = Take(key);
  if (!node) return;
  if (!node.IsSequence()) {
    errors_.Add(node.Mark(), PathOf(key), "expected a list of texts");
    return;
  }
  values->clear();
  for (size_t i = 0; i < node.size(); ++i) {
    if (!node[i].IsScalar()) {
      errors_.Add(node[i].Mark(), fmt::format("{}[{}]", PathOf(key), i), "expected text");
      return;
    }
    values->push_back(node[i].Scalar());
  }
}

void YamlMap::Flag(std::string_view key, bool* value) {
  const YAML::Node node = Take(key);
  if (!node) return;
  if (node.IsScalar() && (node.Scalar() == "true" || node.Scalar() == "false")) {
    *value = node.Scalar() == "true";
  } else {
    errors_.Add(node.Mark(), PathOf(key), "expected true or false");
  }
}

void YamlMap::RefuseOtherKeys() {
  std::vector<std::string> seen;
  for (const auto& entry : node_) {
    const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "";
    if (std::find(known_.begin(), known_.end(), key) == known_.end()) {
      errors_.Add(entry.first.Mark(), PathOf(key), fmt::format("unknown key; allowed: {}", fmt::join(known_, ", ")));
    } else if (std::find(seen.begin(), seen.end(), key) != seen.end()) {
      errors_.Add(entry.first.Mark(), PathOf(key), "given twice");
    }
    seen.push_back(key);
  }
}

}  // namespace deepedge
