#include "deepedge/formats/onnx/onnx_quantized.h"

#include <algorithm>
#include <array>
#include <map>

namespace deepedge {
namespace {

constexpr int64_t kFloatType = 1;  // TensorProto.FLOAT

// Whether a scale is one for each channel; one that is computed counts as a single one.
bool IsPerChannel(const OnnxEditor& editor, const std::string& scale) {
  const auto found = editor.graph().initializers.find(scale);
  if (found == editor.graph().initializers.end()) return false;
  const std::vector<int64_t>& dims = found->second.dims;
  return std::any_of(dims.begin(), dims.end(), [](int64_t d) { return d != 1; });
}

// A quantized value: three neighbouring inputs of a node.
struct Quantized {
  std::string value;
  std::string scale;
  std::string zero;

  Quantized(const OnnxNode& node, size_t first)
      : value(node.Input(first)), scale(node.Input(first + 1)), zero(node.Input(first + 2)) {}
};

std::vector<std::string> WithZero(const std::string& value, const std::string& scale, const std::string& zero) {
  std::vector<std::string> inputs{value, scale};
  if (!zero.empty()) inputs.push_back(zero);
  return inputs;
}

// `axis` counts only for a value with a scale for each channel.
std::string Dequantize(OnnxEditor& editor, const Quantized& quantized, int64_t axis = 1) {
  std::vector<OnnxAttribute> attributes;
  if (IsPerChannel(editor, quantized.scale)) attributes.push_back(OnnxNumber("axis", axis));
  return editor.Add("DequantizeLinear", WithZero(quantized.value, quantized.scale, quantized.zero),
                    std::move(attributes));
}

void Quantize(OnnxEditor& editor, const OnnxNode& node, const std::string& value, const std::string& scale,
              const std::string& zero) {
  editor.AddAs(node.outputs[0], "QuantizeLinear", WithZero(value, scale, zero));
}

std::vector<OnnxAttribute> Without(const OnnxNode& node, std::initializer_list<std::string_view> names) {
  std::vector<OnnxAttribute> kept;
  for (const OnnxAttribute& attribute : node.attributes) {
    if (std::find(names.begin(), names.end(), attribute.name) == names.end()) kept.push_back(attribute);
  }
  return kept;
}

int64_t Number(const OnnxNode& node, std::string_view name, int64_t otherwise) {
  const OnnxAttribute* attribute = node.Find(name);
  return attribute == nullptr ? otherwise : attribute->number.value_or(otherwise);
}

// A bias of whole numbers counts in steps of both scales.
std::string DequantizeBias(OnnxEditor& editor, const std::string& bias, const std::string& a, const std::string& b) {
  const std::string real = editor.Add("Cast", {bias}, {OnnxNumber("to", kFloatType)});
  return editor.Add("Mul", {real, editor.Add("Mul", {a, b})});
}

Status Convolution(const OnnxNode& node, OnnxEditor& editor) {
  const Quantized x(node, 0);
  const Quantized w(node, 3);
  std::vector<std::string> inputs{Dequantize(editor, x), Dequantize(editor, w, 0)};
  if (!node.Input(8).empty()) inputs.push_back(DequantizeBias(editor, node.Input(8), x.scale, w.scale));
  Quantize(editor, node, editor.Add("Conv", inputs, node.attributes), node.Input(6), node.Input(7));
  return {};
}

Status MatrixProduct(const OnnxNode& node, OnnxEditor& editor) {
  const Quantized a(node, 0);
  const Quantized b(node, 3);
  if (IsPerChannel(editor, a.scale)) return editor.Wrong(node, "a scale for each row is not read");
  const std::string product = editor.Add("MatMul", {Dequantize(editor, a), Dequantize(editor, b, 1)});
  Quantize(editor, node, product, node.Input(6), node.Input(7));
  return {};
}

// Add and Mul.
Status Elementwise(const OnnxNode& node, OnnxEditor& editor) {
  const std::string type = node.type.substr(std::string_view("QLinear").size());
  const std::string result =
      editor.Add(type, {Dequantize(editor, Quantized(node, 0)), Dequantize(editor, Quantized(node, 3))});
  Quantize(editor, node, result, node.Input(6), node.Input(7));
  return {};
}

// One operand, attributes as they are.
Status Unary(const OnnxNode& node, OnnxEditor& editor) {
  if (Number(node, "channels_last", 0) != 0) return editor.Wrong(node, "channels_last is not read");
  const std::string type = node.type.substr(std::string_view("QLinear").size());
  const std::string result =
      editor.Add(type, {Dequantize(editor, Quantized(node, 0))}, Without(node, {"channels_last", "opset"}));
  Quantize(editor, node, result, node.Input(3), node.Input(4));
  return {};
}

// Operator set 12 and older took all axes from the given one on for one.
Status SoftMax(const OnnxNode& node, OnnxEditor& editor) {
  constexpr int64_t kFirstOfOneAxis = 13;
  const int64_t axis = Number(node, "axis", -1);
  if (Number(node, "opset", kFirstOfOneAxis) < kFirstOfOneAxis && axis != -1) {
    return editor.Wrong(node, "softmax over several axes is not read");
  }
  const std::string result =
      editor.Add("Softmax", {Dequantize(editor, Quantized(node, 0))}, {OnnxNumber("axis", axis)});
  Quantize(editor, node, result, node.Input(3), node.Input(4));
  return {};
}

Status Concatenation(const OnnxNode& node, OnnxEditor& editor) {
  std::vector<std::string> parts;
  for (size_t i = 2; i + 1 < node.inputs.size(); i += 3) parts.push_back(Dequantize(editor, Quantized(node, i)));
  Quantize(editor, node, editor.Add("Concat", parts, node.attributes), node.Input(0), node.Input(1));
  return {};
}

Status Choice(const OnnxNode& node, OnnxEditor& editor) {
  const std::string result = editor.Add(
      "Where", {node.Input(0), Dequantize(editor, Quantized(node, 1)), Dequantize(editor, Quantized(node, 4))});
  Quantize(editor, node, result, node.Input(7), node.Input(8));
  return {};
}

// alpha * A * B + C, where C counts in steps of alpha and both scales.
Status GeneralProduct(const OnnxNode& node, OnnxEditor& editor) {
  const Quantized a(node, 0);
  const Quantized b(node, 3);
  if (IsPerChannel(editor, a.scale)) return editor.Wrong(node, "a scale for each row is not read");
  std::vector<std::string> inputs{Dequantize(editor, a), Dequantize(editor, b, Number(node, "transB", 0) != 0 ? 0 : 1)};
  if (!node.Input(6).empty()) {
    std::string bias = DequantizeBias(editor, node.Input(6), a.scale, b.scale);
    const OnnxAttribute* alpha = node.Find("alpha");
    if (alpha != nullptr && alpha->real.value_or(1) != 1) {
      bias = editor.Add("Mul", {bias, editor.Real(*alpha->real)});
    }
    inputs.push_back(bias);
  }
  if (node.Input(7).empty()) {
    editor.AddAs(node.outputs[0], "Gemm", inputs, node.attributes);
  } else {
    Quantize(editor, node, editor.Add("Gemm", inputs, node.attributes), node.Input(7), node.Input(8));
  }
  return {};
}

struct QuantizedOperation {
  std::string_view type;
  size_t fewest_inputs;
  Status (*take_apart)(const OnnxNode&, OnnxEditor&);
};
constexpr std::array kOperations = {
    QuantizedOperation{"QLinearConv", 8, Convolution},        QuantizedOperation{"QLinearMatMul", 8, MatrixProduct},
    QuantizedOperation{"QLinearAdd", 7, Elementwise},         QuantizedOperation{"QLinearMul", 7, Elementwise},
    QuantizedOperation{"QLinearGlobalAveragePool", 4, Unary}, QuantizedOperation{"QLinearAveragePool", 4, Unary},
    QuantizedOperation{"QLinearSigmoid", 4, Unary},           QuantizedOperation{"QLinearLeakyRelu", 4, Unary},
    QuantizedOperation{"QLinearReduceMean", 4, Unary},        QuantizedOperation{"QLinearSoftmax", 4, SoftMax},
    QuantizedOperation{"QLinearConcat", 5, Concatenation},    QuantizedOperation{"QLinearWhere", 8, Choice},
    QuantizedOperation{"QGemm", 6, GeneralProduct},
};

const QuantizedOperation* FindOperation(std::string_view type) {
  const auto* found =
      std::find_if(kOperations.begin(), kOperations.end(), [&](const auto& o) { return o.type == type; });
  return found == kOperations.end() ? nullptr : found;
}

}  // namespace

bool IsQuantizedOperation(std::string_view type) { return FindOperation(type) != nullptr; }

Status TakeApart(OnnxNode node, OnnxEditor& editor) {
  const QuantizedOperation* operation = FindOperation(node.type);
  if (operation == nullptr) return editor.Wrong(node, "is not taken apart");
  if (node.inputs.size() < operation->fewest_inputs || node.outputs.size() != 1) {
    return editor.Wrong(node, "has too few inputs, or other than one output");
  }
  return operation->take_apart(node, editor);
}

}  // namespace deepedge
