// Writes small TensorFlow graphs for tests.
#pragma once

#include <cstring>
#include <map>
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

inline std::string TestTfInts(std::string_view name, const std::vector<int64_t>& dims,
                              const std::vector<int32_t>& values) {
  std::string bytes(values.size() * sizeof(int32_t), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return TestTfBytes(name, 3, dims, bytes);
}

// A loop over i = 0 .. turns - 1 that collects the first i + 1 rows of x f32 or int32 [4, 2] in a TensorArray, each
// number times i + 1, and joins them to y [turns * (turns + 1) / 2, 2]; inputs x and turns int32. Nodes can be replaced
// by others or, with "", left out.
inline std::string TestTfJoiningLoop(std::map<std::string, std::string> other = {}, uint64_t type = 1) {
  const std::string open = BytesField(2, NumberField(1, ~uint64_t{0}));  // a dimension of -1
  const auto enter = [](std::string_view name, std::string_view input, uint64_t enter_type, bool constant) {
    return TestTfNode(name, "Enter", {std::string(input)},
                      TestTfType("T", enter_type) + TestTfText("frame_name", "loop") +
                          TestTfAttribute("is_constant", NumberField(5, constant ? 1 : 0)));
  };
  const std::pair<std::string, std::string> nodes[] = {
      {"x", TestTfNode("x", "Placeholder", {}, TestTfType("dtype", type) + TestTfShape("shape", {4, 2}))},
      {"turns", TestTfNode("turns", "Placeholder", {}, TestTfType("dtype", 3) + TestTfShape("shape", {}))},
      {"size", TestTfInts("size", {}, {0})},
      {"array",
       TestTfNode("array", "TensorArrayV3", {"size"},
                  TestTfType("dtype", type) + TestTfAttribute("dynamic_size", NumberField(5, 1)) +
                      TestTfAttribute("element_shape", BytesField(7, open + BytesField(2, NumberField(1, 2)))))},
      {"zero", TestTfInts("zero", {}, {0})},
      {"i/enter", enter("i/enter", "zero", 3, false)},
      {"i/merge", TestTfNode("i/merge", "Merge", {"i/enter", "i/next"}, TestTfType("T", 3) + TestTfInt("N", 2))},
      {"a/enter", enter("a/enter", "array:1", 1, false)},
      {"a/merge", TestTfNode("a/merge", "Merge", {"a/enter", "a/next"}, TestTfType("T", 1) + TestTfInt("N", 2))},
      {"turns/enter", enter("turns/enter", "turns", 3, true)},
      {"less", TestTfNode("less", "Less", {"i/merge", "turns/enter"}, TestTfType("T", 3))},
      {"cond", TestTfNode("cond", "LoopCond", {"less"}, "")},
      {"i/switch", TestTfNode("i/switch", "Switch", {"i/merge", "cond"}, TestTfType("T", 3))},
      {"a/switch", TestTfNode("a/switch", "Switch", {"a/merge", "cond"}, TestTfType("T", 1))},
      {"i", TestTfNode("i", "Identity", {"i/switch:1"}, TestTfType("T", 3))},
      {"a", TestTfNode("a", "Identity", {"a/switch:1"}, TestTfType("T", 1))},
      {"one", TestTfNode("one", "Const", {"^i"},
                         TestTfType("dtype", 3) +
                             TestTfAttribute(
                                 "value", BytesField(8, NumberField(1, 3) + BytesField(2, "") + NumberField(7, 1))))},
      {"add", TestTfNode("add", "Add", {"i", "one"}, TestTfType("T", 3))},
      {"x/enter", enter("x/enter", "x", type, true)},
      {"begin", TestTfInts("begin", {2}, {0, 0})},
      {"two", TestTfInts("two", {}, {2})},
      {"rows",
       TestTfNode("rows", "Pack", {"add", "two"}, TestTfType("T", 3) + TestTfInt("axis", 0) + TestTfInt("N", 2))},
      {"slice",
       TestTfNode("slice", "Slice", {"x/enter", "begin", "rows"}, TestTfType("T", type) + TestTfType("Index", 3))},
      {"times", TestTfNode("times", "Cast", {"add"}, TestTfType("SrcT", 3) + TestTfType("DstT", type))},
      {"value", TestTfNode("value", "Mul", {"slice", "times"}, TestTfType("T", type))},
      {"array/enter", enter("array/enter", "array", 20, true)},
      {"write", TestTfNode("write", "TensorArrayWriteV3", {"array/enter", "i", "value", "a"}, TestTfType("T", type))},
      {"i/next", TestTfNode("i/next", "NextIteration", {"add"}, TestTfType("T", 3))},
      {"a/next", TestTfNode("a/next", "NextIteration", {"write"}, TestTfType("T", 1))},
      {"a/exit", TestTfNode("a/exit", "Exit", {"a/switch"}, TestTfType("T", 1))},
      {"join", TestTfNode("join", "TensorArrayConcatV3", {"array", "a/exit"},
                          TestTfType("dtype", type) +
                              TestTfAttribute("element_shape_except0", BytesField(7, NumberField(3, 1))))},
      {"y", TestTfNode("y", "Identity", {"join"}, TestTfType("T", type))},
  };
  std::string graph;
  for (const auto& [name, node] : nodes) {
    const auto found = other.find(name);
    graph += found == other.end() ? node : found->second;
  }
  return graph;
}

}  // namespace deepedge
