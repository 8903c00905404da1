#include "deepedge/repository/model_repository.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <limits>
#include <random>

#include "deepedge/config/yaml_document.h"
#include "deepedge/model/model_card_io.h"
#include "deepedge/repository/durable.h"
#include "deepedge/repository/model_source.h"
#include "deepedge/repository/update_card.h"

namespace deepedge {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCardFile = "model.yaml";
constexpr const char* kOriginFile = ".origin.json";
constexpr const char* kKeptCard = ".card.yaml";
constexpr int kLockWaitMs = 30'000;

std::optional<int> VersionNumber(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number <= 0 || text.front() == '0') return {};
  return number;
}

std::vector<int> VersionsIn(const Path& folder) {
  std::vector<int> versions;
  std::error_code ec;
  for (auto it = fs::directory_iterator(folder, ec); !ec && it != fs::directory_iterator(); it.increment(ec)) {
    const auto number = VersionNumber(it->path().filename().string());
    std::error_code type_error;
    if (number && it->is_directory(type_error)) versions.push_back(*number);
  }
  std::sort(versions.begin(), versions.end());
  return versions;
}

// What model.yaml says; 0 where it says nothing or cannot be read: then whoever loads the model says why.
int VersionInCard(const Path& card) {
  const auto document = LoadYaml(card);
  if (!document.ok() || !document.value().json().is_object()) return 0;
  const auto& json = document.value().json();
  if (!json.contains("version") || !json["version"].is_number_integer()) return 0;
  const auto version = json["version"].get<int64_t>();
  return version > 0 && version <= std::numeric_limits<int>::max() ? static_cast<int>(version) : 0;
}

RepositoryEntry ReadEntry(const Path& folder) {
  RepositoryEntry entry{.name = folder.filename().string(), .folder = folder, .versions = VersionsIn(folder)};
  if (entry.versions.empty()) return entry;
  const int said = VersionInCard(folder / kCardFile);
  const bool is_there = std::find(entry.versions.begin(), entry.versions.end(), said) != entry.versions.end();
  entry.current = is_there ? said : entry.versions.back();
  return entry;
}

Error NoSuchVersion(const RepositoryEntry& entry, int version) {
  return {ErrorCode::kNotFound,
          fmt::format("model '{}' has no version {}; it has: {}", entry.name, version,
                      entry.versions.empty() ? "none" : fmt::format("{}", fmt::join(entry.versions, ", ")))};
}

bool HasVersion(const RepositoryEntry& entry, int version) {
  return std::find(entry.versions.begin(), entry.versions.end(), version) != entry.versions.end();
}

void RemoveTree(const Path& path) {
  std::error_code ec;
  fs::remove_all(path, ec);
}

// A name that nobody chose must not replace a model that came from elsewhere.
Status CheckSameSource(const RepositoryEntry& entry, const ModelOrigin& ours) {
  const auto there = ReadOrigin(entry.CurrentFolder() / kOriginFile);
  if (there.ok() && there.value().sources == ours.sources && there.value().catalogue_name == ours.catalogue_name) {
    return {};
  }
  const std::string from = !there.ok() ? "put there by hand"
                           : there.value().sources.empty()
                               ? "from a catalogue"
                               : fmt::format("from {}", fmt::join(there.value().sources, ", "));
  return Error{ErrorCode::kBadInput,
               fmt::format("there is a model '{}' already, {}; say --name {} to make this its next version, or choose "
                           "another name",
                           entry.name, from, entry.name)};
}

// Forms of a model belong to the files that they were made of: without their graph, or beside other files, they are
// nothing.
void DropForeignVariants(const std::vector<StoredFile>& files, bool is_update, ModelCard* card) {
  std::erase_if(card->variants, [&](const VariantCard& variant) {
    if (variant.graph.empty()) return is_update;
    return std::none_of(files.begin(), files.end(), [&](const StoredFile& file) {
      return file.name == variant.graph || file.name.ends_with("/" + variant.graph);
    });
  });
}

// Those of a card for the same files, where it feeds and reads the model alike.
void TakeVariants(const Path& card_file, ModelCard* card) {
  const auto there = LoadModelCard(card_file);
  if (!there.ok() || there.value().input != card->input || there.value().output != card->output) return;
  for (const VariantCard& variant : there.value().variants) {
    const bool is_known = std::any_of(card->variants.begin(), card->variants.end(),
                                      [&](const VariantCard& ours) { return ours.key == variant.key; });
    if (!is_known) card->variants.push_back(variant);
  }
}

