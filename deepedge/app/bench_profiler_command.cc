// `deepedge bench profiler`: how good the Model Profiler's predictions are.
#include <fmt/format.h>

#include <fstream>
#include <memory>

#include "deepedge/app/commands.h"
#include "deepedge/app/engines.h"
#include "deepedge/bench/profiler/collect.h"
#include "deepedge/profiler/calibration/synthetic_net.h"

namespace deepedge {
namespace {

struct BenchProfilerOptions {
  std::vector<std::string> models;
  int synthetic = 0;
  int64_t synthetic_mflops = 1500;
  std::string data;
  CollectOptions collect;
};

Status CollectInto(std::ofstream& out, Engine& engine, const std::string& name, const ModelFiles& files,
                   const Path& scratch, const CollectOptions& options) {
  DE_TRY(const ProbeTarget target, PrepareTarget(engine, name, files, scratch, options));
  DE_TRY(const MeasuredModel model, Collect(engine, target, options, RealClock()));
  out << ToJson(model) << '\n' << std::flush;
  return {};
}

std::string NameOf(const ModelFiles& files) {
  std::string name = files.graph.parent_path().filename().string() + "/" + files.graph.filename().string();
  for (char& c : name) c = c == '/' ? '_' : c;
  return name;
}

Status Run(const BenchProfilerOptions& options) {
  DE_TRY(const std::unique_ptr<Engine> engine, MakeDefaultEngine());
  DE_TRY(const TemporaryFolder scratch, TemporaryFolder::Create("deepedge-bench-"));
  std::ofstream out(options.data, std::ios::app);
  if (!out) return Error{ErrorCode::kBadInput, fmt::format("{}: cannot be written", options.data)};
  CollectOptions collect = options.collect;
  collect.tell = [](const std::string& text) { fmt::print(stderr, "{}\n", text); };
  const auto try_one = [&](const std::string& name, const ModelFiles& files) {
    const Status status = CollectInto(out, *engine, name, files, scratch.path(), collect);
    if (!status.ok()) collect.tell(fmt::format("{}: left out: {}", name, status.error().message));
  };
  for (const std::string& place : options.models) {
    for (const ModelFiles& files : FindModelsBelow(place, collect)) try_one(NameOf(files), files);
  }
  for (int i = 0; i < options.synthetic; ++i) {
    const auto family = static_cast<NetFamily>(i % kNetFamilies);
    const SyntheticNet net =
        MakeSyntheticNet(family, static_cast<uint32_t>(1000 + i), options.synthetic_mflops * 1'000'000);
    const std::string name = fmt::format("synthetic_{}", i);
    DE_TRY(const ModelFiles files, WriteSyntheticNet(net, scratch.path(), name));
    try_one(name, files);
  }
  return {};
}

}  // namespace

void AddBenchProfiler(CLI::App& bench, Action& action) {
  CLI::App* command = bench.add_subcommand("profiler", "predicted against measured costs of models");
  const auto options = std::make_shared<BenchProfilerOptions>();
  command->add_option("models", options->models, "model files, or folders that are searched for them");
  command->add_option("--synthetic", options->synthetic, "networks of random shape besides")
      ->check(CLI::NonNegativeNumber);
  command->add_option("--data", options->data, "file that measurements are kept in")->required();
  command->add_option("--rounds", options->collect.rounds, "measurements of each setting")->check(CLI::PositiveNumber);
  command->add_option("--seconds", options->collect.most_seconds, "for each model at most");
  command->callback([options, &action] { action = [options] { return Run(*options); }; });
}

}  // namespace deepedge
