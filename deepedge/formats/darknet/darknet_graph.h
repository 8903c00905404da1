// Builds the engine's graph from the checked layers of a Darknet network and its weights.
#pragma once

#include <memory>

#include "deepedge/formats/darknet/darknet_net.h"
#include "deepedge/formats/darknet/darknet_weights.h"

namespace ov {
class Model;
}

namespace deepedge {

// Input "data", f32 [1, channels, height, width]. Outputs: what goes into each [yolo], [region] or [detection], by the
// name of the layer that gives it; in a network without those the last layer. `file` is the .cfg, for messages. Errors:
// kBadInput.
Result<std::shared_ptr<ov::Model>> BuildDarknet(const Path& file, const DarknetNet& net, DarknetWeights& weights);

}  // namespace deepedge
