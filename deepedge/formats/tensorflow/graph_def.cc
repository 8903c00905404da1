#include "deepedge/formats/tensorflow/graph_def.h"

#include <fmt/format.h>

#include <set>

#include "deepedge/formats/little_endian.h"

namespace deepedge {
namespace {

constexpr size_t kMaxNodes = 500'000;
constexpr int64_t kMaxShape = 4096;  // bytes of a shape, whose dimensions may have names

}  // namespace

Result<bool> HasTfOperation(const Path& graph, std::string_view op) {
  DE_TRY(BoundedFile file, BoundedFile::Open(graph));
  WireScanner fields(file, 0, file.size());
  while (const auto field = fields.Next()) {
    if (field->number != kTfNodeField || field->type != WireType::kLength) continue;
    WireScanner parts(file, field->offset, field->end());
    while (const auto part = parts.Next()) {
      if (part->number != tf_node_field::kOp) continue;
      if (part->type == WireType::kLength && PrintableText(file, *part) == op) return true;
      break;
    }
  }
  return false;
}

const TfAttribute* TfNode::Find(std::string_view key) const {
  for (const TfAttribute& attribute : attributes) {
    if (attribute.key == key) return &attribute;
  }
  return nullptr;
}

const TfNode* TfGraph::Find(const std::string& name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &nodes_[found->second];
}

Error TfGraph::Damaged(std::string_view what) const {
  return {ErrorCode::kBadInput, fmt::format("{}: the {} is damaged", path_.string(), what)};
}

Error TfGraph::Wrong(ErrorCode code, const TfNode& node, std::string_view what) const {
  return {code, fmt::format("{}: node '{:.200}' ({:.60}): {}", path_.string(), node.name, node.op, what)};
}

Status TfGraph::ReadAttribute(const WireField& field, TfNode& node) {
  TfAttribute attribute;
  if (field.type != WireType::kLength) return Damaged("attribute of a node");
  WireScanner entry(file_, field.offset, field.end());
  while (const auto part = entry.Next()) {
    if (part->number == 1) {
      DE_TRY(attribute.key, Text(*part));
    }
    if (part->number != 2 || part->type != WireType::kLength) continue;
    WireScanner value(file_, part->offset, part->end());
    while (const auto v = value.Next()) {
      if (v->number == tf_value_field::kText && v->length <= 256) {
        DE_TRY(attribute.text, Text(*v));
      }
      const bool number = v->number == tf_value_field::kNumber || v->number == tf_value_field::kFlag ||
                          v->number == tf_value_field::kType;
      if (number && v->type == WireType::kVarint) attribute.number = static_cast<int64_t>(v->value);
      if (v->number == tf_value_field::kShape && v->type == WireType::kLength) attribute.shape = *v;
      if (v->number == tf_value_field::kTensor && v->type == WireType::kLength) attribute.tensor = *v;
    }
    if (value.broken()) return Damaged("attribute of a node");
  }
  if (entry.broken()) return Damaged("attribute of a node");
  // Those of other nodes only cost memory.
  static const std::set<std::string_view> kWanted = {"value",
                                                     "dtype",
                                                     "T",
                                                     "mode",
                                                     "narrow_range",
                                                     "axis",
                                                     "element_shape",
                                                     "element_shape_except0",
                                                     "identical_element_shapes"};
  if (kWanted.contains(attribute.key)) node.attributes.push_back(std::move(attribute));
  return {};
}

Status TfGraph::ReadNode(const WireField& field) {
  if (field.type != WireType::kLength) return Damaged("list of nodes");
  TfNode node;
  node.field = field;
  WireScanner parts(file_, field.offset, field.end());
  while (const auto part = parts.Next()) {
    if (part->number == tf_node_field::kName) {
      DE_TRY(node.name, Text(*part));
    }
    if (part->number == tf_node_field::kOp) {
      DE_TRY(node.op, Text(*part));
    }
    if (part->number == tf_node_field::kInput) {
      DE_TRY(std::string input, Text(*part));
      if (input.ends_with(":0")) input.resize(input.size() - 2);
      node.inputs.push_back(std::move(input));
    }
    if (part->number == tf_node_field::kAttribute && node.attributes.size() < 64)
      DE_TRY_STATUS(ReadAttribute(*part, node));
  }
  if (parts.broken()) return Damaged("list of nodes");
  by_name_.emplace(node.name, nodes_.size());
  nodes_.push_back(std::move(node));
  return {};
}

Status TfGraph::Read() {
  WireScanner fields(file_, 0, file_.size());
  while (const auto field = fields.Next()) {
    if (field->number != kTfNodeField) continue;
    if (nodes_.size() == kMaxNodes) {
      return Error{ErrorCode::kUnsupported, fmt::format("{}: has more than {} nodes", path_.string(), kMaxNodes)};
    }
    DE_TRY_STATUS(ReadNode(*field));
  }
  return fields.broken() ? Status(Damaged("graph")) : Status();
}

Result<std::optional<std::vector<int64_t>>> TfGraph::ReadShape(const WireField& field) {
  constexpr size_t kMostDimensions = 16;
  if (field.length > kMaxShape) return Damaged("shape of a node");
  std::vector<int64_t> shape;
  bool known = true;
  WireScanner dims(file_, field.offset, field.end());
  while (const auto dim = dims.Next()) {
    if (dim->number == 3 && dim->type == WireType::kVarint && dim->value != 0) known = false;
    if (dim->number != 2 || dim->type != WireType::kLength) continue;
    if (shape.size() == kMostDimensions) return Damaged("shape of a node");
    int64_t size = 0;
    WireScanner parts(file_, dim->offset, dim->end());
    while (const auto part = parts.Next()) {
      if (part->number == 1 && part->type == WireType::kVarint) size = static_cast<int64_t>(part->value);
    }
    shape.push_back(size);
  }
  if (dims.broken()) return Damaged("shape of a node");
  return known ? std::optional(std::move(shape)) : std::nullopt;
}

Status TfGraph::ReadShapeOf(TfConstant& constant) {
  constexpr int64_t kMost = int64_t{1} << 31;
  DE_TRY(std::optional<std::vector<int64_t>> dims, ReadShape(*constant.shape));
  if (!dims) return Damaged("shape of a constant");
  for (const int64_t size : *dims) {
    if (size < 0 || size > kMost || (size > 0 && constant.count > kMost / size)) return Damaged("shape of a constant");
    constant.count *= size;
  }
  constant.dims = *std::move(dims);
  return {};
}

Result<TfConstant> TfGraph::ReadConstant(const TfNode& node) {
  const TfAttribute* value = node.Find("value");
  if (value == nullptr || !value->tensor) return Wrong(ErrorCode::kBadInput, node, "has no value");
  constexpr size_t kMaxListed = 4096;
  TfConstant constant;
  WireScanner fields(file_, value->tensor->offset, value->tensor->end());
  size_t count = 0;
  while (const auto field = fields.Next()) {
    // A constant is read for each node that uses it.
    if (++count > kMaxListed + 64) return Wrong(ErrorCode::kUnsupported, node, "has its numbers one by one");
    const bool message = field->type == WireType::kLength;
    if (field->number == tf_tensor_field::kType) constant.type = static_cast<int64_t>(field->value);
    if (field->number == tf_tensor_field::kShape && message) {
      constant.shape = *field;
      DE_TRY_STATUS(ReadShapeOf(constant));
    }
    if (field->number == tf_tensor_field::kContent && message) constant.content = *field;
    if (field->number == tf_tensor_field::kFloats) {
      const int64_t most = static_cast<int64_t>(kMaxListed - constant.floats.size());
      if (field->length > most * 4) return Wrong(ErrorCode::kUnsupported, node, "has its numbers one by one");
      for (int64_t at = field->offset; at + 4 <= field->end(); at += 4) {
        constant.floats.push_back(LittleFloat(file_.ReadAt(at, 4)));
      }
    }
    if (field->number == tf_tensor_field::kInts) {
      DE_TRY_STATUS(WireNumbers(file_, path_, *field, kMaxListed, constant.numbers));
    }
  }
  if (fields.broken()) return Wrong(ErrorCode::kBadInput, node, "its value is damaged");
  return constant;
}

}  // namespace deepedge
