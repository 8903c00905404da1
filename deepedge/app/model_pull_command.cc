// `deepedge model pull`: a model of a catalogue into the repository.
#include <fmt/format.h>

#include "deepedge/app/engines.h"
#include "deepedge/app/json_line.h"
#include "deepedge/app/model_commands.h"
#include "deepedge/repository/web_url.h"

namespace deepedge {
namespace {

struct Options {
  RepositoryOptions repository;
  DownloadOptions download;
  CatalogueOptions catalogue;
  std::string model;
  std::string name;
};

Result<AddOutcome> Pull(const Options& options) {
  ProgressLine progress;
  const AcquireOptions acquire = progress.Options(options.download);
  const ModelRepository repository = options.repository.Open();
  DE_TRY(const CatalogueFileContent catalogue,
         LoadCatalogue(options.catalogue.catalogue, options.catalogue.key, acquire, repository));
  const CatalogueModel* model = catalogue.Find(options.model);
  if (model == nullptr) {
    return Error{ErrorCode::kNotFound,
                 fmt::format("no model '{}' in the catalogue ({}) of {} models; `deepedge model search` lists them",
                             options.model, PrintableUrl(catalogue.where), catalogue.models.size())};
  }
  if (!options.name.empty()) DE_TRY_STATUS(CheckModelName(options.name));
  DE_TRY(const std::unique_ptr<Engine> engine, MakeDefaultEngine());
  return PullModel(*engine, repository, acquire, catalogue, *model, options.name);
}

}  // namespace

void AddModelPull(CLI::App& model, Action& action) {
  CLI::App* command = model.add_subcommand("pull", "get a model of a catalogue, by its name there");
  const auto options = std::make_shared<Options>();
  command->add_option("model", options->model, "its name in the catalogue (deepedge model search)")->required();
  command->add_option("--name", options->name, "what to call it here; default: the same");
  options->repository.Declare(*command);
  options->download.Declare(*command);
  options->catalogue.Declare(*command);
  command->callback([options, &action] {
    action = [options]() -> Status {
      DE_TRY(const AddOutcome outcome, Pull(*options));
      if (options->repository.json) {
        fmt::print("{}\n", DumpLine(OutcomeJson(outcome)));
      } else {
        for (const std::string& line : OutcomeLines(outcome, options->repository.Open().root()))
          fmt::print("{}\n", line);
      }
      return {};
    };
  });
}

}  // namespace deepedge
