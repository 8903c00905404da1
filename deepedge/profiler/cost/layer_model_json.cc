// LayerModel as JSON: of each kind its law, what was found for its process, and its samples as rows of numbers.
#include <cmath>
#include <nlohmann/json.hpp>

#include "deepedge/profiler/cost/layer_model.h"

namespace deepedge {
namespace {

using Json = nlohmann::json;

Json RowOf(const LayerSample& sample) {
  const LayerWork& w = sample.work;
  return {sample.us, w.flops,  w.weight_bytes, w.moved_bytes,  w.channels_in, w.channels_out, w.pixels,
          w.kernel,  w.stride, w.outputs,      w.exponentials, w.fused,       w.footprint};
}

// Throws Json's exceptions; so do the others here.
void Demand(bool good, const char* what, const Json& json) {
  if (!good) throw Json::other_error::create(501, what, &json);
}

LayerSample SampleFrom(const Json& row, LayerClass kind, Arithmetic arithmetic, int cores) {
  std::array<double, 13> v{};
  Demand(row.is_array() && row.size() == v.size(), "a sample has 13 numbers", row);
  for (size_t i = 0; i < v.size(); ++i) {
    v[i] = row[i].get<double>();
    Demand(std::isfinite(v[i]) && v[i] >= 0, "a number of a sample is out of range", row);
  }
  Demand(v[0] > 0, "a sample without a time", row);
  LayerWork work{.kind = kind, .arithmetic = arithmetic};
  work.flops = v[1];
  work.weight_bytes = v[2];
  work.moved_bytes = v[3];
  work.channels_in = v[4];
  work.channels_out = v[5];
  work.pixels = v[6];
  work.kernel = v[7];
  work.stride = v[8];
  work.outputs = v[9];
  work.exponentials = v[10];
  work.fused = v[11];
  work.footprint = v[12];
  return {work, cores, v[0]};
}

LayerLaw LawFrom(const Json& json) {
  LayerLaw law;
  Demand(json.is_array() && json.size() == static_cast<size_t>(law.us_per.size()), "a law has another length", json);
  for (size_t i = 0; i < json.size(); ++i) {
    const double rate = json[i].get<double>();
    Demand(std::isfinite(rate) && rate >= 0, "a rate is out of range", json);
    law.us_per(static_cast<Eigen::Index>(i)) = rate;
  }
  return law;
}

}  // namespace

std::string LayerModel::ToJson() const {
  Json kinds = Json::array();
  size_t next = 0;  // samples lie in the order of the kinds
  for (size_t index = 0; index < kinds_.size(); ++index) {
    if (!kinds_[index]) continue;
    const Kind& kind = *kinds_[index];
    Json samples = Json::array();
    for (Eigen::Index i = 0; i < kind.rest.rows(); ++i) samples.push_back(RowOf(samples_.at(next++)));
    kinds.push_back({{"kind", index / (kArithmetics * kMostCores)},
                     {"arithmetic", index / kMostCores % kArithmetics},
                     {"cores", index % kMostCores + 1},
                     {"law", std::vector<double>(kind.law.us_per.begin(), kind.law.us_per.end())},
                     {"length", kind.length},
                     {"noise", kind.noise},
                     {"samples", std::move(samples)}});
  }
  return Json{{"kinds", std::move(kinds)}}.dump();
}

Result<LayerModel> LayerModel::FromJson(std::string_view text) {
  try {
    const Json json = Json::parse(text);
    LayerModel model;
    for (const Json& one : json.at("kinds")) {
      const int kind = one.at("kind").get<int>();
      const int arithmetic = one.at("arithmetic").get<int>();
      const int cores = one.at("cores").get<int>();
      const double length = one.at("length");
      const double noise = one.at("noise");
      constexpr size_t kMostSamples = 2000;
      const Json& rows = one.at("samples");
      Demand(kind >= 0 && kind < kLayerClasses && arithmetic >= 0 && arithmetic < kArithmetics && cores >= 1 &&
                 cores <= kMostCores && length > 0.01 && length < 100 && noise > 1e-6 && noise < 10,
             "a number of a kind of layers is out of range", one);
      Demand(rows.is_array() && !rows.empty() && rows.size() <= kMostSamples, "no samples, or too many", one);
      std::vector<LayerSample> samples;
      for (const Json& row : rows) {
        samples.push_back(SampleFrom(row, static_cast<LayerClass>(kind), static_cast<Arithmetic>(arithmetic), cores));
      }
      const auto index = static_cast<size_t>((kind * kArithmetics + arithmetic) * kMostCores + cores - 1);
      Demand(!model.kinds_[index], "a kind of layers comes twice", one);
      model.kinds_[index] = MakeKind(LawFrom(one.at("law")), samples, length, noise);
      model.samples_.insert(model.samples_.end(), samples.begin(), samples.end());
    }
    return model;
  } catch (const Json::exception& e) {
    return Error{ErrorCode::kBadInput, std::string("a model of layers: ") + e.what()};
  }
}

}  // namespace deepedge
