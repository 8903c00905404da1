#include "deepedge/formats/darknet/darknet_graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <openvino/op/add.hpp>
#include <openvino/op/avg_pool.hpp>
#include <openvino/op/concat.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/interpolate.hpp>
#include <openvino/op/matmul.hpp>
#include <openvino/op/max_pool.hpp>
#include <openvino/op/multiply.hpp>
#include <openvino/op/pad.hpp>
#include <openvino/op/reduce_mean.hpp>
#include <openvino/op/reshape.hpp>
#include <openvino/op/slice.hpp>
#include <openvino/op/softmax.hpp>
#include <openvino/op/space_to_depth.hpp>

#include "deepedge/formats/darknet/darknet_activation.h"
#include "deepedge/formats/graph/graph_ops.h"

namespace deepedge {
namespace {

using ov::op::v1::Add;
using ov::op::v1::Multiply;
using ov::op::v1::Reshape;

constexpr double kEpsilon = 1e-5;  // of every batch normalization

template <typename Op, typename... Args>
GraphValue Make(Args&&... args) {
  return std::make_shared<Op>(std::forward<Args>(args)...);
}

// Channels [begin, end) of a picture.
GraphValue Channels(const GraphValue& input, int64_t begin, int64_t end) {
  return Make<ov::op::v8::Slice>(input, IndexConstant({begin}), IndexConstant({end}), IndexConstant({1}),
                                 IndexConstant({1}));
}

// Any picture in another form; the batch stays.
GraphValue Reshaped(const GraphValue& input, std::vector<int64_t> shape) {
  shape.insert(shape.begin(), 0);
  return Make<Reshape>(input, IndexConstant(shape), true);
}

// Scale and shift per channel of x -> (x - mean) / sqrt(variance + epsilon) * scale + bias.
struct Normalization {
  std::vector<float> scale;
  std::vector<float> shift;
};

Result<Normalization> Fold(const std::vector<float>& biases, const std::vector<float>& scales,
                           const std::vector<float>& means, const std::vector<float>& variances) {
  Normalization folded;
  for (size_t i = 0; i < biases.size(); ++i) {
    const double under_root = static_cast<double>(variances[i]) + kEpsilon;
    if (!(under_root > 0)) {
      return Error{ErrorCode::kBadInput, fmt::format("a variance of {} in its batch normalization", variances[i])};
    }
    const double factor = static_cast<double>(scales[i]) / std::sqrt(under_root);
    folded.scale.push_back(static_cast<float>(factor));
    folded.shift.push_back(static_cast<float>(static_cast<double>(biases[i]) - static_cast<double>(means[i]) * factor));
  }
  return folded;
}

// Scales, means and variances follow the biases, with the weights between them in some layers.
Result<Normalization> ReadNormalization(DarknetWeights& weights, const std::vector<float>& biases) {
  const auto count = static_cast<int64_t>(biases.size());
  DE_TRY(const std::vector<float> scales, weights.Read(count));
  DE_TRY(const std::vector<float> means, weights.Read(count));
  DE_TRY(const std::vector<float> variances, weights.Read(count));
  return Fold(biases, scales, means, variances);
}

// Multiplies each row of a matrix by its own number.
void ScaleRows(std::vector<float>& matrix, const std::vector<float>& factors) {
  const size_t columns = matrix.size() / factors.size();
  for (size_t i = 0; i < matrix.size(); ++i) matrix[i] *= factors[i / columns];
}

class Builder {
 public:
  Builder(const DarknetNet& net, DarknetWeights& weights, GraphValue input)
      : net_(net), weights_(weights), input_(std::move(input)) {}

  // Adds the next layer of the network.
  Status Add(const DarknetLayer& layer) {
    DE_TRY(GraphValue value,
           std::visit([&](const auto& operation) { return Build(layer, operation); }, layer.operation));
    values_.push_back(std::move(value));
    return {};
  }
  GraphValue Last() const { return values_.empty() ? input_ : values_.back(); }

