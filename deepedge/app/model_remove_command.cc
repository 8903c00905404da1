// `deepedge model remove` and `deepedge model rollback`.
#include <fmt/format.h>

#include "deepedge/app/json_line.h"
#include "deepedge/app/model_commands.h"

namespace deepedge {
namespace {

struct Options {
  RepositoryOptions repository;
  std::string name;
};

Status Remove(const Options& options) {
  const ModelRepository repository = options.repository.Open();
  DE_TRY(const VersionedName wanted, ParseVersionedName(options.name));
  if (wanted.version) {
    DE_TRY_STATUS(repository.RemoveVersion(wanted.name, *wanted.version));
  } else {
    DE_TRY_STATUS(repository.RemoveModel(wanted.name));
  }
  if (options.repository.json) {
    nlohmann::ordered_json json{{"removed", wanted.name}};
    if (wanted.version) json["version"] = *wanted.version;
    fmt::print("{}\n", DumpLine(json));
  } else {
    fmt::print("removed {}\n", options.name);
  }
  return {};
}

Status Rollback(const Options& options) {
  const ModelRepository repository = options.repository.Open();
  DE_TRY(const VersionedName wanted, ParseVersionedName(options.name));
  DE_TRY(const int version, repository.Rollback(wanted.name, wanted.version));
  if (options.repository.json) {
    fmt::print("{}\n", DumpLine({{"name", wanted.name}, {"version", version}}));
  } else {
    fmt::print("model '{}': version {} serves\n", wanted.name, version);
  }
  return {};
}

}  // namespace

void AddModelRemove(CLI::App& model, Action& action) {
  CLI::App* command = model.add_subcommand("remove", "remove a model, or one version of it");
  const auto options = std::make_shared<Options>();
  command->add_option("name", options->name, "a model of the repository, or one version: NAME@1")->required();
  options->repository.Declare(*command);
  command->callback([options, &action] { action = [options] { return Remove(*options); }; });
}

void AddModelRollback(CLI::App& model, Action& action) {
  CLI::App* command = model.add_subcommand("rollback", "let the version before serve again, with its card");
  const auto options = std::make_shared<Options>();
  command->add_option("name", options->name, "a model of the repository, or the version that is to serve: NAME@1")
      ->required();
  options->repository.Declare(*command);
  command->callback([options, &action] { action = [options] { return Rollback(*options); }; });
}

}  // namespace deepedge
