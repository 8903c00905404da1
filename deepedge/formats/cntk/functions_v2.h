// One function of a CNTK v2 model built from the engine's operations.
#pragma once

#include <vector>

#include "deepedge/base/result.h"
#include "deepedge/formats/cntk/graph_v2.h"
#include "deepedge/formats/cntk/layers.h"

namespace deepedge::cntk {

// Errors say what is wrong, without the name of the function; the engine may throw. Not for blocks.
Result<Tensor> BuildFunction(const Function& function, const std::vector<Tensor>& inputs);

// Whether the function measures an error against labels. Its first input is what it measures.
bool IsCriterion(const Function& function);

}  // namespace deepedge::cntk