// Left by a writer that was killed between writing and renaming.
void RemoveTemporaries(const Path& folder) {
  std::error_code ec;
  for (auto it = fs::directory_iterator(folder, ec); !ec && it != fs::directory_iterator(); it.increment(ec)) {
    std::error_code ignored;
    if (it->path().filename().string().starts_with("model.yaml.tmp")) fs::remove(it->path(), ignored);
  }
}

}  // namespace

Result<VersionedName> ParseVersionedName(std::string_view text) {
  const size_t at = text.find('@');
  VersionedName parsed{.name = std::string(text.substr(0, at))};
  DE_TRY_STATUS(CheckModelName(parsed.name));
  if (at == std::string_view::npos) return parsed;
  parsed.version = VersionNumber(text.substr(at + 1));
  if (parsed.version) return parsed;
  return Error{ErrorCode::kBadInput,
               fmt::format("'{}': expected a version behind the '@', such as {}@1", text, parsed.name)};
}

Path ServingFolder(const Path& folder) { return ReadEntry(folder).CurrentFolder(); }

Staging::~Staging() {
  if (lock_.valid()) RemoveTree(folder_);
}

Result<std::vector<RepositoryEntry>> ModelRepository::List() const {
  std::vector<RepositoryEntry> entries;
  const auto status = StatusOf(root_);
  if (!status.ok() && status.error().code == ErrorCode::kNotFound) return entries;
  DE_TRY_STATUS(status.status());
  std::error_code ec;
  for (auto it = fs::directory_iterator(root_, ec); !ec && it != fs::directory_iterator(); it.increment(ec)) {
    std::error_code type_error;
    if (!CheckModelName(it->path().filename().string()).ok() || !it->is_directory(type_error)) continue;
    entries.push_back(ReadEntry(it->path()));
  }
  if (ec) return Error{ErrorCode::kBadInput, fmt::format("{}: cannot be listed: {}", root_.string(), ec.message())};
  std::sort(entries.begin(), entries.end(),
            [](const RepositoryEntry& a, const RepositoryEntry& b) { return a.name < b.name; });
  return entries;
}

Result<RepositoryEntry> ModelRepository::Find(std::string_view name) const {
  DE_TRY_STATUS(CheckModelName(name));
  const Path folder = root_ / name;
  std::error_code ec;
  if (fs::is_directory(folder, ec)) return ReadEntry(folder);
  DE_TRY(const auto entries, List());
  std::vector<std::string> names;
  for (const RepositoryEntry& entry : entries) names.push_back(entry.name);
  return Error{ErrorCode::kNotFound,
               fmt::format("no model '{}' in {}; {}", name, root_.string(),
                           names.empty() ? "there are none" : fmt::format("there are: {}", fmt::join(names, ", ")))};
}

Result<Path> ModelRepository::Locate(std::string_view versioned_name) const {
  DE_TRY(const VersionedName wanted, ParseVersionedName(versioned_name));
  DE_TRY(const RepositoryEntry entry, Find(wanted.name));
  if (!wanted.version) return entry.CurrentFolder();
  if (!HasVersion(entry, *wanted.version)) return NoSuchVersion(entry, *wanted.version);
  return entry.FolderOf(*wanted.version);
}

std::optional<Path> ModelRepository::FindByHash(const std::string& sha256) const {
  const auto entries = List();
  if (!entries.ok()) return std::nullopt;
  const auto has_hash = [&](const Path& folder) {
    const auto origin = ReadOrigin(folder / kOriginFile);
    if (!origin.ok()) return false;
    const auto& downloads = origin.value().downloads;
    const auto& files = origin.value().files;
    return std::find(downloads.begin(), downloads.end(), sha256) != downloads.end() ||
           std::any_of(files.begin(), files.end(), [&](const StoredFile& file) { return file.sha256 == sha256; });
  };
  for (const RepositoryEntry& entry : entries.value()) {
    if (has_hash(entry.CurrentFolder())) return entry.CurrentFolder();
    for (const int version : entry.versions) {
      if (has_hash(entry.FolderOf(version))) return entry.FolderOf(version);
    }
  }
  return std::nullopt;
}

Result<UniqueFd> ModelRepository::Lock() const {
  DE_TRY_STATUS(CreateFolders(root_));
  auto lock = LockFile(root_ / ".lock", kLockWaitMs);
  if (lock.ok()) return lock;
  return lock.error().Wrap(fmt::format("model repository {}", root_.string()));
}

