// ModelRepository: the folder of models by name.
//
//   <root>/<name>/model.yaml            the card of the version that serves (`version: 2` says which)
//   <root>/<name>/1/, 2/, …             files of each version; never changed once they are there, except that
//                                     `variants/` gets the forms that are made of them
//   <root>/<name>/2/.origin.json        where they came from (stored_model.h)
//   <root>/<name>/1/.card.yaml          its card as installed or, once another version took over, as the user left it
//   <root>/.staging/, .downloads/, .lock  what is being added
//
// Reading needs no lock and writes nothing, so that a repository may lie on a read-only disk. Writers take `.lock`. A
// version comes into being by one rename and serves after another (of model.yaml), so that whoever reads, and whoever
// is killed, sees the old state or the new one. What killed runs left in .staging goes away with the next writer.
//
// Folders that were put there by hand work too: with a model's files straight in <name>/ ("no versions"), or without a
// card. Thread-compatible; several processes may use one repository.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "deepedge/base/file.h"
#include "deepedge/base/unique_fd.h"
#include "deepedge/model/model_card.h"
#include "deepedge/repository/stored_model.h"

namespace deepedge {

// "yolox_nano@2"
struct VersionedName {
  std::string name;
  std::optional<int> version;
};
Result<VersionedName> ParseVersionedName(std::string_view text);

struct RepositoryEntry {
  std::string name;
  Path folder;
  std::vector<int> versions;  // ascending; empty: the files lie in `folder` itself
  int current = 0;            // the version that serves; 0 where there are none

  Path FolderOf(int version) const { return version == 0 ? folder : folder / std::to_string(version); }
  Path CurrentFolder() const { return FolderOf(current); }
};

// A place for what is being added, on the repository's file system: fill `files()`, then Publish. Goes away with its
// content at destruction; `scratch()` is for what does not become part of the model.
class Staging {
 public:
  Staging(Staging&&) noexcept = default;
  Staging& operator=(Staging&&) = delete;
  ~Staging();

  Path files() const { return folder_ / "files"; }
  Path scratch() const { return folder_ / "scratch"; }

 private:
  friend class ModelRepository;
  Staging(Path folder, UniqueFd lock) : folder_(std::move(folder)), lock_(std::move(lock)) {}
  Path folder_;
  UniqueFd lock_;  // tells others that this is in use
};

struct Published {
  int version = 0;
  bool is_new = true;         // false: this very content was there already, as `version`
  std::optional<int> before;  // the version that served until now
};

struct PublishRules {
  bool replace_card = false;      // write the card even where the same files are there already
  bool same_source_only = false;  // the name was not chosen: it must be new, or of a model from the same source
};

// The folder of the version that serves, for a folder laid out as one of a repository; other folders as they are.
Path ServingFolder(const Path& folder);

class ModelRepository {
 public:
  explicit ModelRepository(Path root) : root_(std::move(root)) {}

  const Path& root() const { return root_; }
  Path DownloadFolder() const { return root_ / ".downloads"; }

  // By name. A repository that does not exist is empty.
  Result<std::vector<RepositoryEntry>> List() const;
  // kNotFound with the names there are.
  Result<RepositoryEntry> Find(std::string_view name) const;
  // The folder of "name" or "name@version"; kNotFound naming the versions there are.
  Result<Path> Locate(std::string_view versioned_name) const;
  // The folder of a version that was downloaded as a file with this hash, or that holds one; nothing if there is none.
  std::optional<Path> FindByHash(const std::string& sha256) const;

  // Creates the repository where it is missing, and cleans up after killed runs.
  Result<Staging> NewStaging() const;
  // Makes the staged files the serving version of `name`. `card.version` is set. Forms in the card (variants) go on
  // only with the files that they were made of. Errors, after which nothing has changed: kBadInput where the card
  // would not be read again, or the name belongs to a model from elsewhere.
  Result<Published> Publish(Staging staging, const std::string& name, ModelCard card, ModelOrigin origin,
                            const PublishRules& rules) const;
  // Lets another version serve: the given one, or the one before the current. Gives its number.
  Result<int> Rollback(const std::string& name, std::optional<int> version) const;
  Status RemoveModel(const std::string& name) const;
  // Not the one that serves.
  Status RemoveVersion(const std::string& name, int version) const;

 private:
  Result<UniqueFd> Lock() const;
  void CleanUp() const;
  Status KeepCard(const RepositoryEntry& entry) const;
  Status Serve(const RepositoryEntry& entry, int version, ModelCard card) const;
  Result<Published> PublishFirst(const Staging& staging, const std::string& name, ModelCard card) const;
  Result<Published> PublishNext(const Staging& staging, const RepositoryEntry& entry, ModelCard card,
                                const ModelOrigin& origin, const PublishRules& rules) const;
  Status ServeAgain(const RepositoryEntry& entry, int version, ModelCard card, ModelOrigin there,
                    const ModelOrigin& origin) const;

  Path root_;
};

}  // namespace deepedge
