#include "deepedge/formats/graph/graph_ops.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <openvino/op/add.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/convolution.hpp>
#include <openvino/op/group_conv.hpp>
#include <openvino/op/multiply.hpp>
#include <openvino/op/prelu.hpp>
#include <openvino/op/reshape.hpp>
#include <openvino/op/result.hpp>
#include <stdexcept>

namespace deepedge {
namespace {

using ov::op::v0::Constant;

// The last line of an engine's message that says something: its checks and source locations come first.
std::string_view Reason(std::string_view what) {
  while (!what.empty() && (what.back() == '\n' || what.back() == ' ')) what.remove_suffix(1);
  const size_t line = what.rfind('\n');
  return line == std::string_view::npos ? what : what.substr(line + 1);
}

size_t Channels(const GraphValue& input) {
  const ov::PartialShape& shape = input.get_partial_shape();
  if (shape.rank().is_dynamic() || shape.size() < 2 || shape[1].is_dynamic()) {
    throw std::invalid_argument("its input has no known number of channels");
  }
  return static_cast<size_t>(shape[1].get_length());
}

// [1, C, 1, 1] for an input of rank 4.
GraphValue PerChannel(const GraphValue& input, const std::vector<float>& values) {
  const size_t channels = Channels(input);
  if (values.size() != channels) {
    throw std::invalid_argument(
        fmt::format("holds {} numbers for the {} channels of its input", values.size(), channels));
  }
  ov::Shape shape(input.get_partial_shape().size(), 1);
  shape[1] = channels;
  return FloatConstant(shape, values);
}

}  // namespace

std::string Shown(std::string_view text, size_t max_length) {
  std::string shown(text.substr(0, max_length));
  std::replace_if(
      shown.begin(), shown.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, '?');
  return text.size() > max_length ? shown + "..." : shown;
}

Error LayerError(ErrorCode code, const LayerName& layer, std::string_view what) {
  constexpr size_t kMaxReason = 1000;
  return {code, fmt::format("{}: layer '{}' ({}): {}", layer.file.string(), Shown(layer.name), Shown(layer.type),
                            Shown(Reason(what), kMaxReason))};
}

GraphValue FloatConstant(const ov::Shape& shape, const std::vector<float>& values) {
  // Both come from files, so the product may be too large for a number.
  size_t count = 1;
  bool fits = true;
  for (const size_t dimension : shape) {
    fits = fits && (dimension == 0 || count <= values.size() / dimension);
    count *= dimension;
  }
  if (!fits || count != values.size()) {
    throw std::invalid_argument(fmt::format("holds {} numbers, its shape is {}", values.size(), shape.to_string()));
  }
  return std::make_shared<Constant>(ov::element::f32, shape, values.data());
}

GraphValue FloatConstant(float value) { return Constant::create(ov::element::f32, ov::Shape{}, {value}); }

GraphValue IndexConstant(const std::vector<int64_t>& values) {
  return Constant::create(ov::element::i64, ov::Shape{values.size()}, values);
}

GraphValue Convolve(const GraphValue& input, const Convolution2d& layer, const std::vector<float>& weights) {
  const size_t channels = Channels(input);
  if (layer.groups == 0 || channels % layer.groups != 0 || layer.out_channels % layer.groups != 0) {
    throw std::invalid_argument(fmt::format("{} groups do not divide {} input and {} output channels", layer.groups,
                                            channels, layer.out_channels));
  }
  const size_t in_group = channels / layer.groups;
  const size_t count = layer.out_channels * in_group * layer.kernel_h * layer.kernel_w;
  if (weights.size() != count || count == 0) {
    throw std::invalid_argument(fmt::format("holds {} weights, {}x{}x{}x{} are needed", weights.size(),
                                            layer.out_channels, in_group, layer.kernel_h, layer.kernel_w));
  }
  const ov::Strides strides{layer.stride_h, layer.stride_w};
  const ov::Strides dilations{layer.dilation_h, layer.dilation_w};
  const ov::CoordinateDiff begin{layer.pad_top, layer.pad_left};
  const ov::CoordinateDiff end{layer.pad_bottom, layer.pad_right};
  if (layer.groups == 1) {
    const auto kernel = FloatConstant({layer.out_channels, in_group, layer.kernel_h, layer.kernel_w}, weights);
    return std::make_shared<ov::op::v1::Convolution>(input, kernel, strides, begin, end, dilations);
  }
  const auto kernel = FloatConstant(
      {layer.groups, layer.out_channels / layer.groups, in_group, layer.kernel_h, layer.kernel_w}, weights);
  return std::make_shared<ov::op::v1::GroupConvolution>(input, kernel, strides, begin, end, dilations);
}

GraphValue AddPerChannel(const GraphValue& input, const std::vector<float>& bias) {
  return std::make_shared<ov::op::v1::Add>(input, PerChannel(input, bias));
}

GraphValue ScalePerChannel(const GraphValue& input, const std::vector<float>& scale) {
  return std::make_shared<ov::op::v1::Multiply>(input, PerChannel(input, scale));
}

GraphValue Normalize(const GraphValue& input, const BatchNorm& norm) {
  const size_t count = norm.mean.size();
  const auto fits = [count](const std::vector<float>& v) { return v.empty() || v.size() == count; };
  if (norm.variance.size() != count || !fits(norm.scale) || !fits(norm.shift)) {
    throw std::invalid_argument("its mean, variance, scale and shift are of different lengths");
  }
  std::vector<float> factor(count);
  std::vector<float> offset(count);
  for (size_t i = 0; i < count; ++i) {
    const double scale = norm.scale.empty() ? 1.0 : static_cast<double>(norm.scale[i]);
    const double shift = norm.shift.empty() ? 0.0 : static_cast<double>(norm.shift[i]);
    const double f = scale / std::sqrt(static_cast<double>(norm.variance[i]) + static_cast<double>(norm.epsilon));
    factor[i] = static_cast<float>(f);
    offset[i] = static_cast<float>(shift - static_cast<double>(norm.mean[i]) * f);
  }
  return AddPerChannel(ScalePerChannel(input, factor), offset);
}

GraphValue LeakyRelu(const GraphValue& input, float slope) {
  return std::make_shared<ov::op::v0::PRelu>(input, FloatConstant({1}, {slope}));
}

GraphValue FlattenValue(const GraphValue& input) {
  return std::make_shared<ov::op::v1::Reshape>(input, IndexConstant({0, -1}), true);
}

void NameValue(const GraphValue& value, const std::string& name) {
  value.get_tensor().set_names({name});
  value.get_node()->set_friendly_name(name);
}

std::shared_ptr<ov::Model> MakeModel(const std::vector<NamedOutput>& outputs,
                                     const std::vector<std::shared_ptr<ov::op::v0::Parameter>>& inputs,
                                     const std::string& name) {
  ov::ResultVector results;
  for (const NamedOutput& output : outputs) {
    // A value may leave under two names, or be an input too: names are added, none is replaced.
    output.value.get_tensor().add_names({output.name});
    results.push_back(std::make_shared<ov::op::v0::Result>(output.value));
    results.back()->set_friendly_name(output.name);
  }
  return std::make_shared<ov::Model>(results, ov::ParameterVector(inputs.begin(), inputs.end()), name);
}

std::shared_ptr<ov::Model> MakeModel(const std::vector<NamedOutput>& outputs,
                                     const std::shared_ptr<ov::op::v0::Parameter>& input, const std::string& name) {
  return MakeModel(outputs, std::vector{input}, name);
}

void SetMetadata(ov::Model& model, const std::string& key, const std::string& value) {
  model.set_rt_info(value, "deepedge", key);
}

}  // namespace deepedge
