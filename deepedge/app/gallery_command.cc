// `deepedge gallery`: names for faces and persons, by what a model says of pictures of them.
#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "deepedge/app/commands.h"
#include "deepedge/app/engines.h"
#include "deepedge/app/json_line.h"
#include "deepedge/app/model_commands.h"
#include "deepedge/base/log.h"
#include "deepedge/ingest/picture_file.h"
#include "deepedge/pipeline/gallery/gallery_file.h"
#include "deepedge/runtime/gallery_picture.h"
#include "deepedge/runtime/model_loader.h"

namespace deepedge {
namespace {

using Json = nlohmann::ordered_json;

// As many digits as mean something.
double Rounded(float value) { return std::round(static_cast<double>(value) * 1e4) / 1e4; }

struct GalleryOptions {
  RepositoryOptions repository;
  std::string gallery;
  std::string state_dir;
  std::string model;
  std::string detector;
  std::string name;
  std::vector<std::string> pictures;
  std::string threshold;

  Path File() const {
    if (!gallery.empty()) return gallery;
    return state_dir.empty() ? DefaultGallery() : Path(state_dir) / "gallery.json";
  }
  Path Repository() const { return repository.Open().root(); }

  void Declare(CLI::App& command) {
    command.add_option("--gallery", gallery, "the gallery's file; default: gallery.json in the state folder");
    command.add_option("--state-dir", state_dir, "the state folder, as `state_dir` of the configuration that is run");
    repository.Declare(command);
  }
  void DeclareModels(CLI::App& command) {
    command.add_option("--model", model, "the model that gives embeddings; default: the gallery's");
    command.add_option("--detector", detector,
                       "a model that finds faces or persons: the largest is taken; default: the gallery's, if any");
  }
};

// A path that means the same from every folder; names in the repository as they are.
std::string FromEverywhere(const std::string& named) {
  std::error_code ec;
  const bool is_path = named.find('/') != std::string::npos || std::filesystem::is_regular_file(named, ec);
  if (!is_path) return named;
  const Path absolute = std::filesystem::absolute(named, ec);
  return ec ? named : absolute.lexically_normal().string();
}

// What makes embeddings, as the options say or else the gallery.
struct Models {
  std::unique_ptr<Engine> engine;
  std::unique_ptr<LoadedModel> embedder;
  std::unique_ptr<LoadedModel> detector;  // null: whole pictures
  GalleryModel described;
};

Result<Models> LoadModels(const GalleryOptions& options, const GalleryModel& known) {
  const std::string named = options.model.empty() ? known.named : FromEverywhere(options.model);
  const std::string detector = options.detector.empty() ? known.detector : FromEverywhere(options.detector);
  if (named.empty()) {
    return Error{ErrorCode::kBadInput, fmt::format("{}: a new gallery needs the model that gives embeddings (--model)",
                                                   options.File().string())};
  }
  Models models;
  DE_TRY(models.engine, MakeDefaultEngine());
  DE_TRY(const Path path, LocateModel(named, options.Repository()));
  DE_TRY(models.embedder, LoadModel(*models.engine, {.path = path}));
  DE_TRY(models.described, GalleryModelOf(*models.embedder));
  models.described.named = named;
  models.described.detector = detector;
  if (!detector.empty()) {
    DE_TRY(const Path detector_path, LocateModel(detector, options.Repository()));
    DE_TRY(models.detector, LoadModel(*models.engine, {.path = detector_path}));
  }
  for (const auto* model : {models.embedder.get(), models.detector.get()}) {
    if (model == nullptr) continue;
    for (const std::string& assumption : model->assumptions) LogWarning("model '{}': {}", model->name, assumption);
  }
  return models;
}

Result<EmbeddedPicture> Embed(Models& models, const std::string& file) {
  DE_TRY(const RgbPicture picture, ReadPicture(file));
  auto embedded = EmbedPicture(*models.embedder, models.detector.get(), picture.View(), RealClock());
  if (!embedded.ok()) return embedded.error().Wrap(file);
  return embedded;
}

Json CutJson(const EmbeddedPicture& embedded) {
  Json json{{"cut", ToString(embedded.cut)}};
  if (embedded.object) {
    const Box& box = embedded.object->box;
    json["box"] = {Rounded(box.x1), Rounded(box.y1), Rounded(box.x2), Rounded(box.y2)};
  }
  return json;
}

Json MatchJson(const GalleryMatch& match) { return {{"name", match.name}, {"similarity", Rounded(match.similarity)}}; }

Json SummaryJson(const Path& file, const Gallery& gallery) {
  return {{"gallery", file.string()},
          {"names", gallery.names().size()},
          {"embeddings", gallery.size()},
          {"threshold", Rounded(gallery.threshold())},
          {"threshold_by", gallery.user_set_threshold() ? "user" : "evidence"}};
}

std::string ThresholdText(const Gallery& gallery) {
  if (gallery.user_set_threshold()) return fmt::format("{:.3f}, set by you", gallery.threshold());
  const GalleryEvidence evidence = gallery.Evidence();
  if (!evidence.strangers) return fmt::format("{:.3f}, the default", gallery.threshold());
  std::string text = fmt::format("{:.3f}: two names are up to {:.3f} alike", gallery.threshold(), *evidence.strangers);
  if (evidence.same) text += fmt::format(", pictures of one name at least {:.3f}", *evidence.same);
  return text;
}

void PrintSummary(const Path& file, const Gallery& gallery) {
  fmt::print("{}: {} names, {} embeddings of '{}'; threshold {}\n", file.string(), gallery.names().size(),
             gallery.size(), gallery.model().name, ThresholdText(gallery));
}

Status Save(const Path& file, Gallery& gallery) {
  gallery.AdoptThreshold();
  std::error_code ec;
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path(), ec);
  if (ec) return Error{ErrorCode::kBadInput, fmt::format("{}: {}", file.parent_path().string(), ec.message())};
  return WriteGallery(file, gallery);
}

Result<float> ParseThreshold(const std::string& text) {
  try {
    size_t end = 0;
    const float value = std::stof(text, &end);
    if (end == text.size() && value >= -1 && value <= 1) return value;
  } catch (const std::exception&) {
    // Said below.
  }
  return Error{ErrorCode::kBadInput, fmt::format("threshold '{}': expected a cosine from -1 to 1", text)};
}

// One picture more in the gallery, and how like it is to what was there.
Result<Json> AddPicture(Models& models, Gallery& gallery, const std::string& name, const std::string& picture) {
  DE_TRY(const EmbeddedPicture embedded, Embed(models, picture));
  const auto before = gallery.Closest(embedded.embedding, gallery.names().size());
  DE_TRY_STATUS(gallery.Add(name, embedded.embedding, picture));
  Json json{{"picture", picture}};
  json.update(CutJson(embedded));
  for (const GalleryMatch& match : before) {
    const char* key = match.name == name ? "closest_own" : "closest_other";
    if (!json.contains(key)) json[key] = MatchJson(match);
  }
  return json;
}

void PrintAdded(const Json& added) {
  std::string line = fmt::format("{}: {}", added["picture"].get<std::string>(), added["cut"].get<std::string>());
  if (added.contains("closest_own")) {
    line += fmt::format(", {:.3f} like its own name", added["closest_own"]["similarity"].get<float>());
  }
  if (added.contains("closest_other")) {
    line += fmt::format(", {:.3f} like '{}'", added["closest_other"]["similarity"].get<float>(),
                        added["closest_other"]["name"].get<std::string>());
  }
  fmt::print("{}\n", line);
}

Status AddPictures(const GalleryOptions& options) {
  const Path file = options.File();
  auto read = ReadGallery(file);
  if (!read.ok() && read.error().code != ErrorCode::kNotFound) return read.error();
  Gallery gallery = read.ok() ? std::move(read).value() : Gallery(GalleryModel{});
  std::optional<float> threshold;
  if (!options.threshold.empty()) {
    DE_TRY(threshold, ParseThreshold(options.threshold));
  }
  DE_TRY(Models models, LoadModels(options, gallery.model()));
  const Status same_model = CheckGalleryModel(gallery, models.described);
  if (!same_model.ok()) return same_model.error().Wrap(file.string());
  gallery.model() = models.described;
  if (threshold) gallery.SetThreshold(*threshold, true);
  Json added = Json::array();
  for (const std::string& picture : options.pictures) {
    DE_TRY(Json one, AddPicture(models, gallery, options.name, picture));
    added.push_back(std::move(one));
  }
  DE_TRY_STATUS(Save(file, gallery));
  if (options.repository.json) {
    Json json = SummaryJson(file, gallery);
    json["name"] = options.name;
    json["added"] = std::move(added);
    fmt::print("{}\n", DumpLine(json));
    return {};
  }
  for (const Json& one : added) PrintAdded(one);
  PrintSummary(file, gallery);
  return {};
}

Status List(const GalleryOptions& options) {
  DE_TRY(const Gallery gallery, ReadGallery(options.File()));
  Json names = Json::array();
  for (const std::string& name : gallery.names()) {
    Json sources = Json::array();
    for (size_t i = 0; i < gallery.size(); ++i) {
      if (gallery.NameOf(i) == name) sources.push_back(gallery.SourceOf(i));
    }
    names.push_back({{"name", name}, {"embeddings", sources.size()}, {"sources", sources}});
  }
  if (options.repository.json) {
    Json json = SummaryJson(options.File(), gallery);
    json["names"] = names;
    json["model"] = {{"name", gallery.model().name},
                     {"sha256", gallery.model().sha256},
                     {"named", gallery.model().named},
                     {"detector", gallery.model().detector}};
    fmt::print("{}\n", DumpLine(json));
    return {};
  }
  for (const Json& name : names) {
    fmt::print("{:<28} {}\n", name["name"].get<std::string>(), name["embeddings"].get<size_t>());
  }
  PrintSummary(options.File(), gallery);
  return {};
}

Status Remove(const GalleryOptions& options) {
  const Path file = options.File();
  DE_TRY(Gallery gallery, ReadGallery(file));
  const Status removed = gallery.Remove(options.name);
  if (!removed.ok()) return removed.error().Wrap(file.string());
  DE_TRY_STATUS(Save(file, gallery));
  if (options.repository.json) {
    Json json = SummaryJson(file, gallery);
    json["removed"] = options.name;
    fmt::print("{}\n", DumpLine(json));
  } else {
    fmt::print("removed {}\n", options.name);
  }
  return {};
}

Status SetThreshold(const GalleryOptions& options) {
  const Path file = options.File();
  DE_TRY(Gallery gallery, ReadGallery(file));
  if (options.threshold == "evidence") {
    gallery.SetThreshold(Gallery::kDefaultThreshold, false);
  } else {
    DE_TRY(const float threshold, ParseThreshold(options.threshold));
    gallery.SetThreshold(threshold, true);
  }
  DE_TRY_STATUS(Save(file, gallery));
  if (options.repository.json) {
    fmt::print("{}\n", DumpLine(SummaryJson(file, gallery)));
  } else {
    PrintSummary(file, gallery);
  }
  return {};
}

Status FindPicture(const GalleryOptions& options) {
  constexpr size_t kShown = 5;
  const Path file = options.File();
  DE_TRY(const Gallery gallery, ReadGallery(file));
  DE_TRY(Models models, LoadModels(options, gallery.model()));
  const Status same_model = CheckGalleryModel(gallery, models.described);
  if (!same_model.ok()) return same_model.error().Wrap(file.string());
  const std::string& picture = options.pictures.front();
  DE_TRY(const EmbeddedPicture embedded, Embed(models, picture));
  const auto found = gallery.Find(embedded.embedding);
  const auto closest = gallery.Closest(embedded.embedding, kShown);
  if (options.repository.json) {
    Json json{{"picture", picture}, {"name", nullptr}, {"threshold", Rounded(gallery.threshold())}};
    if (found) json["name"] = found->name;
    json.update(CutJson(embedded));
    json["closest"] = Json::array();
    for (const GalleryMatch& match : closest) json["closest"].push_back(MatchJson(match));
    fmt::print("{}\n", DumpLine(json));
    return {};
  }
  fmt::print("{}: {} ({}; threshold {:.3f})\n", picture, found ? found->name : "nobody of the gallery",
             ToString(embedded.cut), gallery.threshold());
  for (const GalleryMatch& match : closest) fmt::print("  {:<28} {:.3f}\n", match.name, match.similarity);
  return {};
}

using Verb = Status (*)(const GalleryOptions&);

// A verb with the options that all have; the caller adds its own.
std::pair<CLI::App*, std::shared_ptr<GalleryOptions>> AddVerb(CLI::App& gallery, Action& action, const char* name,
                                                              const char* help, Verb verb) {
  CLI::App* command = gallery.add_subcommand(name, help);
  const auto options = std::make_shared<GalleryOptions>();
  options->Declare(*command);
  command->callback([options, &action, verb] { action = [options, verb] { return verb(*options); }; });
  return {command, options};
}

}  // namespace

