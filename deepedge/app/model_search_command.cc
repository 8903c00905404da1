// `deepedge model search`: what a catalogue has.
#include <fmt/format.h>

#include "deepedge/app/json_line.h"
#include "deepedge/app/model_commands.h"
#include "deepedge/repository/web_url.h"

namespace deepedge {
namespace {

struct Options {
  RepositoryOptions repository;
  DownloadOptions download;
  CatalogueOptions catalogue;
  std::vector<std::string> words;
};

Result<CatalogueFileContent> Load(const Options& options) {
  ProgressLine progress;
  return LoadCatalogue(options.catalogue.catalogue, options.catalogue.key, progress.Options(options.download),
                       options.repository.Open());
}

Status Search(const Options& options) {
  DE_TRY(const CatalogueFileContent catalogue, Load(options));
  const ModelRepository repository = options.repository.Open();
  std::string text;
  for (const std::string& word : options.words) text += word + " ";
  nlohmann::ordered_json models = nlohmann::ordered_json::array();
  for (const CatalogueModel* model : SearchCatalogue(catalogue, text)) {
    models.push_back({{"name", model->name},
                      {"description", model->description},
                      {"licence", model->licence},
                      {"bytes", model->Bytes()},
                      {"here", repository.Find(model->name).ok()}});
  }
  if (options.repository.json) {
    fmt::print("{}\n", DumpLine({{"catalogue", PrintableUrl(catalogue.where)}, {"models", models}}));
    return {};
  }
  if (models.empty()) fmt::print("nothing among the {} models of the catalogue\n", catalogue.models.size());
  for (const auto& model : models) {
    fmt::print("{:<32} {:>10}  {} ({}){}\n", model["name"].get<std::string>(), SizeText(model["bytes"].get<int64_t>()),
               model["description"].get<std::string>(), model["licence"].get<std::string>(),
               model["here"].get<bool>() ? ", in the repository" : "");
  }
  return {};
}

}  // namespace

void AddModelSearch(CLI::App& model, Action& action) {
  CLI::App* command = model.add_subcommand("search", "search a catalogue by name, task, label or licence");
  const auto options = std::make_shared<Options>();
  command->add_option("text", options->words, "words that must all be found; none: everything");
  options->repository.Declare(*command);
  options->download.Declare(*command);
  options->catalogue.Declare(*command);
  command->callback([options, &action] { action = [options] { return Search(*options); }; });
}

}  // namespace deepedge
