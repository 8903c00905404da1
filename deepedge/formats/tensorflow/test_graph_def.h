// Writes small TensorFlow graphs for tests.
#pragma once

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "deepedge/formats/test_files.h"

namespace deepedge {

inline std::string TfAttribute(std::string_view key, std::string_view value) {
  return BytesField(5, BytesField(1, key) + BytesField(2, value));
}
inline std::string TfType(std::string_view key, uint64_t type) { return TfAttribute(key, NumberField(6, type)); }
inline std::string TfInt(std::string_view key, uint64_t value) { return TfAttribute(key, NumberField(3, value)); }
inline std::string TfText(std::string_view key, std::string_view value) {
  return TfAttribute(key, BytesField(2, value));
}
inline std::string TfShape(std::string_view key, const std::vector<int64_t>& dims) {
  std::string shape;
  for (const int64_t dim : dims) shape += BytesField(2, NumberField(1, static_cast<uint64_t>(dim)));
  return TfAttribute(key, BytesField(7, shape));
}

inline std::string TfNode(std::string_view name, std::string_view op, const std::vector<std::string>& inputs,
                          const std::string& attributes) {
  std::string node = BytesField(1, name) + BytesField(2, op);
  for (const std::string& input : inputs) node += BytesField(3, input);
  return BytesField(1, node + attributes);
}

// A constant of any type, its numbers as bytes.
inline std::string TfBytes(std::string_view name, uint64_t type, const std::vector<int64_t>& dims,
                           std::string_view bytes) {
  std::string shape;
  for (const int64_t dim : dims) shape += BytesField(2, NumberField(1, static_cast<uint64_t>(dim)));
  const std::string tensor = NumberField(1, type) + BytesField(2, shape) + BytesField(4, bytes);
  return TfNode(name, "Const", {}, TfType("dtype", type) + TfAttribute("value", BytesField(8, tensor)));
}
inline std::string TfFloat(std::string_view name, float value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return TfBytes(name, 1, {}, bytes);
}

// x f32 [3] + the constant {0, 1, 255}, held in bytes, -> y.
inline std::string QuantizedGraph(std::string_view mode) {
  return TfNode("x", "Placeholder", {}, TfType("dtype", 1) + TfShape("shape", {3})) +
         TfBytes("w_bytes", 12, {3}, std::string("\0\1\xFF", 3)) + TfFloat("lo", 0) + TfFloat("hi", 255) +
         TfNode("w", "Dequantize", {"w_bytes", "lo:0", "hi"}, TfType("T", 12) + TfText("mode", mode)) +
         TfNode("y", "Add", {"x", "w"}, TfType("T", 1));
}

}  // namespace deepedge
