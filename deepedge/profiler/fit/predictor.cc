#include "deepedge/profiler/fit/predictor.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "deepedge/base/check.h"

namespace deepedge {
namespace {

Duration Microseconds(double us) { return Duration(static_cast<int64_t>(std::llround(std::max(us, 0.0)))); }

// How a layer's time divides: arithmetic and what a kernel costs anyway, cache, memory.
Boundness BoundOf(const BoxModel& box, const LayerWork& work, int cores) {
  const LayerLaw* law = box.layers.LawOf(work.kind, work.arithmetic, cores);
  if (law == nullptr) law = box.layers.LawOf(work.kind, Arithmetic::kFp32, 1);
  const bool from_memory = work.footprint > static_cast<double>(box.cache_bytes);
  if (law == nullptr) return {.compute = 0, .cache = from_memory ? 0.0 : 1.0, .memory = from_memory ? 1.0 : 0.0};
  const LawTerms parts = law->us_per.cwiseProduct(LawTermsOf(work));
  const double moves = parts.segment(1, 5).sum();
  const double all = std::max(parts.sum(), 1e-9);
  const double moving = std::clamp(moves / all, 0.0, 1.0);
  return {.compute = 1 - moving, .cache = from_memory ? 0 : moving, .memory = from_memory ? moving : 0};
}

int64_t TrafficOf(const BoxModel& box, const LayerGraph& graph, const Setting& setting, size_t begin, size_t end) {
  const double footprint = FootprintOf(graph, setting);
  if (footprint <= static_cast<double>(box.cache_bytes)) return 0;
  double bytes = 0;
  for (size_t i = begin; i < end; ++i) {
    const LayerWork work = WorkOf(graph.layers[i], setting, footprint);
    bytes += work.weight_bytes;
    if (work.moved_bytes > static_cast<double>(box.cache_bytes)) bytes += work.moved_bytes;
  }
  return static_cast<int64_t>(bytes);
}

std::string LayersInWords(const LayerGraph& graph, size_t begin, size_t end) {
  std::array<int, kLayerClasses> counts{};
  for (size_t i = begin; i < end; ++i) ++counts[static_cast<size_t>(graph.layers[i].kind)];
  std::string text;
  for (size_t kind = 0; kind < counts.size(); ++kind) {
    if (counts[kind] == 0) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", ToString(static_cast<LayerClass>(kind)), counts[kind]);
  }
  return text;
}

const ProbeResult* ProbeOf(const MeasuredModel& model, const Setting& setting) {
  const auto found = std::find_if(model.probes.begin(), model.probes.end(),
                                  [&](const ProbeResult& probe) { return probe.setting == setting; });
  return found == model.probes.end() ? nullptr : &*found;
}

}  // namespace

Predictor::Predictor(const BoxModel& box, const MeasuredModel& model) : box_(box), model_(model) {
  if (!model.forms.empty()) own_ = {Precision::kFp32, model.forms.front().width, model.forms.front().height};
  LearnLayers();
  std::vector<SettingPoint> points;
  for (const ProbeResult& probe : model.probes) {
    if (!Knows(probe.setting) || probe.median_us <= 0) continue;
    points.push_back({probe.setting, Sum(probe.setting).us, probe.median_us});
  }
  posterior_ = box.settings.Condition(points, own_);
}

// What a layer was off by in the settings that were measured says what it will be off by in others, as far as layers
// go; the level of a whole setting is left to the process over settings.
void Predictor::LearnLayers() {
  std::map<std::string, std::vector<double>> logs;
  for (const ProbeResult& probe : model_.probes) {
    const LayerGraph* const graph = GraphFor(model_, probe.setting);
    if (graph == nullptr || probe.setting.cores > 1 || probe.setting.batch > 1) continue;
    std::map<std::string, double> measured;
    double sum = 0;
    for (const LayerTime& layer : probe.layers) {
      measured[layer.layer] += layer.us;
      sum += layer.us;
    }
    const auto costs = CostsOfLayers(box_.layers, model_, probe.setting);
    const double predicted = SumOf(costs);
    if (sum <= 0 || predicted <= 0) continue;
    const double level = std::log(sum / predicted);
    for (const LayerCost& cost : costs) {
      const auto found = measured.find(cost.layer->name);
      // Short layers are lost in the clock's steps.
      constexpr double kShortUs = 5;
      if (found == measured.end() || found->second < kShortUs || cost.estimate.us < kShortUs) continue;
      logs[cost.layer->name].push_back(std::log(found->second / cost.estimate.us) - level);
    }
  }
  constexpr double kDoubt = 0.25;  // measurements' worth of no correction
  for (const auto& [name, values] : logs) {
    double sum = 0;
    for (const double value : values) sum += std::clamp(value, -2.0, 2.0);
    layer_log_[name] = sum / (static_cast<double>(values.size()) + kDoubt);
  }
}

Predictor::Summed Predictor::Sum(const Setting& setting) const {
  Summed sum;
  double variance = 0;
  for (const LayerCost& cost : CostsOfLayers(box_.layers, model_, setting)) {
    const auto known = layer_log_.find(cost.layer->name);
    const double us = cost.estimate.us * (known == layer_log_.end() ? 1.0 : std::exp(known->second));
    sum.layer_us.push_back(us);
    sum.us += us;
    variance += us * us * cost.estimate.log_variance;
  }
  sum.log_variance = sum.us > 0 ? variance / (sum.us * sum.us) : 1;
  return sum;
}

SettingCost Predictor::Cost(const Setting& setting, const Summed& sum) const {
  const LayerGraph& graph = *GraphFor(model_, setting);
  SettingCost cost{.setting = setting};
  const GpPrediction correction = posterior_.At(setting);
  double us = sum.us * std::exp(correction.mean);
  double variance = correction.variance;
  // Layers of kinds that calibration has not seen make the whole less sure until something was measured.
  if (posterior_.process.rows() == 0) variance += sum.log_variance;
  const ProbeResult* const probe = ProbeOf(model_, setting);
  if (probe != nullptr) {
    cost.probes = probe->runs;
    us = probe->median_us;
    variance = box_.settings.noise();
  }
  variance += box_.extra_log_sd * box_.extra_log_sd;
  cost.time = {.median = Microseconds(us),
               .p99 = Microseconds(us * std::exp(box_.log_tail)),
               .log_sd = std::sqrt(std::max(variance, 0.0))};
  const auto cold = ColdTermsOf(graph, setting, box_.cache_bytes);
  double cold_us = us;
  for (size_t i = 0; i < cold.size(); ++i) cold_us += cold[i] * box_.cold_us_per[i];
  if (probe != nullptr && probe->cold_us > 0) cold_us = probe->cold_us;
  cost.cold = Microseconds(cold_us);
  cost.traffic_bytes = TrafficOf(box_, graph, setting, 0, graph.layers.size());
  AddMemory(cost);
  return cost;
}

void Predictor::AddMemory(SettingCost& cost) const {
  const LayerGraph& graph = *GraphFor(model_, cost.setting);
  const MemoryEstimate law = box_.memory.Estimate(graph, cost.setting);
  double bytes = law.bytes;
  double log_sd = law.log_sd;
  // What the law is off by in the most alike setting that was measured: bytes that do not depend on the setting.
  const ProbeResult* nearest = nullptr;
  int best = -1;
  for (const ProbeResult& probe : model_.probes) {
    if (probe.memory_bytes <= 0 || !Knows(probe.setting)) continue;
    const int alike = (probe.setting == cost.setting ? 8 : 0) +
                      (probe.setting.variant.precision == cost.setting.variant.precision ? 4 : 0) +
                      (probe.setting.batch == cost.setting.batch ? 2 : 0) +
                      (probe.setting.cores == cost.setting.cores ? 1 : 0);
    if (alike > best) {
      best = alike;
      nearest = &probe;
    }
  }
  if (nearest != nullptr) {
    const double there = box_.memory.Estimate(*GraphFor(model_, nearest->setting), nearest->setting).bytes;
    bytes = std::max(bytes + static_cast<double>(nearest->memory_bytes) - there, 0.25 * bytes);
    log_sd = best >= 8 ? 0.02 : (best >= 4 ? 0.05 : 0.1);
  }
  // Too little is worse than too much: memory is told as what it hardly exceeds.
  cost.memory_bytes = static_cast<int64_t>(bytes);
  cost.memory_log_sd = log_sd;
}

StageCost Predictor::StageOf(const Setting& setting, const Summed& sum, size_t begin, size_t end) const {
  const LayerGraph& graph = *GraphFor(model_, setting);
  const double footprint = FootprintOf(graph, setting);
  StageCost stage{.bound = {.compute = 0}};
  double us = 0;
  for (size_t i = begin; i < end; ++i) {
    const LayerWork work = WorkOf(graph.layers[i], setting, footprint);
    const Boundness bound = BoundOf(box_, work, setting.cores);
    us += sum.layer_us[i];
    stage.bound.compute += bound.compute * sum.layer_us[i];
    stage.bound.cache += bound.cache * sum.layer_us[i];
    stage.bound.memory += bound.memory * sum.layer_us[i];
    stage.flops += static_cast<int64_t>(work.flops);
    stage.weight_bytes += graph.layers[i].weight_bytes;
    stage.live_bytes = std::max(stage.live_bytes, graph.layers[i].live_bytes * setting.batch);
  }
  if (us > 0) {
    stage.bound.compute /= us;
    stage.bound.cache /= us;
    stage.bound.memory /= us;
  } else {
    stage.bound = {};
  }
  stage.time.median = Microseconds(us);
  stage.layers = LayersInWords(graph, begin, end);
  return stage;
}

SettingCost Predictor::Predict(const Setting& setting) const { return PredictStages(setting, {}); }

SettingCost Predictor::PredictStages(const Setting& setting, const std::vector<int>& cuts) const {
  DE_CHECK(Knows(setting));
  const LayerGraph& graph = *GraphFor(model_, setting);
  const Summed sum = Sum(setting);
  SettingCost cost = Cost(setting, sum);
  // Stages share the whole's time as their layers do.
  const double scale = sum.us > 0 ? static_cast<double>(cost.time.median.count()) / sum.us : 0;
  const double tail = std::exp(box_.log_tail);
  size_t begin = 0;
  cost.bound = {.compute = 0};
  for (size_t i = 0; i <= cuts.size(); ++i) {
    const CutPoint* const cut = i < cuts.size() ? &graph.cuts[static_cast<size_t>(cuts[i])] : nullptr;
    const size_t end = cut != nullptr ? static_cast<size_t>(cut->next_layer) : graph.layers.size();
    StageCost stage = StageOf(setting, sum, begin, end);
    const double part = sum.us > 0 ? static_cast<double>(stage.time.median.count()) / sum.us : 1;
    cost.bound.compute += part * stage.bound.compute;
    cost.bound.cache += part * stage.bound.cache;
    cost.bound.memory += part * stage.bound.memory;
    const double us = static_cast<double>(stage.time.median.count()) * scale;
    stage.time = {.median = Microseconds(us), .p99 = Microseconds(us * tail), .log_sd = cost.time.log_sd};
    if (cut != nullptr) {
      stage.after_op = cut->after_op;
      stage.border_bytes = cut->bytes * setting.batch;
    }
    cost.stages.push_back(std::move(stage));
    begin = end;
  }
  const double all = cost.bound.compute + cost.bound.cache + cost.bound.memory;
  if (all > 0) {
    cost.bound = {
        .compute = cost.bound.compute / all, .cache = cost.bound.cache / all, .memory = cost.bound.memory / all};
  } else {
    cost.bound = {};
  }
  return cost;
}

std::vector<double> Predictor::LayerTimes(const Setting& setting) const {
  Summed sum = Sum(setting);
  const SettingCost cost = Cost(setting, sum);
  const double scale = sum.us > 0 ? static_cast<double>(cost.time.median.count()) / sum.us : 0;
  for (double& us : sum.layer_us) us *= scale;
  return sum.layer_us;
}

Eigen::MatrixXd Predictor::CovarianceOf(const std::vector<Setting>& settings) const {
  Eigen::MatrixXd points(static_cast<Eigen::Index>(settings.size()), SettingFeatures({}, own_).size());
  for (size_t i = 0; i < settings.size(); ++i)
    points.row(static_cast<Eigen::Index>(i)) = SettingFeatures(settings[i], own_);
  return posterior_.process.PosteriorCovariance(points);
}

}  // namespace deepedge