 private:
  Result<GraphValue> Build(const DarknetLayer& layer, const DarknetConvolution& conv);
  Result<GraphValue> Build(const DarknetLayer& layer, const DarknetConnected& connected);
  Result<GraphValue> Build(const DarknetLayer& layer, const DarknetBatchNorm& norm);
  Result<GraphValue> Build(const DarknetLayer& layer, const DarknetPool& pool);
  Result<GraphValue> Build(const DarknetLayer& layer, const DarknetGlobalAverage& average);
  Result<GraphValue> Build(const DarknetLayer& layer, const DarknetSoftmax& softmax);
  Result<GraphValue> Build(const DarknetLayer& layer, const DarknetRoute& route);
  Result<GraphValue> Build(const DarknetLayer& layer, const DarknetShortcut& shortcut);
  Result<GraphValue> Build(const DarknetLayer& layer, const DarknetProduct& product);
  Result<GraphValue> Build(const DarknetLayer& layer, const DarknetUpsample& upsample);
  Result<GraphValue> Build(const DarknetLayer& layer, const DarknetReorg& reorg);
  Result<GraphValue> Build(const DarknetLayer& layer, const DarknetCrop& crop);
  Result<GraphValue> Build(const DarknetLayer& /*layer*/, const DarknetActivate& a) {
    return Activate(Last(), a.activation);
  }
  Result<GraphValue> Build(const DarknetLayer& /*layer*/, const DarknetIdentity& /*none*/) { return Last(); }
  Result<GraphValue> Build(const DarknetLayer& /*layer*/, const DarknetHead& /*head*/) { return Last(); }

  Result<std::vector<GraphValue>> ShortcutFactors(const DarknetLayer& layer, const DarknetShortcut& shortcut);

