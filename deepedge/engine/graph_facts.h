// GraphFacts: what the operations near a graph's inputs and outputs tell about the meaning of its tensors. Plain data,
// found by an engine's reader (engine/openvino/graph_facts.h); pipeline/card draws the conclusions. Everything is what
// stands in the graph, nothing is a guess: a fact that cannot be seen stays at its default.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "deepedge/model/model_card.h"

namespace deepedge {

struct InputFacts {
  // What the graph does to its input before the first layer: y = (x - mean) / std, one entry or one per channel; empty:
  // nothing of the kind.
  std::vector<float> mean;
  std::vector<float> std;
  // The range of numbers that a quantised graph cuts its input to.
  std::optional<std::array<float, 2>> range;
  // Where the first convolution finds the channels.
  std::optional<TensorLayout> layout;
  int channels = 0;             // that the first convolution takes; 0: not seen
  bool resizes = false;         // the graph scales the picture itself
  bool swaps_channels = false;  // the graph turns RGB to BGR or back
  std::string first_layer;      // type of the operation that reads the input after all that; empty: several do

  friend bool operator==(const InputFacts&, const InputFacts&) = default;
};

// A feature map that numbers of an output come from: size and channels of the convolution. -1: not fixed.
struct MapFacts {
  int rows = 0;
  int columns = 0;
  int channels = 0;

  friend bool operator==(const MapFacts&, const MapFacts&) = default;
};

// A run of columns of an output that was joined from several tensors.
struct ColumnPart {
  int columns = 0;
  bool sigmoid = false;  // a logistic function lies behind it
  bool softmax = false;
  bool boxes = false;  // constants per cell (a grid, anchors) or squares, exponentials lie behind it

  friend bool operator==(const ColumnPart&, const ColumnPart&) = default;
};

// What lies between an output and the last layers with weights.
struct OutputFacts {
  // The last operation, through those that only change a tensor's form and through joints whose parts all end so.
  std::string operation;
  bool sigmoid_inside = false;  // somewhere a logistic function
  bool softmax_inside = false;
  bool exp_inside = false;
  bool square_inside = false;  // x * x or x ^ 2
  bool grid_inside = false;    // constants with a number per cell are added or multiplied
  float largest_place = 0;     // the largest of these constants; 0: not seen
  int dfl_bins = 0;            // a softmax over so many numbers whose weighted sum is taken
  bool suppressed = false;     // non-maximum suppression or a choice of the best
  bool pooled = false;         // a pooling over the whole map before or behind the last weights
  bool fully_connected = false;
  bool unit_length = false;       // the vector is scaled to the length 1
  bool upsampled = false;         // the last weights are followed by a resize
  std::vector<MapFacts> maps;     // in the order of the output's rows
  std::vector<ColumnPart> parts;  // in the order of the output's columns; empty: not joined by columns

  friend bool operator==(const OutputFacts&, const OutputFacts&) = default;
};

struct GraphFacts {
  std::vector<InputFacts> inputs;    // as GraphInfo::inputs, or empty: nothing is known
  std::vector<OutputFacts> outputs;  // as GraphInfo::outputs, or empty
  bool prior_boxes = false;          // the graph makes its own anchors (PriorBox)
  int layers = 0;                    // convolutions and matrix products
};

}  // namespace deepedge
