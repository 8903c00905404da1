#include "deepedge/engine/openvino/split_graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <openvino/op/convert.hpp>
#include <openvino/op/fake_quantize.hpp>
#include <openvino/op/parameter.hpp>
#include <openvino/op/result.hpp>
#include <openvino/op/sink.hpp>
#include <openvino/op/util/variable_extension.hpp>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "deepedge/engine/openvino/layer_graph.h"

namespace deepedge {
namespace {

using Node = std::shared_ptr<ov::Node>;
using Port = ov::Output<ov::Node>;

constexpr int kEveryStage = -1;  // depends on nothing that is computed: belongs to whoever reads it

std::string_view TypeOf(const ov::Node& op) { return op.get_type_info().name; }

Status CheckCuts(const ov::Model& model, std::span<const int> cuts, const Path& file) {
  DE_TRY(const LayerGraph graph, FindLayers(model, file));
  const auto bad = [&](int cut, std::string_view why) {
    return Error{ErrorCode::kBadInput, fmt::format("{}: cut after operation {}: {}", file.string(), cut, why)};
  };
  for (size_t i = 0; i < cuts.size(); ++i) {
    const int cut = cuts[i];
    if (cut < 0 || cut >= graph.operations) {
      return bad(cut, fmt::format("the graph has {} operations; is the cut of another graph?", graph.operations));
    }
    if (i > 0 && cut <= cuts[i - 1]) return bad(cut, "cuts must be ascending");
    const bool legal =
        std::any_of(graph.cuts.begin(), graph.cuts.end(), [&](const auto& c) { return c.after_op == cut; });
    if (!legal) return bad(cut, "the graph cannot be cut there");
  }
  return {};
}

// A tensor that crosses borders.
struct Wire {
  Port from;      // in the graph
  int stage = 0;  // that makes it
};

class Splitter {
 public:
  Splitter(const ov::Model& model, std::span<const int> cuts)
      : model_(model), ops_(model.get_ordered_ops()), stages_(cuts.size() + 1) {
    for (size_t i = 0; i < ops_.size(); ++i) {
      const Node& op = ops_[i];
      const auto before = std::lower_bound(cuts.begin(), cuts.end(), static_cast<int>(i)) - cuts.begin();
      stage_[op.get()] = Fed(*op) ? static_cast<int>(before) : kEveryStage;
    }
    // Results lie where their tensor is made.
    for (const auto& result : model.get_results()) {
      stage_[result.get()] =
          std::max(0, IsParameter(*result->get_input_node_ptr(0)) ? 0 : StageOf(*result->get_input_node_ptr(0)));
    }
  }

  SplitGraph Split() {
    Rewire();
    AddOwnPorts();
    AddWires();
    SplitGraph split{.stages = std::vector<StagePart>(stages_.size()), .outputs = outputs_};
    for (size_t s = 0; s < stages_.size(); ++s) split.stages[s] = MakeStage(s);
    return split;
  }

 private:
  struct Stage {
    ov::ParameterVector parameters;
    ov::ResultVector results;
    std::vector<size_t> graph_inputs;                                              // that it reads
    std::vector<std::pair<std::shared_ptr<ov::op::v0::Parameter>, size_t>> wires;  // that it reads
    std::vector<StageSource> inputs;
  };

  static bool IsParameter(const ov::Node& op) { return TypeOf(op) == "Parameter"; }

  // Whether it depends on an input or on a state.
  bool Fed(const ov::Node& op) const {
    if (IsParameter(op) || TypeOf(op) == "ReadValue") return true;
    for (size_t i = 0; i < op.get_input_size(); ++i) {
      if (StageOf(*op.get_input_node_ptr(i)) != kEveryStage) return true;
    }
    return false;
  }

  int StageOf(const ov::Node& op) const { return stage_.at(&op); }

  // A step from quantized levels to floats, of one tensor by constants: x = (level - zero) * scale.
  bool FollowsRounding(const ov::Node& op) const {
    const std::string_view type = TypeOf(op);
    if (type != "Convert" && type != "Subtract" && type != "Multiply") return false;
    for (size_t i = 1; i < op.get_input_size(); ++i) {
      if (StageOf(*op.get_input_node_ptr(i)) != kEveryStage) return false;
    }
    const ov::Node& before = *op.get_input_node_ptr(0);
    return StageOf(before) != kEveryStage && (TypeOf(before) == "FakeQuantize" || FollowsRounding(before));
  }

