#include "deepedge/runtime/add_model.h"

#include <fmt/format.h>

#include <algorithm>

#include "deepedge/base/clock.h"
#include "deepedge/model/model_card_io.h"
#include "deepedge/repository/web_url.h"
#include "deepedge/runtime/describe_for_repository.h"
#include "deepedge/runtime/model_loader.h"
#include "deepedge/runtime/probe_pictures.h"

namespace deepedge {
namespace {

namespace fs = std::filesystem;

// A card that goes on with the next version, and whose choices it holds (ModelOrigin::card_by).
struct OwnCard {
  ModelCard card;
  std::string by;
};

// Whose choices a card holds (ModelOrigin::card_by) that was tried on pictures: on some that the user named, or on
// those of the repository.
constexpr const char* kByProbe = "probe";
constexpr const char* kByRepositoryPictures = "pictures";

// The current version's card where the user gave it, changed it since it was installed, or had it probed. One that was
// probed on the repository's pictures is no more than what comes out again, as long as there are some.
std::optional<OwnCard> FindOwnCard(const RepositoryEntry& entry, const ModelOrigin& origin, bool has_pictures) {
  auto now = LoadModelCard(entry.folder / "model.yaml");
  auto installed = LoadModelCard(entry.CurrentFolder() / ".card.yaml");
  if (!now.ok()) return std::nullopt;
  // Variants belong to the files that they were made of.
  now.value().variants.clear();
  if (installed.ok()) installed.value().variants.clear();
  const bool edited = installed.ok() && now.value() != installed.value();
  if (!edited && origin.card_by.empty()) return std::nullopt;
  if (!edited && origin.card_by == kByRepositoryPictures && has_pictures) return std::nullopt;
  return OwnCard{std::move(now).value(), edited ? "user" : origin.card_by};
}

// The folder that a model came from: its name says something about it ("face_det/net.onnx"). Empty: nothing.
std::string FolderWord(const ModelSource& source, const ModelFiles& files) {
  std::error_code ec;
  const bool is_path = source.kind == ModelSourceKind::kPath;
  const Path named = is_path ? fs::absolute(source.path, ec).lexically_normal() : Path(source.url).lexically_normal();
  const Path whole = named.has_filename() ? named : named.parent_path();
  if (is_path && fs::is_directory(whole, ec)) return whole.filename().string();
  // Out of an archive, whose name is all there is.
  const bool is_itself = files.graph.filename() == source.file_name || files.weights.filename() == source.file_name;
  if (!is_itself) return source.model_name;
  Path folder = whole.parent_path();
  if (IsVersionFolder(folder)) folder = folder.parent_path();
  return folder.filename().string();
}

int64_t NowUs() {
  const RealClock clock;
  return clock.EpochMicros(clock.Now());
}

// What is done once the files are in the staging folder.
class Finisher {
 public:
  Finisher(Engine& engine, const ModelRepository& repository, Staging staging, Acquired acquired)
      : engine_(engine), repository_(repository), staging_(std::move(staging)), acquired_(std::move(acquired)) {}

  // Reads the model as what lies in a folder called `word`.
  void CallFolder(const std::string& word) {
    if (word.empty() || word.size() > 200 || word.find('/') != std::string::npos || word.starts_with('.') ||
        IsVersionFolder(word)) {
      return;
    }
    const Path named = staging_.scratch() / word;
    std::error_code ec;
    if (fs::exists(staging_.files() / "model.yaml", ec)) return;  // nothing is guessed
    fs::create_directory_symlink(Path("..") / staging_.files().filename(), named, ec);
    if (!ec) named_ = named;  // without it one hint is missing
  }

  // What is wrong is told of the files as `called`, not of the place where they lie for now.
  Status Describe(const AddRequest& request, const std::optional<ModelCard>& catalogue_card,
                  const std::string& called) {
    Status described = DescribeStaged(request, catalogue_card);
    if (described.ok()) return described;
    std::string message = described.error().message;
    for (const Path& folder : {staging_.files(), named_.empty() ? staging_.files() : named_}) {
      const std::string ours = folder.string() + "/";
      for (size_t at = 0; (at = message.find(ours, at)) != std::string::npos;) message.erase(at, ours.size());
    }
    return Error{described.error().code, called + ": " + message};
  }

  // Takes over the card of the version before, if it still fits.
  void KeepCard(OwnCard own) {
    own.card.sha256 = outcome_.description.card.sha256;
    if (!CheckFits(own.card).ok()) return;
    outcome_.description.card = std::move(own.card);
    outcome_.description.assumptions.clear();
    outcome_.description.undecided = false;
    outcome_.kept_card = true;
    card_by_ = std::move(own.by);
  }

