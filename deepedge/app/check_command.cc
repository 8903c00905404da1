// `deepedge check`: is this configuration right? Starts nothing.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "deepedge/app/commands.h"
#include "deepedge/app/json_line.h"
#include "deepedge/app/run_specs.h"
#include "deepedge/config/edge_config.h"

namespace deepedge {
namespace {

Status Check(const std::string& path, bool json) {
  DE_TRY(const EdgeConfig config, LoadEdgeConfig(path));
  DE_TRY_STATUS(CheckSources(SpecsOfConfig(config).streams, &config.source));
  const std::vector<UnsupportedOption> unsupported = NotYetSupported(config);
  if (json) {
    nlohmann::ordered_json notes = nlohmann::ordered_json::array();
    for (const UnsupportedOption& option : unsupported) notes.push_back(option.message);
    fmt::print("{}\n", DumpLine({{"file", path},
                                 {"models", config.models.size()},
                                 {"streams", config.streams.size()},
                                 {"notes", notes}}));
    return {};
  }
  fmt::print("{}", DescribeConfig(config));
  for (const UnsupportedOption& option : unsupported) fmt::print("note: {}\n", option.message);
  return {};
}

}  // namespace

void AddCheckCommand(CLI::App& program, Action& action) {
  CLI::App* command = program.add_subcommand("check", "check a configuration file; starts nothing");
  const auto path = std::make_shared<std::string>();
  const auto json = std::make_shared<bool>(false);
  command->add_option("config", *path, "configuration file (edge.yaml)")->required();
  command->add_flag("--json", *json, "print as one line of JSON");
  command->callback([path, json, &action] { action = [path, json] { return Check(*path, *json); }; });
}

}  // namespace deepedge
