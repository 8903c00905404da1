#include "deepedge/engine/openvino/quantizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <openvino/op/add.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/convolution.hpp>
#include <openvino/op/fake_quantize.hpp>
#include <openvino/op/group_conv.hpp>
#include <openvino/op/matmul.hpp>
#include <openvino/op/result.hpp>
#include <openvino/pass/constant_folding.hpp>
#include <openvino/pass/manager.hpp>
#include <set>
#include <vector>

#include "deepedge/engine/openvino/compile_settings.h"
#include "deepedge/engine/openvino/ov_types.h"
#include "deepedge/engine/openvino/picture_input.h"
#include "deepedge/engine/openvino/value_range.h"

namespace deepedge {
namespace {

using ov::op::v0::Constant;
using ov::op::v0::FakeQuantize;
using Nodes = std::vector<std::shared_ptr<ov::Node>>;

constexpr double kTail = 1e-4;  // share of a tensor's values that may lie outside at each end
constexpr float kHalfRange = 127.0F / 63.0F;

bool IsConstant(const ov::Output<ov::Node>& value) { return ov::is_type<Constant>(value.get_node()); }

bool IsConvolution(const ov::Node& node) {
  return ov::is_type<ov::op::v1::Convolution>(&node) || ov::is_type<ov::op::v1::GroupConvolution>(&node);
}

// A layer with constant weights as its second input.
bool IsWeighted(const ov::Node& node) {
  const bool kind = IsConvolution(node) || ov::is_type<ov::op::v0::MatMul>(&node);
  return kind && IsConstant(node.input_value(1)) && !IsConstant(node.input_value(0)) &&
         node.get_input_element_type(1).is_real();
}

bool IsResidualAdd(const ov::Node& node) {
  return ov::is_type<ov::op::v1::Add>(&node) && !IsConstant(node.input_value(0)) && !IsConstant(node.input_value(1)) &&
         node.get_input_element_type(0).is_real() && node.get_input_partial_shape(0) == node.get_input_partial_shape(1);
}

// For every operation whether a weighted layer lies in front of it, or behind it.
struct Neighbours {
  std::set<const ov::Node*> after_layer;
  std::set<const ov::Node*> before_layer;
};

Neighbours FindNeighbours(const Nodes& ordered) {
  Neighbours found;
  for (const auto& node : ordered) {
    for (size_t i = 0; i < node->get_input_size(); ++i) {
      const ov::Node* input = node->get_input_node_ptr(i);
      if (IsWeighted(*input) || found.after_layer.contains(input)) found.after_layer.insert(node.get());
    }
  }
  for (auto it = ordered.rbegin(); it != ordered.rend(); ++it) {
    for (const auto& output : (*it)->outputs()) {
      for (const auto& target : output.get_target_inputs()) {
        const ov::Node* user = target.get_node();
        if (IsWeighted(*user) || found.before_layer.contains(user)) found.before_layer.insert(it->get());
      }
    }
  }
  return found;
}

Nodes ChooseLayers(const Nodes& ordered, int caution) {
  const Neighbours neighbours = FindNeighbours(ordered);
  Nodes chosen;
  for (const auto& node : ordered) {
    if (!IsWeighted(*node)) continue;
    const bool depthwise = ov::is_type<ov::op::v1::GroupConvolution>(node.get());
    const bool answers = !neighbours.before_layer.contains(node.get());
    const bool sees_picture = !neighbours.after_layer.contains(node.get());
    if (caution >= 1 && (depthwise || answers)) continue;
    if (caution >= 2 && sees_picture) continue;
    chosen.push_back(node);
  }
  return chosen;
}

// A tensor whose values are observed and then laid on 256 levels.
struct Observed {
  ov::Output<ov::Node> value;     // in the graph that is changed
  ov::Output<ov::Node> observed;  // the same in the graph that is run
  std::vector<ov::Input<ov::Node>> users;
  ValueRange range;
};

// The tensors that layers and residual sums take in, each once.
std::vector<Observed> TensorsOf(const Nodes& ordered, const Nodes& layers, bool residual_sums) {
  std::vector<Observed> tensors;
  std::map<ov::Output<ov::Node>, size_t> index;
  const auto add = [&](const ov::Input<ov::Node>& input) {
    const ov::Output<ov::Node> value = input.get_source_output();
    const auto [it, fresh] = index.emplace(value, tensors.size());
    if (fresh) tensors.push_back({.value = value});
    tensors[it->second].users.push_back(input);
  };
  for (const auto& layer : layers) add(layer->input(0));
  if (!residual_sums) return tensors;
  for (const auto& node : ordered) {
    if (!IsResidualAdd(*node)) continue;
    add(node->input(0));
    add(node->input(1));
  }
  return tensors;
}

using Visit = std::function<void(Observed&, std::span<const float>)>;

// Runs the calibration pictures and shows every observed tensor's values, some tensors at a time so that memory stays
// bounded.
void RunCalibration(ov::Core& core, const ov::Model& runnable, const QuantizeOptions& options,
                    std::vector<Observed>& tensors, const Visit& visit) {
  constexpr size_t kMostBytes = size_t{128} << 20;
  for (size_t first = 0; first < tensors.size();) {
    ov::ResultVector results;
    size_t bytes = 0;
    size_t end = first;
    while (end < tensors.size() && (end == first || bytes < kMostBytes)) {
      results.push_back(std::make_shared<ov::op::v0::Result>(tensors[end].observed));
      bytes += ov::shape_size(tensors[end].observed.get_shape()) * sizeof(float);
      ++end;
    }
    const auto part = std::make_shared<ov::Model>(results, runnable.get_parameters());
    auto request = core.compile_model(part, "CPU", CompileProperties(0)).create_infer_request();
    for (const Tensor& picture : options.calibration) {
      ov::Tensor input = request.get_input_tensor(0);
      std::memcpy(input.data(), picture.data.data(), input.get_byte_size());
      request.infer();
      for (size_t i = first; i < end; ++i) {
        const ov::Tensor output = request.get_output_tensor(i - first);
        visit(tensors[i], {output.data<float>(), output.get_size()});
      }
    }
    first = end;
  }
}

// How well 256 levels over the range tell the values apart: the mean square of the values against that of the steps.
double SignalToNoise(double mean_square, const ValueRange& range) {
  const double step = static_cast<double>(range.high - range.low) / 255;
  return mean_square / std::max(step * step / 12, 1e-30);
}

// Fills the ranges; returns the signal-to-noise ratio of each tensor.
std::vector<double> Calibrate(ov::Core& core, const ov::Model& runnable, const QuantizeOptions& options,
                              std::vector<Observed>& tensors) {
  std::vector<double> squares(tensors.size());
  std::vector<double> counts(tensors.size());
  RunCalibration(core, runnable, options, tensors, [&](Observed& tensor, std::span<const float> values) {
    tensor.range.Add(values);
    const auto i = static_cast<size_t>(&tensor - tensors.data());
    for (const float v : values) squares[i] += static_cast<double>(v) * static_cast<double>(v);
    counts[i] += static_cast<double>(values.size());
  });
  std::vector<ValueHistogram> histograms;
  for (const Observed& tensor : tensors) histograms.emplace_back(tensor.range);
  RunCalibration(core, runnable, options, tensors, [&](Observed& tensor, std::span<const float> values) {
    histograms[static_cast<size_t>(&tensor - tensors.data())].Add(values);
  });
  std::vector<double> ratios;
  for (size_t i = 0; i < tensors.size(); ++i) {
    tensors[i].range = OnGrid(histograms[i].Within(kTail));
    ratios.push_back(SignalToNoise(squares[i] / std::max(counts[i], 1.0), tensors[i].range));
  }
  return ratios;
}

// A graph that takes the calibration pictures, and in it the same tensors: copies keep the order of operations.
Result<std::shared_ptr<ov::Model>> MakeRunnable(ov::Model& model, const QuantizeOptions& options,
                                                std::vector<Observed>& tensors, const Path& file) {
  const Nodes original = model.get_ordered_ops();
  std::shared_ptr<ov::Model> runnable = model.clone();
  const Nodes copied = runnable->get_ordered_ops();
  DE_CHECK(original.size() == copied.size());
  std::map<const ov::Node*, std::shared_ptr<ov::Node>> copy_of;
  for (size_t i = 0; i < original.size(); ++i) copy_of.emplace(original[i].get(), copied[i]);
  DE_TRY_STATUS(AddPictureInput(runnable, options.picture, file, /*resize=*/true));
  for (Observed& tensor : tensors) {
    tensor.observed = copy_of.at(tensor.value.get_node())->output(tensor.value.get_index());
    // A tensor that is the graph's input has other values now: those behind the preparation of the picture.
    if (tensor.value.get_node()->inputs().empty()) {
      const auto users = tensor.value.get_target_inputs();
      const auto& user = *users.begin();
      tensor.observed = copy_of.at(user.get_node())->input_value(user.get_index());
    }
    if (tensor.observed.get_partial_shape().is_dynamic()) {
      return Error{ErrorCode::kUnsupported,
                   fmt::format("{}: operation '{}' has no fixed shape and cannot be calibrated", file.string(),
                               tensor.value.get_node()->get_friendly_name())};
    }
  }
  return runnable;
}

std::shared_ptr<ov::Node> Level(const ov::element::Type& type, float value) {
  return Constant::create(type, ov::Shape{}, {value});
}

void QuantizeTensor(Observed& tensor) {
  const ov::element::Type type = tensor.value.get_element_type();
  const auto low = Level(type, tensor.range.low);
  const auto high = Level(type, tensor.range.high);
  const auto quantized = std::make_shared<FakeQuantize>(tensor.value, low, high, low, high, 256);
  for (ov::Input<ov::Node>& user : tensor.users) user.replace_source_output(quantized);
}

// The shape of one number for each output channel, to be spread over the weights.
ov::Shape ChannelShape(const ov::Node& layer, const ov::Shape& weights) {
  ov::Shape shape(weights.size(), 1);
  if (ov::is_type<ov::op::v1::GroupConvolution>(&layer)) {
    shape[0] = weights[0];
    shape[1] = weights[1];
  } else if (const auto* product = ov::as_type<const ov::op::v0::MatMul>(&layer)) {
    if (weights.size() == 2) shape[product->get_transpose_b() ? 0 : 1] = weights[product->get_transpose_b() ? 0 : 1];
  } else {
    shape[0] = weights[0];
  }
  return shape;
}

// The largest magnitude of the weights of each channel.
std::vector<float> ChannelPeaks(const std::vector<float>& weights, const ov::Shape& shape, const ov::Shape& channels) {
  std::vector<float> peaks(ov::shape_size(channels), 1e-8F);
  std::vector<size_t> at(shape.size(), 0);
  for (const float weight : weights) {
    size_t channel = 0;
    for (size_t d = 0; d < shape.size(); ++d) channel = channel * channels[d] + (channels[d] == 1 ? 0 : at[d]);
    peaks[channel] = std::max(peaks[channel], std::abs(weight));
    for (size_t d = shape.size(); d-- > 0;) {
      if (++at[d] < shape[d]) break;
      at[d] = 0;
    }
  }
  return peaks;
}

void QuantizeWeights(ov::Node& layer) {
  const auto* constant = ov::as_type<Constant>(layer.get_input_node_ptr(1));
  const ov::Shape shape = constant->get_shape();
  const ov::Shape channels = ChannelShape(layer, shape);
  std::vector<float> high = ChannelPeaks(constant->cast_vector<float>(), shape, channels);
  std::vector<float> low(high.size());
  for (size_t i = 0; i < high.size(); ++i) {
    high[i] *= kHalfRange;
    low[i] = -high[i];
  }
  const ov::element::Type type = constant->get_element_type();
  const auto lowest = Constant::create(type, channels, low);
  const auto highest = Constant::create(type, channels, high);
  layer.input(1).replace_source_output(
      std::make_shared<FakeQuantize>(layer.input_value(1), lowest, highest, lowest, highest, 255));
}

// Leaves the layers whose inputs have the lowest ratios in float.
void DropHardest(std::vector<Observed>& tensors, Nodes& layers, std::vector<double> ratios) {
  std::vector<double> sorted = ratios;
  const size_t third = sorted.size() / 3;
  if (third == 0) return;
  std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(third), sorted.end());
  const double limit = sorted[third];
  std::set<const ov::Node*> dropped;
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (ratios[i] >= limit) continue;
    for (const auto& user : tensors[i].users) dropped.insert(user.get_node());
    tensors[i].users.clear();
  }
  std::erase_if(layers, [&](const auto& layer) { return dropped.contains(layer.get()); });
  std::erase_if(tensors, [](const Observed& tensor) { return tensor.users.empty(); });
}

