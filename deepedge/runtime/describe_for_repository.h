// DescribeForRepository: the card of a model that is being added. The one place where adding asks what a model is.
#pragma once

#include <vector>

#include "deepedge/engine/engine.h"
#include "deepedge/media/picture.h"
#include "deepedge/pipeline/describe_model.h"

namespace deepedge {

// What DescribeModel says or, with pictures, what DescribeWithProbe says. Errors: a card beside the model that is wrong
// or for another file.
Result<ModelDescription> DescribeForRepository(Engine& engine, const ModelFiles& files, const GraphInfo& graph,
                                               const std::vector<RgbPicture>& pictures);

}  // namespace deepedge
