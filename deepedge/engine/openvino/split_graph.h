// Takes a graph apart into stages: graphs that, run one after the other, give what the whole gives, number for number.
//
// What crosses from one stage to a later one is a tensor ("wire"): one more output of the stage that makes it, one more
// input of each that reads it, however many stages lie between; nothing is computed twice. A tensor of quantized levels
// is rounded to them again by each reader, which changes nothing but lets it compute in 8-bit integers. Wires are
// 32-bit floats where the graph says 16, as the device computes in 32 anyway and would round at the border. The graph's
// own inputs go to every stage that reads them.
#pragma once

#include <memory>
#include <openvino/core/model.hpp>
#include <span>
#include <vector>

#include "deepedge/base/file.h"
#include "deepedge/base/result.h"

namespace deepedge {

// Where an input of a stage comes from: an input of the graph, or an output of an earlier stage.
struct StageSource {
  static constexpr int kGraph = -1;
  int stage = kGraph;
  size_t port = 0;  // of the graph's inputs, or of that stage's outputs
};

struct StagePart {
  std::shared_ptr<ov::Model> model;
  std::vector<StageSource> inputs;  // of each of the model's inputs
};

struct SplitGraph {
  std::vector<StagePart> stages;
  std::vector<StageSource> outputs;  // of each of the graph's outputs: where it comes out
};

// `model` is a graph after FoldShapes (layer_graph.h) and is used up; its constants live on in the stages, which share
// them. `cuts` are CutPoint::after_op of what FindLayers tells of it, ascending; none: one stage.
// Errors: kBadInput, naming file and place, where a cut is none of those; as FindLayers.
Result<SplitGraph> SplitAt(const std::shared_ptr<ov::Model>& model, std::span<const int> cuts, const Path& file);

}  // namespace deepedge
