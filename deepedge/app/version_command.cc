// `deepedge version`: what this program is made of and what the box offers.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "deepedge/app/commands.h"
#include "deepedge/app/engines.h"
#include "deepedge/app/json_line.h"
#include "deepedge/base/thread.h"

namespace deepedge {
namespace {

Status PrintVersion(bool json) {
  DE_TRY(const std::unique_ptr<Engine> engine, MakeDefaultEngine());
  const size_t cores = AllowedCpus().size();
  if (json) {
    fmt::print("{}\n", DumpLine({{"version", DEEPEDGE_VERSION}, {"engine", engine->Description()}, {"cores", cores}}));
  } else {
    fmt::print("deepedge {}\nengine: {}\ncores: {}\n", DEEPEDGE_VERSION, engine->Description(), cores);
  }
  return {};
}

}  // namespace

void AddVersionCommand(CLI::App& program, Action& action) {
  CLI::App* command =
      program.add_subcommand("version", "versions of the program and its engine, and what the box offers");
  const auto json = std::make_shared<bool>(false);
  command->add_flag("--json", *json, "print as one line of JSON");
  command->callback([json, &action] { action = [json] { return PrintVersion(*json); }; });
}

}  // namespace deepedge
