// What the repository knows of a model beside its card: where each version came from. Plain data, and its form on disk.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "deepedge/base/file.h"

namespace deepedge {

struct StoredFile {
  std::string name;  // relative to the version's folder
  int64_t size = 0;
  std::string sha256;

  friend bool operator==(const StoredFile&, const StoredFile&) = default;
};

// `<version>/.origin.json`.
struct ModelOrigin {
  std::vector<std::string> sources;    // as the user named them, without passwords; empty: from the catalogue
  std::string catalogue;               // where the catalogue lies; "built-in"; empty: not from one
  std::string catalogue_name;          // the model's name in it
  std::vector<std::string> downloads;  // sha256 of what was downloaded: of the archive, where it was one
  std::vector<StoredFile> files;       // what lies in the version's folder, by name
  std::vector<std::string> assumptions;
  std::string described_by;  // "model.yaml", "catalogue", "guess from the graph"
  // Whose choices the card holds, so that an update keeps it: "user", "probe"; "pictures", those of the repository:
  // kept where it has none any more. Empty: nobody's.
  std::string card_by;
  int64_t added_us = 0;  // since the Unix epoch

  friend bool operator==(const ModelOrigin&, const ModelOrigin&) = default;
};

std::string ToText(const ModelOrigin& origin);

// Errors: kBadInput naming the file.
Result<ModelOrigin> ReadOrigin(const Path& file);

// Every regular file below `folder`, hidden ones left out, by name. Errors: kBadInput (a link or device among them,
// over 10'000 files).
Result<std::vector<StoredFile>> ListFiles(const Path& folder);

}  // namespace deepedge
