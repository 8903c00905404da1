#include "deepedge/pipeline/describe_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>

#include "deepedge/model/catalogue.h"
#include "deepedge/model/model_card_io.h"

namespace deepedge {
namespace {

bool IsVersion(const Path& folder) {
  const std::string name = folder.filename().string();
  return !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
}

// The folder that a card lies in: the model's own, whether the graph is a file or, for a SavedModel, the folder itself.
Path FolderOf(const ModelFiles& files) {
  const Path folder = files.format == ModelFormat::kTfSavedModel ? files.graph : files.graph.parent_path();
  std::error_code ec;
  const Path whole = std::filesystem::absolute(folder, ec).lexically_normal();
  if (ec) return folder;
  return whole.has_filename() ? whole : whole.parent_path();  // "a/b/" ends in an empty name
}

Path GraphFile(const ModelFiles& files) {
  return files.format == ModelFormat::kTfSavedModel ? files.graph / "saved_model.pb" : files.graph;
}

std::optional<Path> FindCardFile(const ModelFiles& files) {
  const Path folder = FolderOf(files);
  std::error_code ec;
  if (std::filesystem::exists(folder / "model.yaml", ec)) return folder / "model.yaml";
  const Path above = folder.parent_path() / "model.yaml";
  if (!IsVersion(folder) || !std::filesystem::exists(above, ec)) return std::nullopt;
  // In the repository the card above is of the version that serves; the others keep their own.
  const Path kept = folder / ".card.yaml";
  if (!std::filesystem::exists(kept, ec)) return above;
  const auto card = LoadModelCard(above);
  const bool is_of_other =
      card.ok() && card.value().version > 0 && std::to_string(card.value().version) != folder.filename().string();
  return is_of_other ? kept : above;
}

}  // namespace

std::string_view ToString(CardOrigin origin) {
  switch (origin) {
    case CardOrigin::kFile: return "model.yaml";
    case CardOrigin::kCatalogue: return "catalogue";
    case CardOrigin::kGuess: return "guess from the graph";
  }
  return "?";
}

Result<ModelDescription> DescribeModel(const ModelFiles& files, const GraphInfo& graph) {
  const Path graph_file = GraphFile(files);
  if (const auto card_file = FindCardFile(files)) {
    ModelDescription described{.origin = CardOrigin::kFile, .card_file = *card_file};
    DE_TRY(described.card, LoadModelCard(*card_file));
    if (!described.card.sha256.empty()) {
      DE_TRY(const std::string sha256, Sha256OfFile(graph_file));
      if (sha256 != described.card.sha256) {
        return Error{ErrorCode::kBadInput,
                     fmt::format("{}: the card is for a graph with sha256 {}, but {} has {}", card_file->string(),
                                 described.card.sha256, graph_file.string(), sha256)};
      }
    }
    if (described.card.name.empty()) {
      const Path folder = card_file->parent_path();
      described.card.name = folder.filename().string();
    }
    return described;
  }
  DE_TRY(const std::string sha256, Sha256OfFile(graph_file));
  if (auto card = FindInCatalogue(sha256)) {
    return ModelDescription{.card = std::move(*card), .origin = CardOrigin::kCatalogue};
  }
  DE_TRY(ModelDescription guess, GuessCard(files, graph));
  guess.card.sha256 = sha256;
  return guess;
}

}  // namespace deepedge
