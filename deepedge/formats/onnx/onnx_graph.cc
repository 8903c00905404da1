#include "deepedge/formats/onnx/onnx_graph.h"

#include <fmt/format.h>

#include <bit>
#include <utility>

#include "deepedge/formats/little_endian.h"

namespace deepedge {
namespace {

constexpr size_t kMaxNodes = 200'000;
constexpr size_t kMaxTypes = 1000;
constexpr size_t kMaxEntries = 500'000;  // attributes, names of inputs and outputs, initialisers, of each kind
constexpr size_t kMaxListed = 4096;      // numbers of an attribute that are read

// Fields of the messages of ONNX.
namespace model_field {
constexpr uint32_t kProducer = 2;
constexpr uint32_t kMetadata = 14;
}  // namespace model_field
namespace graph_field {
constexpr uint32_t kInitializer = 5;
constexpr uint32_t kOutput = 12;
}  // namespace graph_field
namespace node_field {
constexpr uint32_t kInput = 1;
constexpr uint32_t kOutput = 2;
constexpr uint32_t kName = 3;
constexpr uint32_t kType = 4;
constexpr uint32_t kAttribute = 5;
constexpr uint32_t kDomain = 7;
}  // namespace node_field
namespace attribute_field {
constexpr uint32_t kName = 1;
constexpr uint32_t kReal = 2;
constexpr uint32_t kNumber = 3;
constexpr uint32_t kText = 4;
constexpr uint32_t kTensor = 5;
constexpr uint32_t kGraph = 6;
constexpr uint32_t kNumbers = 8;
constexpr uint32_t kGraphs = 11;
constexpr uint32_t kType = 20;
}  // namespace attribute_field
namespace tensor_field {
constexpr uint32_t kDims = 1;
constexpr uint32_t kType = 2;
constexpr uint32_t kReals = 4;
constexpr uint32_t kInt64s = 7;
constexpr uint32_t kName = 8;
}  // namespace tensor_field

Error Damaged(const Path& path, std::string_view what) {
  return {ErrorCode::kBadInput, fmt::format("{}: the {} is damaged", path.string(), what)};
}

// A length-delimited field is a message; others are none.
Result<WireScanner> Inside(BoundedFile& file, const Path& path, const WireField& field, std::string_view what) {
  if (field.type != WireType::kLength || field.end() > file.size()) return Damaged(path, what);
  return WireScanner(file, field.offset, field.end());
}

float AsFloat(BoundedFile& file, const WireField& field) {
  return std::bit_cast<float>(Little32(file.ReadAt(field.offset, 4)));
}

Status ReadAttribute(BoundedFile& file, const Path& path, const WireField& field, OnnxNode& node) {
  OnnxAttribute attribute;
  attribute.source = {field.offset, field.end()};
  DE_TRY(WireScanner inner, Inside(file, path, field, "attribute of a node"));
  while (const auto part = inner.Next()) {
    switch (part->number) {
      case attribute_field::kName: {
        DE_TRY(attribute.name, WireText(file, path, *part));
        break;
      }
      case attribute_field::kReal:
        if (part->type == WireType::kFixed32) attribute.real = AsFloat(file, *part);
        break;
      case attribute_field::kNumber:
        if (part->type == WireType::kVarint) attribute.number = static_cast<int64_t>(part->value);
        break;
      case attribute_field::kText:
        if (part->length <= 4096) {
          DE_TRY(attribute.text, WireText(file, path, *part));
        }
        break;
      case attribute_field::kNumbers: {
        // Longer lists belong to nodes that nobody looks into.
        if (part->length > static_cast<int64_t>(kMaxListed) || attribute.numbers.size() == kMaxListed) break;
        DE_TRY_STATUS(WireNumbers(file, path, *part, kMaxListed, attribute.numbers));
        break;
      }
      case attribute_field::kGraph:
      case attribute_field::kGraphs: node.has_subgraph = true; break;
      default: break;
    }
  }
  if (inner.broken()) return Damaged(path, "attribute of a node");
  node.attributes.push_back(std::move(attribute));
  return {};
}

Result<OnnxNode> ReadNode(BoundedFile& file, const Path& path, const WireField& field) {
  OnnxNode node;
  node.source = {field.begin, field.end()};
  DE_TRY(WireScanner inner, Inside(file, path, field, "list of nodes"));
  while (const auto part = inner.Next()) {
    switch (part->number) {
      case node_field::kInput: {
        DE_TRY(node.inputs.emplace_back(), WireText(file, path, *part));
        break;
      }
      case node_field::kOutput: {
        DE_TRY(node.outputs.emplace_back(), WireText(file, path, *part));
        break;
      }
      case node_field::kName: {
        DE_TRY(node.name, WireText(file, path, *part));
        break;
      }
      case node_field::kType: {
        DE_TRY(node.type, WireText(file, path, *part));
        break;
      }
      case node_field::kDomain: {
        DE_TRY(node.domain, WireText(file, path, *part));
        break;
      }
      case node_field::kAttribute: DE_TRY_STATUS(ReadAttribute(file, path, *part, node)); break;
      default: break;
    }
  }
  if (inner.broken()) return Damaged(path, "list of nodes");
  if (node.domain == "ai.onnx") node.domain.clear();
  return node;
}

// Field `number` of a message as text; "" when there is none.
Result<std::string> TextOf(BoundedFile& file, const Path& path, const WireField& message, uint32_t number,
                           int64_t most = 4096) {
  DE_TRY(WireScanner inner, Inside(file, path, message, "graph"));
  while (const auto part = inner.Next()) {
    if (part->number == number) return WireText(file, path, *part, most);
  }
  if (inner.broken()) return Damaged(path, "graph");
  return std::string();
}

Status ReadInitializer(BoundedFile& file, const Path& path, const WireField& field, OnnxGraph& graph) {
  OnnxTensor tensor;
  std::string name;
  DE_TRY(WireScanner inner, Inside(file, path, field, "list of initialisers"));
  while (const auto part = inner.Next()) {
    if (part->number == tensor_field::kDims) DE_TRY_STATUS(WireNumbers(file, path, *part, kMaxListed, tensor.dims));
    if (part->number == tensor_field::kType) tensor.type = static_cast<int64_t>(part->value);
    if (part->number == tensor_field::kName) {
      DE_TRY(name, WireText(file, path, *part));
    }
  }
  if (inner.broken()) return Damaged(path, "list of initialisers");
  graph.names.insert(name);
  graph.initializers[name] = std::move(tensor);
  return {};
}

// Counts what a file of many small entries would fill the memory with.
struct Budget {
  size_t attributes = 0;
  size_t values = 0;

