// `deepedge bench profiler`: how good the Model Profiler's predictions are. Calibrates, measures models in many
// settings, predicts them, prints the table. With --keep what was measured stays in a folder, and is not measured
// again.
#include <fmt/format.h>

#include <fstream>
#include <memory>

#include "deepedge/app/commands.h"
#include "deepedge/app/engines.h"
#include "deepedge/bench/profiler/collect.h"
#include "deepedge/bench/profiler/pairs.h"
#include "deepedge/bench/profiler/score.h"
#include "deepedge/profiler/calibration/measure_networks.h"

namespace deepedge {
namespace {

struct BenchProfilerOptions {
  std::vector<std::string> models;
  std::string keep;
  double calibration_seconds = 150;
  int probes = 6;
  bool leave_one_out = false;
  int pairs = 0;
  CollectOptions collect;
};

void Tell(const std::string& text) { fmt::print(stderr, "{}\n", text); }

Result<std::vector<MeasuredModel>> ReadAll(const Path& file) {
  std::vector<MeasuredModel> models;
  std::ifstream in(file);
  std::string line;
  while (std::getline(in, line)) {
    DE_TRY(MeasuredModel model, MeasuredModelFromJson(line));
    models.push_back(std::move(model));
  }
  return models;
}

Status Append(const Path& file, const MeasuredModel& model) {
  std::ofstream out(file, std::ios::app);
  out << ToJson(model) << '\n';
  out.flush();
  if (!out) return Error{ErrorCode::kExhausted, fmt::format("{}: cannot be written", file.string())};
  return {};
}

Result<std::vector<MeasuredModel>> Networks(Engine& engine, const BenchProfilerOptions& options, const Path& file) {
  DE_TRY(std::vector<MeasuredModel> known, ReadAll(file));
  if (!known.empty()) return known;
  Tell(fmt::format("calibrating for {:.0f} s", options.calibration_seconds));
  NetworkOptions network_options{.budget = Duration(static_cast<int64_t>(options.calibration_seconds * 1e6)),
                                 .cores = options.collect.cores};
  DE_TRY(std::vector<MeasuredModel> networks, MeasureNetworks(engine, network_options, RealClock()));
  for (const MeasuredModel& network : networks) DE_TRY_STATUS(Append(file, network));
  Tell(fmt::format("{} networks", networks.size()));
  return networks;
}

std::string NameOf(const ModelFiles& files) {
  const Path in = GraphFileOf(files);
  return in.parent_path().filename().string() + "/" + in.filename().string();
}

Result<std::vector<MeasuredModel>> Models(Engine& engine, const BenchProfilerOptions& options, const Path& file) {
  DE_TRY(std::vector<MeasuredModel> models, ReadAll(file));
  DE_TRY(const TemporaryFolder scratch, TemporaryFolder::Create("deepedge-bench-"));
  CollectOptions collect = options.collect;
  collect.tell = Tell;
  const RealClock clock;
  for (const std::string& place : options.models) {
    for (const ModelFiles& files : FindModelsBelow(place, collect)) {
      const std::string name = NameOf(files);
      const bool known = std::any_of(models.begin(), models.end(), [&](const auto& m) { return m.name == name; });
      if (known) continue;
      const auto measure = [&]() -> Status {
        DE_TRY(const ProbeTarget target, PrepareTarget(engine, name, files, scratch.path(), collect));
        DE_TRY(MeasuredModel model, Collect(engine, target, collect, clock));
        DE_TRY_STATUS(Append(file, model));
        models.push_back(std::move(model));
        return {};
      };
      const Status measured = measure();
      if (!measured.ok()) Tell(fmt::format("{}: left out: {}", name, measured.error().message));
    }
  }
  return models;
}

Status Pairs(Engine& engine, const BenchProfilerOptions& options, const BoxModel& box) {
  DE_TRY(const TemporaryFolder scratch, TemporaryFolder::Create("deepedge-bench-"));
  CollectOptions collect = options.collect;
  collect.tell = Tell;
  std::vector<ProbeTarget> targets;
  for (const std::string& place : options.models) {
    for (const ModelFiles& files : FindModelsBelow(place, collect)) {
      auto target = PrepareTarget(engine, NameOf(files), files, scratch.path(), collect);
      if (target.ok()) targets.push_back(std::move(target).value());
    }
  }
  const PairOptions pairs{.pairs = options.pairs, .tell = Tell};
  DE_TRY(const auto sides, MeasurePairs(engine, box, targets, pairs, RealClock()));
  fmt::print("\npairs of models on two cores\n\n{}", PairsText(sides));
  return {};
}

Status Run(const BenchProfilerOptions& options) {
  DE_TRY(const std::unique_ptr<Engine> engine, MakeDefaultEngine());
  DE_TRY(const TemporaryFolder temporary, TemporaryFolder::Create("deepedge-bench-"));
  const Path folder = options.keep.empty() ? temporary.path() : Path(options.keep);
  DE_TRY(const std::vector<MeasuredModel> networks, Networks(*engine, options, folder / "networks.ndjson"));
  const BoxModel box = LearnBox(networks, int64_t{32} << 20);
  DE_TRY(const std::vector<MeasuredModel> models, Models(*engine, options, folder / "models.ndjson"));
  fmt::print("a box that was just calibrated ({} networks)\n\n{}", networks.size(),
             ScoreText(ScoreProfiler(box, networks, models, options.probes, Known::kNothing), options.probes));
  if (options.pairs > 0) DE_TRY_STATUS(Pairs(*engine, options, box));
  if (!options.leave_one_out) return {};
  fmt::print("\na box that has profiled the other models\n\n{}",
             ScoreText(ScoreProfiler(box, networks, models, options.probes, Known::kOtherModels), options.probes));
  return {};
}

}  // namespace

void AddBenchProfiler(CLI::App& bench, Action& action) {
  CLI::App* command = bench.add_subcommand("profiler", "predicted against measured costs of models");
  const auto options = std::make_shared<BenchProfilerOptions>();
  command->add_option("models", options->models, "model files, or folders that are searched for them");
  command->add_option("--keep", options->keep, "a folder that measurements are kept in, and taken from")
      ->check(CLI::ExistingDirectory);
  command->add_option("--calibrate", options->calibration_seconds, "seconds that calibration may take");
  command->add_option("--probes", options->probes, "measurements of a model before it is predicted")
      ->check(CLI::Range(1, 50));
  command->add_flag("--leave-one-out", options->leave_one_out,
                    "also for a box that has profiled all models but the one that is predicted");
  command->add_option("--pairs", options->pairs, "pairs of models on two cores at once, to measure besides")
      ->check(CLI::NonNegativeNumber);
  command->add_option("--rounds", options->collect.rounds, "measurements of each setting")->check(CLI::PositiveNumber);
  command->add_option("--seconds", options->collect.most_seconds, "of measuring, for each model at most");
  command->callback([options, &action] { action = [options] { return Run(*options); }; });
}

}  // namespace deepedge
