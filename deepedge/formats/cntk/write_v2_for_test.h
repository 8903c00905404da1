// Writes CNTK v2 models. For tests only.
#pragma once

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "deepedge/formats/test_files.h"

namespace deepedge::cntk {

using Entries = std::vector<std::pair<std::string, std::string>>;

inline std::string ValueBytes(uint32_t type, const std::string& field) {
  return NumberField(1, 1) + NumberField(2, type) + field;
}
inline std::string BoolValue(bool v) { return ValueBytes(1, NumberField(3, v ? 1 : 0)); }
inline std::string IntValue(int32_t v) { return ValueBytes(2, NumberField(4, static_cast<uint64_t>(int64_t{v}))); }
inline std::string SizeValue(uint64_t v) { return ValueBytes(3, NumberField(5, v)); }
inline std::string DoubleValue(double v) {
  std::string bytes(sizeof(v), '\0');
  std::memcpy(bytes.data(), &v, sizeof(v));
  return ValueBytes(5, Varint(7 << 3 | 1) + bytes);
}
inline std::string TextValue(const std::string& v) { return ValueBytes(6, BytesField(8, v)); }

inline std::string ShapeBytes(const std::vector<int64_t>& dims) {
  std::string packed;
  for (const int64_t dim : dims) packed += Varint(static_cast<uint64_t>(dim));
  return dims.empty() ? "" : BytesField(1, packed);
}
inline std::string ShapeValue(const std::vector<int64_t>& dims) {
  return ValueBytes(7, BytesField(9, ShapeBytes(dims)));
}
inline std::string AxisValue(int32_t index, const std::string& name = "") {
  std::string axis = NumberField(1, static_cast<uint64_t>(int64_t{index}));
  if (!name.empty()) axis += BytesField(2, name);
  return ValueBytes(8, BytesField(10, axis + NumberField(3, 1)));
}
inline std::string VectorValue(const std::vector<std::string>& values) {
  std::string vector;
  for (const std::string& value : values) vector += BytesField(1, value);
  return ValueBytes(9, BytesField(11, vector));
}
inline std::string TextsValue(const std::vector<std::string>& texts) {
  std::vector<std::string> values;
  for (const std::string& text : texts) values.push_back(TextValue(text));
  return VectorValue(values);
}
inline std::string BoolsValue(const std::vector<bool>& bools) {
  std::vector<std::string> values;
  for (const bool b : bools) values.push_back(BoolValue(b));
  return VectorValue(values);
}
inline std::string SizesValue(const std::vector<uint64_t>& sizes) {
  std::vector<std::string> values;
  for (const uint64_t size : sizes) values.push_back(SizeValue(size));
  return VectorValue(values);
}
inline std::string DictionaryBytes(const Entries& entries) {
  std::string bytes = NumberField(1, 1);
  for (const auto& [key, value] : entries) bytes += BytesField(2, BytesField(1, key) + BytesField(2, value));
  return bytes;
}
inline std::string DictionaryValue(const Entries& entries) {
  return ValueBytes(10, BytesField(12, DictionaryBytes(entries)));
}
inline std::string FloatBytes(const std::vector<float>& values) {
  std::string bytes(values.size() * sizeof(float), '\0');
  if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}
inline std::string ArrayValue(const std::vector<int64_t>& dims, const std::vector<float>& values) {
  const std::string numbers = BytesField(4, BytesField(1, FloatBytes(values)));
  return ValueBytes(11, BytesField(13, NumberField(1, 1) + BytesField(3, ShapeBytes(dims)) + numbers));
}

// A model that grows variable by variable and function by function.
class ModelV2 {
 public:
  ModelV2& Input(const std::string& uid, const std::vector<int64_t>& dims, const std::string& name = "") {
    Entries entries = Variable(uid, 0, dims);
    if (!name.empty()) entries.emplace_back("name", TextValue(name));
    entries.emplace_back("dynamic_axis", VectorValue({AxisValue(0x7FFFFFFF, "defaultBatchAxis")}));
    variables_.push_back(DictionaryValue(entries));
    return *this;
  }
  ModelV2& Parameter(const std::string& uid, const std::vector<int64_t>& dims, const std::vector<float>& values) {
    return ParameterValue(uid, dims, ArrayValue(dims, values));
  }
  ModelV2& ParameterValue(const std::string& uid, const std::vector<int64_t>& dims, const std::string& value) {
    Entries entries = Variable(uid, 2, dims);
    entries.emplace_back("value", value);
    variables_.push_back(DictionaryValue(entries));
    return *this;
  }
  ModelV2& Placeholder(const std::string& uid) {
    variables_.push_back(DictionaryValue(Variable(uid, 4, {})));
    return *this;
  }
  ModelV2& Function(const std::string& uid, uint64_t op, const std::vector<std::string>& inputs,
                    const Entries& attributes = {}, const Entries& more = {}) {
    Entries entries{{"type", TextValue("PrimitiveFunction")},
                    {"version", SizeValue(20)},
                    {"uid", TextValue(uid)},
                    {"op", SizeValue(op)},
                    {"inputs", TextsValue(inputs)}};
    entries.emplace_back("attributes", DictionaryValue(attributes));
    entries.insert(entries.end(), more.begin(), more.end());
    functions_.push_back(DictionaryValue(entries));
    root_ = uid;
    return *this;
  }
  ModelV2& Block(const std::string& uid, const std::string& name, const std::vector<std::string>& inputs,
                 const std::string& content, const std::vector<std::string>& inner,
                 const std::vector<std::string>& outer) {
    return Function(uid, 57, inputs, {},
                    {{"block_function_op_name", TextValue(name)},
                     {"block_function_composite",
                      DictionaryValue({{"type", TextValue("CompositeFunction")}, {"root", TextValue(content)}})},
                     {"block_function_composite_arguments_map_keys", TextsValue(inner)},
                     {"block_function_composite_arguments_map_values", TextsValue(outer)}});
  }
  ModelV2& Root(const std::string& uid) {
    root_ = uid;
    return *this;
  }
  std::string Bytes() const {
    return DictionaryBytes({{"version", SizeValue(3)},
                            {"type", TextValue("CompositeFunction")},
                            {"uid", TextValue("CompositeFunction1")},
                            {"root", TextValue(root_)},
                            {"inputs", VectorValue(variables_)},
                            {"primitive_functions", VectorValue(functions_)}});
  }

 private:
  static Entries Variable(const std::string& uid, uint64_t kind, const std::vector<int64_t>& dims) {
    return {{"type", TextValue("Variable")},
            {"uid", TextValue(uid)},
            {"kind", SizeValue(kind)},
            {"data_type", SizeValue(1)},
            {"shape", ShapeValue(dims)}};
  }

  std::vector<std::string> variables_;
  std::vector<std::string> functions_;
  std::string root_;
};

}  // namespace deepedge::cntk