  bool Spent(const OnnxGraph& graph) const {
    return graph.nodes.size() > kMaxNodes || attributes > kMaxEntries || values > kMaxEntries ||
           graph.initializers.size() > kMaxEntries;
  }
};

Status ReadGraphField(BoundedFile& file, const WireField& field, OnnxGraph& graph, Budget& budget) {
  const Path& path = graph.path;
  if (budget.Spent(graph)) {
    return Error{ErrorCode::kUnsupported, fmt::format("{}: has more nodes than any known network", path.string())};
  }
  switch (field.number) {
    case kOnnxNodeField: {
      DE_TRY(OnnxNode node, ReadNode(file, path, field));
      budget.attributes += node.attributes.size();
      budget.values += node.inputs.size() + node.outputs.size();
      graph.names.insert(node.outputs.begin(), node.outputs.end());
      graph.nodes.push_back(std::move(node));
      return {};
    }
    case graph_field::kInitializer: return ReadInitializer(file, path, field, graph);
    case kOnnxInputField: {
      DE_TRY(const std::string name, TextOf(file, path, field, 1));
      graph.names.insert(name);
      graph.inputs[name].push_back({field.begin, field.end()});
      return {};
    }
    case graph_field::kOutput: {
      DE_TRY(const std::string name, TextOf(file, path, field, 1));
      graph.names.insert(name);
      return {};
    }
    default: return {};
  }
}

Status ReadOpset(BoundedFile& file, const Path& path, const WireField& field, int64_t& opset) {
  std::string domain;
  int64_t version = 0;
  DE_TRY(WireScanner inner, Inside(file, path, field, "list of operator sets"));
  while (const auto part = inner.Next()) {
    if (part->number == 1) {
      DE_TRY(domain, WireText(file, path, *part));
    }
    if (part->number == 2 && part->type == WireType::kVarint) version = static_cast<int64_t>(part->value);
  }
  if (inner.broken()) return Damaged(path, "list of operator sets");
  if (domain.empty() || domain == "ai.onnx") opset = version;
  return {};
}

std::string TensorAttribute(std::string_view name, std::string_view tensor) {
  constexpr uint64_t kTensorType = 4;
  return WireBytes(attribute_field::kName, name) + WireBytes(attribute_field::kTensor, tensor) +
         WireNumber(attribute_field::kType, kTensorType);
}

}  // namespace

OnnxAttribute OnnxNumber(std::string_view name, int64_t value) {
  constexpr uint64_t kNumberType = 2;
  OnnxAttribute attribute{.name = std::string(name), .number = value};
  attribute.bytes = WireBytes(attribute_field::kName, name) +
                    WireNumber(attribute_field::kNumber, static_cast<uint64_t>(value)) +
                    WireNumber(attribute_field::kType, kNumberType);
  return attribute;
}

OnnxAttribute OnnxText(std::string_view name, std::string_view value) {
  constexpr uint64_t kTextType = 3;
  OnnxAttribute attribute{.name = std::string(name), .text = std::string(value)};
  attribute.bytes = WireBytes(attribute_field::kName, name) + WireBytes(attribute_field::kText, value) +
                    WireNumber(attribute_field::kType, kTextType);
  return attribute;
}

OnnxAttribute OnnxIndices(const std::vector<int64_t>& values) {
  constexpr uint64_t kInt64 = 7;
  std::string tensor = WireNumber(tensor_field::kDims, values.size()) + WireNumber(tensor_field::kType, kInt64);
  for (const int64_t value : values) tensor += WireNumber(tensor_field::kInt64s, static_cast<uint64_t>(value));
  OnnxAttribute attribute{.name = "value", .numbers = values};
  attribute.bytes = TensorAttribute("value", tensor);
  return attribute;
}

OnnxAttribute OnnxReal(float value) {
  constexpr uint64_t kFloat = 1;
  OnnxAttribute attribute{.name = "value", .real = value};
  attribute.bytes =
      TensorAttribute("value", WireNumber(tensor_field::kType, kFloat) + WireFloat(tensor_field::kReals, value));
  return attribute;
}

const OnnxAttribute* OnnxNode::Find(std::string_view attribute) const {
  for (const OnnxAttribute& candidate : attributes) {
    if (candidate.name == attribute) return &candidate;
  }
  return nullptr;
}

const std::string& OnnxNode::Input(size_t index) const {
  static const std::string kNone;
  return index < inputs.size() ? inputs[index] : kNone;
}

Result<OnnxGraph> ReadOnnxGraph(const Path& path) {
  DE_TRY(BoundedFile file, BoundedFile::Open(path));
  OnnxGraph graph{.path = path, .size = file.size()};
  Budget budget;
  bool seen = false;
  WireScanner fields(file, 0, file.size());
  while (const auto field = fields.Next()) {
    if (field->number == kOnnxOpsetField) DE_TRY_STATUS(ReadOpset(file, path, *field, graph.opset));
    if (field->number != kOnnxGraphField) continue;
    if (std::exchange(seen, true)) return Damaged(path, "model");
    DE_TRY(WireScanner inner, Inside(file, path, *field, "graph"));
    while (const auto part = inner.Next()) DE_TRY_STATUS(ReadGraphField(file, *part, graph, budget));
    if (inner.broken()) return Damaged(path, "graph");
  }
  if (fields.broken()) return Damaged(path, "model");
  return graph;
}

Result<OnnxOutline> ReadOnnxOutline(const Path& path) {
  constexpr int64_t kMaxText = 1 << 20;
  constexpr size_t kMaxMetadata = 256;
  DE_TRY(BoundedFile file, BoundedFile::Open(path));
  OnnxOutline outline;
  WireScanner fields(file, 0, file.size());
  while (const auto field = fields.Next()) {
    if (field->number == model_field::kProducer) {
      DE_TRY(outline.producer, WireText(file, path, *field));
    }
    if (field->number == model_field::kMetadata && outline.metadata.size() < kMaxMetadata) {
      DE_TRY(const std::string key, TextOf(file, path, *field, 1));
      DE_TRY(outline.metadata[key], TextOf(file, path, *field, 2, kMaxText));
    }
    if (field->number != kOnnxGraphField) continue;
    DE_TRY(WireScanner graph, Inside(file, path, *field, "graph"));
    while (const auto part = graph.Next()) {
      if (part->number != kOnnxNodeField || outline.node_types.size() >= kMaxTypes) continue;
      DE_TRY(std::string type, TextOf(file, path, *part, node_field::kType));
      outline.node_types.insert(std::move(type));
    }
    if (graph.broken()) return Damaged(path, "graph");
  }
  if (fields.broken()) return Damaged(path, "model");
  return outline;
}

WirePieces EncodeOnnxNode(const OnnxNode& node) {
  WirePieces pieces;
  for (const std::string& input : node.inputs) pieces.Add(WireBytes(node_field::kInput, input));
  for (const std::string& output : node.outputs) pieces.Add(WireBytes(node_field::kOutput, output));
  if (!node.name.empty()) pieces.Add(WireBytes(node_field::kName, node.name));
  pieces.Add(WireBytes(node_field::kType, node.type));
  for (const OnnxAttribute& attribute : node.attributes) {
    WirePieces content;
    if (attribute.bytes.empty()) content.Copy(attribute.source.begin, attribute.source.end);
    content.Add(attribute.bytes);
    pieces.AddMessage(node_field::kAttribute, content);
  }
  if (!node.domain.empty()) pieces.Add(WireBytes(node_field::kDomain, node.domain));
  return pieces;
}

}  // namespace deepedge
