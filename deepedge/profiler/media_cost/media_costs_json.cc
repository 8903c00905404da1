#include "deepedge/profiler/media_cost/media_costs_json.h"

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

namespace deepedge {
namespace {

using Json = nlohmann::json;

constexpr size_t kMostLaws = 1000;
constexpr size_t kMostTerms = 16;
constexpr size_t kMostRates = 4096;

// Throws Json's exceptions, as all readers below.
double Amount(const Json& json) {
  const auto value = json.get<double>();
  if (!std::isfinite(value) || value < 0) throw Json::other_error::create(501, "not an amount", &json);
  return value;
}

int Count(const Json& json) {
  const double value = Amount(json);
  if (value > 1e6) throw Json::other_error::create(501, "not a count", &json);
  return static_cast<int>(value);
}

int64_t Bytes(const Json& json) {
  const double value = Amount(json);
  if (value > 1e15) throw Json::other_error::create(501, "not a size", &json);
  return static_cast<int64_t>(value);
}

std::vector<double> Amounts(const Json& json, size_t count) {
  if (!json.is_array() || json.size() != count) throw Json::other_error::create(501, "wrong number of terms", &json);
  std::vector<double> amounts;
  for (const Json& item : json) amounts.push_back(Amount(item));
  return amounts;
}

LinearLaw LawFrom(const Json& json) {
  const size_t terms = json.at("us_per").size();
  if (terms == 0 || terms > kMostTerms) throw Json::other_error::create(501, "wrong number of terms", &json);
  return {.us_per = Amounts(json.at("us_per"), terms),
          .least = Amounts(json.at("least"), terms),
          .most = Amounts(json.at("most"), terms),
          .log_sd = Amount(json.at("log_sd")),
          .samples = Count(json.at("samples"))};
}

MediaCosts CostsFrom(const Json& json) {
  const Json& laws = json.at("laws");
  if (!laws.is_object() || laws.size() > kMostLaws) throw Json::other_error::create(501, "not laws", &json);
  std::map<std::string, LinearLaw> read;
  for (const auto& [name, law] : laws.items()) read.emplace(name, LawFrom(law));
  return MediaCosts(std::move(read));
}

MemoryRates RatesFrom(const Json& json) {
  const Json& caches = json.at("caches");
  MemoryRates rates{.caches = {.l1_bytes = Bytes(caches.at("l1_bytes")),
                               .l2_bytes = Bytes(caches.at("l2_bytes")),
                               .last_level_bytes = Bytes(caches.at("last_level_bytes")),
                               .guessed = caches.at("guessed").get<bool>()},
                    .l2_gb_s = Amount(json.at("l2_gb_s")),
                    .last_level_gb_s = Amount(json.at("last_level_gb_s"))};
  const Json& memory = json.at("memory");
  if (!memory.is_array() || memory.size() > kMostRates) throw Json::other_error::create(501, "not rates", &json);
  for (const Json& rate : memory) {
    rates.memory.push_back({.cores = Count(rate.at("cores")), .gb_s = Amount(rate.at("gb_s"))});
  }
  return rates;
}

template <typename Read>
auto Parse(std::string_view text, std::string_view what, Read read) -> Result<decltype(read(Json()))> {
  try {
    return read(Json::parse(text));
  } catch (const Json::exception& error) {
    return Error{ErrorCode::kBadInput, "read " + std::string(what) + ": " + error.what()};
  }
}

}  // namespace

std::string ToJson(const MediaCosts& costs) {
  Json laws = Json::object();
  for (const auto& [name, law] : costs.laws()) {
    laws[name] = {{"us_per", law.us_per},
                  {"least", law.least},
                  {"most", law.most},
                  {"log_sd", law.log_sd},
                  {"samples", law.samples}};
  }
  return Json{{"laws", std::move(laws)}}.dump();
}

std::string ToJson(const MemoryRates& rates) {
  Json memory = Json::array();
  for (const ReadRate& rate : rates.memory) memory.push_back({{"cores", rate.cores}, {"gb_s", rate.gb_s}});
  return Json{{"caches",
               {{"l1_bytes", rates.caches.l1_bytes},
                {"l2_bytes", rates.caches.l2_bytes},
                {"last_level_bytes", rates.caches.last_level_bytes},
                {"guessed", rates.caches.guessed}}},
              {"memory", std::move(memory)},
              {"l2_gb_s", rates.l2_gb_s},
              {"last_level_gb_s", rates.last_level_gb_s}}
      .dump();
}

Result<MediaCosts> MediaCostsFromJson(std::string_view json) { return Parse(json, "costs of media", CostsFrom); }

Result<MemoryRates> MemoryRatesFromJson(std::string_view json) { return Parse(json, "rates of memory", RatesFrom); }

}  // namespace deepedge
