// Acquire: from what the user named to a model's files in a staging folder. Copies, downloads and unpacks; finds the
// one model in what came. Blocks; thread-compatible.
#pragma once

#include <string>
#include <vector>

#include "deepedge/model/model_files.h"
#include "deepedge/repository/catalogue_file.h"
#include "deepedge/repository/downloader.h"
#include "deepedge/repository/model_repository.h"
#include "deepedge/repository/model_source.h"

namespace deepedge {

struct AcquireOptions {
  HostSettings hosts;
  Downloader::Options download;  // `folder` and `allow_http` are filled in
  DownloadProgress progress;
};

struct Acquired {
  ModelFiles files;
  std::vector<std::string> downloads;  // sha256 of each file or archive as it came
};

// `sources`: what ParseModelSource takes; several where a model is several files. `sha256`, if not empty, must be that
// of the first as it came (of a folder: of the graph file). The second file of a model of two is looked for beside the
// first. A `model.yaml` that came along lies in `staging.files()` afterwards. Errors name the source.
Result<Acquired> AcquireSources(const std::vector<std::string>& sources, const std::string& sha256,
                                const AcquireOptions& options, const ModelRepository& repository,
                                const Staging& staging);

// Every file of a model of a catalogue, from the first of its addresses that works.
Result<Acquired> AcquireFromCatalogue(const CatalogueModel& model, const std::string& where,
                                      const AcquireOptions& options, const ModelRepository& repository,
                                      const Staging& staging);

// A catalogue from a path or an address. With a key its signature (`where` + ".minisig") must fit; without, one from
// another machine must come by https. An empty `where`: the built-in one.
Result<CatalogueFileContent> LoadCatalogue(const std::string& where, const std::string& key,
                                           const AcquireOptions& options, const ModelRepository& repository);

}  // namespace deepedge
