#include "deepedge/formats/tensorflow/tf_dequantize.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "deepedge/formats/little_endian.h"
#include "deepedge/formats/tensorflow/graph_def.h"

namespace deepedge {
namespace {

constexpr int64_t kMaxRepeated = 1 << 20;  // numbers that a constant may stand for with fewer in the file
// What the rewritten file may be longer than the original, by which a byte that becomes a float is 4 times as long:
// more is one constant used again and again.
constexpr int64_t kMostGrowth = 8;
constexpr int64_t kFreeBytes = 64 << 20;

// A range is one float.
Result<float> ReadScalar(TfGraph& graph, const TfNode& user, size_t input) {
  const TfNode* node = graph.Find(user.inputs[input]);
  if (node == nullptr || node->op != "Const") {
    return graph.Wrong(ErrorCode::kUnsupported, user, "its range is no constant");
  }
  DE_TRY(const TfConstant constant, graph.ReadConstant(*node));
  if (constant.type == kTfFloat && constant.content && constant.content->length == 4) {
    DE_TRY(const std::string bytes, graph.Text(*constant.content));
    return LittleFloat(bytes);
  }
  if (constant.type == kTfFloat && constant.count == 1 && constant.floats.size() == 1) return constant.floats[0];
  if (constant.type == kTfFloat && constant.count == 1 && constant.floats.empty() && !constant.content) return 0.0F;
  return graph.Wrong(ErrorCode::kUnsupported, user, "its range is not one float");
}

// The bytes of a constant of 8-bit numbers.
Result<std::string> ReadBytes(TfGraph& graph, const TfNode& node, const TfConstant& constant) {
  if (constant.content) {
    if (constant.content->length != constant.count) {
      return graph.Wrong(ErrorCode::kBadInput, node,
                         fmt::format("holds {} bytes, its shape {} numbers", constant.content->length, constant.count));
    }
    return graph.Text(*constant.content, constant.count);
  }
  if (constant.numbers.size() != 1 || constant.count > kMaxRepeated) {
    return graph.Wrong(ErrorCode::kUnsupported, node, "its numbers are written in a way that is not read");
  }
  return std::string(static_cast<size_t>(constant.count), static_cast<char>(constant.numbers[0]));
}

Result<TfDequantize> ReadDequantize(TfGraph& graph, const TfNode& node) {
  TfDequantize dequantize;
  const TfAttribute* type = node.Find("T");
  if (type == nullptr || (type->number != kTfQint8 && type->number != kTfQuint8) || node.inputs.size() < 3) {
    return graph.Wrong(ErrorCode::kUnsupported, node, "is not read for numbers other than of 8 bits");
  }
  dequantize.is_signed = type->number == kTfQint8;
  const TfAttribute* result = node.Find("dtype");
  if (result != nullptr && result->number != kTfFloat)
    return graph.Wrong(ErrorCode::kUnsupported, node, "gives no floats");
  const TfAttribute* axis = node.Find("axis");
  if (axis != nullptr && axis->number != -1) {
    return graph.Wrong(ErrorCode::kUnsupported, node, "ranges for each channel are not read");
  }
  const TfAttribute* mode = node.Find("mode");
  if (mode == nullptr || mode->text == "MIN_COMBINED") {
    dequantize.mode = TfDequantizeMode::kMinCombined;
  } else if (mode->text == "MIN_FIRST") {
    dequantize.mode = TfDequantizeMode::kMinFirst;
  } else if (mode->text == "SCALED") {
    dequantize.mode = TfDequantizeMode::kScaled;
  } else {
    return graph.Wrong(ErrorCode::kUnsupported, node, "an unknown mode");
  }
  const TfAttribute* narrow = node.Find("narrow_range");
  dequantize.narrow = narrow != nullptr && narrow->number != 0;
  DE_TRY(dequantize.min, ReadScalar(graph, node, 1));
  DE_TRY(dequantize.max, ReadScalar(graph, node, 2));
  if (!std::isfinite(dequantize.min) || !std::isfinite(dequantize.max)) {
    return graph.Wrong(ErrorCode::kBadInput, node, "its range is not finite");
  }
  return dequantize;
}

WirePieces FloatConstantNode(const std::string& name, const TfConstant& shape, const std::string& bytes,
                             const std::vector<float>& table) {
  std::string floats(bytes.size() * sizeof(float), '\0');
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::memcpy(&floats[i * sizeof(float)], &table[static_cast<uint8_t>(bytes[i])], sizeof(float));
  }
  WirePieces tensor;
  tensor.Add(WireNumber(tf_tensor_field::kType, kTfFloat));
  if (shape.shape) tensor.Copy(shape.shape->begin, shape.shape->end());
  tensor.Add(WireBytes(tf_tensor_field::kContent, floats));
  WirePieces value;
  value.AddMessage(tf_value_field::kTensor, tensor);
  WirePieces entry;
  entry.Add(WireBytes(1, "value"));
  entry.AddMessage(2, value);
  WirePieces node;
  node.Add(WireBytes(tf_node_field::kName, name));
  node.Add(WireBytes(tf_node_field::kOp, "Const"));
  node.Add(WireBytes(tf_node_field::kAttribute,
                     WireBytes(1, "dtype") + WireBytes(2, WireNumber(tf_value_field::kType, kTfFloat))));
  node.AddMessage(tf_node_field::kAttribute, entry);
  return node;
}

// Nodes of 8-bit constants that nothing but replaced nodes uses.
std::set<const TfNode*> Unused(const TfGraph& graph, const std::set<const TfNode*>& replaced) {
  std::set<const TfNode*> unused;
  for (const TfNode* node : replaced) unused.insert(graph.Find(node->inputs[0]));
  for (const TfNode& node : graph.nodes()) {
    if (replaced.contains(&node)) continue;
    for (const std::string& input : node.inputs) unused.erase(graph.Find(input));
  }
  return unused;
}

}  // namespace

