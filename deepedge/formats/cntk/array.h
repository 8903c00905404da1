// A tensor of weights as a CNTK file holds it: a view of its bytes, with the shape in CNTK's order (the first axis
// changes fastest). Reversed, the shape is the usual one of the same bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <openvino/op/constant.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "deepedge/base/result.h"

namespace deepedge::cntk {

using Dims = std::vector<int64_t>;

inline constexpr size_t kMaxRank = 12;
// More numbers than any tensor of a network that fits a PC.
inline constexpr int64_t kMaxElements = int64_t{1} << 28;

enum class NumberType { kHalf, kFloat, kDouble };
size_t BytesOf(NumberType type);

// The product of `dims`. Errors: kBadInput where the rank is above kMaxRank, an axis is not positive or the product is
// above kMaxElements.
Result<int64_t> CountOf(const Dims& dims);
std::string ToText(const Dims& dims);  // "32x32x3"

// What is made of the weights of one file: layers that use the same weights share their constant, and the numbers that
// are made of them have a limit. Thread-compatible.
class WeightUses {
 public:
  explicit WeightUses(size_t file_bytes);

  // Throws std::invalid_argument where there are too many.
  void Take(int64_t numbers);

  // By where the numbers lie and the constant's shape.
  std::map<std::pair<const char*, ov::Shape>, std::shared_ptr<ov::op::v0::Constant>> constants;

 private:
  int64_t numbers_left_;
};

struct Array {
  NumberType type = NumberType::kFloat;
  Dims dims;
  int64_t count = 0;           // product of dims
  std::string_view bytes;      // count numbers; borrowed, not aligned
  WeightUses* uses = nullptr;  // of the file; borrowed, may be null

  // Both throw std::invalid_argument where the file's weights are used too often.
  std::vector<float> Floats() const;
  // A constant of floats of this usual (not CNTK's) shape; throws std::invalid_argument where that has not `count`
  // elements.
  std::shared_ptr<ov::op::v0::Constant> Constant(const ov::Shape& shape) const;
};

}  // namespace deepedge::cntk
