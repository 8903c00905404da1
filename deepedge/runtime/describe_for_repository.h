// DescribeForRepository: the card of a model that is being added. The one place where adding asks what a model is.
#pragma once

#include "deepedge/engine/engine.h"
#include "deepedge/pipeline/describe_model.h"

namespace deepedge {

// What DescribeModel says; where it can say nothing and no card lies beside the model, a card for raw tensors, with the
// reason among the assumptions. `probe`: a picture to try readings on; empty: none. Errors: a card beside the model
// that is wrong or for another file.
Result<ModelDescription> DescribeForRepository(Engine& engine, const ModelFiles& files, const GraphInfo& graph,
                                               const Path& probe);

}  // namespace deepedge
