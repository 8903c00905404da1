// Layers of the old IR that treat numbers alone, join and cut arrays.
#include <fmt/format.h>

#include <algorithm>
#include <openvino/op/abs.hpp>
#include <openvino/op/add.hpp>
#include <openvino/op/clamp.hpp>
#include <openvino/op/concat.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/divide.hpp>
#include <openvino/op/elu.hpp>
#include <openvino/op/exp.hpp>
#include <openvino/op/hswish.hpp>
#include <openvino/op/interpolate.hpp>
#include <openvino/op/log.hpp>
#include <openvino/op/maximum.hpp>
#include <openvino/op/minimum.hpp>
#include <openvino/op/multiply.hpp>
#include <openvino/op/power.hpp>
#include <openvino/op/reduce_max.hpp>
#include <openvino/op/reduce_mean.hpp>
#include <openvino/op/reduce_sum.hpp>
#include <openvino/op/relu.hpp>
#include <openvino/op/reshape.hpp>
#include <openvino/op/shuffle_channels.hpp>
#include <openvino/op/sigmoid.hpp>
#include <openvino/op/slice.hpp>
#include <openvino/op/softmax.hpp>
#include <openvino/op/squeeze.hpp>
#include <openvino/op/subtract.hpp>
#include <openvino/op/tanh.hpp>
#include <openvino/op/tile.hpp>
#include <openvino/op/transpose.hpp>
#include <openvino/op/unsqueeze.hpp>
#include <openvino/op/variadic_split.hpp>

#include "deepedge/formats/graph/shape_ops.h"
#include "deepedge/formats/ir/ir_layer.h"

