// A tensor of weights as a CNTK file holds it: a view of its bytes, with the shape in CNTK's order (the first axis
// changes fastest). Reversed, the shape is the usual one of the same bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <openvino/op/constant.hpp>
#include <string>
#include <string_view>
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

struct Array {
  NumberType type = NumberType::kFloat;
  Dims dims;
  int64_t count = 0;       // product of dims
  std::string_view bytes;  // count numbers; borrowed, not aligned

  std::vector<float> Floats() const;
  // A constant of floats of this usual (not CNTK's) shape, which must have `count` elements (DE_CHECK).
  std::shared_ptr<ov::op::v0::Constant> Constant(const ov::Shape& shape) const;
};

}  // namespace deepedge::cntk
