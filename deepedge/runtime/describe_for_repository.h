// DescribeForRepository: the card of a model that is being added. The one place where adding asks what a model is.
#pragma once

#include "deepedge/engine/engine.h"
#include "deepedge/pipeline/describe_model.h"

namespace deepedge {

// What DescribeModel says or, with `probe`, a picture, what DescribeWithProbe says. Errors: a card beside the model
// that is wrong or for another file; the picture cannot be read.
Result<ModelDescription> DescribeForRepository(Engine& engine, const ModelFiles& files, const GraphInfo& graph,
                                               const Path& probe);

}  // namespace deepedge
