// Tensors: raw numbers with a type and a shape, as models take and give them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "deepedge/base/check.h"

namespace deepedge {

enum class ElementType { kBool, kU8, kI8, kU16, kI16, kU32, kI32, kU64, kI64, kF16, kF32, kF64 };

size_t SizeOf(ElementType type);
std::string_view ToString(ElementType type);  // "f32", "u8", ...

// Dimensions outermost first; -1 is a dimension that is not fixed.
using Shape = std::vector<int64_t>;

std::string ToString(const Shape& shape);  // "1x3x?x416"
bool IsStatic(const Shape& shape);
// Product of the dimensions. The shape must be static.
int64_t ElementCount(const Shape& shape);

// A 16-bit IEEE number as float; infinities and NaN stay what they are.
float HalfToFloat(uint16_t half);

struct TensorSpec {
  std::string name;
  ElementType type = ElementType::kF32;
  Shape shape;
};

// "'data' f32 1x3x?x416, 'size' i64 2": for messages.
std::string DescribeTensors(const std::vector<TensorSpec>& tensors);

// Borrowed tensor. `data` is aligned for its type.
struct TensorView {
  ElementType type = ElementType::kF32;
  Shape shape;
  std::span<const std::byte> data;

  // The elements as T, which must be the tensor's own type.
  template <typename T>
  std::span<const T> As() const {
    DE_CHECK(sizeof(T) == SizeOf(type));
    return {reinterpret_cast<const T*>(data.data()), data.size() / sizeof(T)};
  }
};

struct MutableTensorView {
  ElementType type = ElementType::kF32;
  Shape shape;
  std::span<std::byte> data;

  template <typename T>
  std::span<T> As() const {
    DE_CHECK(sizeof(T) == SizeOf(type));
    return {reinterpret_cast<T*>(data.data()), data.size() / sizeof(T)};
  }
};

// Owned tensor.
struct Tensor {
  ElementType type = ElementType::kF32;
  Shape shape;
  std::vector<std::byte> data;

  TensorView View() const { return {type, shape, data}; }
};

}  // namespace deepedge
