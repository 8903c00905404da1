// `deepedge model list`: the models of the repository.
#include <fmt/format.h>

#include "deepedge/app/json_line.h"
#include "deepedge/app/model_commands.h"
#include "deepedge/model/model_card_io.h"

namespace deepedge {
namespace {

Status List(const RepositoryOptions& options) {
  const ModelRepository repository = options.Open();
  DE_TRY(const auto entries, repository.List());
  nlohmann::ordered_json models = nlohmann::ordered_json::array();
  for (const RepositoryEntry& entry : entries) {
    const auto origin = ReadOrigin(entry.CurrentFolder() / ".origin.json");
    int64_t bytes = 0;
    if (origin.ok()) {
      for (const StoredFile& file : origin.value().files) bytes += file.size;
    }
    const auto card = LoadModelCard(entry.folder / "model.yaml");
    models.push_back({{"name", entry.name},
                      {"version", entry.current},
                      {"versions", entry.versions},
                      {"bytes", bytes},
                      {"task", card.ok() ? card.value().task : ""},
                      {"licence", card.ok() ? card.value().licence : ""}});
    if (!card.ok() && card.error().code != ErrorCode::kNotFound) models.back()["error"] = card.error().message;
  }
  if (options.json) {
    fmt::print("{}\n", DumpLine({{"repository", repository.root().string()}, {"models", models}}));
    return {};
  }
  if (models.empty()) {
    fmt::print("no models in {}; `deepedge model search` lists what can be pulled\n", repository.root().string());
    return {};
  }
  for (const auto& model : models) {
    const int version = model["version"].get<int>();
    const int64_t bytes = model["bytes"].get<int64_t>();
    fmt::print("{:<28} {:<10} {:>10}  {:<15} {}\n", model["name"].get<std::string>(),
               version == 0 ? "-" : fmt::format("v{} of {}", version, model["versions"].size()),
               bytes == 0 ? "" : SizeText(bytes), model["task"].get<std::string>(),
               model.contains("error") ? "model.yaml cannot be read" : model["licence"].get<std::string>());
  }
  return {};
}

}  // namespace

void AddModelList(CLI::App& model, Action& action) {
  CLI::App* command = model.add_subcommand("list", "list the models of the repository");
  const auto options = std::make_shared<RepositoryOptions>();
  options->Declare(*command);
  command->callback([options, &action] { action = [options] { return List(*options); }; });
}

}  // namespace deepedge
