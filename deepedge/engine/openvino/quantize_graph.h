// Which tensors and weights of a graph are laid on 256 levels, and the operations that say so.
//
//   activations   unsigned, one range for each tensor, from the calibration pictures: the one with the least error
//   weights       signed, one range for each output channel, within +-63 steps: where a CPU adds pairs of products in
//                 16 bits (AVX2, AVX-512 without VNNI), larger ones overflow and give wrong numbers; a repository moves
//                 between boxes, so the range does not depend on this one
//   bias          what rounding the weights adds to the mean of a channel is taken off again (Nagel et al. 2019,
//                 "Data-free quantization through weight equalization and bias correction", section 4.2)
//
// Operations are known by their place in get_ordered_ops(), which copies of a graph keep: what was found in one graph
// can be applied to any copy of it.
#pragma once

#include <memory>
#include <openvino/core/node.hpp>
#include <span>
#include <vector>

#include "deepedge/engine/openvino/value_range.h"

namespace deepedge {

using OrderedOps = std::vector<std::shared_ptr<ov::Node>>;

struct InputPort {
  size_t op = 0;
  size_t port = 0;
};

// A tensor that is quantized on its way into some operations.
struct QuantizedTensor {
  std::vector<InputPort> users;
  ValueRange range;
  std::vector<double> channel_means;  // of dimension 1; empty where it is not known

  ov::Output<ov::Node> In(const OrderedOps& ops) const { return ops[users[0].op]->input_value(users[0].port); }
};

// A layer with constant weights.
struct QuantizedLayer {
  size_t op = 0;
  size_t tensor = 0;       // its input
  bool depthwise = false;  // one filter a channel
  bool answers = false;    // no other layer comes after it
};

struct QuantizableGraph {
  std::vector<QuantizedLayer> layers;
  std::vector<QuantizedTensor> tensors;  // inputs of the layers, and of sums of two activations
};

// Pure. Constants must be folded already.
QuantizableGraph FindQuantizable(const OrderedOps& ops);

// Quantizes the chosen layers (indices into `graph.layers`) in `ops`, a copy of the graph; with `residual_sums` the
// inputs of sums of two activations too. Throws what OpenVINO throws.
void ApplyQuantization(const OrderedOps& ops, const QuantizableGraph& graph, std::span<const size_t> layers,
                       bool residual_sums);

}  // namespace deepedge