Status CheckPictures(const QuantizeOptions& options, const Path& file) {
  const Shape wanted{1, options.picture.height, options.picture.width, ChannelCount(options.picture.order)};
  if (options.calibration.empty()) {
    return Error{ErrorCode::kBadInput, fmt::format("{}: no pictures to calibrate with", file.string())};
  }
  for (const Tensor& picture : options.calibration) {
    if (picture.type == ElementType::kU8 && picture.shape == wanted) continue;
    return Error{ErrorCode::kBadInput, fmt::format("{}: a calibration picture is {} {}, expected u8 {}", file.string(),
                                                   ToString(picture.type), ToString(picture.shape), ToString(wanted))};
  }
  return {};
}

}  // namespace

Status QuantizeGraph(ov::Core& core, ov::Model& model, const QuantizeOptions& options, const Path& file) {
  DE_TRY_STATUS(CheckPictures(options, file));
  return CatchOv(file, ErrorCode::kUnsupported, [&]() -> Status {
    ov::pass::Manager folding;
    folding.register_pass<ov::pass::ConstantFolding>();
    folding.run_passes(std::shared_ptr<ov::Model>(&model, [](ov::Model*) {}));
    const Nodes ordered = model.get_ordered_ops();
    if (std::any_of(ordered.begin(), ordered.end(), [](const auto& n) { return ov::is_type<FakeQuantize>(n); })) {
      return Error{ErrorCode::kUnsupported, fmt::format("{}: is quantized already", file.string())};
    }
    Nodes layers = ChooseLayers(ordered, options.caution);
    if (layers.empty()) {
      return Error{ErrorCode::kUnsupported, fmt::format("{}: has no layer that can be quantized{}", file.string(),
                                                        options.caution > 0 ? " at this level of caution" : "")};
    }
    std::vector<Observed> tensors = TensorsOf(ordered, layers, options.caution <= 1);
    DE_TRY(const auto runnable, MakeRunnable(model, options, tensors, file));
    const std::vector<double> ratios = Calibrate(core, *runnable, options, tensors);
    if (options.caution >= kMostCaution) DropHardest(tensors, layers, ratios);
    for (Observed& tensor : tensors) QuantizeTensor(tensor);
    for (const auto& layer : layers) QuantizeWeights(*layer);
    model.validate_nodes_and_infer_types();
    return {};
  });
}

}  // namespace deepedge
