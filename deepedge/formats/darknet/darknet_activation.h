// The activation functions of Darknet as operations of the engine.
#pragma once

#include "deepedge/formats/darknet/darknet_net.h"
#include "deepedge/formats/graph/graph_ops.h"

namespace deepedge {

// Throws what the engine throws.
GraphValue Activate(const GraphValue& input, DarknetActivation activation);

}  // namespace deepedge
