#include "deepedge/profiler/fit/utilisation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "deepedge/profiler/report/text_table.h"

namespace deepedge {
namespace {

constexpr double kP99Sds = 2.326;
constexpr double kMostRunSpread = 0.5;
constexpr double kMeterMemoryShare = 0.01;

double Seconds(Duration d) { return static_cast<double>(d.count()) / 1e6; }

double MeanSeconds(const TimeEstimate& time) {
  const double median = Seconds(time.median);
  if (median <= 0 || time.p99 <= time.median) return median;
  const double spread = std::min(kMostRunSpread, std::log(Seconds(time.p99) / median) / kP99Sds);
  return median * std::exp(spread * spread / 2);
}

std::string KeyOf(const UtilisationTask& task) { return task.model + '\n' + ToString(task.cost.setting); }

// Sums of values whose errors are the same within a key and independent between keys.
class Sum {
 public:
  void Add(const std::string& key, double value, double log_sd) {
    value_ += value;
    errors_[key] += value * log_sd;
  }
  Amount Total() const {
    double variance = 0;
    for (const auto& [key, error] : errors_) variance += error * error;
    return {.value = value_, .sd = std::sqrt(variance)};
  }

 private:
  double value_ = 0;
  std::map<std::string, double> errors_;
};

bool IsAmount(double value) { return std::isfinite(value) && value >= 0; }

Status CheckTask(const UtilisationTask& task, size_t index, int cores) {
  const auto refuse = [&](std::string_view what) {
    return Error{ErrorCode::kBadInput,
                 fmt::format("task {} ('{}', {}): {}", index, task.model, ToString(task.cost.setting), what)};
  };
  const bool are_times = task.cost.time.median.count() >= 0 && task.cost.time.p99.count() >= 0 &&
                         task.frame.decode.count() >= 0 && task.frame.scale.count() >= 0 &&
                         task.frame.post.count() >= 0;
  if (!IsAmount(task.rate) || !IsAmount(task.stream_fps)) return refuse("a rate is negative or no number");
  if (!are_times) return refuse("a time is negative");
  if (!IsAmount(task.cost.time.log_sd) || !IsAmount(task.cost.memory_log_sd) || !IsAmount(task.frame.log_sd)) {
    return refuse("an error bar is negative or no number");
  }
  if (!std::isfinite(task.slowdown) || task.slowdown < 1) return refuse("the slowdown is under 1 or no number");
  if (task.cost.setting.batch < 1 || task.cost.setting.cores < 1) return refuse("batch and cores begin at 1");
  if (task.cost.memory_bytes < 0 || task.cost.traffic_bytes < 0) return refuse("an amount of bytes is negative");
  for (const int core : task.cores) {
    if (core < 0 || core >= cores) return refuse(fmt::format("homed on core {} of {}", core, cores));
  }
  return {};
}

// Without repetition; all where it is homed nowhere.
std::vector<int> HomesOf(const UtilisationTask& task, int cores) {
  std::set<int> homes(task.cores.begin(), task.cores.end());
  for (int core = 0; homes.size() < static_cast<size_t>(cores) && task.cores.empty(); ++core) homes.insert(core);
  return {homes.begin(), homes.end()};
}

// CPU by core and in all.
class CpuSum {
 public:
  explicit CpuSum(int cores) : cores_(static_cast<size_t>(cores)) {}

  void Add(const std::string& key, const std::vector<int>& homes, double value, double log_sd) {
    all_.Add(key, value, log_sd);
    const double share = value / static_cast<double>(homes.size());
    for (const int core : homes) cores_[static_cast<size_t>(core)].Add(key, share, log_sd);
  }
  void Write(Utilisation& to) const {
    to.cpu = all_.Total();
    for (const Sum& core : cores_) to.cores.push_back(core.Total());
  }

