#include "deepedge/engine/openvino/quantize_graph.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <openvino/op/add.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/convolution.hpp>
#include <openvino/op/fake_quantize.hpp>
#include <openvino/op/group_conv.hpp>
#include <openvino/op/matmul.hpp>
#include <set>

namespace deepedge {
namespace {

using ov::op::v0::Constant;
using ov::op::v0::FakeQuantize;

constexpr float kSteps = 63.0F;  // weights are within +-63 steps

bool IsConstant(const ov::Output<ov::Node>& value) { return ov::is_type<Constant>(value.get_node()); }

// A layer with constant weights as its second input.
bool IsWeighted(const ov::Node& node) {
  const bool kind = ov::is_type<ov::op::v1::Convolution>(&node) || ov::is_type<ov::op::v1::GroupConvolution>(&node) ||
                    ov::is_type<ov::op::v0::MatMul>(&node);
  return kind && IsConstant(node.input_value(1)) && !IsConstant(node.input_value(0)) &&
         node.get_input_element_type(1).is_real();
}

bool IsResidualSum(const ov::Node& node) {
  return ov::is_type<ov::op::v1::Add>(&node) && !IsConstant(node.input_value(0)) && !IsConstant(node.input_value(1)) &&
         node.get_input_element_type(0).is_real() && node.get_input_partial_shape(0) == node.get_input_partial_shape(1);
}

// The operations with a weighted layer somewhere behind them.
std::set<const ov::Node*> BeforeLayers(const OrderedOps& ops) {
  std::set<const ov::Node*> found;
  for (auto it = ops.rbegin(); it != ops.rend(); ++it) {
    for (const auto& output : (*it)->outputs()) {
      for (const auto& target : output.get_target_inputs()) {
        const ov::Node* user = target.get_node();
        if (IsWeighted(*user) || found.contains(user)) found.insert(it->get());
      }
    }
  }
  return found;
}

// The shape of one number for each output channel, to be spread over the weights.
ov::Shape ChannelShape(const ov::Node& layer, const ov::Shape& weights) {
  ov::Shape shape(weights.size(), 1);
  if (ov::is_type<ov::op::v1::GroupConvolution>(&layer)) {
    shape[0] = weights[0];
    shape[1] = weights[1];
  } else if (const auto* product = ov::as_type<const ov::op::v0::MatMul>(&layer)) {
    const size_t axis = product->get_transpose_b() ? 0 : 1;
    if (weights.size() == 2) shape[axis] = weights[axis];
  } else {
    shape[0] = weights[0];
  }
  return shape;
}

// Calls visit(place of the weight, channel, indices) for every weight; `channels` has 1 where a dimension does not
// count.
template <typename Visit>
void ForEachWeight(const ov::Shape& shape, const ov::Shape& channels, const Visit& visit) {
  std::vector<size_t> at(shape.size(), 0);
  const size_t count = ov::shape_size(shape);
  for (size_t i = 0; i < count; ++i) {
    size_t channel = 0;
    for (size_t d = 0; d < shape.size(); ++d) channel = channel * channels[d] + (channels[d] == 1 ? 0 : at[d]);
    visit(i, channel, at);
    for (size_t d = shape.size(); d-- > 0;) {
      if (++at[d] < shape[d]) break;
      at[d] = 0;
    }
  }
}

// The weights of a layer as they are quantized.
struct LayerWeights {
  ov::Shape shape;
  ov::Shape channels;  // shape of `peaks`
  std::vector<float> values;
  std::vector<float> peaks;  // largest magnitude of each output channel
};

LayerWeights WeightsOf(const ov::Node& layer) {
  const auto* constant = ov::as_type<Constant>(layer.get_input_node_ptr(1));
  LayerWeights weights{.shape = constant->get_shape(), .values = constant->cast_vector<float>()};
  weights.channels = ChannelShape(layer, weights.shape);
  weights.peaks.assign(ov::shape_size(weights.channels), 1e-8F);
  ForEachWeight(weights.shape, weights.channels, [&](size_t i, size_t channel, const std::vector<size_t>&) {
    weights.peaks[channel] = std::max(weights.peaks[channel], std::abs(weights.values[i]));
  });
  return weights;
}

// What rounding adds to the mean of each output channel of a convolution, given the means of its input channels.
std::vector<float> MeanShift(const LayerWeights& weights, const std::vector<double>& input_means) {
  const bool grouped = weights.shape.size() == 5;
  std::vector<double> shift(weights.peaks.size());
  ForEachWeight(weights.shape, weights.channels, [&](size_t i, size_t channel, const std::vector<size_t>& at) {
    const size_t input = grouped ? at[0] * weights.shape[2] + at[2] : at[1];
    const auto step = static_cast<double>(weights.peaks[channel] / kSteps);
    const auto weight = static_cast<double>(weights.values[i]);
    shift[channel] += (std::round(weight / step) * step - weight) * input_means[input];
  });
  return {shift.begin(), shift.end()};
}

// Takes `shift` off the channels of a convolution's output.
void CorrectBias(const std::shared_ptr<ov::Node>& layer, std::vector<float> shift) {
  for (float& v : shift) v = -v;
  ov::Shape shape(layer->get_output_partial_shape(0).size(), 1);
  shape[1] = shift.size();
  const auto targets = layer->output(0).get_target_inputs();
  const auto sum =
      std::make_shared<ov::op::v1::Add>(layer, Constant::create(layer->get_output_element_type(0), shape, shift));
  for (auto target : targets) target.replace_source_output(sum);
  // Where it was an output of the model, the sum is that now.
  sum->output(0).get_tensor().set_names(layer->output(0).get_names());
  layer->output(0).get_tensor().set_names({});
}

void QuantizeWeights(const std::shared_ptr<ov::Node>& layer, const std::vector<double>& input_means) {
  const LayerWeights weights = WeightsOf(*layer);
  std::vector<float> high = weights.peaks;
  for (float& v : high) v *= 127 / kSteps;
  std::vector<float> low = high;
  for (float& v : low) v = -v;
  const ov::element::Type type = layer->get_input_element_type(1);
  const auto lowest = Constant::create(type, weights.channels, low);
  const auto highest = Constant::create(type, weights.channels, high);
  layer->input(1).replace_source_output(
      std::make_shared<FakeQuantize>(layer->input_value(1), lowest, highest, lowest, highest, 255));

  const bool convolution = !ov::is_type<ov::op::v0::MatMul>(layer.get());
  const size_t inputs = weights.shape.size() == 5 ? weights.shape[0] * weights.shape[2] : weights.shape[1];
  if (convolution && input_means.size() == inputs) CorrectBias(layer, MeanShift(weights, input_means));
}

void QuantizeTensor(const OrderedOps& ops, const QuantizedTensor& tensor, const std::set<size_t>& users) {
  const ov::Output<ov::Node> value = tensor.In(ops);
  const ov::element::Type type = value.get_element_type();
  const auto low = Constant::create(type, ov::Shape{}, {tensor.range.low});
  const auto high = Constant::create(type, ov::Shape{}, {tensor.range.high});
  const auto quantized = std::make_shared<FakeQuantize>(value, low, high, low, high, 256);
  for (const InputPort& user : tensor.users) {
    if (users.contains(user.op)) ops[user.op]->input(user.port).replace_source_output(quantized);
  }
}

}  // namespace

QuantizableGraph FindQuantizable(const OrderedOps& ops) {
  QuantizableGraph graph;
  const std::set<const ov::Node*> before_layers = BeforeLayers(ops);
  std::map<ov::Output<ov::Node>, size_t> known;
  const auto add_user = [&](size_t op, size_t port) {
    const auto [it, fresh] = known.emplace(ops[op]->input_value(port), graph.tensors.size());
    if (fresh) graph.tensors.emplace_back();
    graph.tensors[it->second].users.push_back({op, port});
    return it->second;
  };
  for (size_t i = 0; i < ops.size(); ++i) {
    if (!IsWeighted(*ops[i])) continue;
    const bool grouped = ov::is_type<ov::op::v1::GroupConvolution>(ops[i].get());
    graph.layers.push_back({.op = i,
                            .tensor = add_user(i, 0),
                            .depthwise = grouped && ops[i]->get_input_shape(1)[2] == 1,
                            .answers = !before_layers.contains(ops[i].get())});
  }
  for (size_t i = 0; i < ops.size(); ++i) {
    if (!IsResidualSum(*ops[i])) continue;
    add_user(i, 0);
    add_user(i, 1);
  }
  return graph;
}

void ApplyQuantization(const OrderedOps& ops, const QuantizableGraph& graph, std::span<const size_t> layers,
                       bool residual_sums) {
  std::set<size_t> users;
  std::set<size_t> tensors;
  for (const size_t layer : layers) {
    users.insert(graph.layers[layer].op);
    tensors.insert(graph.layers[layer].tensor);
  }
  for (size_t t = 0; residual_sums && t < graph.tensors.size(); ++t) {
    for (const InputPort& user : graph.tensors[t].users) {
      if (!IsResidualSum(*ops[user.op])) continue;
      users.insert(user.op);
      tensors.insert(t);
    }
  }
  for (const size_t t : tensors) QuantizeTensor(ops, graph.tensors[t], users);
  for (const size_t layer : layers) {
    QuantizeWeights(ops[graph.layers[layer].op], graph.tensors[graph.layers[layer].tensor].channel_means);
  }
}

}  // namespace deepedge
