// Puts the preparation of a picture into the graph, where it is fused with the first layers: a lane then hands over
// packed 8-bit pixels as the scaler leaves them.
#pragma once

#include <memory>
#include <openvino/core/model.hpp>

#include "deepedge/base/file.h"
#include "deepedge/model/model_card.h"

namespace deepedge {

// Changes `model` so that its picture input is u8 [1, height, width, channels]: layout, (v - mean) / std and the
// model's own element type are made in the graph (rounded and clamped for integer types). The channel order is already
// the model's. A free batch becomes 1, free height and width the card's; a fixed batch over 1 is reduced to 1 where the
// graph allows it. Errors: kBadInput when card and graph disagree, kUnsupported for graphs with further inputs.
// With `resize` a fixed height and width become the card's too.
// Patches stand one below the other in it, u8 [1, patches * height, width, channels].
Status AddPictureInput(std::shared_ptr<ov::Model>& model, const PictureInput& picture, const Path& file,
                       bool resize = false);

}  // namespace deepedge
