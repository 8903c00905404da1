#include "deepedge/formats/cntk/array.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstring>
#include <openvino/core/type/float16.hpp>

#include "deepedge/base/check.h"

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

std::vector<float> Array::Floats() const {
  std::vector<float> floats(static_cast<size_t>(count));
  CopyFloats(*this, floats.data());
  return floats;
}

std::shared_ptr<ov::op::v0::Constant> Array::Constant(const ov::Shape& shape) const {
  DE_CHECK(ov::shape_size(shape) == static_cast<size_t>(count));
  ov::Tensor tensor(ov::element::f32, shape);
  CopyFloats(*this, tensor.data<float>());
  return std::make_shared<ov::op::v0::Constant>(tensor);  // shares the tensor's memory
}

}  // namespace deepedge::cntk