  // The tensor as operations of `stage` can read it. Changes nothing that is there already.
  Port Bring(const Port& tensor, int stage) {
    const Node op = tensor.get_node_shared_ptr();
    const int made = StageOf(*op);
    if (made == kEveryStage) return tensor;
    if (IsParameter(*op)) {
      const auto& all = model_.get_parameters();
      const auto index = static_cast<size_t>(std::find(all.begin(), all.end(), op) - all.begin());
      auto& read = stages_[static_cast<size_t>(stage)].graph_inputs;
      if (std::find(read.begin(), read.end(), index) == read.end()) read.push_back(index);
      return tensor;
    }
    if (made == stage) return tensor;
    const auto known = brought_.find({tensor, stage});
    if (known != brought_.end()) return known->second;
    Port here = FollowsRounding(*op) ? Dequantize(op, stage) : Receive(tensor, stage);
    if (const auto* const rounding = RoundingOf(*op)) here = MarkLevels(here, *rounding);
    brought_.emplace(std::pair(tensor, stage), here);
    return here;
  }

  // A step from quantized levels to floats is taken by each reader, so that the engine sees where levels come from.
  Port Dequantize(const Node& op, int stage) {
    ov::OutputVector inputs = op->input_values();
    inputs[0] = Bring(inputs[0], stage);
    const Node copy = op->clone_with_new_inputs(inputs);
    copy->set_friendly_name(op->get_friendly_name());
    copy->get_rt_info() = op->get_rt_info();
    return copy->output(0);
  }

  // The rounding that the numbers of a tensor have gone through, whatever moved them afterwards; null where there is
  // none, or not the same for all of them.
  static const ov::op::v0::FakeQuantize* RoundingOf(const ov::Node& op, bool moved = false) {
    static const std::set<std::string_view> moves{"MaxPool",       "Reshape",         "Squeeze",      "Unsqueeze",
                                                  "Transpose",     "Slice",           "StridedSlice", "Split",
                                                  "VariadicSplit", "ShuffleChannels", "DepthToSpace", "SpaceToDepth"};
    if (const auto* const rounding = dynamic_cast<const ov::op::v0::FakeQuantize*>(&op)) {
      const auto single = [&](size_t i) { return ov::shape_size(rounding->get_input_shape(i)) == 1; };
      return !moved || (single(3) && single(4)) ? rounding : nullptr;
    }
    return moves.contains(TypeOf(op)) ? RoundingOf(*op.get_input_node_ptr(0), true) : nullptr;
  }

  // What comes in lies on quantized levels already; rounded to them once more it stays the same, and the engine sees
  // that it can compute in integers.
  Port MarkLevels(const Port& here, const ov::op::v0::FakeQuantize& rounding) const {
    const Port low = rounding.input_value(3);
    const Port high = rounding.input_value(4);
    const bool constant = StageOf(*low.get_node()) == kEveryStage && StageOf(*high.get_node()) == kEveryStage;
    if (!constant) return here;
    return std::make_shared<ov::op::v0::FakeQuantize>(here, low, high, low, high, rounding.get_levels())->output(0);
  }

  Port Receive(const Port& tensor, int stage) {
    const bool half = tensor.get_element_type() == ov::element::f16;
    const auto parameter = std::make_shared<ov::op::v0::Parameter>(half ? ov::element::f32 : tensor.get_element_type(),
                                                                   tensor.get_partial_shape());
    parameter->set_friendly_name(fmt::format("{}/{}/from_stage_{}", tensor.get_node()->get_friendly_name(),
                                             tensor.get_index(), StageOf(*tensor.get_node())));
    stages_[static_cast<size_t>(stage)].wires.emplace_back(parameter, WireOf(tensor));
    if (!half) return parameter->output(0);
    return std::make_shared<ov::op::v0::Convert>(parameter, ov::element::f16)->output(0);
  }

