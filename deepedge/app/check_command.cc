// `deepedge check`: is this configuration right? Starts nothing.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "deepedge/app/commands.h"
#include "deepedge/app/event_sinks.h"
#include "deepedge/app/json_line.h"
#include "deepedge/app/run_specs.h"
#include "deepedge/config/edge_config.h"
#include "deepedge/runtime/model_loader.h"

namespace deepedge {
namespace {

struct CheckOptions {
  std::string config;
  std::string repository;
  bool json = false;
};

// Everything that `deepedge run` refuses and that can be told without loading a model.
Status Check(const CheckOptions& options) {
  const std::string& path = options.config;
  const Path repository = options.repository.empty() ? DefaultRepository() : Path(options.repository);
  DE_TRY(const EdgeConfig config, LoadEdgeConfig(path));
  DE_TRY_STATUS(RefuseUnsupported(config));
  const RunSpecs specs = SpecsOfConfig(config);
  DE_TRY_STATUS(CheckSources(specs.streams, &config.source));
  DE_TRY_STATUS(CheckPlaces(specs.streams, &config.source));
  DE_TRY_STATUS(CheckEvents(config.events, &config.source));
  DE_TRY_STATUS(CheckModels(specs.models, repository, &config.source));
  const std::vector<UnsupportedOption> unsupported = NotYetSupported(config);
  if (options.json) {
    nlohmann::ordered_json notes = nlohmann::ordered_json::array();
    for (const UnsupportedOption& option : unsupported) notes.push_back(option.message);
    fmt::print(
        "{}\n",
        DumpLine(
            {{"file", path}, {"models", config.models.size()}, {"streams", config.streams.size()}, {"notes", notes}}));
    return {};
  }
  fmt::print("{}", DescribeConfig(config));
  for (const UnsupportedOption& option : unsupported) fmt::print("note: {}\n", option.message);
  return {};
}

}  // namespace

void AddCheckCommand(CLI::App& program, Action& action) {
  CLI::App* command = program.add_subcommand("check", "check a configuration file; starts nothing");
  const auto options = std::make_shared<CheckOptions>();
  command->add_option("config", options->config, "configuration file (edge.yaml)")->required();
  command->add_option("--repository", options->repository, "folder of models by name");
  command->add_flag("--json", options->json, "print as one line of JSON");
  command->callback([options, &action] { action = [options] { return Check(*options); }; });
}

}  // namespace deepedge