  Result<AddOutcome> Publish(const std::string& name, ModelOrigin origin, bool name_is_chosen) {
    ModelDescription& description = outcome_.description;
    std::error_code ec;
    fs::remove(staging_.files() / "model.yaml", ec);  // the card lies above the version from now on
    if (description.card.source.empty() && !origin.sources.empty()) {
      // Without a query: it may hold a key.
      const std::string& source = origin.sources.front();
      description.card.source = source.substr(0, source.find('?'));
    }
    origin.downloads = acquired_.downloads;
    origin.assumptions = description.assumptions;
    origin.described_by = ToString(description.origin);
    origin.card_by = card_by_;
    origin.added_us = NowUs();
    const Path below = acquired_.files.graph.lexically_relative(staging_.files());
    const Path weights =
        acquired_.files.weights.empty() ? Path() : acquired_.files.weights.lexically_relative(staging_.files());
    DE_TRY(outcome_.published,
           repository_.Publish(std::move(staging_), name, description.card, std::move(origin),
                               {.replace_card = ReplacesCard(name), .same_source_only = !name_is_chosen}));
    const Path folder = repository_.root() / name / std::to_string(outcome_.published.version);
    outcome_.name = name;
    description.card.name = name;
    outcome_.files = {.format = acquired_.files.format,
                      .graph = below == "." ? folder : folder / below,
                      .weights = weights.empty() ? Path() : folder / weights};
    DE_TRY(const auto files, ListFiles(folder));
    for (const StoredFile& file : files) outcome_.bytes += file.size;
    return std::move(outcome_);
  }

  const ModelDescription& description() const { return outcome_.description; }

 private:
  // Is our card better than the one that is there for the same files? One that somebody chose, and said so, is; one of
  // the repository's pictures only where nobody chose the other.
  bool ReplacesCard(const std::string& name) const {
    if (card_by_ != kByRepositoryPictures) return !card_by_.empty();
    const auto entry = repository_.Find(name);
    if (!entry.ok()) return true;
    const auto origin = ReadOrigin(entry.value().CurrentFolder() / ".origin.json");
    return origin.ok() && !FindOwnCard(entry.value(), origin.value(), true);
  }

  // The staged files by way of the folder's name.
  ModelFiles NamedFiles() const {
    ModelFiles files = acquired_.files;
    if (named_.empty()) return files;
    for (Path* path : {&files.graph, &files.weights}) {
      if (path->empty()) continue;
      const Path below = path->lexically_relative(staging_.files());
      *path = below == "." ? named_ : named_ / below;
    }
    return files;
  }

  Status DescribeStaged(const AddRequest& request, const std::optional<ModelCard>& catalogue_card) {
    DE_TRY(outcome_.graph, engine_.Inspect(acquired_.files));
    DE_TRY(const std::string sha256, Sha256OfFile(GraphFileOf(acquired_.files)));
    ModelDescription& description = outcome_.description;
    if (!request.card.empty()) {
      DE_TRY(description.card, LoadModelCard(request.card));
      if (!description.card.sha256.empty() && description.card.sha256 != sha256) {
        return Error{ErrorCode::kBadInput,
                     fmt::format("{}: the card is for a graph with sha256 {}, but this one has {}",
                                 request.card.string(), description.card.sha256, sha256)};
      }
      description.origin = CardOrigin::kFile;
      card_by_ = "user";
    } else if (catalogue_card) {
      description.card = *catalogue_card;
      description.origin = CardOrigin::kCatalogue;
    } else {
      const bool given = !request.pictures.empty();
      const auto ours = given ? std::vector<RgbPicture>() : ReadRepositoryPictures(repository_.root());
      const std::vector<RgbPicture>& pictures = given ? request.pictures : ours;
      DE_TRY(description, DescribeForRepository(engine_, NamedFiles(), outcome_.graph, pictures));
      if (!pictures.empty() && description.origin == CardOrigin::kGuess) {
        card_by_ = given ? kByProbe : kByRepositoryPictures;
      }
    }
    description.card.sha256 = sha256;
    const bool by_hand = description.origin == CardOrigin::kFile || catalogue_card.has_value();
    return by_hand ? CheckFits(description.card) : Status();
  }

  // A card that was written for it must work with it.
  Status CheckFits(const ModelCard& card) {
    if (card.output.kind == OutputDecoderKind::kRaw) return {};
    DE_TRY(const auto compiled, engine_.Compile(acquired_.files, {.picture = card.input}));
    return MakeOutputDecoder(card, compiled->outputs()).status();
  }

