// The Observer's text for the store: one JSON object, "version" 1.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "deepedge/profiler/online/observer.h"

namespace deepedge {
namespace {

using Json = nlohmann::json;

constexpr int kVersion = 1;
constexpr double kMostLevel = 3;  // logarithm
constexpr size_t kLongestName = 1024;

Error Damaged(const std::string& part) {
  return {ErrorCode::kBadInput, fmt::format("what the profiler learned while serving: {} is damaged", part)};
}

// Counts between the first and the last bin that is not empty.
Json TailJson(const TailHistogram& tail) {
  size_t first = 0;
  size_t end = tail.bins().size();
  while (end > 0 && tail.bins()[end - 1] <= 0) --end;
  while (first < end && tail.bins()[first] <= 0) ++first;
  return {{"first", first},
          {"counts", std::vector<float>(tail.bins().begin() + static_cast<std::ptrdiff_t>(first),
                                        tail.bins().begin() + static_cast<std::ptrdiff_t>(end))}};
}

bool ReadTail(const Json& json, TailHistogram& tail) {
  const auto first = json.at("first").get<size_t>();
  const auto counts = json.at("counts").get<std::vector<float>>();
  if (first > TailHistogram::kBins || counts.size() > TailHistogram::kBins - first) return false;
  std::vector<float> bins(TailHistogram::kBins, 0.0F);
  for (size_t i = 0; i < counts.size(); ++i) bins[first + i] = counts[i];
  return tail.Restore(bins);
}

Json KeyJson(const StageKey& key) {
  const Setting& setting = key.setting;
  return {{"model", key.model},
          {"precision", ToString(setting.variant.precision)},
          {"width", setting.variant.width},
          {"height", setting.variant.height},
          {"batch", setting.batch},
          {"cores", setting.cores},
          {"stage", key.stage}};
}

bool ReadKey(const Json& json, StageKey& key) {
  key.model = json.at("model").get<std::string>();
  key.setting.variant.width = json.at("width").get<int>();
  key.setting.variant.height = json.at("height").get<int>();
  key.setting.batch = json.at("batch").get<int>();
  key.setting.cores = json.at("cores").get<int>();
  key.stage = json.at("stage").get<int>();
  if (key.model.size() > kLongestName || key.stage < 0) return false;
  const auto precision = json.at("precision").get<std::string>();
  for (const Precision known : {Precision::kFp32, Precision::kBf16, Precision::kInt8}) {
    if (precision != ToString(known)) continue;
    key.setting.variant.precision = known;
    return true;
  }
  return false;
}

bool ReadWatch(const Json& json, StageWatch::State& state) {
  state.level = json.at("level").get<double>();
  state.spread = json.at("spread").get<double>();
  state.runs = json.at("runs").get<int64_t>();
  state.asked = json.at("asked").get<int>();
  return std::abs(state.level) <= kMostLevel && state.spread >= 0 && state.spread <= kMostLevel && state.runs >= 0 &&
         state.asked >= 0;
}

}  // namespace

std::string Observer::ToJson() const {
  Json stages = Json::array();
  for (const auto& [key, slot] : slots_) {
    const Stage& stage = stages_[slot];
    const StageWatch::State& state = stage.watch.state();
    Json json = KeyJson(key);
    json["generation"] = stage.generation;
    json["level"] = state.level;
    json["spread"] = state.spread;
    json["runs"] = state.runs;
    json["asked"] = state.asked;
    json["alone_level"] = stage.alone.level;
    json["alone_runs"] = stage.alone.runs;
    json["overlaps"] = stage.overlaps;
    json["solo_us"] = stage.solo_us;
    json["predicted_us"] = stage.predicted_us;
    json["actual_us"] = stage.actual_us;
    json["tail"] = TailJson(stage.tail);
    stages.push_back(std::move(json));
  }
  const Json json = {{"version", kVersion},
                     {"neighbours", Json::parse(neighbours_.ToJson(), nullptr, false)},
                     {"tail", TailJson(box_tail_)},
                     {"stages", std::move(stages)}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);  // a model's name may hold anything
}

Result<Observer> Observer::FromJson(std::string_view text, ObserverOptions options) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return Damaged("the text");
  Observer read(options);
  std::string part = "the version";
  try {
    if (json.at("version").get<int>() != kVersion) return Damaged(part);
    part = "the part on neighbours";
    DE_TRY(read.neighbours_, CoLocation::FromJson(json.at("neighbours").dump(), read.options_.neighbours));
    part = "the box's tail";
    if (!ReadTail(json.at("tail"), read.box_tail_)) return Damaged(part);
    part = "the list of stages";
    const Json& stages = json.at("stages");
    if (!stages.is_array()) return Damaged(part);
    for (const Json& item : stages) {
      if (read.stages_.size() >= read.options_.most_stages) break;
      part = fmt::format("stage {} of {}", read.stages_.size() + 1, stages.size());
      Stage stage;
      StageWatch::State state;
      if (!ReadKey(item, stage.key) || !ReadWatch(item, state) || !ReadTail(item.at("tail"), stage.tail)) {
        return Damaged(part);
      }
      stage.model_hash = std::hash<std::string>()(stage.key.model);
      stage.watch = StageWatch(state);
      stage.generation = item.at("generation").get<int>();
      stage.alone = {.level = item.at("alone_level").get<double>(), .runs = item.at("alone_runs").get<int>()};
      stage.overlaps = item.at("overlaps").get<int>();
      stage.solo_us = item.at("solo_us").get<double>();
      stage.predicted_us = item.at("predicted_us").get<double>();
      stage.actual_us = item.at("actual_us").get<double>();
      const bool in_range = std::abs(stage.alone.level) <= kMostLevel && stage.alone.runs >= 0 && stage.overlaps >= 0;
      if (!in_range || !read.slots_.emplace(stage.key, read.stages_.size()).second) return Damaged(part);
      read.stages_.push_back(std::move(stage));
    }
  } catch (const Json::exception&) {
    return Damaged(part);
  }
  return read;
}

}  // namespace deepedge
