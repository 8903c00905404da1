#include "deepedge/bench/profiler/score.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "deepedge/base/clock.h"
#include "deepedge/profiler/fit/choose_probe.h"
#include "deepedge/profiler/fit/predictor.h"

namespace deepedge {
namespace {

class Errors {
 public:
  void Add(double predicted, double measured, double log_sd = 0) {
    if (predicted <= 0 || measured <= 0) return;
    const double relative = predicted / measured - 1;
    const double log = std::log(predicted / measured);
    ++sum_.count;
    sum_.mape += std::abs(relative);
    sum_.within_10 += std::abs(relative) <= 0.1 ? 1 : 0;
    sum_.covered += std::abs(log) <= 1.645 * log_sd ? 1 : 0;
    sum_.bias += log;
  }
  void Add(const Errors& other) {
    sum_.count += other.sum_.count;
    sum_.mape += other.sum_.mape;
    sum_.within_10 += other.sum_.within_10;
    sum_.covered += other.sum_.covered;
    sum_.bias += other.sum_.bias;
  }
  ErrorSummary Summary() const {
    ErrorSummary mean = sum_;
    const double n = std::max(sum_.count, 1);
    mean.mape /= n;
    mean.within_10 /= n;
    mean.covered /= n;
    mean.bias /= n;
    return mean;
  }