void AddGalleryCommand(CLI::App& program, Action& action) {
  CLI::App* gallery = program.add_subcommand("gallery", "give names to faces and persons");
  gallery->require_subcommand(1);
  {
    const auto [command, options] =
        AddVerb(*gallery, action, "add", "add pictures of somebody to the gallery", AddPictures);
    command->add_option("name", options->name, "the name")->required();
    command->add_option("pictures", options->pictures, "pictures: JPEG, PNG, BMP, WebP")->required();
    options->DeclareModels(*command);
    command->add_option("--threshold", options->threshold, "cosine from which on somebody has a name");
  }
  AddVerb(*gallery, action, "list", "list the names of the gallery", List);
  {
    const auto [command, options] = AddVerb(*gallery, action, "remove", "remove a name and its embeddings", Remove);
    command->add_option("name", options->name, "the name")->required();
  }
  {
    const auto [command, options] = AddVerb(*gallery, action, "find", "say who is on a picture", FindPicture);
    command->add_option("picture", options->pictures, "a picture")->required()->expected(1);
    options->DeclareModels(*command);
  }
  {
    const auto [command, options] =
        AddVerb(*gallery, action, "threshold", "set the cosine from which on somebody has a name", SetThreshold);
    command->add_option("threshold", options->threshold, "-1 to 1; evidence: what the gallery's own pictures say")
        ->required();
  }
}

}  // namespace deepedge