  const DarknetNet& net_;
  DarknetWeights& weights_;
  GraphValue input_;
  std::vector<GraphValue> values_;  // what each layer gives
};

Result<GraphValue> Builder::Build(const DarknetLayer& layer, const DarknetConvolution& conv) {
  DE_TRY(std::vector<float> biases, weights_.Read(conv.filters));
  Normalization norm;
  if (conv.batch_normalize) {
    DE_TRY(norm, ReadNormalization(weights_, biases));
  }
  DE_TRY(std::vector<float> kernel,
         weights_.Read(conv.filters * (layer.in.channels / conv.groups) * conv.size * conv.size));
  if (conv.batch_normalize) {
    ScaleRows(kernel, norm.scale);
    biases = std::move(norm.shift);
  }
  const auto size = static_cast<size_t>(conv.size);
  const auto dilation = static_cast<size_t>(conv.dilation);
  const GraphValue sums = Convolve(Last(),
                                   {.out_channels = static_cast<size_t>(conv.filters),
                                    .kernel_h = size,
                                    .kernel_w = size,
                                    .groups = static_cast<size_t>(conv.groups),
                                    .stride_h = static_cast<size_t>(conv.stride_y),
                                    .stride_w = static_cast<size_t>(conv.stride_x),
                                    .dilation_h = dilation,
                                    .dilation_w = dilation,
                                    .pad_top = conv.padding,
                                    .pad_bottom = conv.padding,
                                    .pad_left = conv.padding,
                                    .pad_right = conv.padding},
                                   kernel);
  return Activate(AddPerChannel(sums, biases), conv.activation);
}

Result<GraphValue> Builder::Build(const DarknetLayer& layer, const DarknetConnected& connected) {
  const auto rows = static_cast<size_t>(connected.outputs);
  const auto columns = static_cast<size_t>(layer.in.Count());
  DE_TRY(std::vector<float> biases, weights_.Read(connected.outputs));
  DE_TRY(std::vector<float> matrix, weights_.Read(connected.outputs * layer.in.Count()));
  if (weights_.transposed()) {
    std::vector<float> by_rows(matrix.size());
    for (size_t i = 0; i < matrix.size(); ++i) by_rows[(i % rows) * columns + i / rows] = matrix[i];
    matrix = std::move(by_rows);
  }
  if (connected.batch_normalize) {
    DE_TRY(Normalization norm, ReadNormalization(weights_, biases));
    ScaleRows(matrix, norm.scale);
    biases = std::move(norm.shift);
  }
  const GraphValue product =
      Make<ov::op::v0::MatMul>(FlattenValue(Last()), FloatConstant({rows, columns}, matrix), false, true);
  const GraphValue sums = AddPerChannel(product, biases);
  return Activate(Reshaped(sums, {connected.outputs, 1, 1}), connected.activation);
}

Result<GraphValue> Builder::Build(const DarknetLayer& layer, const DarknetBatchNorm& /*norm*/) {
  DE_TRY(const std::vector<float> biases, weights_.Read(layer.in.channels));
  DE_TRY(const Normalization norm, ReadNormalization(weights_, biases));
  return AddPerChannel(ScalePerChannel(Last(), norm.scale), norm.shift);
}

Result<GraphValue> Builder::Build(const DarknetLayer& /*layer*/, const DarknetPool& pool) {
  const auto size = static_cast<size_t>(pool.size);
  const ov::Strides strides{static_cast<size_t>(pool.stride_y), static_cast<size_t>(pool.stride_x)};
  const auto before = static_cast<size_t>(pool.padding / 2);
  const auto after = static_cast<size_t>(pool.padding) - before;
  const ov::Shape begin{before, before};
  const ov::Shape end{after, after};
  if (pool.average) return Make<ov::op::v1::AvgPool>(Last(), strides, begin, end, ov::Shape{size, size}, true);
  return Make<ov::op::v1::MaxPool>(Last(), strides, begin, end, ov::Shape{size, size});
}

Result<GraphValue> Builder::Build(const DarknetLayer& /*layer*/, const DarknetGlobalAverage& /*average*/) {
  return Make<ov::op::v1::ReduceMean>(Last(), IndexConstant({2, 3}), true);
}

Result<GraphValue> Builder::Build(const DarknetLayer& layer, const DarknetSoftmax& softmax) {
  GraphValue value = Last();
  if (softmax.temperature != 1) {
    value = Make<Multiply>(value, FloatConstant(static_cast<float>(1 / softmax.temperature)));
  }
  const GraphValue groups = Reshaped(value, {softmax.groups, layer.in.Count() / softmax.groups});
  return Reshaped(Make<ov::op::v8::Softmax>(groups, 2), {layer.in.channels, layer.in.height, layer.in.width});
}

Result<GraphValue> Builder::Build(const DarknetLayer& /*layer*/, const DarknetRoute& route) {
  ov::OutputVector parts;
  for (const size_t from : route.from) {
    const int64_t share = net_.layers[from].out.channels / route.groups;
    const GraphValue& value = values_[from];
    parts.push_back(route.groups == 1 ? value : Channels(value, route.group * share, (route.group + 1) * share));
  }
  return parts.size() == 1 ? Result<GraphValue>(parts[0]) : Make<ov::op::v0::Concat>(parts, 1);
}

// What the terms of a weighted sum are multiplied by; empty when it has no weights.
Result<std::vector<GraphValue>> Builder::ShortcutFactors(const DarknetLayer& layer, const DarknetShortcut& shortcut) {
  std::vector<GraphValue> factors;
  if (shortcut.weights == DarknetShortcutWeights::kNone) return factors;
  DE_TRY(std::vector<float> numbers, weights_.Read(layer.weights));
  const size_t terms = shortcut.from.size() + 1;
  const size_t step = numbers.size() / terms;
  for (size_t channel = 0; channel < step && shortcut.normalization != DarknetNormalization::kNone; ++channel) {
    const bool softmax = shortcut.normalization == DarknetNormalization::kSoftmax;
    float largest = numbers[channel];
    for (size_t term = 1; term < terms; ++term) largest = std::max(largest, numbers[term * step + channel]);
    float sum = 1e-4F;
    for (size_t term = 0; term < terms; ++term) {
      float& number = numbers[term * step + channel];
      number = softmax ? std::exp(number - largest) : std::max(number, 0.0F);
      sum += number;
    }
    for (size_t term = 0; term < terms; ++term) numbers[term * step + channel] /= sum;
  }
  for (size_t term = 0; term < terms; ++term) {
    const auto first = numbers.begin() + static_cast<std::ptrdiff_t>(term * step);
    factors.push_back(
        FloatConstant({1, step, 1, 1}, std::vector<float>(first, first + static_cast<std::ptrdiff_t>(step))));
  }
  return factors;
}

Result<GraphValue> Builder::Build(const DarknetLayer& layer, const DarknetShortcut& shortcut) {
  DE_TRY(const std::vector<GraphValue> factors, ShortcutFactors(layer, shortcut));
  GraphValue sum = factors.empty() ? Last() : Make<Multiply>(Last(), factors[0]);
  for (size_t i = 0; i < shortcut.from.size(); ++i) {
    GraphValue term = values_[shortcut.from[i]];
    const DarknetSize& size = net_.layers[shortcut.from[i]].out;
    const int64_t channels = size.channels;
    if (const int64_t step = size.height / layer.in.height; step > 1) {
      term = Make<ov::op::v8::Slice>(term, IndexConstant({0, 0}), IndexConstant({size.height, size.width}),
                                     IndexConstant({step, step}), IndexConstant({2, 3}));
    }
    if (channels > layer.in.channels) term = Channels(term, 0, layer.in.channels);
    if (channels < layer.in.channels) {
      term = Make<ov::op::v1::Pad>(term, IndexConstant({0, 0, 0, 0}),
                                   IndexConstant({0, layer.in.channels - channels, 0, 0}), FloatConstant(0),
                                   ov::op::PadMode::CONSTANT);
    }
    if (!factors.empty()) term = Make<Multiply>(term, factors[i + 1]);
    sum = Make<ov::op::v1::Add>(sum, term);
  }
  return Activate(sum, shortcut.activation);
}

Result<GraphValue> Builder::Build(const DarknetLayer& /*layer*/, const DarknetProduct& product) {
  return Activate(Make<Multiply>(values_[product.from], Last()), product.activation);
}

Result<GraphValue> Builder::Build(const DarknetLayer& layer, const DarknetUpsample& upsample) {
  const auto factor = static_cast<size_t>(upsample.factor);
  GraphValue value = Last();
  double scale = upsample.scale;
  if (upsample.down) {
    value = Make<ov::op::v1::AvgPool>(value, ov::Strides{factor, factor}, ov::Shape{0, 0}, ov::Shape{0, 0},
                                      ov::Shape{factor, factor}, false);
    scale *= static_cast<double>(factor) * static_cast<double>(factor);
  } else {
    using Interpolate = ov::op::v4::Interpolate;
    const Interpolate::InterpolateAttrs nearest(
        Interpolate::InterpolateMode::NEAREST, Interpolate::ShapeCalcMode::SCALES, {0, 0}, {0, 0},
        Interpolate::CoordinateTransformMode::ASYMMETRIC, Interpolate::NearestMode::FLOOR);
    const auto times = static_cast<float>(factor);
    value = Make<Interpolate>(value, IndexConstant({layer.out.height, layer.out.width}),
                              FloatConstant({2}, {times, times}), IndexConstant({2, 3}), nearest);
  }
  if (scale != 1) value = Make<Multiply>(value, FloatConstant(static_cast<float>(scale)));
  return value;
}

Result<GraphValue> Builder::Build(const DarknetLayer& layer, const DarknetReorg& reorg) {
  using ov::op::v0::SpaceToDepth;
  const auto stride = static_cast<size_t>(reorg.stride);
  const auto split = [&](const GraphValue& value) {
    return Make<SpaceToDepth>(value, SpaceToDepth::SpaceToDepthMode::BLOCKS_FIRST, stride);
  };
  if (!reorg.historic) return split(Last());
  // The picture is taken for one of fewer channels and more pixels.
  const DarknetSize& in = layer.in;
  const int64_t s = reorg.stride;
  const GraphValue wide = Reshaped(Last(), {in.channels / (s * s), in.height * s, in.width * s});
  return Reshaped(split(wide), {layer.out.channels, layer.out.height, layer.out.width});
}

Result<GraphValue> Builder::Build(const DarknetLayer& layer, const DarknetCrop& crop) {
  GraphValue value = Make<ov::op::v8::Slice>(Last(), IndexConstant({crop.top, crop.left}),
                                             IndexConstant({crop.top + layer.out.height, crop.left + layer.out.width}),
                                             IndexConstant({1, 1}), IndexConstant({2, 3}));
  if (crop.scale != 1) value = Make<Multiply>(value, FloatConstant(static_cast<float>(crop.scale)));
  if (crop.shift != 0) value = Make<ov::op::v1::Add>(value, FloatConstant(static_cast<float>(crop.shift)));
  return value;
}

struct OutputLayer {
  const DarknetLayer* layer;
  GraphValue value;
};

// [1, C, 1, 1] leaves as [1, C].
NamedOutput OutputOf(const OutputLayer& output) {
  const bool flat = output.layer->out.height == 1 && output.layer->out.width == 1;
  return {output.layer->name, flat ? FlattenValue(output.value) : output.value};
}

}  // namespace

Result<std::shared_ptr<ov::Model>> BuildDarknet(const Path& file, const DarknetNet& net, DarknetWeights& weights) {
  const auto dimension = [](int64_t size) { return static_cast<size_t>(size); };
  const auto input = std::make_shared<ov::op::v0::Parameter>(
      ov::element::f32, ov::PartialShape(ov::Shape{1, dimension(net.input.channels), dimension(net.input.height),
                                                   dimension(net.input.width)}));
  NameValue(input, "data");
  Builder builder(net, weights, input);
  std::vector<OutputLayer> outputs;
  for (size_t i = 0; i < net.layers.size(); ++i) {
    const DarknetLayer& layer = net.layers[i];
    const bool head = std::holds_alternative<DarknetHead>(layer.operation);
    if (head && i > 0) outputs.push_back({&NamingLayer(net, i - 1), builder.Last()});
    const std::string name = std::to_string(i);
    const LayerName place{file, name, layer.type};
    const Status added = CatchLayer(place, [&]() -> Status {
      const Status status = builder.Add(layer);
      return status.ok() ? status : Status(LayerError(status.error().code, place, status.error().message));
    });
    if (!added.ok()) return added.error();
  }
  if (outputs.empty()) outputs.push_back({&NamingLayer(net, net.layers.size() - 1), builder.Last()});
  const LayerName place{file, "net", "net"};
  return CatchLayer(place, [&]() -> Result<std::shared_ptr<ov::Model>> {
    std::vector<NamedOutput> named;
    for (const OutputLayer& output : outputs) named.push_back(OutputOf(output));
    return MakeModel(named, input, file.stem().string());
  });
}

}  // namespace deepedge
