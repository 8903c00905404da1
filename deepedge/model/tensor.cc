#include "deepedge/model/tensor.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

namespace deepedge {

size_t SizeOf(ElementType type) {
  switch (type) {
    case ElementType::kBool:
    case ElementType::kU8:
    case ElementType::kI8: return 1;
    case ElementType::kU16:
    case ElementType::kI16:
    case ElementType::kF16: return 2;
    case ElementType::kU32:
    case ElementType::kI32:
    case ElementType::kF32: return 4;
    case ElementType::kU64:
    case ElementType::kI64:
    case ElementType::kF64: return 8;
  }
  return 0;
}

std::string_view ToString(ElementType type) {
  switch (type) {
    case ElementType::kBool: return "bool";
    case ElementType::kU8: return "u8";
    case ElementType::kI8: return "i8";
    case ElementType::kU16: return "u16";
    case ElementType::kI16: return "i16";
    case ElementType::kU32: return "u32";
    case ElementType::kI32: return "i32";
    case ElementType::kU64: return "u64";
    case ElementType::kI64: return "i64";
    case ElementType::kF16: return "f16";
    case ElementType::kF32: return "f32";
    case ElementType::kF64: return "f64";
  }
  return "?";
}

std::string ToString(const Shape& shape) {
  if (shape.empty()) return "scalar";
  std::string text;
  for (const int64_t dimension : shape) {
    if (!text.empty()) text += 'x';
    text += dimension < 0 ? std::string("?") : std::to_string(dimension);
  }
  return text;
}

std::string DescribeTensors(const std::vector<TensorSpec>& tensors) {
  std::string text;
  for (const TensorSpec& tensor : tensors) {
    text += fmt::format("{}'{}' {} {}", text.empty() ? "" : ", ", tensor.name, ToString(tensor.type),
                        ToString(tensor.shape));
  }
  return text;
}

bool IsStatic(const Shape& shape) {
  return std::all_of(shape.begin(), shape.end(), [](int64_t d) { return d >= 0; });
}

int64_t ElementCount(const Shape& shape) {
  DE_CHECK(IsStatic(shape));
  int64_t count = 1;
  for (const int64_t dimension : shape) count *= dimension;
  return count;
}

float HalfToFloat(uint16_t half) {
  const uint32_t sign = (half & 0x8000U) << 16U;
  const uint32_t exponent = (half >> 10U) & 0x1FU;
  const uint32_t fraction = half & 0x3FFU;
  if (exponent == 0) {  // zero and denormals: a whole multiple of 2^-24
    const float magnitude = static_cast<float>(fraction) * 0x1p-24F;
    return sign != 0 ? -magnitude : magnitude;
  }
  const uint32_t widened = exponent == 0x1FU ? 0xFFU : exponent + 112U;
  return std::bit_cast<float>(sign | (widened << 23U) | (fraction << 13U));
}

}  // namespace deepedge
