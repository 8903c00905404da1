#include "deepedge/engine/openvino/layer_facts.h"

#include <algorithm>
#include <openvino/op/constant.hpp>
#include <openvino/op/convolution.hpp>
#include <openvino/op/matmul.hpp>
#include <openvino/op/util/convolution_base.hpp>
#include <optional>
#include <set>
#include <string_view>

namespace deepedge {
namespace {

std::string_view TypeOf(const ov::Node& op) { return op.get_type_info().name; }

const std::set<std::string_view>& FreeTypes() {
  static const std::set<std::string_view> types{"Parameter", "Result",   "Constant", "Reshape",   "Squeeze",
                                                "Unsqueeze", "Identity", "ShapeOf",  "ReadValue", "Assign"};
  return types;
}

const std::set<std::string_view>& ElementwiseTypes() {
  static const std::set<std::string_view> types{"Abs",
                                                "Add",
                                                "BatchNormInference",
                                                "Ceiling",
                                                "Clamp",
                                                "Convert",
                                                "ConvertLike",
                                                "Divide",
                                                "Elu",
                                                "Equal",
                                                "Erf",
                                                "Exp",
                                                "FakeQuantize",
                                                "Floor",
                                                "FloorMod",
                                                "Gelu",
                                                "Greater",
                                                "GreaterEqual",
                                                "HardSigmoid",
                                                "HSigmoid",
                                                "HSwish",
                                                "Less",
                                                "LessEqual",
                                                "Log",
                                                "LogicalAnd",
                                                "LogicalNot",
                                                "LogicalOr",
                                                "Maximum",
                                                "Minimum",
                                                "Mish",
                                                "Mod",
                                                "Multiply",
                                                "Negative",
                                                "NotEqual",
                                                "Power",
                                                "PRelu",
                                                "Relu",
                                                "Round",
                                                "Select",
                                                "Selu",
                                                "Sigmoid",
                                                "Sign",
                                                "SoftPlus",
                                                "SoftSign",
                                                "Sqrt",
                                                "SquaredDifference",
                                                "Subtract",
                                                "Swish",
                                                "Tanh"};
  return types;
}

const std::set<std::string_view>& PoolingTypes() {
  static const std::set<std::string_view> types{"AvgPool",    "MaxPool",   "AdaptiveAvgPool", "AdaptiveMaxPool",
                                                "ReduceMean", "ReduceMax", "ReduceMin",       "ReduceSum",
                                                "ReduceL2",   "ReduceL1",  "ReduceProd"};
  return types;
}

const std::set<std::string_view>& MoveTypes() {
  static const std::set<std::string_view> types{"Transpose",
                                                "Concat",
                                                "Split",
                                                "VariadicSplit",
                                                "StridedSlice",
                                                "Slice",
                                                "Interpolate",
                                                "Pad",
                                                "Gather",
                                                "DepthToSpace",
                                                "SpaceToDepth",
                                                "ShuffleChannels",
                                                "Tile",
                                                "Broadcast",
                                                "ReorgYolo",
                                                "ReverseSequence",
                                                "GatherND",
                                                "GatherElements",
                                                "ScatterUpdate",
                                                "ScatterNDUpdate",
                                                "ScatterElementsUpdate",
                                                "BatchToSpace",
                                                "SpaceToBatch",
                                                "Roll"};
  return types;
}

// Passes over the tensor that normalising operations make, in units of one multiplication for each number.
int64_t FlopsPerElement(std::string_view type) {
  if (type == "Softmax" || type == "LogSoftmax") return 10;
  if (type == "MVN" || type == "NormalizeL2" || type == "LRN") return 8;
  return 1;
}

bool IsConvolution(std::string_view type) {
  return type == "Convolution" || type == "GroupConvolution" || type == "ConvolutionBackpropData" ||
         type == "GroupConvolutionBackpropData" || type == "DeformableConvolution" || type == "BinaryConvolution";
}

// The constant behind an input through what only changes how it is written down, and whether it is quantized.
struct Weights {
  int64_t elements = 0;
  bool quantized = false;
};

std::optional<Weights> WeightsBehind(const ov::Node* node) {
  constexpr int kMost = 8;
  Weights weights;
  bool shifted = false;
  for (int i = 0; i < kMost; ++i) {
    const std::string_view type = TypeOf(*node);
    if (type == "Constant") {
      weights.elements = static_cast<int64_t>(ov::shape_size(node->get_output_shape(0)));
      const ov::element::Type& element = node->get_output_element_type(0);
      // The device multiplies bytes whose zero is zero only.
      const bool bytes = element.is_integral_number() && element.bitwidth() <= 8 && !shifted;
      weights.quantized = weights.quantized || bytes;
      return weights;
    }
    if (type == "FakeQuantize") weights.quantized = true;
    if (type == "Subtract") shifted = true;
    const bool form = type == "FakeQuantize" || type == "Convert" || type == "Multiply" || type == "Subtract" ||
                      type == "Reshape" || type == "Transpose" || type == "Unsqueeze" || type == "Squeeze";
    if (!form || node->get_input_size() == 0) return std::nullopt;
    node = node->get_input_node_ptr(0);
  }
  return std::nullopt;
}

// Whether the numbers that come in lie on 256 levels.
bool IsQuantized(const ov::Node* node) {
  constexpr int kMost = 6;
  for (int i = 0; i < kMost; ++i) {
    const std::string_view type = TypeOf(*node);
    if (type == "FakeQuantize") return true;
    const ov::element::Type& element = node->get_output_element_type(0);
    if (element.is_integral_number() && element.bitwidth() <= 8) return true;
    const bool keeps = type == "MaxPool" || type == "Reshape" || type == "Squeeze" || type == "Unsqueeze" ||
                       type == "Transpose" || type == "Concat" || type == "Convert" || type == "Multiply" ||
                       type == "Subtract" || type == "Interpolate" || type == "Pad" || type == "StridedSlice";
    if (!keeps || node->get_input_size() == 0) return false;
    node = node->get_input_node_ptr(0);
  }
  return false;
}

int64_t Length(const ov::Dimension& dimension) {
  constexpr int64_t kNoLimit = int64_t{1} << 31;
  if (dimension.is_static()) return dimension.get_length();
  const int64_t most = dimension.get_max_length();
  return most > 0 && most < kNoLimit ? most : 1;
}

int64_t At(const ov::PartialShape& shape, size_t index) { return index < shape.size() ? Length(shape[index]) : 1; }

int64_t ElementsOfShape(const ov::PartialShape& shape) {
  if (shape.rank().is_dynamic()) return 1;
  int64_t count = 1;
  for (const ov::Dimension& dimension : shape) count *= std::max<int64_t>(Length(dimension), 0);
  return count;
}

void DescribeConvolution(const ov::Node& op, Layer& layer) {
  const std::string_view type = TypeOf(op);
  const bool grouped = type.starts_with("Group");
  const bool back = type.ends_with("BackpropData");
  const ov::PartialShape& in = op.get_input_partial_shape(0);
  const ov::PartialShape& weights = op.get_input_partial_shape(1);
  const ov::PartialShape& out = op.get_output_partial_shape(0);
  if (in.rank().is_dynamic() || weights.rank().is_dynamic() || out.rank().is_dynamic()) return;
  layer.input_channels = At(in, 1);
  layer.output_channels = At(out, 1);
  layer.groups = grouped ? At(weights, 0) : 1;
  const size_t first = grouped ? 3 : 2;
  int64_t kernel = 1;
  for (size_t i = first; i < weights.size(); ++i) kernel *= Length(weights[i]);
  layer.kernel = static_cast<int>(kernel);
  layer.output_pixels = ElementsOfShape(out) / std::max<int64_t>(layer.output_channels, 1);
  const int64_t input_pixels = ElementsOfShape(in) / std::max<int64_t>(layer.input_channels, 1);
  const int64_t pixels = back ? input_pixels : layer.output_pixels;
  const int64_t channels_in = std::max<int64_t>(layer.input_channels / std::max<int64_t>(layer.groups, 1), 1);
  layer.flops = 2 * pixels * kernel * channels_in * layer.output_channels;
  if (const auto* const plain = dynamic_cast<const ov::op::util::ConvolutionBase*>(&op)) {
    if (!plain->get_strides().empty()) layer.stride = static_cast<int>(plain->get_strides().back());
  }
  const int64_t a_group = layer.output_channels / std::max<int64_t>(layer.groups, 1);
  const bool whole_map = !back && layer.output_pixels == At(out, 0) && input_pixels == kernel * At(in, 0);
  if (layer.groups > 1 && (channels_in <= 2 || a_group <= 2)) {
    layer.kind = LayerClass::kDepthwise;
  } else if (whole_map) {
    layer.kind = LayerClass::kFullyConnected;
  } else {
    layer.kind = kernel == 1 ? LayerClass::kPointwise : LayerClass::kConvolution;
  }
}

void DescribeProduct(const ov::Node& op, bool constant, Layer& layer) {
  const auto* const product = dynamic_cast<const ov::op::v0::MatMul*>(&op);
  const ov::PartialShape& a = op.get_input_partial_shape(0);
  const ov::PartialShape& out = op.get_output_partial_shape(0);
  if (product == nullptr || a.rank().is_dynamic() || out.rank().is_dynamic() || a.size() == 0 || out.size() == 0)
    return;
  const size_t column = product->get_transpose_a() && a.size() > 1 ? a.size() - 2 : a.size() - 1;
  layer.input_channels = Length(a[column]);
  layer.output_channels = Length(out[out.size() - 1]);
  layer.output_pixels = ElementsOfShape(out) / std::max<int64_t>(layer.output_channels, 1);
  layer.kernel = 1;
  layer.flops = 2 * ElementsOfShape(out) * layer.input_channels;
  layer.kind = constant ? LayerClass::kFullyConnected : LayerClass::kMatrixProduct;
}

// An input of the graph, or what is computed on each of its numbers with constants.
bool IsPicture(const ov::Node& node) {
  constexpr int kMost = 6;
  const ov::Node* at = &node;
  for (int i = 0; i < kMost; ++i) {
    if (TypeOf(*at) == "Parameter") return true;
    if (!ElementwiseTypes().contains(TypeOf(*at)) || at->get_input_size() == 0) return false;
    at = at->get_input_node_ptr(0);
  }
  return false;
}

}  // namespace

OpClass ClassOf(const ov::Node& op) {
  const std::string_view type = TypeOf(op);
  if (FreeTypes().contains(type)) return OpClass::kFree;
  // The picture as it comes in: the first layer reads it in whatever order it lies.
  if (type == "Transpose" && IsPicture(*op.get_input_node_ptr(0))) return OpClass::kFree;
  return ElementwiseTypes().contains(type) ? OpClass::kElementwise : OpClass::kLayer;
}

bool TakesAlong(const ov::Node& anchor, const ov::Node& op) {
  const std::string_view type = TypeOf(anchor);
  if (TypeOf(op) == "FakeQuantize") return true;
  return IsConvolution(type) || type == "MatMul" || ElementwiseTypes().contains(type) || type == "MVN" ||
         type == "Interpolate" || type == "NormalizeL2";
}

bool NeedsExponential(const ov::Node& op) {
  static const std::set<std::string_view> types{"Elu",        "Erf",  "Exp",   "Gelu",    "Log",
                                                "LogSoftmax", "Mish", "Power", "Sigmoid", "Softmax",
                                                "SoftPlus",   "Selu", "Swish", "Tanh"};
  return types.contains(TypeOf(op));
}

int64_t ElementsOf(const ov::Output<const ov::Node>& tensor) { return ElementsOfShape(tensor.get_partial_shape()); }

int64_t BytesOf(const ov::Output<const ov::Node>& tensor) {
  const ov::element::Type& type = tensor.get_element_type();
  if (type.is_dynamic()) return 0;
  const int64_t bits = type.is_real() ? 32 : static_cast<int64_t>(type.bitwidth());
  return ElementsOf(tensor) * bits / 8;
}

bool ComesFromNarrowConstant(const ov::Node& op) {
  const ov::Node* node = &op;
  constexpr int kMost = 4;
  for (int i = 0; i < kMost && node->get_input_size() > 0; ++i) {
    node = node->get_input_node_ptr(0);
    if (TypeOf(*node) != "Constant") continue;
    return node->get_output_element_type(0).bitwidth() <= 16;
  }
  return false;
}

Layer DescribeOperation(const ov::Node& op) {
  const std::string_view type = TypeOf(op);
  Layer layer{.name = op.get_friendly_name(), .operation = std::string(type)};
  layer.exponentials = NeedsExponential(op) ? 1 : 0;
  std::optional<Weights> weights;
  for (size_t i = 0; i < op.get_input_size(); ++i) {
    const auto behind = WeightsBehind(op.get_input_node_ptr(i));
    if (behind) {
      if (!weights || behind->elements > weights->elements) weights = behind;
    } else {
      layer.input_bytes += BytesOf(op.input_value(i));
    }
  }
  for (const auto& output : op.outputs()) layer.output_bytes += BytesOf(output);
  layer.flops = FlopsPerElement(type) * (op.get_output_size() > 0 ? ElementsOf(op.output(0)) : 0);
  if (IsConvolution(type)) {
    DescribeConvolution(op, layer);
  } else if (type == "MatMul") {
    DescribeProduct(op, weights.has_value(), layer);
  } else if (PoolingTypes().contains(type)) {
    layer.kind = LayerClass::kPooling;
    layer.flops = layer.input_bytes / 4;
  } else if (MoveTypes().contains(type)) {
    layer.kind = LayerClass::kMove;
    layer.flops = 0;
  } else if (ElementwiseTypes().contains(type) || FlopsPerElement(type) > 1) {
    layer.kind = LayerClass::kElementwise;
  }
  const bool has_weights = IsConvolution(type) || type == "MatMul";
  if (has_weights && weights) {
    layer.int8 = weights->quantized && IsQuantized(op.get_input_node_ptr(0));
    layer.weight_bytes = weights->elements * (layer.int8 ? 1 : 4);
  }
  return layer;
}

}  // namespace deepedge