  size_t WireOf(const Port& tensor) {
    const auto known =
        std::find_if(wires_.begin(), wires_.end(), [&](const Wire& wire) { return wire.from == tensor; });
    if (known != wires_.end()) return static_cast<size_t>(known - wires_.begin());
    wires_.push_back({tensor, StageOf(*tensor.get_node())});
    return wires_.size() - 1;
  }

  // Finds all that is to be changed before anything is: what Bring sees is the graph as it was.
  void Rewire() {
    std::vector<std::pair<ov::Input<ov::Node>, Port>> changes;
    for (const Node& op : ops_) {
      const int stage = StageOf(*op);
      if (stage == kEveryStage) continue;
      for (const ov::Input<ov::Node>& input : op->inputs()) {
        const Port tensor = input.get_source_output();
        const Port here = Bring(tensor, stage);
        if (here != tensor) changes.emplace_back(input, here);
      }
    }
    for (auto& [input, tensor] : changes) input.replace_source_output(tensor);
  }

  void AddOwnPorts() {
    for (Stage& stage : stages_) {
      std::sort(stage.graph_inputs.begin(), stage.graph_inputs.end());
      for (const size_t index : stage.graph_inputs) {
        stage.parameters.push_back(model_.get_parameters()[index]);
        stage.inputs.push_back({.port = index});
      }
    }
    for (const auto& result : model_.get_results()) {
      const int stage = StageOf(*result);
      auto& results = stages_[static_cast<size_t>(stage)].results;
      outputs_.push_back({.stage = stage, .port = results.size()});
      results.push_back(result);
    }
  }

  // An output of the graph that goes on to another stage comes out once for both.
  size_t AddResult(const Wire& wire) {
    ov::ResultVector& results = stages_[static_cast<size_t>(wire.stage)].results;
    const bool half = wire.from.get_element_type() == ov::element::f16;
    const auto known = std::find_if(results.begin(), results.end(),
                                    [&](const auto& result) { return !half && result->input_value(0) == wire.from; });
    if (known != results.end()) return static_cast<size_t>(known - results.begin());
    const Port out = half ? std::make_shared<ov::op::v0::Convert>(wire.from, ov::element::f32)->output(0) : wire.from;
    results.push_back(std::make_shared<ov::op::v0::Result>(out));
    return results.size() - 1;
  }

  void AddWires() {
    std::vector<StageSource> sources;
    for (const Wire& wire : wires_) sources.push_back({.stage = wire.stage, .port = AddResult(wire)});
    for (Stage& stage : stages_) {
      for (const auto& [parameter, wire] : stage.wires) {
        stage.parameters.push_back(parameter);
        stage.inputs.push_back(sources[wire]);
      }
    }
  }

  StagePart MakeStage(size_t s) const {
    ov::SinkVector sinks;
    for (const auto& sink : model_.get_sinks()) {
      if (StageOf(*sink) == static_cast<int>(s)) sinks.push_back(sink);
    }
    std::set<std::string> states;
    ov::op::util::VariableVector variables;
    for (const Node& op : ops_) {
      const auto* const state = dynamic_cast<const ov::op::util::VariableExtension*>(op.get());
      if (state == nullptr || StageOf(*op) != static_cast<int>(s)) continue;
      if (states.insert(state->get_variable_id()).second) variables.push_back(state->get_variable());
    }
    const Stage& stage = stages_[s];
    const ov::Model shared(stage.results, sinks, stage.parameters, variables,
                           fmt::format("{}/{}", model_.get_friendly_name(), s));
    // Operations that every stage may read belong to several of these: each gets its own, their numbers are shared.
    StagePart part{.model = shared.clone(), .inputs = stage.inputs};
    part.model->get_rt_info() = model_.get_rt_info();
    return part;
  }

  const ov::Model& model_;
  const ov::NodeVector ops_;
  std::unordered_map<const ov::Node*, int> stage_;
  std::vector<Stage> stages_;
  std::vector<Wire> wires_;
  std::map<std::pair<Port, int>, Port> brought_;
  std::vector<StageSource> outputs_;
};

}  // namespace

Result<SplitGraph> SplitAt(const std::shared_ptr<ov::Model>& model, std::span<const int> cuts, const Path& file) {
  DE_TRY_STATUS(CheckCuts(*model, cuts, file));
  return Splitter(*model, cuts).Split();
}

}  // namespace deepedge
