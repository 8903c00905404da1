#include "deepedge/profiler/fit/box_model.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "deepedge/profiler/gp/nnls.h"

namespace deepedge {
namespace {

// Of a probe: what each layer took, so that all together give the measured time. A clock of whole microseconds cuts
// half of one off each kernel: that is given back in equal parts.
std::vector<double> TimesOf(const ProbeResult& probe, const LayerGraph& graph) {
  std::map<std::string, double> measured;
  double sum = 0;
  for (const LayerTime& layer : probe.layers) {
    measured[layer.layer] += layer.us;
    sum += layer.us;
  }
  std::vector<double> times(graph.layers.size(), 0);
  if (sum <= 0) return times;
  const double kernels = static_cast<double>(probe.layers.size());
  const double cut_off = probe.median_us > sum ? (probe.median_us - sum) / kernels : 0;
  const double scale = probe.median_us / (sum + cut_off * kernels);
  for (size_t i = 0; i < times.size(); ++i) {
    const auto found = measured.find(graph.layers[i].name);
    if (found != measured.end()) times[i] = (found->second + cut_off) * scale;
  }
  return times;
}

std::vector<LayerSample> SamplesOf(const MeasuredModel& model) {
  std::vector<LayerSample> samples;
  for (const ProbeResult& probe : model.probes) {
    const LayerGraph* const graph = GraphFor(model, probe.setting);
    if (graph == nullptr) continue;
    const std::vector<double> times = TimesOf(probe, *graph);
    const double footprint = FootprintOf(*graph, probe.setting);
    for (size_t i = 0; i < times.size(); ++i) {
      samples.push_back({WorkOf(graph->layers[i], probe.setting, footprint), probe.setting.cores, times[i]});
    }
  }
  return samples;
}

LayerModel FitLayers(std::span<const MeasuredModel* const> models) {
  std::vector<LayerSample> samples;
  for (const MeasuredModel* model : models) {
    const auto some = SamplesOf(*model);
    samples.insert(samples.end(), some.begin(), some.end());
  }
  return LayerModel::Fit(samples);
}

// Relative to the whole run: what matters is how far off that is.
std::array<double, 4> FitCold(std::span<const MeasuredModel> networks, int64_t cache_bytes) {
  std::vector<std::array<double, 5>> rows;
  for (const MeasuredModel& network : networks) {
    for (const ProbeResult& probe : network.probes) {
      const LayerGraph* const graph = GraphFor(network, probe.setting);
      if (graph == nullptr || probe.cold_us <= 0 || probe.median_us <= 0) continue;
      const auto terms = ColdTermsOf(*graph, probe.setting, cache_bytes);
      rows.push_back({terms[0] / probe.cold_us, terms[1] / probe.cold_us, terms[2] / probe.cold_us,
                      terms[3] / probe.cold_us, std::max(0.0, 1 - probe.median_us / probe.cold_us)});
    }
  }
  std::array<double, 4> per = BoxModel{}.cold_us_per;
  if (rows.size() < 20) return per;
  const auto n = static_cast<Eigen::Index>(rows.size());
  Eigen::MatrixXd a(n, 4);
  Eigen::VectorXd b(n);
  for (Eigen::Index i = 0; i < n; ++i) {
    const auto& row = rows[static_cast<size_t>(i)];
    for (Eigen::Index term = 0; term < 4; ++term) a(i, term) = row[static_cast<size_t>(term)];
    b(i) = row[4];
  }
  Eigen::VectorXd size = a.colwise().maxCoeff().transpose();
  for (Eigen::Index term = 0; term < 4; ++term) size(term) = size(term) > 0 ? size(term) : 1;
  const Eigen::VectorXd x = NonNegativeLeastSquares(a * size.cwiseInverse().asDiagonal(), b).cwiseQuotient(size);
  for (Eigen::Index term = 0; term < 4; ++term) per[static_cast<size_t>(term)] = x(term);
  return per;
}

std::vector<SettingPoint> PointsOf(const LayerModel& layers, const MeasuredModel& model) {
  std::vector<SettingPoint> points;
  for (const ProbeResult& probe : model.probes) {
    const double predicted = SumOf(CostsOfLayers(layers, model, probe.setting));
    if (predicted > 0 && probe.median_us > 0) points.push_back({probe.setting, predicted, probe.median_us});
  }
  return points;
}

}  // namespace

std::vector<LayerCost> CostsOfLayers(const LayerModel& layers, const MeasuredModel& model, const Setting& setting) {
  std::vector<LayerCost> costs;
  const LayerGraph* const graph = GraphFor(model, setting);
  if (graph == nullptr) return costs;
  const double footprint = FootprintOf(*graph, setting);
  for (const Layer& layer : graph->layers) {
    const LayerWork work = WorkOf(layer, setting, footprint);
    costs.push_back({&layer, work, layers.Estimate(work, setting.cores)});
  }
  return costs;
}

double SumOf(std::span<const LayerCost> costs) {
  double sum = 0;
  for (const LayerCost& cost : costs) sum += cost.estimate.us;
  return sum;
}

std::array<double, 4> ColdTermsOf(const LayerGraph& graph, const Setting& setting, int64_t cache_bytes) {
  const double footprint = FootprintOf(graph, setting);
  const double held = std::min(footprint, static_cast<double>(cache_bytes));
  return {1, static_cast<double>(graph.layers.size()), held, footprint - held};
}

BoxModel LearnBox(std::span<const MeasuredModel> networks, int64_t cache_bytes) {
  BoxModel box{.cache_bytes = cache_bytes, .networks = static_cast<int>(networks.size())};
  std::vector<const MeasuredModel*> all;
  for (const MeasuredModel& network : networks) all.push_back(&network);
  box.layers = FitLayers(all);

  // What the layer model is off by is seen on networks that it was not shown: each third is predicted from the others.
  constexpr size_t kParts = 3;
  std::vector<std::vector<SettingPoint>> points;
  for (size_t part = 0; part < kParts && networks.size() >= 2 * kParts; ++part) {
    std::vector<const MeasuredModel*> shown;
    for (size_t i = 0; i < all.size(); ++i) {
      if (i % kParts != part) shown.push_back(all[i]);
    }
    const LayerModel layers = FitLayers(shown);
    for (size_t i = part; i < all.size(); i += kParts) {
      auto some = PointsOf(layers, *all[i]);
      if (!some.empty()) points.push_back(std::move(some));
    }
  }
  box.settings = SettingModel::Learn(points);

  std::vector<MemorySample> memory;
  std::vector<double> tails;
  for (const MeasuredModel& network : networks) {
    for (const ProbeResult& probe : network.probes) {
      const LayerGraph* const graph = GraphFor(network, probe.setting);
      if (graph != nullptr && probe.memory_bytes > 0) {
        memory.push_back({graph, probe.setting, static_cast<double>(probe.memory_bytes)});
      }
      if (probe.median_us > 0) tails.push_back(std::log(std::max(probe.p90_us / probe.median_us, 1.0)));
    }
  }
  box.memory = MemoryModel::Fit(memory);
  box.cold_us_per = FitCold(networks, cache_bytes);
  if (!tails.empty()) {
    double sum = 0;
    for (const double tail : tails) sum += tail;
    // From the 90th to the 99th percentile of a logarithm that is normal: 2.326 / 1.282.
    box.log_tail = 1.81 * sum / static_cast<double>(tails.size());
  }
  return box;
}

void LearnFromModels(BoxModel& box, std::span<const MeasuredModel> networks,
                     std::span<const MeasuredModel* const> models) {
  std::vector<const MeasuredModel*> all(models.begin(), models.end());
  for (const MeasuredModel& network : networks) all.push_back(&network);
  box.layers = FitLayers(all);
}

std::string ToJson(const BoxModel& box) {
  const nlohmann::json json{{"layers", box.layers.ToJson()},    {"settings", box.settings.ToJson()},
                            {"memory", box.memory.ToJson()},    {"log_tail", box.log_tail},
                            {"cache_bytes", box.cache_bytes},   {"networks", box.networks},
                            {"extra_log_sd", box.extra_log_sd}, {"cold_us_per", box.cold_us_per}};
  return json.dump();
}

Result<BoxModel> BoxModelFromJson(std::string_view text) {
  try {
    const auto json = nlohmann::json::parse(text);
    BoxModel box;
    DE_TRY(box.layers, LayerModel::FromJson(json.at("layers").get<std::string>()));
    DE_TRY(box.settings, SettingModel::FromJson(json.at("settings").get<std::string>()));
    DE_TRY(box.memory, MemoryModel::FromJson(json.at("memory").get<std::string>()));
    box.log_tail = json.at("log_tail");
    box.cache_bytes = json.at("cache_bytes");
    box.networks = json.at("networks");
    box.extra_log_sd = json.at("extra_log_sd");
    box.cold_us_per = json.at("cold_us_per").get<std::array<double, 4>>();
    const bool sane = std::all_of(box.cold_us_per.begin(), box.cold_us_per.end(), [](double us) { return us >= 0; });
    if (box.log_tail >= 0 && box.log_tail < 5 && box.cache_bytes > 0 && box.networks >= 0 && box.extra_log_sd >= 0 &&
        box.extra_log_sd < 5 && sane) {
      return box;
    }
    return Error{ErrorCode::kBadInput, "a model of a box: a number is out of range"};
  } catch (const nlohmann::json::exception& e) {
    return Error{ErrorCode::kBadInput, std::string("a model of a box: ") + e.what()};
  }
}

}  // namespace deepedge
