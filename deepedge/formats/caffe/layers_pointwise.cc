// Layers that treat every number alone: activations, powers, sums of bottoms.
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <openvino/op/abs.hpp>
#include <openvino/op/add.hpp>
#include <openvino/op/clamp.hpp>
#include <openvino/op/convert.hpp>
#include <openvino/op/elu.hpp>
#include <openvino/op/exp.hpp>
#include <openvino/op/greater.hpp>
#include <openvino/op/hsigmoid.hpp>
#include <openvino/op/hswish.hpp>
#include <openvino/op/log.hpp>
#include <openvino/op/maximum.hpp>
#include <openvino/op/mish.hpp>
#include <openvino/op/multiply.hpp>
#include <openvino/op/power.hpp>
#include <openvino/op/prelu.hpp>
#include <openvino/op/relu.hpp>
#include <openvino/op/sigmoid.hpp>
#include <openvino/op/softplus.hpp>
#include <openvino/op/swish.hpp>
#include <openvino/op/tanh.hpp>

#include "deepedge/formats/caffe/layer_context.h"
#include "deepedge/formats/graph/shape_ops.h"

namespace deepedge {
namespace {

GraphValue Times(const GraphValue& value, double factor) {
  if (factor == 1) return value;
  return std::make_shared<ov::op::v1::Multiply>(value, FloatConstant(static_cast<float>(factor)));
}

GraphValue Plus(const GraphValue& value, double term) {
  if (term == 0) return value;
  return std::make_shared<ov::op::v1::Add>(value, FloatConstant(static_cast<float>(term)));
}

// Layers without parameters that mean anything.
template <typename Operation>
std::vector<GraphValue> Plain(LayerContext& c) {
  for (const char* name : {"sigmoid_param", "tanh_param"}) {
    Params p = c.Param(name);
    p.Ignore({"engine"});
    p.Finish();
  }
  c.FinishText();
  return {std::make_shared<Operation>(c.Bottom())};
}

// Gone when the network is used; but a fork scales then what it did not scale in training.
std::vector<GraphValue> Dropout(LayerContext& c) {
  Params p = c.Param("dropout_param");
  const bool scaled = p.Bool("scale_train", true);
  const double ratio = p.Number("dropout_ratio", 0.5);
  p.Finish();
  c.FinishText();
  return {Times(c.Bottom(), scaled ? 1.0 : 1.0 - ratio)};
}

std::vector<GraphValue> Split(LayerContext& c) {
  c.FinishText();
  return std::vector<GraphValue>(c.top_count(), c.Bottom());
}

std::vector<GraphValue> Relu(LayerContext& c) {
  Params p = c.Param("relu_param");
  const float slope = p.Float("negative_slope", 0);
  p.Ignore({"engine"});
  p.Finish();
  c.FinishText();
  if (slope == 0.0F) return {std::make_shared<ov::op::v0::Relu>(c.Bottom())};
  return {LeakyRelu(c.Bottom(), slope)};
}

std::vector<GraphValue> Relu6(LayerContext& c) {
  Params p = c.Param("relu6_param");
  const float slope = p.Float("negative_slope", 0);
  p.Ignore({"engine"});
  p.Finish();
  Params q = c.Param("relu_param");
  q.Ignore({"engine"});
  q.Finish();
  c.FinishText();
  if (slope != 0.0F) throw Unsupported("negative_slope");
  return {std::make_shared<ov::op::v0::Clamp>(c.Bottom(), 0.0, 6.0)};
}

std::vector<GraphValue> Prelu(LayerContext& c) {
  Params p = c.Param("prelu_param");
  const bool shared = p.Bool("channel_shared", false);
  p.Ignore({"filler"});
  p.Finish();
  c.FinishText();
  const int64_t count = shared ? 1 : DimensionOf(c.Bottom(), 1);
  const auto slopes = c.Blob(0, {count}, "slopes");
  return {std::make_shared<ov::op::v0::PRelu>(c.Bottom(), FloatConstant({static_cast<size_t>(count)}, slopes))};
}

std::vector<GraphValue> Elu(LayerContext& c) {
  Params p = c.Param("elu_param");
  const double alpha = p.Number("alpha", 1);
  p.Finish();
  c.FinishText();
  return {std::make_shared<ov::op::v0::Elu>(c.Bottom(), alpha)};
}

std::vector<GraphValue> Swish(LayerContext& c) {
  Params p = c.Param("swish_param");
  const float beta = p.Float("beta", 1);
  p.Ignore({"engine"});
  p.Finish();
  c.FinishText();
  return {std::make_shared<ov::op::v4::Swish>(c.Bottom(), FloatConstant(beta))};
}

std::vector<GraphValue> Clip(LayerContext& c) {
  Params p = c.Param("clip_param");
  if (!p.Has("min") || !p.Has("max")) throw std::invalid_argument("needs min and max");
  const double low = p.Number("min", 0);
  const double high = p.Number("max", 0);
  p.Finish();
  c.FinishText();
  return {std::make_shared<ov::op::v0::Clamp>(c.Bottom(), low, high)};
}

// (shift + scale * x) ^ power
std::vector<GraphValue> Power(LayerContext& c) {
  Params p = c.Param("power_param");
  const double power = p.Number("power", 1);
  const double scale = p.Number("scale", 1);
  const double shift = p.Number("shift", 0);
  p.Finish();
  c.FinishText();
  const GraphValue value = Plus(Times(c.Bottom(), scale), shift);
  if (power == 1) return {value};
  return {std::make_shared<ov::op::v1::Power>(value, FloatConstant(static_cast<float>(power)))};
}

// The natural logarithm of a base; -1 stands for e.
double LogOfBase(Params& p) {
  const double base = p.Number("base", -1);
  if (base != -1 && (base <= 0 || base == 1)) throw std::invalid_argument("base must be over 0 and not 1");
  return base == -1 ? 1.0 : std::log(base);
}

// base ^ (shift + scale * x)
std::vector<GraphValue> Exp(LayerContext& c) {
  Params p = c.Param("exp_param");
  const double log_base = LogOfBase(p);
  const double scale = p.Number("scale", 1);
  const double shift = p.Number("shift", 0);
  p.Finish();
  c.FinishText();
  return {std::make_shared<ov::op::v0::Exp>(Plus(Times(c.Bottom(), scale * log_base), shift * log_base))};
}

// log_base(shift + scale * x)
std::vector<GraphValue> Log(LayerContext& c) {
  Params p = c.Param("log_param");
  const double log_base = LogOfBase(p);
  const double scale = p.Number("scale", 1);
  const double shift = p.Number("shift", 0);
  p.Finish();
  c.FinishText();
  return {Times(std::make_shared<ov::op::v0::Log>(Plus(Times(c.Bottom(), scale), shift)), 1 / log_base)};
}

std::vector<GraphValue> Threshold(LayerContext& c) {
  Params p = c.Param("threshold_param");
  const float threshold = p.Float("threshold", 0);
  p.Finish();
  c.FinishText();
  const auto over = std::make_shared<ov::op::v1::Greater>(c.Bottom(), FloatConstant(threshold));
  return {std::make_shared<ov::op::v0::Convert>(over, ov::element::f32)};
}

GraphValue Combine(const GraphValue& a, const GraphValue& b, const std::string& operation) {
  if (operation == "SUM") return std::make_shared<ov::op::v1::Add>(a, b);
  if (operation == "PROD") return std::make_shared<ov::op::v1::Multiply>(a, b);
  return std::make_shared<ov::op::v1::Maximum>(a, b);
}

std::string EltwiseOperation(Params& p) {
  const std::string word = p.Word("operation", "SUM");
  if (word == "0") return "PROD";
  if (word == "1") return "SUM";
  if (word == "2") return "MAX";
  if (word == "PROD" || word == "SUM" || word == "MAX") return word;
  throw Unsupported(fmt::format("operation {}", word));
}

std::vector<GraphValue> Eltwise(LayerContext& c) {
  Params p = c.Param("eltwise_param");
  const std::string operation = EltwiseOperation(p);
  const auto factors = p.Floats("coeff");
  p.Ignore({"stable_prod_grad"});
  p.Finish();
  c.FinishText();
  if (!factors.empty() && (operation != "SUM" || factors.size() != c.bottom_count())) {
    throw std::invalid_argument(
        fmt::format("{} coeff for operation {} of {} bottoms", factors.size(), operation, c.bottom_count()));
  }
  const auto term = [&](size_t i) {
    return Times(c.Bottom(i), factors.empty() ? 1.0 : static_cast<double>(factors[i]));
  };
  GraphValue value = term(0);
  for (size_t i = 1; i < c.bottom_count(); ++i) {
    // Caffe knows no broadcasting here, the engine does.
    const ov::PartialShape& shape = c.Bottom(i).get_partial_shape();
    if (!shape.compatible(c.Bottom().get_partial_shape())) {
      throw std::invalid_argument(
          fmt::format("bottoms of shapes {} and {}", c.Bottom().get_partial_shape().to_string(), shape.to_string()));
    }
    value = Combine(value, term(i), operation);
  }
  return {value};
}

}  // namespace

const std::vector<LayerType>& PointwiseLayers() {
  static const std::vector<LayerType> kTypes = {
      {"AbsVal", Plain<ov::op::v0::Abs>},
      {"BNLL", Plain<ov::op::v4::SoftPlus>},
      {"Clip", Clip},
      {"Dropout", Dropout},
      {"ELU", Elu},
      {"Eltwise", Eltwise},
      {"Exp", Exp},
      {"HSigmoid", Plain<ov::op::v5::HSigmoid>},
      {"HSwish", Plain<ov::op::v4::HSwish>},
      {"Hswish", Plain<ov::op::v4::HSwish>},
      {"HardSwish", Plain<ov::op::v4::HSwish>},
      {"Log", Log},
      {"Mish", Plain<ov::op::v4::Mish>},
      {"PReLU", Prelu},
      {"Power", Power},
      {"ReLU", Relu},
      {"ReLU6", Relu6},
      {"Sigmoid", Plain<ov::op::v0::Sigmoid>},
      {"SigmoidCrossEntropyLoss", Plain<ov::op::v0::Sigmoid>},
      {"Split", Split},
      {"Swish", Swish},
      {"TanH", Plain<ov::op::v0::Tanh>},
      {"Threshold", Threshold},
  };
  return kTypes;
}

}  // namespace deepedge