std::vector<float> DequantizeTable(const TfDequantize& d) {
  constexpr float kSteps = 255;
  const auto is_step = [](float step) { return std::isfinite(step) && step >= std::numeric_limits<float>::min(); };
  std::vector<float> table(256, d.min);
  float step = (d.max - d.min) / kSteps;
  float first = d.min;  // stands for the lowest number
  const int lowest = d.is_signed ? -128 : 0;
  if (d.mode == TfDequantizeMode::kScaled) {
    step = d.is_signed ? std::max(d.min / (d.narrow ? -127.0F : -128.0F), d.max / 127.0F) : d.max / kSteps;
  }
  if (!is_step(step)) return table;
  if (d.mode == TfDequantizeMode::kMinFirst) first = std::round(d.min / step) * step;
  for (size_t byte = 0; byte < table.size(); ++byte) {
    const int number = d.is_signed ? static_cast<int8_t>(static_cast<uint8_t>(byte)) : static_cast<int>(byte);
    table[byte] = d.mode == TfDequantizeMode::kScaled ? static_cast<float>(number) * step
                                                      : first + static_cast<float>(number - lowest) * step;
  }
  return table;
}

Result<TfValues> ReadTfValues(TfGraph& graph, const TfNode& node) {
  if (node.op == "Dequantize" && !node.inputs.empty()) {
    const TfNode* input = graph.Find(node.inputs[0]);
    if (input == nullptr || input->op != "Const") return graph.Wrong(ErrorCode::kUnsupported, node, "is no constant");
    DE_TRY(const TfDequantize dequantize, ReadDequantize(graph, node));
    DE_TRY(TfConstant constant, graph.ReadConstant(*input));
    DE_TRY(const std::string bytes, ReadBytes(graph, *input, constant));
    const std::vector<float> table = DequantizeTable(dequantize);
    TfValues values{.dims = std::move(constant.dims), .floats = {}, .numbers = {}};
    values.floats.reserve(bytes.size());
    for (const char byte : bytes) values.floats.push_back(table[static_cast<uint8_t>(byte)]);
    return values;
  }
  if (node.op != "Const") return graph.Wrong(ErrorCode::kUnsupported, node, "is no constant");
  DE_TRY(TfConstant constant, graph.ReadConstant(node));
  TfValues values{
      .dims = std::move(constant.dims), .floats = std::move(constant.floats), .numbers = std::move(constant.numbers)};
  const auto count = static_cast<size_t>(constant.count);
  if (constant.type != kTfFloat && constant.type != kTfInt32) {
    return graph.Wrong(ErrorCode::kUnsupported, node, "is a constant of a type that is not read");
  }
  const bool floats = constant.type == kTfFloat;
  if (constant.content) {
    if (constant.content->length != constant.count * 4)
      return graph.Wrong(ErrorCode::kBadInput, node, "holds too few numbers");
    DE_TRY(const std::string bytes, graph.Text(*constant.content, constant.content->length));
    std::vector<int32_t> numbers(floats ? 0 : count);
    values.floats.resize(floats ? count : 0);
    if (count > 0)
      std::memcpy(floats ? static_cast<void*>(values.floats.data()) : numbers.data(), bytes.data(), bytes.size());
    if (!floats) values.numbers.assign(numbers.begin(), numbers.end());
    return values;
  }
  const size_t given = floats ? values.floats.size() : values.numbers.size();
  if (given != count && (given != 1 || constant.count > kMaxRepeated)) {
    return graph.Wrong(ErrorCode::kUnsupported, node, "its numbers are written in a way that is not read");
  }
  // A damaged constant may hold numbers of the other type too, not as many as its shape says.
  if (floats) {
    values.floats.resize(count, given == 0 ? 0.0F : values.floats[0]);
    values.numbers.clear();
  } else {
    values.numbers.resize(count, given == 0 ? 0 : values.numbers[0]);
    values.floats.clear();
  }
  return values;
}

