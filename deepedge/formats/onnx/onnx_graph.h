// The structure of an ONNX file without its weights: nodes with their small attributes, names and shapes of the
// initialisers, and where each of them lies in the file. For rewriting (onnx_rewrite.h), not for running.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "deepedge/base/file.h"
#include "deepedge/formats/wire_pieces.h"

namespace deepedge {

struct FileRange {
  int64_t begin = 0;
  int64_t end = 0;
};

struct OnnxAttribute {
  std::string name;
  // Its content when it is a number, a text or a list of numbers.
  std::optional<int64_t> number;
  std::optional<float> real;
  std::optional<std::string> text;
  std::vector<int64_t> numbers;
  // How it is written: its message in the source, or new bytes.
  FileRange source;
  std::string bytes;
};

OnnxAttribute OnnxNumber(std::string_view name, int64_t value);
OnnxAttribute OnnxText(std::string_view name, std::string_view value);
// An attribute "value" that is a list of numbers (a tensor of int64, one dimension), or one float.
OnnxAttribute OnnxIndices(const std::vector<int64_t>& values);
OnnxAttribute OnnxReal(float value);

struct OnnxNode {
  std::string type;
  std::string domain;  // "" for ONNX's own ("ai.onnx" is read as that)
  std::string name;
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::vector<OnnxAttribute> attributes;
  bool has_subgraph = false;
  FileRange source;  // the field of an unchanged node; empty for a new one

  const OnnxAttribute* Find(std::string_view attribute) const;
  const std::string& Input(size_t index) const;  // "" when there is none
};

struct OnnxTensor {
  std::vector<int64_t> dims;
  int64_t type = 0;  // TensorProto.DataType
};

struct OnnxGraph {
  Path path;
  int64_t size = 0;             // of the file
  int64_t opset = 0;            // version of ONNX's own operators
  std::vector<OnnxNode> nodes;  // in order
  std::map<std::string, OnnxTensor> initializers;
  std::map<std::string, std::vector<FileRange>> inputs;  // fields that declare graph inputs, by name
  std::set<std::string> names;                           // of all values
};

constexpr uint32_t kOnnxGraphField = 7;
constexpr uint32_t kOnnxOpsetField = 8;
constexpr uint32_t kOnnxNodeField = 1;
constexpr uint32_t kOnnxInputField = 11;

// Errors: kNotFound, kBadInput (damaged), kUnsupported (more nodes than any known network has).
Result<OnnxGraph> ReadOnnxGraph(const Path& path);

// What a quick look says, one pass over the node list without attributes.
struct OnnxOutline {
  std::set<std::string> node_types;
  std::map<std::string, std::string> metadata;  // metadata_props
  std::string producer;
};
Result<OnnxOutline> ReadOnnxOutline(const Path& path);

// The node as a message.
WirePieces EncodeOnnxNode(const OnnxNode& node);

}  // namespace deepedge