  Engine& engine_;
  const ModelRepository& repository_;
  Staging staging_;
  Acquired acquired_;
  AddOutcome outcome_;
  Path named_;           // a link to the staged files that is called like the folder they came from; empty: none
  std::string card_by_;  // ModelOrigin::card_by
};

Result<std::vector<std::string>> StoredSources(const std::vector<std::string>& sources, const HostSettings& hosts) {
  std::vector<std::string> stored;
  for (const std::string& source : sources) {
    DE_TRY(const ModelSource spec, ParseModelSource(source, hosts));
    std::error_code ec;
    const Path whole = spec.kind == ModelSourceKind::kPath ? fs::absolute(spec.path, ec) : Path();
    stored.push_back(spec.kind == ModelSourceKind::kPath && !ec ? whole.lexically_normal().string() : spec.origin);
  }
  return stored;
}

Result<AddOutcome> Add(Engine& engine, const ModelRepository& repository, const AcquireOptions& options,
                       const AddRequest& request, const std::optional<OwnCard>& own) {
  if (request.sources.empty()) return Error{ErrorCode::kBadInput, "no source given"};
  if (!request.name.empty()) DE_TRY_STATUS(CheckModelName(request.name));
  DE_TRY(const ModelSource first, ParseModelSource(request.sources.front(), options.hosts));
  DE_TRY(ModelOrigin origin, [&]() -> Result<ModelOrigin> {
    ModelOrigin made;
    DE_TRY(made.sources, StoredSources(request.sources, options.hosts));
    return made;
  }());
  DE_TRY(Staging staging, repository.NewStaging());
  DE_TRY(Acquired acquired, AcquireSources(request.sources, request.sha256, options, repository, staging));
  const std::string word = FolderWord(first, acquired.files);
  Finisher finisher(engine, repository, std::move(staging), std::move(acquired));
  finisher.CallFolder(word);
  DE_TRY_STATUS(finisher.Describe(request, std::nullopt, PrintableUrl(origin.sources.front())));
  std::string name = request.name;
  if (name.empty()) {
    const ModelDescription& found = finisher.description();
    const bool named = found.origin == CardOrigin::kFile && CheckModelName(found.card.name).ok() &&
                       found.card.name != "files";  // the staging folder's own, where the card has none
    name = named ? found.card.name : first.model_name;
  }
  if (own) finisher.KeepCard(*own);
  return finisher.Publish(name, std::move(origin), !request.name.empty());
}

Result<AddOutcome> Pull(Engine& engine, const ModelRepository& repository, const AcquireOptions& options,
                        const CatalogueFileContent& catalogue, const CatalogueModel& model, const std::string& name,
                        const std::optional<OwnCard>& own) {
  DE_TRY(Staging staging, repository.NewStaging());
  DE_TRY(Acquired acquired, AcquireFromCatalogue(model, catalogue.where, options, repository, staging));
  Finisher finisher(engine, repository, std::move(staging), std::move(acquired));
  std::optional<ModelCard> card = model.card;
  if (card && card->licence.empty()) card->licence = model.licence;
  DE_TRY_STATUS(finisher.Describe({}, card, fmt::format("model '{}'", model.name)));
  if (own) finisher.KeepCard(*own);
  ModelOrigin origin{.catalogue = WithoutUser(catalogue.where), .catalogue_name = model.name};
  return finisher.Publish(name.empty() ? model.name : name, std::move(origin), true);
}

bool IsUpToDate(const ModelOrigin& origin, const CatalogueModel& model) {
  return std::all_of(model.files.begin(), model.files.end(), [&](const CatalogueModelFile& file) {
    return std::any_of(origin.files.begin(), origin.files.end(), [&](const StoredFile& stored) {
      return stored.name == file.name && stored.sha256 == file.sha256;
    });
  });
}

}  // namespace

Result<AddOutcome> AddModel(Engine& engine, const ModelRepository& repository, const AcquireOptions& options,
                            const AddRequest& request) {
  return Add(engine, repository, options, request, std::nullopt);
}

Result<AddOutcome> PullModel(Engine& engine, const ModelRepository& repository, const AcquireOptions& options,
                             const CatalogueFileContent& catalogue, const CatalogueModel& model,
                             const std::string& name) {
  return Pull(engine, repository, options, catalogue, model, name, std::nullopt);
}

Result<std::optional<AddOutcome>> UpdateModel(Engine& engine, const ModelRepository& repository,
                                              const AcquireOptions& options, const RepositoryEntry& entry,
                                              const std::string& catalogue_option, const std::string& key) {
  const auto origin = ReadOrigin(entry.CurrentFolder() / ".origin.json");
  if (!origin.ok()) return std::optional<AddOutcome>();
  std::error_code ec;
  const bool has_pictures = fs::is_directory(ProbeFolder(repository.root()), ec);
  const std::optional<OwnCard> own = FindOwnCard(entry, origin.value(), has_pictures);
  if (!origin.value().sources.empty()) {
    DE_TRY(AddOutcome added,
           Add(engine, repository, options, {.sources = origin.value().sources, .name = entry.name}, own));
    return std::optional(std::move(added));
  }
  const std::string where = !catalogue_option.empty()                ? catalogue_option
                            : origin.value().catalogue == "built-in" ? ""
                                                                     : origin.value().catalogue;
  DE_TRY(const CatalogueFileContent catalogue, LoadCatalogue(where, key, options, repository));
  const CatalogueModel* model = catalogue.Find(origin.value().catalogue_name);
  if (model == nullptr) {
    return Error{ErrorCode::kNotFound, fmt::format("model '{}': the catalogue ({}) no longer has '{}'", entry.name,
                                                   PrintableUrl(catalogue.where), origin.value().catalogue_name)};
  }
  if (IsUpToDate(origin.value(), *model)) {
    return std::optional(AddOutcome{.name = entry.name, .published = {.version = entry.current, .is_new = false}});
  }
  DE_TRY(AddOutcome pulled, Pull(engine, repository, options, catalogue, *model, entry.name, own));
  return std::optional(std::move(pulled));
}

}  // namespace deepedge
