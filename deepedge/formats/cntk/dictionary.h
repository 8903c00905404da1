// The dictionary of a CNTK v2 model: protobuf messages that map words to values, read in place. Nothing is copied:
// views point into the bytes of the file, which must outlive them. One level is read at a time, so that nesting costs
// no stack.
//
// Errors are kBadInput and say what is broken; the caller adds the file. Threads: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "deepedge/base/result.h"
#include "deepedge/formats/cntk/array.h"

namespace deepedge::cntk {

enum class ValueType {
  kNone = 0,
  kBool = 1,
  kInt = 2,
  kSize = 3,
  kFloat = 4,
  kDouble = 5,
  kString = 6,
  kShape = 7,
  kAxis = 8,
  kVector = 9,
  kDictionary = 10,
  kArray = 11,
};

struct Value {
  ValueType type = ValueType::kNone;
  int64_t integer = 0;       // kBool, kInt, kSize: -1 where the file has the largest number of 32 or 64 bits
  double real = 0;           // kFloat, kDouble
  std::string_view content;  // of the others
};

struct Axis {
  int32_t index = 0;  // the first axis is the one that changes fastest
  std::string_view name;
  bool ordered = false;
};
// Indices that stand for more than one axis.
inline constexpr int32_t kDynamicAxis = 0x7FFFFFFF;
inline constexpr int32_t kAllStaticAxes = kDynamicAxis - 1;
inline constexpr int32_t kEndOfStaticAxes = kDynamicAxis - 3;
inline constexpr int32_t kAllAxes = kDynamicAxis - 4;

// A read dictionary. Where a key occurs twice, the last one counts.
class Dictionary {
 public:
  static Result<Dictionary> Parse(std::string_view content);

  const Value* Find(std::string_view key) const;
  // The value of `key`, which must be there and of this type; numbers of any width count as integers.
  Result<std::string> Text(std::string_view key) const;
  Result<int64_t> Integer(std::string_view key) const;
  Result<std::vector<Value>> Vector(std::string_view key) const;
  Result<std::vector<std::string>> Texts(std::string_view key) const;
  // The same, or `otherwise` where the key is missing.
  Result<int64_t> IntegerOr(std::string_view key, int64_t otherwise) const;
  Result<double> RealOr(std::string_view key, double otherwise) const;
  Result<std::string> TextOr(std::string_view key, std::string otherwise) const;
  // A shape or a vector of numbers; empty where the key is missing.
  Result<std::vector<int64_t>> Integers(std::string_view key) const;
  // The axis or the vector of axes under `key`; empty where it is missing.
  Result<std::vector<Axis>> Axes(std::string_view key) const;

 private:
  std::map<std::string_view, Value> entries_;
};

Result<std::vector<Value>> ParseVector(std::string_view content);
Result<std::vector<int64_t>> ParseShape(std::string_view content);
Result<Axis> ParseAxis(std::string_view content);
// The content of the array is checked against its shape.
Result<Array> ParseArray(std::string_view content);

}  // namespace deepedge::cntk
