// Prepares a model's files for the engine's readers: names that they go by, and rewritten copies where they would
// refuse a file or get it wrong.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "deepedge/base/file.h"
#include "deepedge/model/model_files.h"

namespace deepedge {

struct UsableFiles {
  ModelFiles files;
  std::map<std::string, std::string> metadata;  // what the file says beyond its graph, as in GraphInfo
  bool quantized_weights = false;               // a network rewritten from operations on quantized numbers
};

// `folder` is created when the model's own files will not do; it must exist until the model has been read. Errors:
// kNotFound, kBadInput (not of the format that was said, cut off), kUnsupported, kExhausted, naming the file.
Result<UsableFiles> MakeUsable(const ModelFiles& files, std::optional<TemporaryFolder>& folder);

}  // namespace deepedge