void ModelRepository::CleanUp() const {
  std::error_code ec;
  for (auto it = fs::directory_iterator(root_ / ".staging", ec); !ec && it != fs::directory_iterator();
       it.increment(ec)) {
    // One that somebody works on is locked.
    const auto lock = LockFile(it->path() / "lock", 0);
    if (lock.ok() || lock.error().code != ErrorCode::kUnavailable) RemoveTree(it->path());
  }
  constexpr auto kKeptFor = std::chrono::hours(24 * 14);
  for (auto it = fs::directory_iterator(DownloadFolder(), ec); !ec && it != fs::directory_iterator();
       it.increment(ec)) {
    std::error_code ignored;
    const auto written = fs::last_write_time(it->path(), ignored);
    if (!ignored && fs::file_time_type::clock::now() - written > kKeptFor) fs::remove(it->path(), ignored);
  }
}

Result<Staging> ModelRepository::NewStaging() const {
  DE_TRY(const UniqueFd lock, Lock());
  CleanUp();
  const Path folder = root_ / ".staging" / fmt::format("{}-{:08x}", getpid(), std::random_device()());
  DE_TRY_STATUS(CreateFolders(folder));
  DE_TRY(UniqueFd in_use, LockFile(folder / "lock", 0));
  Staging staging(folder, std::move(in_use));
  DE_TRY_STATUS(CreateFolders(staging.files()));
  DE_TRY_STATUS(CreateFolders(staging.scratch()));
  DE_TRY_STATUS(CreateFolders(DownloadFolder()));
  return staging;
}

Result<Published> ModelRepository::Publish(Staging staging, const std::string& name, ModelCard card, ModelOrigin origin,
                                           const PublishRules& rules) const {
  DE_TRY_STATUS(CheckModelName(name));
  DE_TRY(origin.files, ListFiles(staging.files()));
  card.name = name;
  DE_TRY_STATUS(CheckReadsBack(card));
  DE_TRY_STATUS(WriteDurably(staging.files() / kOriginFile, ToText(origin)));
  DE_TRY_STATUS(SyncTree(staging.files()));
  DE_TRY(const UniqueFd lock, Lock());
  std::error_code ec;
  if (!fs::exists(root_ / name, ec)) {
    DropForeignVariants(origin.files, false, &card);
    return PublishFirst(staging, name, std::move(card));
  }
  const RepositoryEntry entry = ReadEntry(root_ / name);
  if (rules.same_source_only) DE_TRY_STATUS(CheckSameSource(entry, origin));
  return PublishNext(staging, entry, std::move(card), origin, rules);
}

Result<Published> ModelRepository::PublishFirst(const Staging& staging, const std::string& name, ModelCard card) const {
  // The whole model appears at once.
  const Path whole = staging.scratch() / ".new";
  RemoveTree(whole);
  DE_TRY_STATUS(CreateFolders(whole));
  card.version = 1;
  DE_TRY_STATUS(WriteDurably(whole / kCardFile, ToYaml(card)));
  DE_TRY_STATUS(WriteDurably(staging.files() / kKeptCard, ToYaml(card)));
  DE_TRY_STATUS(RenameDurably(staging.files(), whole / "1"));
  DE_TRY_STATUS(RenameDurably(whole, root_ / name));
  return Published{.version = 1};
}

Result<Published> ModelRepository::PublishNext(const Staging& staging, const RepositoryEntry& entry, ModelCard card,
                                               const ModelOrigin& origin, const PublishRules& rules) const {
  if (entry.versions.empty()) {
    std::error_code ec;
    if (!fs::is_empty(entry.folder, ec)) {
      return Error{
          ErrorCode::kBadInput,
          fmt::format("{}: was put there by hand, without versions; choose another name (--name), or remove it",
                      entry.folder.string())};
    }
  }
  RemoveTemporaries(entry.folder);
  for (const int version : entry.versions) {
    const auto there = ReadOrigin(entry.FolderOf(version) / kOriginFile);
    if (!there.ok() || there.value().files != origin.files) continue;
    if (version != entry.current || rules.replace_card) {
      DE_TRY_STATUS(ServeAgain(entry, version, std::move(card), there.value(), origin));
    }
    return Published{.version = version, .is_new = false, .before = entry.current};
  }
  DropForeignVariants(origin.files, true, &card);
  const int version = entry.versions.empty() ? 1 : entry.versions.back() + 1;
  DE_TRY_STATUS(KeepCard(entry));
  // Until model.yaml says otherwise the version before serves; with a card that says nothing the highest would.
  DE_TRY_STATUS(RenameDurably(staging.files(), entry.folder / std::to_string(version)));
  DE_TRY_STATUS(Serve(entry, version, card));
  Published published{.version = version};
  if (entry.current > 0) published.before = entry.current;
  return published;
}

