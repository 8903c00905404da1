#include "deepedge/formats/darknet/darknet_activation.h"

#include <openvino/op/add.hpp>
#include <openvino/op/clamp.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/elu.hpp>
#include <openvino/op/gelu.hpp>
#include <openvino/op/mish.hpp>
#include <openvino/op/multiply.hpp>
#include <openvino/op/relu.hpp>
#include <openvino/op/selu.hpp>
#include <openvino/op/sigmoid.hpp>
#include <openvino/op/swish.hpp>
#include <openvino/op/tanh.hpp>

namespace deepedge {
namespace {

GraphValue Times(const GraphValue& input, float factor) {
  return std::make_shared<ov::op::v1::Multiply>(input, FloatConstant(factor));
}

GraphValue Plus(const GraphValue& a, const GraphValue& b) { return std::make_shared<ov::op::v1::Add>(a, b); }

}  // namespace

GraphValue Activate(const GraphValue& input, DarknetActivation activation) {
  using namespace ov::op;
  switch (activation) {
    case DarknetActivation::kLinear: return input;
    case DarknetActivation::kLogistic: return std::make_shared<v0::Sigmoid>(input);
    case DarknetActivation::kLeaky: return LeakyRelu(input, 0.1F);
    case DarknetActivation::kRelu: return std::make_shared<v0::Relu>(input);
    case DarknetActivation::kRelu6: return std::make_shared<v0::Clamp>(input, 0, 6);
    case DarknetActivation::kElu: return std::make_shared<v0::Elu>(input, 1.0);
    case DarknetActivation::kSelu:
      return std::make_shared<v0::Selu>(input, FloatConstant({1}, {1.6732F}), FloatConstant({1}, {1.0507F}));
    case DarknetActivation::kGelu: return std::make_shared<v7::Gelu>(input, GeluApproximationMode::TANH);
    case DarknetActivation::kTanh: return std::make_shared<v0::Tanh>(input);
    case DarknetActivation::kMish: return std::make_shared<v4::Mish>(input);
    case DarknetActivation::kSwish: return std::make_shared<v4::Swish>(input);
    case DarknetActivation::kRelie: return LeakyRelu(input, 0.01F);
    case DarknetActivation::kRamp: return Plus(std::make_shared<v0::Relu>(input), Times(input, 0.1F));
    case DarknetActivation::kLoggy: return Plus(Times(std::make_shared<v0::Sigmoid>(input), 2), FloatConstant(-1));
    case DarknetActivation::kHardTanh: return std::make_shared<v0::Clamp>(input, -1, 1);
  }
  return input;
}

}  // namespace deepedge
