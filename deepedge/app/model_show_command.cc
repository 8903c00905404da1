// `deepedge model show`: what is known of a model of the repository.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "deepedge/app/json_line.h"
#include "deepedge/app/model_commands.h"
#include "deepedge/model/model_card_io.h"
#include "deepedge/repository/web_url.h"

namespace deepedge {
namespace {

struct Options {
  RepositoryOptions repository;
  std::string name;
};

std::vector<std::string> PrintableSources(const ModelOrigin& origin) {
  std::vector<std::string> sources;
  for (const std::string& source : origin.sources) sources.push_back(PrintableUrl(source));
  if (sources.empty() && !origin.catalogue.empty()) {
    sources.push_back(fmt::format("{} of the catalogue {}", origin.catalogue_name, PrintableUrl(origin.catalogue)));
  }
  return sources;
}

nlohmann::ordered_json FilesJson(const std::vector<StoredFile>& files) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const StoredFile& file : files) {
    json.push_back({{"name", file.name}, {"bytes", file.size}, {"sha256", file.sha256}});
  }
  return json;
}

Status Show(const Options& options) {
  const ModelRepository repository = options.repository.Open();
  DE_TRY(const VersionedName wanted, ParseVersionedName(options.name));
  DE_TRY(const RepositoryEntry entry, repository.Find(wanted.name));
  DE_TRY(const Path folder, repository.Locate(options.name));
  const int version = wanted.version.value_or(entry.current);
  const Path card_file = version == entry.current ? entry.folder / "model.yaml" : folder / ".card.yaml";
  const auto card = LoadModelCard(card_file);
  if (!card.ok() && card.error().code != ErrorCode::kNotFound) return card.error();
  ModelOrigin origin;
  if (auto read = ReadOrigin(folder / ".origin.json"); read.ok()) {
    origin = std::move(read).value();
  } else {
    DE_TRY(origin.files, ListFiles(folder));
  }
  const std::string by = origin.described_by.empty() ? "model.yaml" : origin.described_by;
  if (options.repository.json) {
    fmt::print("{}\n", DumpLine({{"name", entry.name},
                                 {"version", version},
                                 {"current", entry.current},
                                 {"versions", entry.versions},
                                 {"folder", folder.string()},
                                 {"sources", PrintableSources(origin)},
                                 {"added_us", origin.added_us},
                                 {"described_by", by},
                                 {"assumptions", origin.assumptions},
                                 {"files", FilesJson(origin.files)},
                                 {"card", card.ok() ? CardJson(card.value()) : nullptr}}));
    return {};
  }
  fmt::print("{}{}\n", entry.name,
             entry.versions.empty() ? ""
                                    : fmt::format(" version {} of {}{}", version, fmt::join(entry.versions, ", "),
                                                  version == entry.current ? ", which serves" : ""));
  for (const std::string& source : PrintableSources(origin)) fmt::print("  from: {}\n", source);
  if (card.ok()) {
    for (const std::string& line : CardLines(card.value(), by, origin.assumptions)) fmt::print("{}\n", line);
  } else {
    fmt::print("  no card; it is worked out when the model is loaded\n");
  }
  fmt::print("  card: {}\n  files in {}:\n", card_file.string(), folder.string());
  for (const StoredFile& file : origin.files) {
    fmt::print("    {:<40} {:>10}  sha256 {}\n", file.name, SizeText(file.size), file.sha256);
  }
  return {};
}

}  // namespace

void AddModelShow(CLI::App& model, Action& action) {
  CLI::App* command = model.add_subcommand("show", "show a model's card, files, versions and what was assumed");
  const auto options = std::make_shared<Options>();
  command->add_option("name", options->name, "a model of the repository, or one version: NAME@2")->required();
  options->repository.Declare(*command);
  command->callback([options, &action] { action = [options] { return Show(*options); }; });
}

}  // namespace deepedge
