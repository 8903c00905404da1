#include "deepedge/profiler/store/profile_json.h"

#include <fmt/format.h>

#include <charconv>

#include "deepedge/profiler/store/json_fields.h"

namespace deepedge {
namespace {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

constexpr size_t kMostCosts = 4096;
constexpr size_t kMostStages = 1024;
constexpr size_t kLongestName = 4096;
constexpr int kLargestSide = 16384;
constexpr int kLargestBatch = 4096;
constexpr int kMostCores = 4096;
constexpr int64_t kLongestUs = int64_t{1} << 52;  // 142 years, exact in a double too
constexpr double kMostLogSd = 100;
constexpr double kRounding = 1e-6;  // of shares that add up to 1
constexpr Precision kPrecisions[] = {Precision::kFp32, Precision::kBf16, Precision::kInt8};

OrderedJson BoundToJson(const Boundness& bound) {
  return {{"compute", bound.compute}, {"cache", bound.cache}, {"memory", bound.memory}};
}

void PutTime(const TimeEstimate& time, OrderedJson& json) {
  json["median_us"] = time.median.count();
  json["p99_us"] = time.p99.count();
  json["log_sd"] = time.log_sd;
}

OrderedJson StageToJson(const StageCost& stage) {
  OrderedJson json = {{"after_op", stage.after_op}};
  PutTime(stage.time, json);
  json["bound"] = BoundToJson(stage.bound);
  json["flops"] = stage.flops;
  json["weight_bytes"] = stage.weight_bytes;
  json["live_bytes"] = stage.live_bytes;
  json["border_bytes"] = stage.border_bytes;
  json["layers"] = stage.layers;
  return json;
}

OrderedJson CostToJson(const SettingCost& cost) {
  const Setting& setting = cost.setting;
  OrderedJson json = {{"setting", ToString(setting)},   {"precision", ToString(setting.variant.precision)},
                      {"width", setting.variant.width}, {"height", setting.variant.height},
                      {"batch", setting.batch},         {"cores", setting.cores}};
  PutTime(cost.time, json);
  json["cold_us"] = cost.cold.count();
  json["bound"] = BoundToJson(cost.bound);
  json["probes"] = cost.probes;
  json["memory_bytes"] = cost.memory_bytes;
  json["memory_log_sd"] = cost.memory_log_sd;
  json["traffic_bytes"] = cost.traffic_bytes;
  json["stages"] = OrderedJson::array();
  for (const StageCost& stage : cost.stages) json["stages"].push_back(StageToJson(stage));
  return json;
}

void ReadTime(JsonFields& fields, TimeEstimate& time) {
  int64_t median_us = 0;
  int64_t p99_us = 0;
  fields.Integer("median_us", median_us, {.most = kLongestUs, .needed = true});
  fields.Integer("p99_us", p99_us, {.most = kLongestUs});
  fields.Number("log_sd", time.log_sd, {.most = kMostLogSd});
  time.median = Duration(median_us);
  time.p99 = Duration(p99_us);
}

void ReadBound(JsonFields& fields, Boundness& bound, std::optional<Error>& error) {
  const Json* json = fields.Object("bound", false);
  if (json == nullptr) return;
  JsonFields shares(*json, fields.NameOf("bound"), error);
  const NumberRule rule{.least = -kRounding, .most = 1 + kRounding};
  shares.Number("compute", bound.compute, rule);
  shares.Number("cache", bound.cache, rule);
  shares.Number("memory", bound.memory, rule);
}

void ReadSetting(JsonFields& fields, Setting& setting) {
  std::string precision;
  fields.Text("precision", precision, {.least = 1, .needed = true});
  bool known = false;
  for (const Precision candidate : kPrecisions) {
    if (precision != ToString(candidate)) continue;
    setting.variant.precision = candidate;
    known = true;
  }
  if (!known) fields.Fail("precision", fmt::format("{} is none of fp32, bf16, int8", precision));
  fields.Integer("width", setting.variant.width, {.most = kLargestSide});
  fields.Integer("height", setting.variant.height, {.most = kLargestSide});
  if ((setting.variant.width == 0) != (setting.variant.height == 0)) {
    fields.Fail("width", "width and height are both 0 or neither is");
  }
  fields.Integer("batch", setting.batch, {.least = 1, .most = kLargestBatch});
  fields.Integer("cores", setting.cores, {.least = 1, .most = kMostCores});
}

StageCost ReadStage(const Json& json, const std::string& where, std::optional<Error>& error) {
  StageCost stage;
  JsonFields fields(json, where, error);
  fields.Integer("after_op", stage.after_op, {.least = -1});
  ReadTime(fields, stage.time);
  ReadBound(fields, stage.bound, error);
  fields.Integer("flops", stage.flops, {});
  fields.Integer("weight_bytes", stage.weight_bytes, {});
  fields.Integer("live_bytes", stage.live_bytes, {});
  fields.Integer("border_bytes", stage.border_bytes, {});
  fields.Text("layers", stage.layers, {.most = kLongestName});
  return stage;
}

SettingCost ReadCost(const Json& json, const std::string& where, std::optional<Error>& error) {
  SettingCost cost;
  JsonFields fields(json, where, error);
  ReadSetting(fields, cost.setting);
  ReadTime(fields, cost.time);
  int64_t cold_us = 0;
  fields.Integer("cold_us", cold_us, {.most = kLongestUs});
  cost.cold = Duration(cold_us);
  ReadBound(fields, cost.bound, error);
  fields.Integer("probes", cost.probes, {});
  fields.Integer("memory_bytes", cost.memory_bytes, {});
  fields.Number("memory_log_sd", cost.memory_log_sd, {.most = kMostLogSd});
  fields.Integer("traffic_bytes", cost.traffic_bytes, {});
  const Json* stages = fields.List("stages", kMostStages, false);
  for (size_t i = 0; stages != nullptr && i < stages->size() && !error; ++i) {
    cost.stages.push_back(ReadStage((*stages)[i], fmt::format("{}.stages[{}]", where, i), error));
  }
  return cost;
}

// A number at the start of `text`, which is taken away.
std::optional<int> TakeNumber(std::string_view& text) {
  int number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return number;
}

bool TakeWord(std::string_view word, std::string_view& text) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

std::optional<VariantKey> ReadVariant(std::string_view text) {
  if (text.find('@') != std::string_view::npos) return ParseVariant(text);
  for (const Precision precision : kPrecisions) {
    if (text == ToString(precision)) return VariantKey{.precision = precision};
  }
  return std::nullopt;
}

}  // namespace

OrderedJson ProfileToJson(const Profile& profile) {
  OrderedJson json = {
      {"model", profile.model},           {"sha256", profile.sha256},         {"box", profile.box},
      {"generation", profile.generation}, {"created_us", profile.created_us}, {"costs", OrderedJson::array()}};
  for (const SettingCost& cost : profile.costs) json["costs"].push_back(CostToJson(cost));
  return json;
}

std::string ProfileToText(const Profile& profile) {
  return ProfileToJson(profile).dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

Result<Profile> ProfileFromJson(const Json& json) {
  std::optional<Error> error;
  Profile profile;
  JsonFields fields(json, "", error);
  const TextRule name{.least = 1, .most = kLongestName, .needed = true};
  fields.Text("model", profile.model, name);
  fields.Text("sha256", profile.sha256, name);
  fields.Text("box", profile.box, name);
  fields.Integer("generation", profile.generation, {});
  fields.Integer("created_us", profile.created_us, {});
  const Json* costs = fields.List("costs", kMostCosts, true);
  for (size_t i = 0; costs != nullptr && i < costs->size() && !error; ++i) {
    profile.costs.push_back(ReadCost((*costs)[i], fmt::format("costs[{}]", i), error));
  }
  if (error) return *error;
  return profile;
}

Result<Profile> ProfileFromText(std::string_view text) {
  DE_TRY(const Json json, ParseJson(text));
  return ProfileFromJson(json);
}

Status CheckProfile(const Profile& profile) {
  // Through text: it turns what is no number, and text that is no UTF-8, into what the reader refuses.
  DE_TRY(const Profile read, ProfileFromText(ProfileToText(profile)));
  if (read == profile) return {};
  return Error{ErrorCode::kBadInput, "a name has characters that are not UTF-8"};
}

std::optional<Setting> ParseSetting(std::string_view text) {
  const std::string_view whole = text;
  const size_t blank = std::min(text.find(' '), text.size());
  const auto variant = ReadVariant(text.substr(0, blank));
  if (!variant) return std::nullopt;
  Setting setting{.variant = *variant};
  text.remove_prefix(blank);
  if (TakeWord(" batch ", text)) setting.batch = TakeNumber(text).value_or(0);
  if (TakeWord(" on ", text)) {
    setting.cores = TakeNumber(text).value_or(0);
    if (!TakeWord(" cores", text)) return std::nullopt;
  }
  const bool in_range =
      setting.batch >= 1 && setting.batch <= kLargestBatch && setting.cores >= 1 && setting.cores <= kMostCores;
  if (!in_range || ToString(setting) != whole) return std::nullopt;
  return setting;
}

}  // namespace deepedge
