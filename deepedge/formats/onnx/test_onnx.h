// Writes small ONNX files for tests.
#pragma once

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "deepedge/formats/test_files.h"

namespace deepedge {

struct TestNode {
  std::string type;
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::string attributes = {};  // encoded
  std::string domain = {};
};

inline std::string TestInts(std::string_view name, const std::vector<int64_t>& values) {
  std::string content = BytesField(1, name);
  for (const int64_t value : values) content += NumberField(8, static_cast<uint64_t>(value));
  return BytesField(5, content + NumberField(20, 7));
}

inline std::string TestInt(std::string_view name, int64_t value) {
  return BytesField(5, BytesField(1, name) + NumberField(3, static_cast<uint64_t>(value)) + NumberField(20, 2));
}

inline std::string Encode(const TestNode& node) {
  std::string content;
  for (const std::string& input : node.inputs) content += BytesField(1, input);
  for (const std::string& output : node.outputs) content += BytesField(2, output);
  content += BytesField(4, node.type) + node.attributes;
  if (!node.domain.empty()) content += BytesField(7, node.domain);
  return BytesField(1, content);
}

// A tensor of the numbers' type, which must be the one that `type` (TensorProto.DataType) means.
template <typename T>
std::string TestTensor(std::string_view name, int64_t type, const std::vector<int64_t>& dims,
                       const std::vector<T>& values) {
  std::string raw(values.size() * sizeof(T), '\0');
  if (!raw.empty()) std::memcpy(raw.data(), values.data(), raw.size());
  std::string content;
  for (const int64_t dim : dims) content += NumberField(1, static_cast<uint64_t>(dim));
  content += NumberField(2, static_cast<uint64_t>(type)) + BytesField(8, name) + BytesField(9, raw);
  return BytesField(5, content);
}
inline std::string TestFloats(std::string_view name, const std::vector<int64_t>& dims, const std::vector<float>& v) {
  return TestTensor(name, 1, dims, v);
}

// ValueInfoProto: name, type and shape; field 11 for an input, 12 for an output.
inline std::string TestValue(uint32_t field, std::string_view name, int64_t type, const std::vector<int64_t>& dims) {
  std::string shape;
  for (const int64_t dim : dims) shape += BytesField(1, NumberField(1, static_cast<uint64_t>(dim)));
  const std::string tensor = NumberField(1, static_cast<uint64_t>(type)) + BytesField(2, shape);
  return BytesField(field, BytesField(1, name) + BytesField(2, BytesField(1, tensor)));
}

inline std::string TestOnnx(const std::vector<TestNode>& nodes, const std::string& rest, int64_t opset = 12) {
  std::string graph;
  for (const TestNode& node : nodes) graph += Encode(node);
  return NumberField(1, 7) + BytesField(2, "tester") + BytesField(7, graph + BytesField(2, "graph") + rest) +
         BytesField(8, BytesField(1, "") + NumberField(2, static_cast<uint64_t>(opset))) +
         BytesField(8, BytesField(1, "com.microsoft") + NumberField(2, 1));
}

// x f32 [1,2,1,2] -> quantized convolution of 1x1 with a scale for each of its two filters -> y f32 [1,2,1,2].
inline std::string TestQuantizedConvolution() {
  const std::string constants = TestFloats("xs", {}, {0.5F}) + TestTensor<uint8_t>("xz", 2, {}, {10}) +
                                TestTensor<int8_t>("w", 3, {2, 2, 1, 1}, {100, 120, -50, 127}) +
                                TestFloats("ws", {2}, {0.01F, 0.1F}) + TestTensor<int8_t>("wz", 3, {2}, {0, 0}) +
                                TestFloats("ys", {}, {0.25F}) + TestTensor<uint8_t>("yz", 2, {}, {100}) +
                                TestTensor<int32_t>("b", 6, {2}, {200, -40});
  return TestOnnx({{"QuantizeLinear", {"x", "xs", "xz"}, {"xq"}},
                   {"QLinearConv", {"xq", "xs", "xz", "w", "ws", "wz", "ys", "yz", "b"}, {"yq"}},
                   {"DequantizeLinear", {"yq", "ys", "yz"}, {"y"}}},
                  constants + TestValue(11, "x", 1, {1, 2, 1, 2}) + TestValue(11, "w", 3, {2, 2, 1, 1}) +
                      TestValue(12, "y", 1, {1, 2, 1, 2}));
}

}  // namespace deepedge
