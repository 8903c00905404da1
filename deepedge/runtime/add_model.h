// Adding models to the repository: get the files, read the graph, work out the card, publish. Slow: network, disk and
// engine; not for lanes. Nothing is changed in the repository before all of it went well.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "deepedge/engine/engine.h"
#include "deepedge/pipeline/describe_model.h"
#include "deepedge/repository/acquire.h"
#include "deepedge/repository/model_repository.h"

namespace deepedge {

struct AddRequest {
  std::vector<std::string> sources;
  std::string name;                  // empty: the card's that came along, else one after the source
  std::string sha256;                // that the first source must have; empty: any
  Path card;                         // a model.yaml to take instead of working one out; empty: none
  std::vector<RgbPicture> pictures;  // to try readings on; empty: those of the repository (ProbeFolder)
};

struct AddOutcome {
  std::string name;
  Published published;
  ModelDescription description;
  ModelFiles files;  // where they now lie
  GraphInfo graph;
  int64_t bytes = 0;
  bool kept_card = false;  // of an update: the card that the user gave or changed, or that was probed, goes on
};

// Errors: those of AcquireSources, of the engine and of the card; kBadInput where the name was not given and belongs to
// a model from elsewhere.
Result<AddOutcome> AddModel(Engine& engine, const ModelRepository& repository, const AcquireOptions& options,
                            const AddRequest& request);

// `name` empty: the catalogue's.
Result<AddOutcome> PullModel(Engine& engine, const ModelRepository& repository, const AcquireOptions& options,
                             const CatalogueFileContent& catalogue, const CatalogueModel& model,
                             const std::string& name);

// Gets a model once more from where it came from. Nothing: it has no origin (it was put there by hand). An outcome that
// is not new: what is there is what there is. `catalogue` and `key`: where the model came from a catalogue and another
// one is to be asked.
Result<std::optional<AddOutcome>> UpdateModel(Engine& engine, const ModelRepository& repository,
                                              const AcquireOptions& options, const RepositoryEntry& entry,
                                              const std::string& catalogue, const std::string& key);

}  // namespace deepedge
