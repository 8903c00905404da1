// model.yaml in and out, and the cards that come with DeepEdge.
#pragma once

#include <optional>

#include "deepedge/base/file.h"
#include "deepedge/model/model_card.h"
#include "deepedge/model/model_files.h"

namespace deepedge {

// Errors: kNotFound, kBadInput with file, line, path of the key and the allowed values. Unknown keys are errors.
Result<ModelCard> LoadModelCard(const Path& path);

// A model as the user names it, found and described.
struct ResolvedModel {
  ModelCard card;
  ModelFiles files;
};

}  // namespace deepedge
