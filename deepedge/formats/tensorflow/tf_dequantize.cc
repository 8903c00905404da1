#include "deepedge/formats/tensorflow/tf_dequantize.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "deepedge/formats/wire_pieces.h"

namespace deepedge {
namespace {

constexpr uint32_t kNodeField = 1;  // GraphDef.node
namespace node_field {
constexpr uint32_t kName = 1;
constexpr uint32_t kOp = 2;
constexpr uint32_t kInput = 3;
constexpr uint32_t kAttribute = 5;
}  // namespace node_field
namespace value_field {  // AttrValue
constexpr uint32_t kText = 2;
constexpr uint32_t kNumber = 3;
constexpr uint32_t kFlag = 5;
constexpr uint32_t kType = 6;
constexpr uint32_t kTensor = 8;
}  // namespace value_field
namespace tensor_field {
constexpr uint32_t kType = 1;
constexpr uint32_t kShape = 2;
constexpr uint32_t kContent = 4;
constexpr uint32_t kFloats = 5;
constexpr uint32_t kInts = 7;
}  // namespace tensor_field
constexpr int64_t kFloat = 1;  // DataType
constexpr int64_t kQint8 = 11;
constexpr int64_t kQuint8 = 12;

constexpr size_t kMaxNodes = 500'000;
constexpr int64_t kMaxRepeated = 1 << 20;  // numbers that a constant may stand for with fewer in the file

struct Attribute {
  std::string key;
  std::string text;
  int64_t number = 0;  // also a flag or a type
  std::optional<WireField> tensor;
};

struct Node {
  std::string name;
  std::string op;
  std::vector<std::string> inputs;  // without ":0"
  std::vector<Attribute> attributes;
  WireField field;

  const Attribute* Find(std::string_view key) const {
    for (const Attribute& attribute : attributes) {
      if (attribute.key == key) return &attribute;
    }
    return nullptr;
  }
};

struct Constant {
  int64_t type = 0;
  std::optional<WireField> shape;
  int64_t count = 1;
  std::optional<WireField> content;
  std::vector<float> floats;
  std::vector<int64_t> numbers;
};

class Graph {
 public:
  Graph(BoundedFile& file, const Path& path) : file_(file), path_(path) {}

  Status Read();
  const std::vector<Node>& nodes() const { return nodes_; }
  const Node* Find(const std::string& name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : &nodes_[found->second];
  }
  Result<Constant> ReadConstant(const Node& node);
  Result<std::string> Text(const WireField& field, int64_t most = 4096) { return WireText(file_, path_, field, most); }
  Error Damaged(std::string_view what) const {
    return {ErrorCode::kBadInput, fmt::format("{}: the {} is damaged", path_.string(), what)};
  }
  Error Wrong(ErrorCode code, const Node& node, std::string_view what) const {
    return {code, fmt::format("{}: node '{:.200}' ({:.60}): {}", path_.string(), node.name, node.op, what)};
  }

 private:
  Status ReadNode(const WireField& field);
  Status ReadAttribute(const WireField& field, Node& node);
  Status ReadShape(const WireField& field, Constant& constant);

