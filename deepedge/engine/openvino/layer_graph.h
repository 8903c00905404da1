// Reads model/layer_graph.h from an OpenVINO graph: which operations the device will run as one kernel, what each costs
// in arithmetic and bytes, and between which operations the graph can be cut without tearing a kernel apart. Runs
// nothing; rules of fusion are those of the CPU device (a layer with weights takes along what is computed on each
// number of its result).
#pragma once

#include <map>
#include <memory>
#include <openvino/core/model.hpp>
#include <string>

#include "deepedge/base/file.h"
#include "deepedge/base/result.h"
#include "deepedge/model/layer_graph.h"

namespace deepedge {

// Computes what depends on shapes only, as the device would: afterwards places in get_ordered_ops() mean the same for
// whoever has called it on a copy. Weights that are quantized stay as they are.
void FoldShapes(const std::shared_ptr<ov::Model>& model);

// Gives operations that the file has no name for names that are the same whenever it is read, which the engine's own
// are not: "Convolution 12".
void NameOperations(const std::shared_ptr<ov::Model>& model);

// Of a graph after FoldShapes. Errors: kUnsupported, naming the input, where an input's shape is not fixed.
Result<LayerGraph> FindLayers(const ov::Model& model, const Path& file);

// The layer that each operation belongs to, by its name; operations without a cost are in none.
std::map<std::string, std::string> LayersOfOperations(const ov::Model& model);

// The layer that each kernel of a compiled graph belongs to, by its name; a kernel of several layers counts as the
// first of them, one that the device has added belongs to none. `runtime` is what CompiledModel::get_runtime_model
// gives.
std::map<std::string, std::string> LayersOfKernels(const ov::Model& runtime,
                                                   const std::map<std::string, std::string>& layers_of_operations);

}  // namespace deepedge
