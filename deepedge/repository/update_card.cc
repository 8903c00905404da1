#include "deepedge/repository/update_card.h"

#include <fmt/format.h>

#include "deepedge/model/model_card_io.h"
#include "deepedge/model/model_files.h"
#include "deepedge/repository/durable.h"

namespace deepedge {
namespace {

constexpr int kLockWaitMs = 30'000;

// The model's folder, whose model.yaml is of the version that serves.
Path ModelFolderOf(const Path& card_file) {
  std::error_code ec;
  const Path whole = std::filesystem::absolute(card_file, ec).lexically_normal();
  const Path folder = (ec ? card_file : whole).parent_path();
  return IsVersionFolder(folder) ? folder.parent_path() : folder;
}

// The lock of the repository that the folder belongs to; an invalid one where it belongs to none.
Result<UniqueFd> LockRepositoryOf(const Path& model_folder) {
  const Path lock = model_folder.parent_path() / ".lock";
  std::error_code ec;
  if (!std::filesystem::exists(lock, ec)) return UniqueFd();
  return LockFile(lock, kLockWaitMs);
}

struct FoundCard {
  Path file;
  ModelCard card;
};

// The card of the version that was seen, wherever it lies by now.
Result<FoundCard> FindCardOf(const Path& card_file, const ModelCard& seen) {
  const Path folder = ModelFolderOf(card_file);
  std::vector<Path> places{folder / "model.yaml", card_file};
  if (seen.version > 0) places.push_back(folder / std::to_string(seen.version) / ".card.yaml");
  std::optional<Error> failure;
  for (const Path& place : places) {
    auto card = LoadModelCard(place);
    if (card.ok() && card.value().version == seen.version) return FoundCard{place, std::move(card).value()};
    if (!card.ok() && card.error().code != ErrorCode::kNotFound) failure = card.error();
  }
  if (failure) return *failure;
  std::error_code ec;
  if (seen.version > 0 && !std::filesystem::exists(folder / std::to_string(seen.version), ec)) {
    return Error{ErrorCode::kNotFound, fmt::format("{}: version {} is gone", folder.string(), seen.version)};
  }
  return Error{ErrorCode::kUnavailable,
               fmt::format("{}: its card is no longer of version {}; it was changed meanwhile: once more",
                           folder.string(), seen.version)};
}

}  // namespace

Status CheckReadsBack(const ModelCard& card) {
  const auto no_label_file = [](const std::string&) -> Result<std::string> {
    return Error{ErrorCode::kNotFound, "no label file"};
  };
  const auto again = ParseModelCard(ToYaml(card), "model.yaml", no_label_file);
  if (again.ok()) return {};
  return Error{ErrorCode::kBadInput, fmt::format("model '{}': its card cannot be written, so nothing was installed: {}",
                                                 card.name, again.error().message)};
}

Status UpdateCard(const Path& card_file, const ModelCard& seen, const std::function<Status(ModelCard&)>& change) {
  DE_TRY(const UniqueFd lock, LockRepositoryOf(ModelFolderOf(card_file)));
  DE_TRY(FoundCard found, FindCardOf(card_file, seen));
  if (found.card.sha256 != seen.sha256) {
    return Error{ErrorCode::kUnavailable,
                 fmt::format("{}: is now for a graph with sha256 {}, and was for {}: once more", found.file.string(),
                             found.card.sha256, seen.sha256)};
  }
  DE_TRY_STATUS(change(found.card));
  DE_TRY_STATUS(CheckReadsBack(found.card));
  return WriteDurably(found.file, ToYaml(found.card));
}

Status EnterVariant(const Path& card_file, const ModelCard& seen, const VariantCard& made) {
  return UpdateCard(card_file, seen, [&](ModelCard& card) -> Status {
    std::erase_if(card.variants, [&](const VariantCard& old) { return old.key == made.key; });
    card.variants.push_back(made);
    return {};
  });
}

}  // namespace deepedge
