// Writes small TensorFlow graphs for tests.
#pragma once

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "deepedge/formats/test_files.h"

namespace deepedge {

inline std::string TestTfAttribute(std::string_view key, std::string_view value) {
  return BytesField(5, BytesField(1, key) + BytesField(2, value));
}
inline std::string TestTfType(std::string_view key, uint64_t type) {
  return TestTfAttribute(key, NumberField(6, type));
}
inline std::string TestTfInt(std::string_view key, uint64_t value) {
  return TestTfAttribute(key, NumberField(3, value));
}
inline std::string TestTfText(std::string_view key, std::string_view value) {
  return TestTfAttribute(key, BytesField(2, value));
}
inline std::string TestTfShape(std::string_view key, const std::vector<int64_t>& dims) {
  std::string shape;
  for (const int64_t dim : dims) shape += BytesField(2, NumberField(1, static_cast<uint64_t>(dim)));
  return TestTfAttribute(key, BytesField(7, shape));
}

inline std::string TestTfNode(std::string_view name, std::string_view op, const std::vector<std::string>& inputs,
                              const std::string& attributes) {
  std::string node = BytesField(1, name) + BytesField(2, op);
  for (const std::string& input : inputs) node += BytesField(3, input);
  return BytesField(1, node + attributes);
}

// A constant of any type, its numbers as bytes.
inline std::string TestTfBytes(std::string_view name, uint64_t type, const std::vector<int64_t>& dims,
                               std::string_view bytes) {
  std::string shape;
  for (const int64_t dim : dims) shape += BytesField(2, NumberField(1, static_cast<uint64_t>(dim)));
  const std::string tensor = NumberField(1, type) + BytesField(2, shape) + BytesField(4, bytes);
  return TestTfNode(name, "Const", {}, TestTfType("dtype", type) + TestTfAttribute("value", BytesField(8, tensor)));
}
// One number that stands for as many as the shape says; `field` is that of a list of numbers.
inline std::string TestTfRepeated(std::string_view name, uint64_t type, const std::vector<int64_t>& dims,
                                  uint32_t field) {
  std::string shape;
  for (const int64_t dim : dims) shape += BytesField(2, NumberField(1, static_cast<uint64_t>(dim)));
  const std::string number = field == 5 ? Varint(5 << 3 | 5) + std::string("\0\0\x80\x3F", 4) : NumberField(field, 1);
  const std::string tensor = NumberField(1, type) + BytesField(2, shape) + number;
  return TestTfNode(name, "Const", {}, TestTfType("dtype", type) + TestTfAttribute("value", BytesField(8, tensor)));
}
inline std::string TestTfFloat(std::string_view name, float value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return TestTfBytes(name, 1, {}, bytes);
}

// x f32 [3] + the constant {0, 1, 255}, held in bytes, -> y.
inline std::string QuantizedGraph(std::string_view mode) {
  return TestTfNode("x", "Placeholder", {}, TestTfType("dtype", 1) + TestTfShape("shape", {3})) +
         TestTfBytes("w_bytes", 12, {3}, std::string("\0\1\xFF", 3)) + TestTfFloat("lo", 0) + TestTfFloat("hi", 255) +
         TestTfNode("w", "Dequantize", {"w_bytes", "lo:0", "hi"}, TestTfType("T", 12) + TestTfText("mode", mode)) +
         TestTfNode("y", "Add", {"x", "w"}, TestTfType("T", 1));
}

}  // namespace deepedge