  BoundedFile& file_;
  const Path& path_;
  std::vector<Node> nodes_;
  std::map<std::string, size_t> by_name_;
};

Status Graph::ReadAttribute(const WireField& field, Node& node) {
  Attribute attribute;
  if (field.type != WireType::kLength) return Damaged("attribute of a node");
  WireScanner entry(file_, field.offset, field.end());
  while (const auto part = entry.Next()) {
    if (part->number == 1) {
      DE_TRY(attribute.key, Text(*part));
    }
    if (part->number != 2 || part->type != WireType::kLength) continue;
    WireScanner value(file_, part->offset, part->end());
    while (const auto v = value.Next()) {
      if (v->number == value_field::kText && v->length <= 256) {
        DE_TRY(attribute.text, Text(*v));
      }
      const bool number =
          v->number == value_field::kNumber || v->number == value_field::kFlag || v->number == value_field::kType;
      if (number && v->type == WireType::kVarint) attribute.number = static_cast<int64_t>(v->value);
      if (v->number == value_field::kTensor && v->type == WireType::kLength) attribute.tensor = *v;
    }
    if (value.broken()) return Damaged("attribute of a node");
  }
  if (entry.broken()) return Damaged("attribute of a node");
  // Those of other nodes only cost memory.
  static const std::set<std::string_view> kWanted = {"value", "dtype", "T", "mode", "narrow_range", "axis"};
  if (kWanted.contains(attribute.key)) node.attributes.push_back(std::move(attribute));
  return {};
}

Status Graph::ReadNode(const WireField& field) {
  if (field.type != WireType::kLength) return Damaged("list of nodes");
  Node node;
  node.field = field;
  WireScanner parts(file_, field.offset, field.end());
  while (const auto part = parts.Next()) {
    if (part->number == node_field::kName) {
      DE_TRY(node.name, Text(*part));
    }
    if (part->number == node_field::kOp) {
      DE_TRY(node.op, Text(*part));
    }
    if (part->number == node_field::kInput) {
      DE_TRY(std::string input, Text(*part));
      if (input.ends_with(":0")) input.resize(input.size() - 2);
      node.inputs.push_back(std::move(input));
    }
    if (part->number == node_field::kAttribute && node.attributes.size() < 64)
      DE_TRY_STATUS(ReadAttribute(*part, node));
  }
  if (parts.broken()) return Damaged("list of nodes");
  by_name_.emplace(node.name, nodes_.size());
  nodes_.push_back(std::move(node));
  return {};
}

Status Graph::Read() {
  WireScanner fields(file_, 0, file_.size());
  while (const auto field = fields.Next()) {
    if (field->number != kNodeField) continue;
    if (nodes_.size() == kMaxNodes) {
      return Error{ErrorCode::kUnsupported, fmt::format("{}: has more than {} nodes", path_.string(), kMaxNodes)};
    }
    DE_TRY_STATUS(ReadNode(*field));
  }
  return fields.broken() ? Status(Damaged("graph")) : Status();
}

Status Graph::ReadShape(const WireField& field, Constant& constant) {
  constexpr int64_t kMost = int64_t{1} << 31;
  WireScanner dims(file_, field.offset, field.end());
  while (const auto dim = dims.Next()) {
    if (dim->number != 2 || dim->type != WireType::kLength) continue;
    int64_t size = 0;
    WireScanner parts(file_, dim->offset, dim->end());
    while (const auto part = parts.Next()) {
      if (part->number == 1 && part->type == WireType::kVarint) size = static_cast<int64_t>(part->value);
    }
    if (size < 0 || size > kMost || (size > 0 && constant.count > kMost / size)) return Damaged("shape of a constant");
    constant.count *= size;
  }
  return dims.broken() ? Status(Damaged("shape of a constant")) : Status();
}

float FloatOf(std::string_view bytes) {
  float value = 0;
  if (bytes.size() >= sizeof value) std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

Result<Constant> Graph::ReadConstant(const Node& node) {
  const Attribute* value = node.Find("value");
  if (value == nullptr || !value->tensor) return Wrong(ErrorCode::kBadInput, node, "has no value");
  constexpr size_t kMaxListed = 4096;
  Constant constant;
  WireScanner fields(file_, value->tensor->offset, value->tensor->end());
  while (const auto field = fields.Next()) {
    const bool message = field->type == WireType::kLength;
    if (field->number == tensor_field::kType) constant.type = static_cast<int64_t>(field->value);
    if (field->number == tensor_field::kShape && message) {
      constant.shape = *field;
      DE_TRY_STATUS(ReadShape(*field, constant));
    }
    if (field->number == tensor_field::kContent && message) constant.content = *field;
    if (field->number == tensor_field::kFloats && constant.floats.size() < kMaxListed) {
      constant.floats.push_back(FloatOf(file_.ReadAt(field->offset, 4)));
    }
    if (field->number != tensor_field::kInts || constant.numbers.size() >= kMaxListed) continue;
    if (!message) {
      constant.numbers.push_back(static_cast<int64_t>(field->value));
    } else if (field->length == 1) {  // packed, one number below 128
      const std::string_view byte = file_.ReadAt(field->offset, 1);
      if (!byte.empty()) constant.numbers.push_back(static_cast<uint8_t>(byte[0]));
    }
  }
  if (fields.broken()) return Wrong(ErrorCode::kBadInput, node, "its value is damaged");
  return constant;
}

// A range is one float.
Result<float> ReadScalar(Graph& graph, const Node& user, size_t input) {
  const Node* node = graph.Find(user.inputs[input]);
  if (node == nullptr || node->op != "Const") {
    return graph.Wrong(ErrorCode::kUnsupported, user, "its range is no constant");
  }
  DE_TRY(const Constant constant, graph.ReadConstant(*node));
  if (constant.type == kFloat && constant.content && constant.content->length == 4) {
    DE_TRY(const std::string bytes, graph.Text(*constant.content));
    return FloatOf(bytes);
  }
  if (constant.type == kFloat && constant.count == 1 && constant.floats.size() == 1) return constant.floats[0];
  if (constant.type == kFloat && constant.count == 1 && constant.floats.empty() && !constant.content) return 0.0F;
  return graph.Wrong(ErrorCode::kUnsupported, user, "its range is not one float");
}

// The bytes of a constant of 8-bit numbers.
Result<std::string> ReadBytes(Graph& graph, const Node& node, const Constant& constant) {
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

Result<TfDequantize> ReadDequantize(Graph& graph, const Node& node) {
  TfDequantize dequantize;
  const Attribute* type = node.Find("T");
  if (type == nullptr || (type->number != kQint8 && type->number != kQuint8) || node.inputs.size() < 3) {
    return graph.Wrong(ErrorCode::kUnsupported, node, "is not read for numbers other than of 8 bits");
  }
  dequantize.is_signed = type->number == kQint8;
  const Attribute* result = node.Find("dtype");
  if (result != nullptr && result->number != kFloat)
    return graph.Wrong(ErrorCode::kUnsupported, node, "gives no floats");
  const Attribute* axis = node.Find("axis");
  if (axis != nullptr && axis->number != -1) {
    return graph.Wrong(ErrorCode::kUnsupported, node, "ranges for each channel are not read");
  }
  const Attribute* mode = node.Find("mode");
  if (mode == nullptr || mode->text == "MIN_COMBINED") {
    dequantize.mode = TfDequantizeMode::kMinCombined;
  } else if (mode->text == "MIN_FIRST") {
    dequantize.mode = TfDequantizeMode::kMinFirst;
  } else if (mode->text == "SCALED") {
    dequantize.mode = TfDequantizeMode::kScaled;
  } else {
    return graph.Wrong(ErrorCode::kUnsupported, node, "an unknown mode");
  }
  const Attribute* narrow = node.Find("narrow_range");
  dequantize.narrow = narrow != nullptr && narrow->number != 0;
  DE_TRY(dequantize.min, ReadScalar(graph, node, 1));
  DE_TRY(dequantize.max, ReadScalar(graph, node, 2));
  if (!std::isfinite(dequantize.min) || !std::isfinite(dequantize.max)) {
    return graph.Wrong(ErrorCode::kBadInput, node, "its range is not finite");
  }
  return dequantize;
}

WirePieces FloatConstantNode(const std::string& name, const Constant& shape, const std::string& bytes,
                             const std::vector<float>& table) {
  std::string floats(bytes.size() * sizeof(float), '\0');
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::memcpy(&floats[i * sizeof(float)], &table[static_cast<uint8_t>(bytes[i])], sizeof(float));
  }
  WirePieces tensor;
  tensor.Add(WireNumber(tensor_field::kType, kFloat));
  if (shape.shape) tensor.Copy(shape.shape->begin, shape.shape->end());
  tensor.Add(WireBytes(tensor_field::kContent, floats));
  WirePieces value;
  value.AddMessage(value_field::kTensor, tensor);
  WirePieces entry;
  entry.Add(WireBytes(1, "value"));
  entry.AddMessage(2, value);
  WirePieces node;
  node.Add(WireBytes(node_field::kName, name));
  node.Add(WireBytes(node_field::kOp, "Const"));
  node.Add(
      WireBytes(node_field::kAttribute, WireBytes(1, "dtype") + WireBytes(2, WireNumber(value_field::kType, kFloat))));
  node.AddMessage(node_field::kAttribute, entry);
  return node;
}

// Nodes of 8-bit constants that nothing but replaced nodes uses.
std::set<const Node*> Unused(const Graph& graph, const std::set<const Node*>& replaced) {
  std::set<const Node*> unused;
  for (const Node* node : replaced) unused.insert(graph.Find(node->inputs[0]));
  for (const Node& node : graph.nodes()) {
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

Result<bool> HasDequantize(const Path& path) {
  DE_TRY(BoundedFile file, BoundedFile::Open(path));
  WireScanner fields(file, 0, file.size());
  while (const auto field = fields.Next()) {
    if (field->number != kNodeField || field->type != WireType::kLength) continue;
    WireScanner parts(file, field->offset, field->end());
    while (const auto part = parts.Next()) {
      if (part->number != node_field::kOp) continue;
      if (part->type == WireType::kLength && PrintableText(file, *part) == "Dequantize") return true;
      break;
    }
  }
  return false;
}

Result<ModelFiles> RewriteDequantize(const ModelFiles& files, const Path& folder) {
  DE_TRY(BoundedFile file, BoundedFile::Open(files.graph));
  Graph graph(file, files.graph);
  DE_TRY_STATUS(graph.Read());
  WirePieces rewritten;
  std::set<const Node*> replaced;
  for (const Node& node : graph.nodes()) {
    const Node* input = node.op == "Dequantize" && !node.inputs.empty() ? graph.Find(node.inputs[0]) : nullptr;
    if (input == nullptr || input->op != "Const") continue;  // of a value that is computed: the engine's business
    DE_TRY(const TfDequantize dequantize, ReadDequantize(graph, node));
    DE_TRY(const Constant constant, graph.ReadConstant(*input));
    if (constant.type != (dequantize.is_signed ? kQint8 : kQuint8)) {
      return graph.Wrong(ErrorCode::kBadInput, node, "is of another type than its input");
    }
    DE_TRY(const std::string bytes, ReadBytes(graph, *input, constant));
    rewritten.AddMessage(kNodeField, FloatConstantNode(node.name, constant, bytes, DequantizeTable(dequantize)));
    replaced.insert(&node);
  }
  const std::set<const Node*> unused = Unused(graph, replaced);
  for (const Node& node : graph.nodes()) {
    if (!replaced.contains(&node) && !unused.contains(&node)) rewritten.Copy(node.field.begin, node.field.end());
  }
  WireScanner fields(file, 0, file.size());
  while (const auto field = fields.Next()) {
    if (field->number != kNodeField) rewritten.Copy(field->begin, field->end());
  }
  ModelFiles result{.format = files.format, .graph = folder / "model.pb"};
  DE_TRY_STATUS(rewritten.Write(files.graph, result.graph));
  return result;
}

}  // namespace deepedge
