// `deepedge bench`: what the program costs, measured against plain code in the same run.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "deepedge/app/commands.h"
#include "deepedge/app/engines.h"
#include "deepedge/app/json_line.h"
#include "deepedge/base/thread.h"
#include "deepedge/bench/batch_bench.h"
#include "deepedge/bench/models_bench.h"
#include "deepedge/bench/outbox_bench.h"
#include "deepedge/bench/throughput_bench.h"
#include "deepedge/bench/tracker_bench.h"

namespace deepedge {
namespace {

Status Throughput(const ThroughputOptions& options, bool json) {
  DE_TRY(const std::unique_ptr<Engine> engine, MakeDefaultEngine());
  DE_TRY(const auto samples, MeasureThroughput(*engine, options));
  std::vector<double> plain;
  std::vector<double> plane;
  std::vector<double> ratio;
  for (const ThroughputSample& sample : samples) {
    plain.push_back(sample.plain_fps);
    plane.push_back(sample.plane_fps);
    ratio.push_back(sample.plane_fps / sample.plain_fps);
  }
  if (json) {
    fmt::print("{}\n", DumpLine({{"plain_jobs_per_s", plain},
                                 {"plane_jobs_per_s", plane},
                                 {"ratio", ratio},
                                 {"ratio_median", Median(ratio)}}));
  } else {
    for (size_t i = 0; i < ratio.size(); ++i) {
      fmt::print("plain loops {:8.1f} jobs/s   deepedge {:8.1f} jobs/s   ratio {:.3f}\n", plain[i], plane[i], ratio[i]);
    }
    fmt::print("median ratio {:.3f} ({} cores, {} files, {} models, {} repetitions)\n", Median(ratio),
               options.cpus.size(), options.files.size(), options.models.size(), ratio.size());
  }
  return {};
}

Status Models(const ModelsBenchOptions& options, bool json) {
  DE_TRY(const std::unique_ptr<Engine> engine, MakeDefaultEngine());
  DE_TRY(const auto costs, MeasureModels(*engine, options, RealClock()));
  nlohmann::json list = nlohmann::json::array();
  for (const ModelCost& cost : costs) {
    list.push_back({{"model", cost.model},
                    {"read_ms", cost.read_ms},
                    {"compile_ms", cost.compile_ms},
                    {"run_ms", cost.run_ms},
                    {"read_ratio", cost.read_ms / costs.front().read_ms},
                    {"run_ratio", cost.run_ms / costs.front().run_ms}});
    if (json) continue;
    fmt::print("{}: read {:.1f} ms ({:.2f} of the first), ready in {:.0f} ms, runs in {:.2f} ms ({:.3f})\n", cost.model,
               cost.read_ms, cost.read_ms / costs.front().read_ms, cost.compile_ms, cost.run_ms,
               cost.run_ms / costs.front().run_ms);
  }
  if (json) fmt::print("{}\n", DumpLine(list));
  return {};
}

void AddModels(CLI::App& bench, Action& action) {
  CLI::App* command = bench.add_subcommand("models", "the same network in several formats or forms, in turn");
  const auto options = std::make_shared<ModelsBenchOptions>();
  const auto json = std::make_shared<bool>(false);
  command->add_option("model", options->models, "files or folders; ratios are to the first")->required();
  command->add_option("--runs", options->runs, "inferences of each")->check(CLI::PositiveNumber);
  command->add_flag("--json", *json, "print as one line of JSON");
  command->callback([options, json, &action] { action = [options, json] { return Models(*options, *json); }; });
}

Status OutboxCosts(const OutboxBenchOptions& options, bool json) {
  nlohmann::json list = nlohmann::json::array();
  for (int i = 0; i < options.repetitions; ++i) {
    DE_TRY(const OutboxSample sample, MeasureOutbox(options));
    list.push_back({{"events_per_s", sample.events_per_s},
                    {"cpu_us_per_event", sample.cpu_us},
                    {"latency_ms_p50", sample.latency_ms_p50},
                    {"latency_ms_p99", sample.latency_ms_p99},
                    {"lost", sample.lost}});
    if (json) continue;
    fmt::print(
        "{:.0f} events/s, {:.1f} us of CPU each, {:.1f} ms from publishing to the courier (99 %: {:.1f} ms), {} lost\n",
        sample.events_per_s, sample.cpu_us, sample.latency_ms_p50, sample.latency_ms_p99, sample.lost);
  }
  if (json) fmt::print("{}\n", DumpLine(list));
  return {};
}

void AddOutbox(CLI::App& bench, Action& action) {
  CLI::App* command =
      bench.add_subcommand("outbox", "events through the outbox on disk to a courier that takes them at once");
  const auto options = std::make_shared<OutboxBenchOptions>();
  const auto json = std::make_shared<bool>(false);
  command->add_option("--folder", options->folder, "where its file is made, to measure that disk");
  command->add_option("--events", options->events, "how many")->check(CLI::PositiveNumber);
  command->add_option("--rate", options->rate, "events a second; 0: as fast as they are written")
      ->check(CLI::NonNegativeNumber);
  command->add_option("--repetitions", options->repetitions, "how often")->check(CLI::PositiveNumber);
  command->add_flag("--json", *json, "print as one line of JSON");
  command->callback([options, json, &action] { action = [options, json] { return OutboxCosts(*options, *json); }; });
}

void AddTracker(CLI::App& bench, Action& action) {
  CLI::App* command = bench.add_subcommand("tracker", "numbering boxes and watching zones, for each result");
  const auto options = std::make_shared<TrackerBenchOptions>();
  const auto json = std::make_shared<bool>(false);
  command->add_option("--boxes", options->boxes, "in each result")->check(CLI::Range(1, 300));
  command->add_flag("--json", *json, "print as one line of JSON");
  command->callback([options, json, &action] {
    action = [options, json]() -> Status {
      DE_TRY(const TrackerCost cost, MeasureTracker(*options));
      if (*json) {
        fmt::print("{}\n",
                   DumpLine({{"boxes", options->boxes}, {"tracker_us", cost.tracker_us}, {"watch_us", cost.watch_us}}));
      } else {
        fmt::print("{} boxes: tracker {:.1f} us, zones and lines {:.1f} us a result (median)\n", options->boxes,
                   cost.tracker_us, cost.watch_us);
      }
      return {};
    };
  });
}

Status Batches(const BatchBenchOptions& options, bool json) {
  DE_TRY(const std::unique_ptr<Engine> engine, MakeDefaultEngine());
  DE_TRY(const auto costs, MeasureBatches(*engine, options, RealClock()));
  nlohmann::json list = nlohmann::json::array();
  for (const BatchCost& cost : costs) {
    list.push_back({{"model", cost.model},
                    {"weight_bytes", cost.weight_bytes},
                    {"crops", options.crops},
                    {"max_batch", cost.max_batch},
                    {"fixed_ms", cost.fixed_ms},
                    {"alone_ms", cost.alone_ms},
                    {"in_turn_ms", cost.in_turn_ms},
                    {"together_ms", cost.together_ms},
                    {"ratio", cost.ratio},
                    {"in_turn_ratio", cost.in_turn_ratio},
                    {"alone_ratio", cost.alone_ratio}});
    if (json) continue;
    fmt::print(
        "{} ({:.1f} MB, batch up to {}): a crop alone {:.3f} ms, of {} together {:.3f} ms: {:.3f}; in turn {:.3f}; "
        "alone with the batch open {:.3f}\n",
        cost.model, static_cast<double>(cost.weight_bytes) / 1e6, cost.max_batch, cost.fixed_ms, options.crops,
        cost.together_ms, cost.ratio, cost.in_turn_ratio, cost.alone_ratio);
  }
  if (json) fmt::print("{}\n", DumpLine(list));
  return {};
}

void AddBatches(CLI::App& bench, Action& action) {
  CLI::App* command = bench.add_subcommand("batch", "crops of a frame through a model together, against one alone");
  const auto options = std::make_shared<BatchBenchOptions>();
  const auto json = std::make_shared<bool>(false);
  command->add_option("model", options->models, "files or folders")->required();
  command->add_option("--crops", options->crops, "crops of a frame")->check(CLI::Range(1, 64));
  command->add_flag("--always", options->always, "also where a batch is not thought to pay");
  command->add_option("--runs", options->runs, "repetitions of each")->check(CLI::PositiveNumber);
  command->add_flag("--json", *json, "print as one line of JSON");
  command->callback([options, json, &action] { action = [options, json] { return Batches(*options, *json); }; });
}

}  // namespace

void AddBenchCommand(CLI::App& program, Action& action) {
  CLI::App* bench = program.add_subcommand("bench", "measure this program on this box");
  bench->require_subcommand(1);
  AddModels(*bench, action);
  AddOutbox(*bench, action);
  AddTracker(*bench, action);
  AddBatches(*bench, action);
  AddBenchProfiler(*bench, action);
  AddBenchStages(*bench, action);
  CLI::App* command = bench->add_subcommand("throughput", "every frame of files, against plain single-thread loops");
  const auto options = std::make_shared<ThroughputOptions>();
  const auto json = std::make_shared<bool>(false);
  command->add_option("--source", options->files, "a video file; repeat for more")->required()->allow_extra_args(false);
  command->add_option("--model", options->models, "a model file or folder; repeat for more")
      ->required()
      ->allow_extra_args(false);
  command->add_option("--repetitions", options->repetitions, "how often both are run in turn")
      ->check(CLI::PositiveNumber);
  command->add_flag("--json", *json, "print as one line of JSON");
  command->callback([options, json, &action] {
    action = [options, json] {
      options->cpus = AllowedCpus();
      return Throughput(*options, *json);
    };
  });
}

}  // namespace deepedge
