// What one operation of an OpenVINO graph costs: class, arithmetic, bytes. Pure.
#pragma once

#include <cstdint>
#include <openvino/core/node.hpp>

#include "deepedge/model/layer_graph.h"

namespace deepedge {

// How an operation is run.
enum class OpClass {
  kFree,         // not at all: it only gives a tensor another form, or is an end of the graph
  kElementwise,  // on each number of a tensor: may become part of the layer before it
  kLayer,        // as a kernel of its own
};

OpClass ClassOf(const ov::Node& op);

// Whether a layer whose kernel is that of `anchor` computes the element-wise `op` on its result before it stores it.
bool TakesAlong(const ov::Node& anchor, const ov::Node& op);

// Whether it computes an exponential or the like for each number.
bool NeedsExponential(const ov::Node& op);

// Numbers of a tensor; of an open dimension the most that it can have, 1 where there is no limit.
int64_t ElementsOf(const ov::Output<const ov::Node>& tensor);
// As it lies in memory while the graph runs: floats of any kind are 4 bytes.
int64_t BytesOf(const ov::Output<const ov::Node>& tensor);

// Whether the operation does nothing but turn a constant of 16 bits or fewer into floats, or is a step of that.
bool ComesFromNarrowConstant(const ov::Node& op);

// All of the layer that the operation alone tells: places, what is fused and what is alive are the graph's.
Layer DescribeOperation(const ov::Node& op);

}  // namespace deepedge
