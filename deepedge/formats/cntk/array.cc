#include "deepedge/formats/cntk/array.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstring>
#include <openvino/core/type/float16.hpp>
#include <stdexcept>

namespace deepedge::cntk {
namespace {

template <typename T>
void Convert(std::string_view bytes, float* out) {
  for (size_t i = 0; i < bytes.size() / sizeof(T); ++i) {
    T value;
    std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
    out[i] = static_cast<float>(value);
  }
}

void CopyFloats(const Array& array, float* out) {
  switch (array.type) {
    case NumberType::kHalf: return Convert<ov::float16>(array.bytes, out);
    case NumberType::kFloat: std::memcpy(out, array.bytes.data(), array.bytes.size()); return;
    case NumberType::kDouble: return Convert<double>(array.bytes, out);
  }
}

}  // namespace

size_t BytesOf(NumberType type) {
  switch (type) {
    case NumberType::kHalf: return 2;
    case NumberType::kFloat: return 4;
    case NumberType::kDouble: return 8;
  }
  return 0;
}

std::string ToText(const Dims& dims) { return dims.empty() ? "a number" : fmt::format("{}", fmt::join(dims, "x")); }

Result<int64_t> CountOf(const Dims& dims) {
  if (dims.size() > kMaxRank) {
    return Error{ErrorCode::kBadInput, fmt::format("a tensor of {} axes (at most {})", dims.size(), kMaxRank)};
  }
  int64_t count = 1;
  for (const int64_t dim : dims) {
    if (dim <= 0 || dim > kMaxElements / count) {
      return Error{ErrorCode::kBadInput, fmt::format("a tensor of shape {}", ToText(dims))};
    }
    count *= dim;
  }
  return count;
}

// A byte is half a number at most; all weights a few times over, and what small ones are used for.
WeightUses::WeightUses(size_t file_bytes) : numbers_left_(2 * static_cast<int64_t>(file_bytes) + (int64_t{16} << 20)) {}

void WeightUses::Take(int64_t numbers) {
  numbers_left_ -= numbers;
  if (numbers_left_ < 0) throw std::invalid_argument("uses the same weights too often");
}

std::vector<float> Array::Floats() const {
  if (uses != nullptr) uses->Take(count);
  std::vector<float> floats(static_cast<size_t>(count));
  CopyFloats(*this, floats.data());
  return floats;
}

std::shared_ptr<ov::op::v0::Constant> Array::Constant(const ov::Shape& shape) const {
  if (ov::shape_size(shape) != static_cast<size_t>(count)) {
    throw std::invalid_argument(fmt::format("holds {} numbers, its shape is {}", count, shape.to_string()));
  }
  if (uses != nullptr) {
    const auto made = uses->constants.find({bytes.data(), shape});
    if (made != uses->constants.end()) return made->second;
    uses->Take(count);
  }
  ov::Tensor tensor(ov::element::f32, shape);
  CopyFloats(*this, tensor.data<float>());
  auto constant = std::make_shared<ov::op::v0::Constant>(tensor);  // shares the tensor's memory
  if (uses != nullptr) uses->constants.emplace(std::pair{bytes.data(), shape}, constant);
  return constant;
}

}  // namespace deepedge::cntk