Result<bool> HasDequantize(const Path& path) { return HasTfOperation(path, "Dequantize"); }

Result<ModelFiles> RewriteDequantize(const ModelFiles& files, const Path& folder) {
  DE_TRY(BoundedFile file, BoundedFile::Open(files.graph));
  TfGraph graph(file, files.graph);
  DE_TRY_STATUS(graph.Read());
  WirePieces rewritten;
  std::set<const TfNode*> replaced;
  for (const TfNode& node : graph.nodes()) {
    const TfNode* input = node.op == "Dequantize" && !node.inputs.empty() ? graph.Find(node.inputs[0]) : nullptr;
    if (input == nullptr || input->op != "Const") continue;  // of a value that is computed: the engine's business
    DE_TRY(const TfDequantize dequantize, ReadDequantize(graph, node));
    DE_TRY(const TfConstant constant, graph.ReadConstant(*input));
    if (constant.type != (dequantize.is_signed ? kTfQint8 : kTfQuint8)) {
      return graph.Wrong(ErrorCode::kBadInput, node, "is of another type than its input");
    }
    DE_TRY(const std::string bytes, ReadBytes(graph, *input, constant));
    const int64_t length = rewritten.size() + 4 * std::ssize(bytes);
    if (length > kFreeBytes && length / kMostGrowth > file.size()) {
      return graph.Wrong(ErrorCode::kBadInput, node, "the constants of 8 bits are used too often");
    }
    rewritten.AddMessage(kTfNodeField, FloatConstantNode(node.name, constant, bytes, DequantizeTable(dequantize)));
    replaced.insert(&node);
  }
  const std::set<const TfNode*> unused = Unused(graph, replaced);
  for (const TfNode& node : graph.nodes()) {
    if (!replaced.contains(&node) && !unused.contains(&node)) rewritten.Copy(node.field.begin, node.field.end());
  }
  WireScanner fields(file, 0, file.size());
  while (const auto field = fields.Next()) {
    if (field->number != kTfNodeField) rewritten.Copy(field->begin, field->end());
  }
  ModelFiles result{.format = files.format, .graph = folder / "model.pb"};
  DE_TRY_STATUS(rewritten.Write(files.graph, result.graph));
  return result;
}

}  // namespace deepedge
