#include "deepedge/repository/catalogue_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "deepedge/base/text.h"
#include "deepedge/base/url.h"
#include "deepedge/config/yaml_document.h"
#include "deepedge/model/catalogue.h"
#include "deepedge/model/map_reader.h"
#include "deepedge/model/model_card_io.h"
#include "deepedge/repository/catalogue_text.h"
#include "deepedge/repository/web_url.h"

namespace deepedge {
namespace {

using Problems = std::vector<Problem>;
constexpr size_t kMostModels = 10'000;
constexpr size_t kMostFiles = 100;
constexpr size_t kMostUrls = 20;
constexpr int64_t kLargestFile = int64_t{1} << 40;

CatalogueModelFile ReadModelFile(Problems& problems, const nlohmann::json& value, const std::string& pointer) {
  CatalogueModelFile file;
  MapReader map(problems, value, pointer);
  map.Text("name", &file.name);
  map.Text("sha256", &file.sha256);
  file.size = -1;
  map.Number("size", &file.size, int64_t{0}, kLargestFile);
  map.Texts("urls", &file.urls);
  map.RefuseOtherKeys();
  if (!value.is_object()) return file;
  if (!IsBelow(file.name)) map.Report("name", "expected the name of a file, without '..' and not hidden");
  if (!IsSha256(file.sha256)) map.Report("sha256", "expected 64 hexadecimal digits in lower case");
  if (file.size < 0) map.Report("size", "expected the file's size in bytes");
  if (file.urls.empty() || file.urls.size() > kMostUrls) {
    map.Report("urls", fmt::format("expected a list of 1 to {} addresses", kMostUrls));
  }
  return file;
}

// Label lists of DeepEdge's own can be named; others would be one more file to trust.
Result<std::string> ReadKnownLabels(const std::string& name) {
  std::string text;
  for (const std::string& label : CatalogueLabels(name)) text += label + "\n";
  if (!text.empty()) return text;
  return Error{ErrorCode::kNotFound, fmt::format("{}: no label list of DeepEdge; write `labels: [...]`", name)};
}

CatalogueModel ReadModel(Problems& problems, const std::string& name, const nlohmann::json& value,
                         const std::string& pointer) {
  CatalogueModel model{.name = name};
  if (const Status named = CheckModelName(name); !named.ok()) problems.push_back({pointer, named.error().message});
  MapReader map(problems, value, pointer);
  map.Text("licence", &model.licence);
  map.Text("description", &model.description);
  const nlohmann::json* files = map.Take("files");
  const nlohmann::json* card = map.Take("card");
  map.RefuseOtherKeys();
  if (!value.is_object()) return model;
  if (files == nullptr || !files->is_array() || files->empty() || files->size() > kMostFiles) {
    map.Report("files", fmt::format("expected a list of 1 to {} files", kMostFiles));
  } else {
    std::set<std::string> names;
    for (size_t i = 0; i < files->size(); ++i) {
      const std::string at = PointerTo(map.PointerOf("files"), i);
      model.files.push_back(ReadModelFile(problems, (*files)[i], at));
      if (!names.insert(model.files.back().name).second) problems.push_back({at, "a second file of that name"});
    }
  }
  if (card != nullptr) {
    auto parsed = ParseModelCard(card->dump(), fmt::format("card of {}", name), ReadKnownLabels);
    if (parsed.ok()) {
      model.card = std::move(parsed).value();
    } else {
      map.Report("card", parsed.error().message);
    }
  }
  return model;
}

std::string SearchedText(const CatalogueModel& model) {
  std::string all = model.name + "\n" + model.description + "\n" + model.licence;
  std::optional<ModelCard> card = model.card;
  for (size_t i = 0; !card && i < model.files.size(); ++i) card = FindInCatalogue(model.files[i].sha256);
  if (card) {
    all += "\n" + card->task + "\n" + card->name;
    for (const std::string& label : card->labels) all += "\n" + label;
  }
  return LowerCase(std::move(all));
}

std::vector<std::string> Words(std::string_view text) {
  std::vector<std::string> words(1);
  for (const char c : text) {
    if (std::isspace(static_cast<unsigned char>(c)) != 0) {
      words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  std::erase(words, "");
  return words;
}

}  // namespace

int64_t CatalogueModel::Bytes() const {
  int64_t bytes = 0;
  for (const CatalogueModelFile& file : files) bytes += file.size;
  return bytes;
}

const CatalogueModel* CatalogueFileContent::Find(std::string_view name) const {
  const auto found =
      std::find_if(models.begin(), models.end(), [&](const CatalogueModel& model) { return model.name == name; });
  return found == models.end() ? nullptr : &*found;
}

Result<CatalogueFileContent> ParseCatalogue(std::string_view text, const std::string& where) {
  DE_TRY(const YamlDocument document, ParseYaml(text, PrintableUrl(where)));
  Problems problems;
  CatalogueFileContent catalogue{.where = where};
  MapReader root(problems, document.json(), "");
  const nlohmann::json* models = root.Take("models");
  root.RefuseOtherKeys();
  if (models == nullptr || !models->is_object() || models->size() > kMostModels) {
    root.Report("models", fmt::format("expected a table of at most {} models", kMostModels));
  } else {
    for (const auto& [name, value] : models->items()) {
      catalogue.models.push_back(ReadModel(problems, name, value, PointerTo("/models", name)));
    }
  }
  if (!problems.empty()) return ToError(document.source(), problems);
  return catalogue;
}

Result<CatalogueFileContent> BuiltInCatalogue() { return ParseCatalogue(BuiltInCatalogueText(), "built-in"); }

Result<ModelSource> ResolveCatalogueUrl(const std::string& url, const std::string& where, const HostSettings& hosts) {
  DE_TRY(ModelSource spec, ParseModelSource(url, hosts));
  if (spec.kind == ModelSourceKind::kUrl) return spec;
  if (!IsBelow(url) || where == "built-in") {
    return Error{ErrorCode::kBadInput,
                 fmt::format("{}: '{}' is neither an address nor a path below the catalogue's folder",
                             PrintableUrl(where), url)};
  }
  if (!SplitUrl(where).scheme.empty()) return ParseModelSource(SiblingUrl(where, url), hosts);
  spec.path = Path(where).parent_path() / url;
  return spec;
}

std::vector<const CatalogueModel*> SearchCatalogue(const CatalogueFileContent& catalogue, std::string_view text) {
  const std::vector<std::string> words = Words(LowerCase(std::string(text)));
  std::vector<const CatalogueModel*> found;
  for (const CatalogueModel& model : catalogue.models) {
    const std::string all = SearchedText(model);
    if (std::all_of(words.begin(), words.end(),
                    [&](const std::string& word) { return all.find(word) != std::string::npos; })) {
      found.push_back(&model);
    }
  }
  return found;
}

}  // namespace deepedge
