// DescribeForRepository: the card of a model that is being added. The one place where adding asks what a model is.
#pragma once

#include "deepedge/engine/engine.h"
#include "deepedge/pipeline/describe_model.h"

namespace deepedge {

// `probe`: a picture to try open readings on; empty: none. Errors: as DescribeModel and ReadPicture.
Result<ModelDescription> DescribeForRepository(Engine& engine, const ModelFiles& files, const GraphInfo& graph,
                                               const Path& probe);

}  // namespace deepedge
