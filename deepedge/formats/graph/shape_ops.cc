#include "deepedge/formats/graph/shape_ops.h"

#include <fmt/format.h>

#include <openvino/op/add.hpp>
#include <openvino/op/concat.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/gather.hpp>
#include <openvino/op/reshape.hpp>
#include <openvino/op/shape_of.hpp>
#include <openvino/op/slice.hpp>
#include <stdexcept>

namespace deepedge {

size_t RankOf(const GraphValue& value) {
  const ov::PartialShape& shape = value.get_partial_shape();
  if (shape.rank().is_dynamic()) throw std::invalid_argument("its input has no known rank");
  return shape.size();
}

int64_t DimensionOf(const GraphValue& value, size_t axis) {
  if (axis < RankOf(value)) {
    const ov::Dimension& dimension = value.get_partial_shape()[static_cast<std::ptrdiff_t>(axis)];
    if (dimension.is_static()) return dimension.get_length();
  }
  throw std::invalid_argument(fmt::format("dimension {} of its input is not known", axis));
}

size_t AxisOf(int64_t axis, size_t rank) {
  const auto count = static_cast<int64_t>(rank);
  if (axis < -count || axis >= count) {
    throw std::invalid_argument(fmt::format("axis {} of an input with {} dimensions", axis, rank));
  }
  return static_cast<size_t>(axis < 0 ? axis + count : axis);
}

GraphValue DimensionsOf(const GraphValue& value, size_t begin, size_t end) {
  std::vector<int64_t> indices;
  for (size_t i = begin; i < end; ++i) indices.push_back(static_cast<int64_t>(i));
  const auto shape = std::make_shared<ov::op::v3::ShapeOf>(value, ov::element::i64);
  return std::make_shared<ov::op::v8::Gather>(shape, IndexConstant(indices), IndexConstant({0}));
}

GraphValue JoinShape(const std::vector<GraphValue>& parts) {
  ov::OutputVector given;
  for (const GraphValue& part : parts) {
    if (DimensionOf(part, 0) > 0) given.push_back(part);
  }
  if (given.size() == 1) return given.front();
  return std::make_shared<ov::op::v0::Concat>(given, 0);
}

GraphValue SliceAxis(const GraphValue& value, size_t axis, int64_t begin, const GraphValue& size) {
  const auto start = IndexConstant({begin});
  const auto stop = std::make_shared<ov::op::v1::Add>(start, size);
  return std::make_shared<ov::op::v8::Slice>(value, start, stop, IndexConstant({1}),
                                             IndexConstant({static_cast<int64_t>(axis)}));
}

GraphValue FlattenAxes(const GraphValue& value, size_t axis, size_t end_axis) {
  const size_t rank = RankOf(value);
  if (axis > end_axis || end_axis >= rank) throw std::invalid_argument("flattens from an axis to one before it");
  if (axis == end_axis) return value;
  const std::vector<int64_t> kept(axis, 0);  // 0: as in the input
  std::vector<int64_t> shape = kept;
  shape.push_back(-1);
  if (end_axis + 1 == rank) return std::make_shared<ov::op::v1::Reshape>(value, IndexConstant(shape), true);
  const auto whole = JoinShape({IndexConstant(shape), DimensionsOf(value, end_axis + 1, rank)});
  return std::make_shared<ov::op::v1::Reshape>(value, whole, true);
}

void CheckSize(const GraphValue& value) {
  constexpr int64_t kMaxNumbers = int64_t{1} << 27;
  constexpr size_t kMaxRank = 8;
  const ov::PartialShape& shape = value.get_partial_shape();
  if (shape.rank().is_dynamic()) return;
  if (shape.size() > kMaxRank) throw std::invalid_argument(fmt::format("gives {} dimensions", shape.size()));
  int64_t numbers = 1;
  for (const ov::Dimension& dimension : shape) {
    if (dimension.is_dynamic()) continue;
    const int64_t length = dimension.get_length();
    if (length <= 0) throw std::invalid_argument(fmt::format("gives an empty array {}", shape.to_string()));
    if (numbers > kMaxNumbers / length) {
      throw std::invalid_argument(fmt::format("gives {}, too large an array", shape.to_string()));
    }
    numbers *= length;
  }
}

}  // namespace deepedge
