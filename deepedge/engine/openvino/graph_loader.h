// Reads a model's files into an ov::Model, whatever the files are called.
#pragma once

#include <memory>
#include <openvino/runtime/core.hpp>
#include <optional>

#include "deepedge/base/file.h"
#include "deepedge/engine/engine.h"

namespace deepedge {

struct LoadedGraph {
  // Links and rewritten files that OpenVINO was given in place of the model's own. Declared first: the model maps them,
  // so it goes first.
  std::optional<TemporaryFolder> folder;
  std::shared_ptr<ov::Model> model;
};

// Files that OpenVINO's readers would refuse or get wrong are read through links or rewritten copies (usable_files.h).
// Errors: kNotFound, kBadInput, kUnsupported, naming the file.
Result<LoadedGraph> LoadGraph(ov::Core& core, const ModelFiles& files);

// Turns 8-bit weights into floats, so that they are multiplied as such: slower, but exact on every CPU.
void DequantizeWeights(ov::Model& model);

// What a graph says of itself. Errors: kUnsupported for an input or output of a type that we have no name for.
Result<GraphInfo> DescribeGraph(const ov::Model& model, const Path& file);

// The same for one picture (GraphInfo::sized), of which `info` tells; null where there is nothing to gain or the graph
// cannot be given a size. Changes the graph's shapes.
std::shared_ptr<const GraphInfo> DescribeForOnePicture(ov::Model& model, const GraphInfo& info, const Path& file);

// The shape of one picture for an input like this: open dimensions are filled from the facts, the size from
// "onnx.imgsz" of the metadata (height, width) or 640. Nothing when the shape is fixed or takes no picture.
std::optional<Shape> ShapeOfOnePicture(const GraphInfo& info);

// Names of the inputs and outputs of a graph, types and shapes. A tensor that has several names is given the shortest
// one, one that has none "input_<index>" or "output_<index>", so that names are stable.
Result<std::vector<TensorSpec>> SpecsOf(const std::vector<ov::Output<const ov::Node>>& ports, std::string_view kind,
                                        const Path& file);

// Sum of the graph's constants, each buffer counted once.
int64_t WeightBytes(const ov::Model& model);

}  // namespace deepedge