 private:
  ErrorSummary sum_;
};

struct Totals {
  double flops = 0;
  double bytes = 0;
};

Totals TotalsOf(const MeasuredModel& model, const Setting& setting) {
  Totals totals;
  const LayerGraph* const graph = GraphFor(model, setting);
  if (graph == nullptr) return totals;
  const double footprint = FootprintOf(*graph, setting);
  for (const Layer& layer : graph->layers) {
    const LayerWork work = WorkOf(layer, setting, footprint);
    totals.flops += work.flops;
    totals.bytes += work.weight_bytes + work.moved_bytes;
  }
  return totals;
}

// The upper one of two in the middle; 0 of none.
double MedianOf(std::vector<double> values) {
  if (values.empty()) return 0;
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

// t = flops / P, or max(flops / P, bytes / B), each for one precision and for one or several cores: fitted to relative
// errors over the networks, by the median of what each row would need.
class SimplePredictor {
 public:
  SimplePredictor(std::span<const MeasuredModel> networks, bool roofline) : roofline_(roofline) {
    std::array<std::vector<std::array<double, 3>>, kKinds> rows;
    for (const MeasuredModel& network : networks) {
      for (const ProbeResult& probe : network.probes) {
        const Totals totals = TotalsOf(network, probe.setting);
        if (totals.flops > 0) rows[KindOf(probe.setting)].push_back({totals.flops, totals.bytes, probe.median_us});
      }
    }
    for (size_t kind = 0; kind < kKinds; ++kind) Fit(kind, rows[kind]);
  }

  double Us(const MeasuredModel& model, const Setting& setting) const {
    const Totals totals = TotalsOf(model, setting);
    const auto& [per_flop, per_byte] = rates_[KindOf(setting)];
    return roofline_ ? std::max(per_flop * totals.flops, per_byte * totals.bytes) : per_flop * totals.flops;
  }

 private:
  static constexpr size_t kKinds = 6;
  static size_t KindOf(const Setting& setting) {
    return static_cast<size_t>(setting.variant.precision) * 2 + (setting.cores > 1 ? 1 : 0);
  }
  void Fit(size_t kind, const std::vector<std::array<double, 3>>& rows) {
    std::vector<double> per_flop;
    std::vector<double> per_byte;
    for (const auto& [flops, bytes, us] : rows) {
      per_flop.push_back(us / flops);
      per_byte.push_back(us / bytes);
    }
    if (!roofline_) {
      rates_[kind] = {MedianOf(per_flop), 0};
      return;
    }
    // The two rates that give the least mean error, from a grid around the medians.
    const std::array<double, 2> middle{MedianOf(per_flop), MedianOf(per_byte)};
    double best = 1e300;
    for (double a = 0.2; a < 3; a *= 1.1) {
      for (double b = 0.05; b < 3; b *= 1.1) {
        double error = 0;
        for (const auto& [flops, bytes, us] : rows) {
          error += std::abs(std::log(std::max(a * middle[0] * flops, b * middle[1] * bytes) / us));
        }
        if (error >= best) continue;
        best = error;
        rates_[kind] = {a * middle[0], b * middle[1]};
      }
    }
  }

  bool roofline_;
  std::array<std::array<double, 2>, kKinds> rates_{};
};

struct Sums {
  Errors unseen, probed, one_picture, batches, several_cores, cold, memory, flops_unseen, roofline_unseen, flops_probed,
      roofline_probed;
};

std::vector<Setting> SettingsOf(const MeasuredModel& model) {
  std::vector<Setting> settings;
  for (const ProbeResult& probe : model.probes) settings.push_back(probe.setting);
  return settings;
}

bool IsProbed(const MeasuredModel& seen, const Setting& setting) {
  return std::any_of(seen.probes.begin(), seen.probes.end(),
                     [&](const ProbeResult& probe) { return probe.setting == setting; });
}

void Probe(const MeasuredModel& truth, const Setting& setting, MeasuredModel& seen, ModelScore& score) {
  const auto found = std::find_if(truth.probes.begin(), truth.probes.end(),
                                  [&](const ProbeResult& probe) { return probe.setting == setting; });
  seen.probes.push_back(*found);
  score.probes.push_back(ToString(setting));
  score.probe_seconds += found->compile_ms / 1e3 + 10 * found->median_us / 1e6;
}

ModelScore ScoreModel(const BoxModel& box, const SimplePredictor& flops, const SimplePredictor& roofline,
                      const MeasuredModel& truth, int probes, Sums& sums) {
  ModelScore score{.model = truth.name, .settings = static_cast<int>(truth.probes.size())};
  MeasuredModel seen{.name = truth.name, .forms = truth.forms};
  std::vector<double> scatter;
  Errors unseen;
  const Predictor blind(box, seen);
  for (const ProbeResult& probe : truth.probes) {
    const SettingCost cost = blind.Predict(probe.setting);
    unseen.Add(static_cast<double>(cost.time.median.count()), probe.median_us, cost.time.log_sd);
    sums.flops_unseen.Add(flops.Us(truth, probe.setting), probe.median_us);
    sums.roofline_unseen.Add(roofline.Us(truth, probe.setting), probe.median_us);
    scatter.push_back(probe.median_us / probe.min_us - 1);
  }
  score.repeatable = MedianOf(std::move(scatter));

  // The model's own form comes first: it is what serves until more is known.
  Probe(truth, truth.probes.front().setting, seen, score);
  const std::vector<Setting> settings = SettingsOf(truth);
  while (static_cast<int>(seen.probes.size()) < probes) {
    const auto next = NextProbe(Predictor(box, seen), settings, 0);
    if (!next) break;
    Probe(truth, next->setting, seen, score);
  }
  const Predictor predictor(box, seen);
  Errors probed;
  Errors memory;
  const ProbeResult& own = truth.probes.front();
  const double flops_level = own.median_us / std::max(flops.Us(truth, own.setting), 1e-9);
  const double roofline_level = own.median_us / std::max(roofline.Us(truth, own.setting), 1e-9);
  for (const ProbeResult& probe : truth.probes) {
    if (IsProbed(seen, probe.setting)) continue;
    const SettingCost cost = predictor.Predict(probe.setting);
    const double us = static_cast<double>(cost.time.median.count());
    probed.Add(us, probe.median_us, cost.time.log_sd);
    Errors& kind =
        probe.setting.cores > 1 ? sums.several_cores : (probe.setting.batch > 1 ? sums.batches : sums.one_picture);
    kind.Add(us, probe.median_us, cost.time.log_sd);
    sums.cold.Add(static_cast<double>(cost.cold.count()), probe.cold_us, cost.time.log_sd);
    sums.flops_probed.Add(flops_level * flops.Us(truth, probe.setting), probe.median_us);
    sums.roofline_probed.Add(roofline_level * roofline.Us(truth, probe.setting), probe.median_us);
    if (std::abs(us / probe.median_us - 1) > score.worst) {
      score.worst = std::abs(us / probe.median_us - 1);
      score.worst_setting = ToString(probe.setting);
    }
    if (probe.memory_bytes <= 0) continue;
    memory.Add(static_cast<double>(cost.memory_bytes), static_cast<double>(probe.memory_bytes), cost.memory_log_sd);
    score.memory_least =
        std::min(score.memory_least, static_cast<double>(cost.memory_bytes) / static_cast<double>(probe.memory_bytes));
  }
  score.unseen = unseen.Summary();
  score.probed = probed.Summary();
  score.memory = memory.Summary();
  sums.unseen.Add(unseen);
  sums.probed.Add(probed);
  sums.memory.Add(memory);
  return score;
}

// Networks whose layers with weights have the same arithmetic are one network, whatever the files are called.
bool SameNetwork(const MeasuredModel& a, const MeasuredModel& b) {
  const auto arithmetic = [](const MeasuredModel& model) {
    double flops = 0;
    for (const Layer& layer : model.forms.front().graph.layers) {
      if (layer.weight_bytes > 0) flops += static_cast<double>(layer.flops);
    }
    return flops;
  };
  return std::abs(std::log((arithmetic(a) + 1) / (arithmetic(b) + 1))) < 0.02;
}

// What profiling leaves of each model: the few settings that it measures.
std::vector<MeasuredModel> ProfiledOf(const BoxModel& box, std::span<const MeasuredModel> models, int probes) {
  std::vector<MeasuredModel> profiled;
  for (const MeasuredModel& truth : models) {
    if (truth.probes.empty()) continue;
    MeasuredModel seen{.name = truth.name, .forms = truth.forms};
    ModelScore unused;
    Probe(truth, truth.probes.front().setting, seen, unused);
    while (static_cast<int>(seen.probes.size()) < probes) {
      const auto next = NextProbe(Predictor(box, seen), SettingsOf(truth), 0);
      if (!next) break;
      Probe(truth, next->setting, seen, unused);
    }
    profiled.push_back(std::move(seen));
  }
  return profiled;
}

double MeasurePredict(const BoxModel& box, const MeasuredModel& model) {
  const Predictor predictor(box, model);
  constexpr int kTimes = 50;
  const Duration start = ThreadCpuTime();
  double sum = 0;
  for (int i = 0; i < kTimes; ++i) {
    const auto& probe = model.probes[static_cast<size_t>(i) % model.probes.size()];
    sum += predictor.Predict(probe.setting).time.log_sd;
  }
  return sum < 0 ? 0 : static_cast<double>((ThreadCpuTime() - start).count()) / kTimes;
}

std::string Row(const std::string& what, const ErrorSummary& errors, bool intervals) {
  return fmt::format("{:<44} {:>6} {:>7.1f} % {:>7.0f} % {:>9} {:>+8.1f} %\n", what, errors.count, 100 * errors.mape,
                     100 * errors.within_10, intervals ? fmt::format("{:.0f} %", 100 * errors.covered) : "-",
                     100 * errors.bias);
}

}  // namespace

ProfilerScore ScoreProfiler(const BoxModel& box, std::span<const MeasuredModel> networks,
                            std::span<const MeasuredModel> models, int probes, Known known) {
  ProfilerScore score;
  const std::vector<MeasuredModel> profiled =
      known == Known::kOtherModels ? ProfiledOf(box, models, probes) : std::vector<MeasuredModel>{};
  Sums sums;
  const SimplePredictor flops(networks, false);
  const SimplePredictor roofline(networks, true);
  for (const MeasuredModel& model : models) {
    if (model.probes.empty()) continue;
    BoxModel knowing = box;
    std::vector<const MeasuredModel*> others;
    for (const MeasuredModel& other : profiled) {
      if (!SameNetwork(other, model)) others.push_back(&other);
    }
    if (!others.empty()) LearnFromModels(knowing, networks, others);
    score.models.push_back(ScoreModel(knowing, flops, roofline, model, probes, sums));
  }
  score.unseen = sums.unseen.Summary();
  score.probed = sums.probed.Summary();
  score.memory = sums.memory.Summary();
  score.cold = sums.cold.Summary();
  score.one_picture = sums.one_picture.Summary();
  score.batches = sums.batches.Summary();
  score.several_cores = sums.several_cores.Summary();
  score.flops_unseen = sums.flops_unseen.Summary();
  score.roofline_unseen = sums.roofline_unseen.Summary();
  score.flops_probed = sums.flops_probed.Summary();
  score.roofline_probed = sums.roofline_probed.Summary();
  if (!models.empty()) score.predict_us = MeasurePredict(box, models.front());
  return score;
}

std::string ScoreText(const ProfilerScore& score, int probes) {
  std::string text = fmt::format("{:<46} {:>4} {:>7} {:>8} {:>8} {:>8} {:>7}  {}\n", "model", "n", "runs +-", "unseen",
                                 "probed", "memory", "probes", "worst after the probes");
  for (const ModelScore& model : score.models) {
    text += fmt::format("{:<46.46} {:>4} {:>5.1f} % {:>6.1f} % {:>6.1f} % {:>6.1f} % {:>5.1f} s  {:.0f} % {}\n",
                        model.model, model.settings, 100 * model.repeatable, 100 * model.unseen.mape,
                        100 * model.probed.mape, 100 * model.memory.mape, model.probe_seconds, 100 * model.worst,
                        model.worst_setting);
  }
  text += fmt::format("\n{:<44} {:>6} {:>9} {:>9} {:>9} {:>10}\n", "all settings of all models", "n", "error",
                      "in 10 %", "covered", "bias");
  text += Row("profiler, nothing measured", score.unseen, true);
  text += Row("  flops at one rate", score.flops_unseen, false);
  text += Row("  roofline", score.roofline_unseen, false);
  text += Row(fmt::format("profiler, after {} probes", probes), score.probed, true);
  text += Row("    of these: one picture on one core", score.one_picture, true);
  text += Row("    of these: batches on one core", score.batches, true);
  text += Row("    of these: on several cores", score.several_cores, true);
  text += Row("  flops, level by one probe", score.flops_probed, false);
  text += Row("  roofline, level by one probe", score.roofline_probed, false);
  text += Row("runs on cold caches, after the probes", score.cold, true);
  text += Row("memory, after the probes", score.memory, true);
  text += fmt::format("\none prediction takes {:.0f} us\n", score.predict_us);
  return text;
}

}  // namespace deepedge
