// LayerGraph: what a network is made of, as far as its cost depends on it: its layers in the order in which they run,
// and the places where it can be cut in two. Plain data, found by an engine (Engine::Analyse) without running anything;
// the Model Profiler predicts from it, the Scheduler moves the stages that it is cut into.
//
// A layer here is what an engine runs as one kernel: an operation with weights or of its own cost, together with the
// element-wise operations that are computed on its result while it is still in registers (bias, activation, residual
// sum). Numbers are for one run of the batch and size that was analysed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace deepedge {

// Layers of one class follow one law of cost: DESIGN 5.1.
enum class LayerClass {
  kConvolution,     // dense, kernel over 1x1, or few channels in
  kPointwise,       // 1x1
  kDepthwise,       // one or few channels a group
  kFullyConnected,  // a product with constant weights, or a convolution of a whole map: each weight is used once a row
  kMatrixProduct,   // of two activations
  kPooling,
  kElementwise,  // what no other layer takes along
  kMove,         // changes where numbers lie: transpose, concat, slice, resize, pad
  kOther,        // anything else: detection output, sort, recurrent cells
};
inline constexpr int kLayerClasses = 9;

std::string_view ToString(LayerClass kind);  // "convolution", "pointwise", ...

struct Layer {
  std::string name;       // of the operation that gives it its cost; one of a kind within a graph
  std::string operation;  // its type, e.g. "Convolution"
  LayerClass kind = LayerClass::kOther;
  bool int8 = false;         // weights and input are quantized: computed in 8-bit integers
  int64_t flops = 0;         // 2 for a multiplication with its addition
  int64_t weight_bytes = 0;  // as float numbers of 4 bytes where it computes in floats, 1 byte each with `int8`
  int64_t input_bytes = 0;   // of activations, as above
  int64_t output_bytes = 0;
  int64_t live_bytes = 0;  // of all tensors that must exist while it runs, its own input and output among them
  // Of convolutions and products (rows of a matrix count as pixels of the output), 0 where it has no meaning.
  int64_t input_channels = 0;
  int64_t output_channels = 0;
  int64_t output_pixels = 0;  // height * width * batch
  int kernel = 0;             // height * width
  int stride = 1;
  int64_t groups = 1;
  int fused = 0;         // operations that it takes along
  int exponentials = 0;  // of those and itself that need one for each number: sigmoid, swish, softmax, ...
  int last_op = 0;       // place of the last of its operations in the graph's order

  friend bool operator==(const Layer&, const Layer&) = default;
};

// A place where the graph can be cut: between two operations in the graph's order, where no fusion is torn apart.
struct CutPoint {
  int after_op = 0;    // the last operation before the cut
  int64_t bytes = 0;   // of the tensors that cross it
  int tensors = 0;     // how many they are
  int next_layer = 0;  // index of the first layer behind it

  friend bool operator==(const CutPoint&, const CutPoint&) = default;
};

struct LayerGraph {
  std::vector<Layer> layers;
  std::vector<CutPoint> cuts;  // ascending
  int operations = 0;          // of the graph; a cut of another graph is recognised by it
  int64_t weight_bytes = 0;    // of all constants as the file has them
  int64_t input_bytes = 0;     // of the graph's own inputs and outputs
  int64_t output_bytes = 0;

  friend bool operator==(const LayerGraph&, const LayerGraph&) = default;
};

}  // namespace deepedge