 private:
  Sum all_;
  std::vector<Sum> cores_;
};

// The dearest of the tasks that look at a stream decodes it.
std::map<std::string, const UtilisationTask*> DecodersOf(std::span<const UtilisationTask> tasks) {
  std::map<std::string, const UtilisationTask*> decoders;
  const auto cost = [](const UtilisationTask& task) { return task.stream_fps * Seconds(task.frame.decode); };
  for (size_t i = 0; i < tasks.size(); ++i) {
    const std::string key = tasks[i].stream.empty() ? fmt::format("\n{}", i) : tasks[i].stream;
    const UtilisationTask*& decoder = decoders[key];
    if (decoder == nullptr || cost(tasks[i]) > cost(*decoder)) decoder = &tasks[i];
  }
  return decoders;
}

void AddFrames(std::span<const UtilisationTask> tasks, int cores, CpuSum& cpu) {
  // Scaling and post-processing of all tasks are as wrong as their common measurement.
  for (const UtilisationTask& task : tasks) {
    const double cost = Seconds(task.frame.scale) + Seconds(task.frame.post);
    cpu.Add("\nframes " + KeyOf(task), HomesOf(task, cores), task.rate * cost, task.frame.log_sd);
  }
  for (const auto& [stream, task] : DecodersOf(tasks)) {
    cpu.Add("\ndecode " + stream, HomesOf(*task, cores), task->stream_fps * Seconds(task->frame.decode),
            task->frame.log_sd);
  }
}

struct Loaded {
  std::set<int> homes;
  int64_t bytes = 0;  // of a copy
  double log_sd = 0;
};

// Copies are of a variant: a batch is a setting of the same copy, and the largest one counts.
Amount MemoryOf(std::span<const UtilisationTask> tasks, const UtilisationOptions& options) {
  std::map<std::string, Loaded> variants;
  for (const UtilisationTask& task : tasks) {
    Setting variant = task.cost.setting;
    variant.batch = 1;
    Loaded& loaded = variants[task.model + '\n' + ToString(variant)];
    // A run on several cores is of one copy.
    const std::vector<int> homes = variant.cores > 1 ? std::vector<int>{0} : HomesOf(task, options.cores);
    loaded.homes.insert(homes.begin(), homes.end());
    if (task.cost.memory_bytes < loaded.bytes) continue;
    loaded.bytes = task.cost.memory_bytes;
    loaded.log_sd = task.cost.memory_log_sd;
  }
  Sum memory;
  memory.Add("", static_cast<double>(options.base_memory_bytes), 0);
  for (const auto& [key, loaded] : variants) {
    memory.Add(key, static_cast<double>(loaded.homes.size()) * static_cast<double>(loaded.bytes), loaded.log_sd);
  }
  return memory.Total();
}

void Add(UtilisationComparison& to, ComparedAmount amount, double metered_sd) {
  const double sd = std::hypot(amount.predicted.sd, metered_sd);
  if (amount.metered && sd > 0) amount.z = (*amount.metered - amount.predicted.value) / sd;
  to.amounts.push_back(std::move(amount));
}

std::optional<double> OwnOf(const MeterReport& report, size_t core) {
  if (core >= report.allowed.size() || !report.own_cores) return std::nullopt;
  const auto use = std::ranges::find(report.cores, report.allowed[core], &CoreUse::cpu);
  return use == report.cores.end() ? std::nullopt : std::optional<double>(use->own);
}

std::string AmountText(const Amount& amount, double unit) {
  return fmt::format("{:.2f} +- {:.2f}", amount.value / unit, 1.645 * amount.sd / unit);
}

double UnitOf(std::string_view unit) {
  if (unit == "MB") return 1e6;
  return unit == "GB/s" ? 1e9 : 1;
}

}  // namespace

Result<Utilisation> PredictUtilisation(std::span<const UtilisationTask> tasks, const UtilisationOptions& options) {
  if (options.cores < 1) return Error{ErrorCode::kBadInput, fmt::format("a box of {} cores", options.cores)};
  CpuSum cpu(options.cores);
  Sum traffic;
  for (size_t i = 0; i < tasks.size(); ++i) {
    const UtilisationTask& task = tasks[i];
    DE_TRY_STATUS(CheckTask(task, i, options.cores));
    const double runs = task.rate / task.cost.setting.batch;
    cpu.Add(KeyOf(task), HomesOf(task, options.cores),
            runs * MeanSeconds(task.cost.time) * task.cost.setting.cores * task.slowdown, task.cost.time.log_sd);
    traffic.Add(KeyOf(task), runs * static_cast<double>(task.cost.traffic_bytes), options.traffic_log_sd);
  }
  AddFrames(tasks, options.cores, cpu);
  Utilisation utilisation;
  cpu.Write(utilisation);
  utilisation.memory_bytes = MemoryOf(tasks, options);
  utilisation.traffic_bytes = traffic.Total();
  return utilisation;
}

Amount ShortBy(const Utilisation& utilisation, double capacity) {
  if (utilisation.cpu.value <= capacity) return {};
  return {.value = utilisation.cpu.value - capacity, .sd = utilisation.cpu.sd};
}

UtilisationComparison CompareUtilisation(const Utilisation& predicted, const MeterReport& metered) {
  UtilisationComparison comparison;
  constexpr const char* kNoCpu = "the meters do not tell this process's use of CPUs";
  for (size_t i = 0; i < predicted.cores.size(); ++i) {
    Add(comparison,
        {.what = fmt::format("CPU of core {}", i),
         .unit = "cores",
         .predicted = predicted.cores[i],
         .metered = OwnOf(metered, i),
         .why_not = kNoCpu},
        metered.resolution);
  }
  Add(comparison,
      {.what = "CPU", .unit = "cores", .predicted = predicted.cpu, .metered = metered.own_cores, .why_not = kNoCpu},
      metered.resolution);
  std::optional<double> memory;
  if (metered.memory.own) memory = static_cast<double>(*metered.memory.own);
  Add(comparison,
      {.what = "memory",
       .unit = "MB",
       .predicted = predicted.memory_bytes,
       .metered = memory,
       .why_not = "the meters do not tell this process's memory"},
      kMeterMemoryShare * memory.value_or(0));
  Add(comparison,
      {.what = "memory traffic",
       .unit = "GB/s",
       .predicted = predicted.traffic_bytes,
       .why_not = "no counter that every box has; the prediction is an estimate"},
      0);
  return comparison;
}

std::string UtilisationComparison::Text() const {
  using Column = TextTable::Column;
  constexpr TextTable::Align kRight = TextTable::Align::kRight;
  TextTable table({Column{"what"}, Column{"unit"}, Column{"predicted", kRight}, Column{"metered", kRight}, Column{""}});
  for (const ComparedAmount& amount : amounts) {
    const double unit = UnitOf(amount.unit);
    const std::string verdict = amount.metered ? (amount.agrees() ? "agrees" : fmt::format("{:+.1f} sd", amount.z))
                                               : "not metered: " + amount.why_not;
    table.Add({amount.what, amount.unit, AmountText(amount.predicted, unit),
               amount.metered ? fmt::format("{:.2f}", *amount.metered / unit) : "-", verdict});
  }
  return table.Text();
}

}  // namespace deepedge