// The same files are there: only the card is another.
Status ModelRepository::ServeAgain(const RepositoryEntry& entry, int version, ModelCard card, ModelOrigin there,
                                   const ModelOrigin& origin) const {
  const bool serves = version == entry.current;
  TakeVariants(serves ? entry.folder / kCardFile : entry.FolderOf(version) / kKeptCard, &card);
  if (!serves) DE_TRY_STATUS(KeepCard(entry));
  there.assumptions = origin.assumptions;
  there.described_by = origin.described_by;
  there.card_by = origin.card_by;
  DE_TRY_STATUS(WriteDurably(entry.FolderOf(version) / kOriginFile, ToText(there)));
  return Serve(entry, version, std::move(card));
}

// The card with what the user changed in it goes along with its version.
Status ModelRepository::KeepCard(const RepositoryEntry& entry) const {
  if (entry.current == 0) return {};
  const auto card = LoadModelCard(entry.folder / kCardFile);
  if (!card.ok()) return {};  // none, or one that nothing could be served with
  ModelCard kept = card.value();
  if (kept.version == 0) {
    // From now on it matters which version serves.
    kept.version = entry.current;
    DE_TRY_STATUS(WriteDurably(entry.folder / kCardFile, ToYaml(kept)));
  }
  return WriteDurably(entry.CurrentFolder() / kKeptCard, ToYaml(kept));
}

Status ModelRepository::Serve(const RepositoryEntry& entry, int version, ModelCard card) const {
  card.name = entry.name;
  card.version = version;
  DE_TRY_STATUS(WriteDurably(entry.FolderOf(version) / kKeptCard, ToYaml(card)));
  return WriteDurably(entry.folder / kCardFile, ToYaml(card));
}

Result<int> ModelRepository::Rollback(const std::string& name, std::optional<int> version) const {
  DE_TRY(RepositoryEntry entry, Find(name));
  DE_TRY(const UniqueFd lock, Lock());
  entry = ReadEntry(entry.folder);
  if (version && !HasVersion(entry, *version)) return NoSuchVersion(entry, *version);
  const auto first_not_before = std::lower_bound(entry.versions.begin(), entry.versions.end(), entry.current);
  if (!version && first_not_before == entry.versions.begin()) {
    return Error{ErrorCode::kBadInput, fmt::format("model '{}' has no version before {}", name, entry.current)};
  }
  const int target = version ? *version : *std::prev(first_not_before);
  if (target == entry.current) return target;
  DE_TRY_STATUS(KeepCard(entry));
  auto card = LoadModelCard(entry.FolderOf(target) / kKeptCard);
  if (!card.ok()) {
    // A version that never served through us: the card we have is the best there is, but it is for another file.
    card = LoadModelCard(entry.folder / kCardFile);
    if (!card.ok()) return card.error();
    card.value().sha256.clear();
  }
  RemoveTemporaries(entry.folder);
  DE_TRY_STATUS(Serve(entry, target, std::move(card).value()));
  return target;
}

Status ModelRepository::RemoveModel(const std::string& name) const {
  DE_TRY(const RepositoryEntry entry, Find(name));
  DE_TRY(const UniqueFd lock, Lock());
  // Gone at once for everybody, then slowly from the disk.
  const Path away = root_ / ".staging" / fmt::format("removed-{}-{:08x}", getpid(), std::random_device()());
  DE_TRY_STATUS(CreateFolders(away));
  DE_TRY_STATUS(RenameDurably(entry.folder, away / "model"));
  RemoveTree(away);
  return {};
}

Status ModelRepository::RemoveVersion(const std::string& name, int version) const {
  DE_TRY(RepositoryEntry entry, Find(name));
  DE_TRY(const UniqueFd lock, Lock());
  entry = ReadEntry(entry.folder);
  if (!HasVersion(entry, version)) return NoSuchVersion(entry, version);
  if (version == entry.current) {
    return Error{
        ErrorCode::kBadInput,
        fmt::format("model '{}': version {} is the one that serves; let another one serve first (deepedge model "
                    "rollback), or remove the whole model (deepedge model remove {})",
                    name, version, name)};
  }
  const Path away = root_ / ".staging" / fmt::format("removed-{}-{:08x}", getpid(), std::random_device()());
  DE_TRY_STATUS(CreateFolders(away));
  DE_TRY_STATUS(RenameDurably(entry.FolderOf(version), away / "version"));
  RemoveTree(away);
  return {};
}

}  // namespace deepedge
