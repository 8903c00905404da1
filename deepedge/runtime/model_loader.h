// ModelLoader: from what the user names to a model that serves: find the files, see what format they are, describe them
// by a card, compile, warm up. Slow; runs before the lanes start or in a thread of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "deepedge/base/file.h"
#include "deepedge/engine/engine.h"
#include "deepedge/runtime/loaded_model.h"

namespace deepedge {

// Where a model that the user named lies: `name` or `name@version` in the repository, or a path. A plain name is looked
// for in the repository first; what has a '/', or an ending and is a file, is a path first. Of a folder with versions
// the one that serves. Errors: kNotFound naming both places that were looked at, kBadInput where one of them is out of
// reach, kUnsupported for an URL.
Result<Path> LocateModel(const std::string& name_or_path, const Path& repository);

// The folder of the user's models: $DEEPEDGE_REPOSITORY, else <state folder of the user>/models.
Path DefaultRepository();

// From how many bytes of fully connected weights on crops of a frame are run together (measured with
// `deepedge bench batch`: with 5 MB a crop of 8 costs 0.54 of one alone, against 0.81 one after the other; with 2 MB
// the two are alike).
constexpr int64_t kBatchFromBytes = int64_t{4} << 20;

struct LoadRequest {
  std::string name;  // empty: the card's
  Path path;
  int concurrency = 1;
  int max_batch = 1;  // pictures in one run at most, where the graph can and it pays (CompileOptions)
  int64_t batch_from_bytes = kBatchFromBytes;
  bool faint_objects = false;  // also objects that score 0.1: LoadedModel::threshold tells which are to be reported
  std::string sha256;          // that the file must have, in lower case; empty: any
  // A form of the model that was made and measured for it (MakeVariant), or its own; nothing: its own, fp32.
  std::optional<VariantKey> variant;
};

// The form of the card that `key` names. Pure. Errors: kBadInput naming the forms there are; kUnsupported for one that
// agrees too little with the model's own.
Result<VariantCard> FindVariant(const ModelCard& card, const VariantKey& key);

struct LevelSize {
  int width = 0;
  int height = 0;

  friend bool operator==(const LevelSize&, const LevelSize&) = default;
};

// The sizes of a pyramid below that of the card, the largest first: none without a pyramid. Pure. Errors: kBadInput for
// more sizes than anybody looks at, and where the card's own is smaller than a window.
Result<std::vector<LevelSize>> PyramidSizes(const ModelCard& card);

// kBadInput, naming the file, what was expected and what it is, when the model's file has another hash. A model that is
// a folder (TensorFlow SavedModel) is known by its saved_model.pb.
Status CheckHash(const ModelFiles& files, const std::string& sha256);

// Errors name the model and its file.
Result<std::unique_ptr<LoadedModel>> LoadModel(Engine& engine, const LoadRequest& request);

}  // namespace deepedge
