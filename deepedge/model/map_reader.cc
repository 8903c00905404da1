#include "deepedge/model/map_reader.h"

#include <fmt/ranges.h>

#include <algorithm>

namespace deepedge {

MapReader::MapReader(std::vector<Problem>& problems, const nlohmann::json& value, std::string pointer)
    : problems_(problems), map_(&value), pointer_(std::move(pointer)) {
  static const nlohmann::json kEmpty = nlohmann::json::object();
  if (value.is_object()) return;
  problems_.push_back({pointer_, "expected a table of keys and values"});
  map_ = &kEmpty;
}

const nlohmann::json* MapReader::Take(std::string_view key) {
  known_.emplace_back(key);
  const auto it = map_->find(known_.back());
  return it == map_->end() ? nullptr : &*it;
}

void MapReader::Text(std::string_view key, std::string* text) {
  const nlohmann::json* value = Take(key);
  if (value == nullptr) return;
  if (value->is_string()) {
    *text = value->get<std::string>();
  } else {
    Report(key, "expected text, in quotes where it looks like something else");
  }
}

void MapReader::Texts(std::string_view key, std::vector<std::string>* texts) {
  const nlohmann::json* list = Take(key);
  if (list == nullptr) return;
  if (!list->is_array()) {
    Report(key, "expected a list of texts");
    return;
  }
  texts->clear();
  for (size_t i = 0; i < list->size(); ++i) {
    if ((*list)[i].is_string()) {
      texts->push_back((*list)[i].get<std::string>());
    } else {
      problems_.push_back(
          {PointerTo(PointerOf(key), i), "expected text, in quotes where it looks like something else"});
    }
  }
}

void MapReader::Flag(std::string_view key, bool* flag) {
  const nlohmann::json* value = Take(key);
  if (value == nullptr) return;
  if (value->is_boolean()) {
    *flag = value->get<bool>();
  } else {
    Report(key, "expected true or false");
  }
}

void MapReader::RefuseOtherKeys() {
  for (const auto& [key, value] : map_->items()) {
    if (std::find(known_.begin(), known_.end(), key) == known_.end()) {
      Report(key, fmt::format("unknown key; allowed: {}", fmt::join(known_, ", ")));
    }
  }
}

}  // namespace deepedge
