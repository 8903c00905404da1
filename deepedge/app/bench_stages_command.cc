// `deepedge bench stages`: what it costs to cut networks into stages by the rule.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "deepedge/app/commands.h"
#include "deepedge/app/engines.h"
#include "deepedge/app/json_line.h"
#include "deepedge/bench/stages_bench.h"

namespace deepedge {
namespace {

nlohmann::json JsonOf(const StagesCost& cost) {
  return {{"model", cost.model},
          {"whole_ms", cost.whole_ms},
          {"cut_ms", cost.cut_ms},
          {"cost_percent", cost.cost * 100},
          {"predicted_cost_percent", cost.predicted_cost * 100},
          {"stage_ms", cost.stage_ms},
          {"border_bytes", cost.border_bytes},
          {"tail", cost.tail},
          {"bound", ToString(cost.bound)},
          {"reason", cost.reason}};
}

void PrintText(const StagesCost& cost) {
  fmt::print("{}: whole {:.2f} ms, cut {:.2f} ms ({:+.1f} %, predicted {:+.1f} %), {} stages, longest {:.2f} ms{}\n",
             cost.model, cost.whole_ms, cost.cut_ms, cost.cost * 100, cost.predicted_cost * 100, cost.stage_ms.size(),
             *std::max_element(cost.stage_ms.begin(), cost.stage_ms.end()),
             cost.tail ? ", the last is its fully connected tail" : "");
  if (!cost.reason.empty()) fmt::print("  {}\n", cost.reason);
}

Status Stages(const StagesBenchOptions& options, bool json) {
  DE_TRY(const std::unique_ptr<Engine> engine, MakeDefaultEngine());
  DE_TRY(const auto costs, MeasureStages(*engine, options));
  nlohmann::json list = nlohmann::json::array();
  for (const StagesCost& cost : costs) {
    list.push_back(JsonOf(cost));
    if (!json) PrintText(cost);
  }
  if (json) fmt::print("{}\n", DumpLine(list));
  return {};
}

}  // namespace

void AddBenchStages(CLI::App& bench, Action& action) {
  CLI::App* command = bench.add_subcommand("stages", "networks cut into stages, against the same whole, in turn");
  const auto options = std::make_shared<StagesBenchOptions>();
  const auto json = std::make_shared<bool>(false);
  const auto longest_ms = std::make_shared<double>(options->rule.longest_us / 1e3);
  const auto most_cost = std::make_shared<double>(options->rule.most_cost * 100);
  command->add_option("model", options->models, "files or folders")->required();
  command->add_option("--runs", options->runs, "runs of each kind")->check(CLI::PositiveNumber);
  command->add_option("--longest", *longest_ms, "ms that no stage shall take longer")->check(CLI::PositiveNumber);
  command->add_option("--most-cost", *most_cost, "percent that all cuts may cost")->check(CLI::NonNegativeNumber);
  command->add_flag("--json", *json, "print as one line of JSON");
  command->callback([options, json, longest_ms, most_cost, &action] {
    action = [options, json, longest_ms, most_cost] {
      options->rule.longest_us = *longest_ms * 1e3;
      options->rule.most_cost = *most_cost / 100;
      return Stages(*options, *json);
    };
  });
}

}  // namespace deepedge