namespace deepedge {
namespace {

GraphValue Times(const GraphValue& value, float factor) {
  if (factor == 1.0F) return value;
  return std::make_shared<ov::op::v1::Multiply>(value, FloatConstant(factor));
}

template <typename Operation>
std::vector<GraphValue> Plain(IrContext& c) {
  c.Finish();
  return {std::make_shared<Operation>(c.Input())};
}

std::vector<GraphValue> Relu(IrContext& c) {
  const float slope = c.Float("negative_slope", 0);
  c.Finish();
  if (slope == 0.0F) return {std::make_shared<ov::op::v0::Relu>(c.Input())};
  return {LeakyRelu(c.Input(), slope)};
}

std::vector<GraphValue> Relu6(IrContext& c) {
  const float most = c.Float("n", 6);
  c.Finish();
  return {std::make_shared<ov::op::v0::Clamp>(c.Input(), 0.0, static_cast<double>(most))};
}

std::vector<GraphValue> Clamp(IrContext& c) {
  if (!c.Has("min") || !c.Has("max")) throw std::invalid_argument("needs min and max");
  const auto low = static_cast<double>(c.Float("min", 0));
  const auto high = static_cast<double>(c.Float("max", 0));
  c.Finish();
  return {std::make_shared<ov::op::v0::Clamp>(c.Input(), low, high)};
}

std::vector<GraphValue> Elu(IrContext& c) {
  const auto alpha = static_cast<double>(c.Float("alpha", 1));
  c.Finish();
  return {std::make_shared<ov::op::v0::Elu>(c.Input(), alpha)};
}

// The layer that early files have for all functions of one number.
std::vector<GraphValue> Activation(IrContext& c) {
  const std::string type = c.Text("type", "");
  if (type == "elu") return Elu(c);
  if (type == "relu") return Relu(c);
  if (type == "clamp") return Clamp(c);
  c.Finish();
  if (type == "sigmoid") return {std::make_shared<ov::op::v0::Sigmoid>(c.Input())};
  if (type == "tanh") return {std::make_shared<ov::op::v0::Tanh>(c.Input())};
  if (type == "exp") return {std::make_shared<ov::op::v0::Exp>(c.Input())};
  throw UnsupportedLayer(fmt::format("type=\"{}\"", type));
}

// (shift + scale * x) ^ power
std::vector<GraphValue> Power(IrContext& c) {
  const float power = c.Float("power", 1);
  const float scale = c.Float("scale", 1);
  const float shift = c.Float("shift", 0);
  c.Finish();
  GraphValue value = Times(c.Input(), scale);
  if (shift != 0.0F) value = std::make_shared<ov::op::v1::Add>(value, FloatConstant(shift));
  if (power != 1.0F) value = std::make_shared<ov::op::v1::Power>(value, FloatConstant(power));
  return {value};
}

GraphValue Combine(const std::string& operation, const GraphValue& a, const GraphValue& b) {
  if (operation == "sum") return std::make_shared<ov::op::v1::Add>(a, b);
  if (operation == "mul" || operation == "prod") return std::make_shared<ov::op::v1::Multiply>(a, b);
  if (operation == "max") return std::make_shared<ov::op::v1::Maximum>(a, b);
  if (operation == "min") return std::make_shared<ov::op::v1::Minimum>(a, b);
  if (operation == "sub") return std::make_shared<ov::op::v1::Subtract>(a, b);
  if (operation == "div") return std::make_shared<ov::op::v1::Divide>(a, b);
  if (operation == "pow") return std::make_shared<ov::op::v1::Power>(a, b);
  throw UnsupportedLayer(fmt::format("operation=\"{}\"", operation));
}

std::vector<GraphValue> Eltwise(IrContext& c) {
  const std::string operation = c.Text("operation", "sum");
  const auto factors = c.Floats("coeff");
  c.Finish();
  if (!factors.empty() && (operation != "sum" || factors.size() != c.input_count())) {
    throw std::invalid_argument(
        fmt::format("{} coeff for operation {} of {} inputs", factors.size(), operation, c.input_count()));
  }
  const auto term = [&](size_t i) { return factors.empty() ? c.Input(i) : Times(c.Input(i), factors[i]); };
  GraphValue value = term(0);
  for (size_t i = 1; i < c.input_count(); ++i) value = Combine(operation, value, term(i));
  return {value};
}

size_t ReadAxis(IrContext& c, int64_t absent) { return AxisOf(c.Int("axis", absent, -8, 8), RankOf(c.Input())); }

std::vector<GraphValue> Concat(IrContext& c) {
  const size_t axis = ReadAxis(c, 1);
  c.Finish();
  ov::OutputVector inputs;
  for (size_t i = 0; i < c.input_count(); ++i) inputs.push_back(c.Input(i));
  return {std::make_shared<ov::op::v0::Concat>(inputs, static_cast<int64_t>(axis))};
}

// Parts are as long as the file says its outputs are.
std::vector<GraphValue> Split(IrContext& c) {
  const size_t axis = ReadAxis(c, 1);
  c.Ignore({"num_split"});
  c.Finish();
  std::vector<int64_t> lengths;
  int64_t sum = 0;
  for (size_t i = 0; i < c.layer().outputs.size(); ++i) {
    if (axis >= c.OutputShape(i).size()) throw std::invalid_argument("an output of too few dimensions");
    lengths.push_back(c.OutputShape(i)[axis]);
    sum += lengths.back();
  }
  if (lengths.empty() || sum != DimensionOf(c.Input(), axis)) {
    throw std::invalid_argument(fmt::format("{} of {} are given to its outputs", sum, DimensionOf(c.Input(), axis)));
  }
  const auto along = ov::op::v0::Constant::create(ov::element::i64, ov::Shape{}, {static_cast<int64_t>(axis)});
  return std::make_shared<ov::op::v1::VariadicSplit>(c.Input(), along, IndexConstant(lengths))->outputs();
}

std::vector<GraphValue> Permute(IrContext& c) {
  const auto order = c.Ints("order", 0, 7);
  c.Finish();
  return {std::make_shared<ov::op::v1::Transpose>(c.Input(), IndexConstant(order))};
}

// The new shape goes in as a constant, stands in the layer, or is only that of the output.
std::vector<GraphValue> Reshape(IrContext& c) {
  std::vector<int64_t> shape = c.Ints("dim", -1, INT32_MAX);
  const int64_t axis = c.Int("axis", 0, -8, 8);
  const int64_t axes = c.Int("num_axes", -1, -1, 8);
  c.Ignore({"special_zero"});
  c.Finish();
  if (axis != 0 || axes != -1) throw UnsupportedLayer("a part of the dimensions only");
  if (c.input_count() > 1) shape = c.ConstantInput(1);
  if (shape.empty()) shape = c.OutputShape();
  return {std::make_shared<ov::op::v1::Reshape>(c.Input(), IndexConstant(shape), true)};
}

std::vector<GraphValue> Flatten(IrContext& c) {
  const size_t rank = RankOf(c.Input());
  const size_t axis = ReadAxis(c, 1);
  const size_t end = AxisOf(c.Int("end_axis", -1, -8, 8), rank);
  c.Finish();
  return {FlattenAxes(c.Input(), axis, end)};
}

std::vector<GraphValue> Softmax(IrContext& c) {
  const size_t axis = ReadAxis(c, 1);
  c.Finish();
  return {std::make_shared<ov::op::v8::Softmax>(c.Input(), static_cast<int64_t>(axis))};
}

std::vector<GraphValue> Tile(IrContext& c) {
  std::vector<int64_t> repeats(RankOf(c.Input()), 1);
  const size_t axis = ReadAxis(c, 1);
  repeats[axis] = c.Int("tiles", 1, 1, INT32_MAX);
  c.Finish();
  return {std::make_shared<ov::op::v0::Tile>(c.Input(), IndexConstant(repeats))};
}

// From `offset` on along each of `axis`, as much as the output has.
std::vector<GraphValue> Crop(IrContext& c) {
  const auto axes = c.Ints("axis", 0, 7);
  auto offsets = c.Ints("offset", 0, INT32_MAX);
  if (offsets.empty()) offsets = c.Ints("crop_begin", 0, INT32_MAX);
  c.Ignore({"dim", "crop_end"});
  c.Finish();
  if (axes.empty() || offsets.size() != axes.size()) {
    throw std::invalid_argument(fmt::format("{} axes and {} offsets", axes.size(), offsets.size()));
  }
  GraphValue value = c.Input();
  for (size_t i = 0; i < axes.size(); ++i) {
    const auto axis = static_cast<size_t>(axes[i]);
    if (axis >= RankOf(value) || axis >= c.OutputShape().size())
      throw std::invalid_argument("an axis that is not there");
    value = SliceAxis(value, axis, offsets[i], IndexConstant({c.OutputShape()[axis]}));
  }
  return {value};
}

using Interpolation = ov::op::v4::Interpolate;

GraphValue Resize(IrContext& c, Interpolation::InterpolateMode mode,
                  Interpolation::CoordinateTransformMode coordinates) {
  const auto& shape = c.OutputShape();
  if (RankOf(c.Input()) != 4 || shape.size() != 4) throw UnsupportedLayer("pictures have four dimensions");
  const Interpolation::InterpolateAttrs attributes(mode, Interpolation::ShapeCalcMode::SIZES, {0, 0, 0, 0},
                                                   {0, 0, 0, 0}, coordinates, Interpolation::NearestMode::FLOOR);
  return std::make_shared<Interpolation>(c.Input(), IndexConstant({shape[2], shape[3]}), FloatConstant({2}, {1, 1}),
                                         IndexConstant({2, 3}), attributes);
}

std::vector<GraphValue> Interp(IrContext& c) {
  const bool corners = c.Bool("align_corners", true);
  const int64_t pad_begin = c.Int("pad_beg", 0, INT32_MIN, INT32_MAX);
  const int64_t pad_end = c.Int("pad_end", 0, INT32_MIN, INT32_MAX);
  c.Ignore({"height", "width", "factor", "zoom_factor", "shrink_factor"});  // the output's shape tells
  c.Finish();
  if (pad_begin != 0 || pad_end != 0) throw UnsupportedLayer("pad_beg and pad_end");
  return {Resize(c, Interpolation::InterpolateMode::LINEAR_ONNX,
                 corners ? Interpolation::CoordinateTransformMode::ALIGN_CORNERS
                         : Interpolation::CoordinateTransformMode::ASYMMETRIC)};
}

// Only what is unambiguous: every pixel a whole number of times.
std::vector<GraphValue> Resample(IrContext& c) {
  const std::string type = c.Text("type", "");
  c.Ignore({"factor", "height", "width", "antialias", "axes"});
  c.Finish();
  if (!type.ends_with("NEAREST") && !type.ends_with("nearest"))
    throw UnsupportedLayer(fmt::format("type=\"{}\"", type));
  const auto& shape = c.OutputShape();
  for (size_t i = 2; i < shape.size(); ++i) {
    if (shape[i] % DimensionOf(c.Input(), i) != 0) throw UnsupportedLayer("enlarging by a fraction");
  }
  return {Resize(c, Interpolation::InterpolateMode::NEAREST, Interpolation::CoordinateTransformMode::ASYMMETRIC)};
}

std::vector<GraphValue> Squeeze(IrContext& c) {
  c.Finish();
  return {std::make_shared<ov::op::v0::Squeeze>(c.Input(), IndexConstant(c.ConstantInput(1)))};
}

std::vector<GraphValue> Unsqueeze(IrContext& c) {
  c.Finish();
  return {std::make_shared<ov::op::v0::Unsqueeze>(c.Input(), IndexConstant(c.ConstantInput(1)))};
}

template <typename Operation>
std::vector<GraphValue> Reduce(IrContext& c) {
  const bool keep = c.Bool("keep_dims", true);
  c.Finish();
  return {std::make_shared<Operation>(c.Input(), IndexConstant(c.ConstantInput(1)), keep)};
}

std::vector<GraphValue> ShuffleChannels(IrContext& c) {
  const int64_t axis = c.Int("axis", 1, -8, 8);
  const int64_t groups = c.Int("group", 1, 1, INT32_MAX);
  c.Finish();
  return {std::make_shared<ov::op::v0::ShuffleChannels>(c.Input(), axis, groups)};
}

std::vector<GraphValue> Copy(IrContext& c) {
  c.Finish();
  return {c.Input()};
}

}  // namespace

const std::vector<IrLayerType>& IrArrayLayers() {
  static const std::vector<IrLayerType> kTypes = {
      {"Abs", Plain<ov::op::v0::Abs>},
      {"Activation", Activation},
      {"Clamp", Clamp},
      {"Concat", Concat},
      {"Copy", Copy},
      {"Crop", Crop},
      {"ELU", Elu},
      {"Elu", Elu},
      {"Eltwise", Eltwise},
      {"Exp", Plain<ov::op::v0::Exp>},
      {"Flatten", Flatten},
      {"HSwish", Plain<ov::op::v4::HSwish>},
      {"Interp", Interp},
      {"Log", Plain<ov::op::v0::Log>},
      {"Permute", Permute},
      {"Power", Power},
      {"ReLU", Relu},
      {"ReLU6", Relu6},
      {"ReduceMax", Reduce<ov::op::v1::ReduceMax>},
      {"ReduceMean", Reduce<ov::op::v1::ReduceMean>},
      {"ReduceSum", Reduce<ov::op::v1::ReduceSum>},
      {"Resample", Resample},
      {"Reshape", Reshape},
      {"ShuffleChannels", ShuffleChannels},
      {"Sigmoid", Plain<ov::op::v0::Sigmoid>},
      {"Slice", Split},
      {"SoftMax", Softmax},
      {"Softmax", Softmax},
      {"Split", Split},
      {"Squeeze", Squeeze},
      {"TanH", Plain<ov::op::v0::Tanh>},
      {"Tanh", Plain<ov::op::v0::Tanh>},
      {"Tile", Tile},
      {"Unsqueeze", Unsqueeze},
  };
  return kTypes;
}

}  // namespace deepedge
