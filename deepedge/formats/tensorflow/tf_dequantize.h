// TensorFlow graphs that hold their weights in 8 bits: a Const of type quint8 or qint8 and a Dequantize behind it. The
// engine knows no constants of those types; a copy of the graph with float constants in their place is read instead.
#pragma once

#include <vector>

#include "deepedge/base/file.h"
#include "deepedge/formats/tensorflow/graph_def.h"
#include "deepedge/model/model_files.h"

namespace deepedge {

// Whether a graph holds a Dequantize; one quick pass over its nodes. Errors: kNotFound, kBadInput when damaged.
Result<bool> HasDequantize(const Path& graph);

// Writes the graph with float constants for every Dequantize of constants as `model.pb` into `folder`; other nodes stay
// as they are. Errors: kBadInput (damaged; sizes that do not fit), kUnsupported (a form of Dequantize that is not
// read), naming the node; kExhausted when the disk is full.
Result<ModelFiles> RewriteDequantize(const ModelFiles& files, const Path& folder);

// How numbers of 8 bits stand for floats, as in TensorFlow. A range whose step is no normal float stands for its
// minimum.
enum class TfDequantizeMode { kMinCombined, kMinFirst, kScaled };
struct TfDequantize {
  TfDequantizeMode mode = TfDequantizeMode::kMinCombined;
  bool is_signed = false;
  bool narrow = false;  // kScaled: the lowest number is not used
  float min = 0;
  float max = 0;
};
// The floats of all 256 bytes.
std::vector<float> DequantizeTable(const TfDequantize& dequantize);

// The numbers of a node that is a Const of floats or int32, or a Dequantize of one of bytes.
struct TfValues {
  std::vector<int64_t> dims;
  std::vector<float> floats;     // of floats
  std::vector<int64_t> numbers;  // of int32
};
// Errors: kBadInput, kUnsupported for anything else, naming the node.
Result<TfValues> ReadTfValues(TfGraph& graph, const TfNode& node);

}  // namespace deepedge
