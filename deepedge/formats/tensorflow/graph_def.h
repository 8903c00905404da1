// A TensorFlow graph (GraphDef) as a list of nodes and where they lie in the file; constants are read when asked for.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "deepedge/base/file.h"
#include "deepedge/formats/wire_pieces.h"

namespace deepedge {

// Numbers of fields of the messages of TensorFlow.
constexpr uint32_t kTfNodeField = 1;  // GraphDef.node
namespace tf_node_field {
constexpr uint32_t kName = 1;
constexpr uint32_t kOp = 2;
constexpr uint32_t kInput = 3;
constexpr uint32_t kAttribute = 5;
}  // namespace tf_node_field
namespace tf_value_field {  // AttrValue
constexpr uint32_t kText = 2;
constexpr uint32_t kNumber = 3;
constexpr uint32_t kFlag = 5;
constexpr uint32_t kType = 6;
constexpr uint32_t kShape = 7;
constexpr uint32_t kTensor = 8;
}  // namespace tf_value_field
namespace tf_tensor_field {
constexpr uint32_t kType = 1;
constexpr uint32_t kShape = 2;
constexpr uint32_t kContent = 4;
constexpr uint32_t kFloats = 5;
constexpr uint32_t kInts = 7;
}  // namespace tf_tensor_field
constexpr int64_t kTfFloat = 1;  // DataType
constexpr int64_t kTfInt32 = 3;
constexpr int64_t kTfQint8 = 11;
constexpr int64_t kTfQuint8 = 12;

struct TfAttribute {
  std::string key;
  std::string text;
  int64_t number = 0;  // also a flag or a type
  std::optional<WireField> shape;
  std::optional<WireField> tensor;
};

struct TfNode {
  std::string name;
  std::string op;
  std::vector<std::string> inputs;      // without ":0"
  std::vector<TfAttribute> attributes;  // those about constants and arrays
  WireField field;

  const TfAttribute* Find(std::string_view key) const;
};

struct TfConstant {
  int64_t type = 0;
  std::vector<int64_t> dims;
  int64_t count = 1;                 // of numbers
  std::optional<WireField> shape;    // the message
  std::optional<WireField> content;  // the numbers as bytes
  std::vector<float> floats;         // the numbers one by one, in place of bytes; fewer than `count` are repeated
  std::vector<int64_t> numbers;
};

// Whether a graph holds a node of this operation; one quick pass over its nodes. Errors: kNotFound, kBadInput when
// damaged.
Result<bool> HasTfOperation(const Path& graph, std::string_view op);

// Thread-compatible. Borrows the file and its path.
class TfGraph {
 public:
  TfGraph(BoundedFile& file, const Path& path) : file_(file), path_(path) {}

  // Errors: kBadInput (damaged), kUnsupported (more nodes than any known network has).
  Status Read();
  const std::vector<TfNode>& nodes() const { return nodes_; }
  const TfNode* Find(const std::string& name) const;  // null when there is none

  // The dimensions of a shape, of which open ones are negative; nothing when not even their number is known.
  Result<std::optional<std::vector<int64_t>>> ReadShape(const WireField& field);

  // What a Const holds, its numbers as places in the file.
  Result<TfConstant> ReadConstant(const TfNode& node);
  Result<std::string> Text(const WireField& field, int64_t most = 4096) { return WireText(file_, path_, field, most); }

  Error Damaged(std::string_view what) const;
  Error Wrong(ErrorCode code, const TfNode& node, std::string_view what) const;

 private:
  Status ReadNode(const WireField& field);
  Status ReadAttribute(const WireField& field, TfNode& node);
  Status ReadShapeOf(TfConstant& constant);

  BoundedFile& file_;
  const Path& path_;
  std::vector<TfNode> nodes_;
  std::map<std::string, size_t> by_name_;
};

}  // namespace deepedge
