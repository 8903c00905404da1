// `deepedge model update`: models once more from where they came from.
#include <fmt/format.h>

#include "deepedge/app/engines.h"
#include "deepedge/app/json_line.h"
#include "deepedge/app/model_commands.h"

namespace deepedge {
namespace {

struct Options {
  RepositoryOptions repository;
  DownloadOptions download;
  CatalogueOptions catalogue;
  std::string name;
};

enum class UpdateResult { kUpdated, kUpToDate, kNoOrigin, kFailed };

std::string_view NameOf(UpdateResult result) {
  switch (result) {
    case UpdateResult::kUpdated: return "updated";
    case UpdateResult::kUpToDate: return "up to date";
    case UpdateResult::kNoOrigin: return "put there by hand";
    case UpdateResult::kFailed: return "failed";
  }
  return "?";
}

Result<std::optional<AddOutcome>> UpdateOne(const Options& options, Engine& engine, const ModelRepository& repository,
                                            const RepositoryEntry& entry) {
  ProgressLine progress;
  return UpdateModel(engine, repository, progress.Options(options.download), entry, options.catalogue.catalogue,
                     options.catalogue.key);
}

Status Update(const Options& options) {
  const ModelRepository repository = options.repository.Open();
  std::vector<RepositoryEntry> entries;
  if (options.name.empty()) {
    DE_TRY(entries, repository.List());
  } else {
    DE_TRY(RepositoryEntry entry, repository.Find(options.name));
    entries.push_back(std::move(entry));
  }
  DE_TRY(const std::unique_ptr<Engine> engine, MakeDefaultEngine());
  nlohmann::ordered_json models = nlohmann::ordered_json::array();
  Status first_failure;
  for (const RepositoryEntry& entry : entries) {
    const auto updated = UpdateOne(options, *engine, repository, entry);
    UpdateResult result = UpdateResult::kFailed;
    if (updated.ok()) {
      result = !updated.value()                                      ? UpdateResult::kNoOrigin
               : updated.value()->published.version != entry.current ? UpdateResult::kUpdated
                                                                     : UpdateResult::kUpToDate;
    } else {
      const Error error = updated.error().Wrap(fmt::format("update model '{}'", entry.name));
      if (first_failure.ok()) {
        first_failure = error;
      } else {
        fmt::print(stderr, "deepedge: {}\n", error.message);
      }
    }
    const int version = result == UpdateResult::kUpdated ? updated.value()->published.version : entry.current;
    models.push_back({{"name", entry.name}, {"result", NameOf(result)}, {"version", version}});
    if (options.repository.json || result == UpdateResult::kFailed) continue;
    fmt::print("{}: {}, version {}\n", entry.name, NameOf(result), version);
    if (result != UpdateResult::kUpdated) continue;
    for (const std::string& line : OutcomeLines(*updated.value(), repository.root())) fmt::print("  {}\n", line);
  }
  if (options.repository.json) fmt::print("{}\n", DumpLine({{"models", models}}));
  return first_failure;
}

}  // namespace

void AddModelUpdate(CLI::App& model, Action& action) {
  CLI::App* command =
      model.add_subcommand("update", "look whether a model, or each, has changed where it came from, and get it");
  const auto options = std::make_shared<Options>();
  command->add_option("name", options->name, "a model of the repository; none: all of them");
  options->repository.Declare(*command);
  options->download.Declare(*command);
  options->catalogue.Declare(*command);
  command->callback([options, &action] { action = [options] { return Update(*options); }; });
}

}  // namespace deepedge
