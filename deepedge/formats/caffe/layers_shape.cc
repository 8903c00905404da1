// Layers that join, cut, turn or reduce arrays.
#include <fmt/format.h>

#include <numeric>
#include <openvino/op/abs.hpp>
#include <openvino/op/concat.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/convert.hpp>
#include <openvino/op/interpolate.hpp>
#include <openvino/op/multiply.hpp>
#include <openvino/op/pad.hpp>
#include <openvino/op/reduce_mean.hpp>
#include <openvino/op/reduce_sum.hpp>
#include <openvino/op/reshape.hpp>
#include <openvino/op/shuffle_channels.hpp>
#include <openvino/op/softmax.hpp>
#include <openvino/op/split.hpp>
#include <openvino/op/tile.hpp>
#include <openvino/op/topk.hpp>
#include <openvino/op/transpose.hpp>
#include <openvino/op/variadic_split.hpp>

#include "deepedge/formats/caffe/layer_context.h"
#include "deepedge/formats/graph/shape_ops.h"

namespace deepedge {
namespace {

constexpr int64_t kMaxDimension = int64_t{1} << 31;

std::vector<GraphValue> Softmax(LayerContext& c) {
  Params p = c.Param("softmax_param");
  const size_t axis = AxisOf(p.Int("axis", 1, -8, 8), RankOf(c.Bottom()));
  p.Ignore({"engine"});
  p.Finish();
  c.FinishText();
  return {std::make_shared<ov::op::v8::Softmax>(c.Bottom(), static_cast<int64_t>(axis))};
}

// `axis`, or the name it had before.
size_t ReadAxis(Params& p, const char* old_name, size_t rank) {
  if (p.Has("axis") && p.Has(old_name)) throw std::invalid_argument(fmt::format("both axis and {}", old_name));
  return AxisOf(p.Has(old_name) ? p.Int(old_name, 1, -8, 8) : p.Int("axis", 1, -8, 8), rank);
}

std::vector<GraphValue> Concat(LayerContext& c) {
  Params p = c.Param("concat_param");
  const size_t axis = ReadAxis(p, "concat_dim", RankOf(c.Bottom()));
  p.Finish();
  c.FinishText();
  ov::OutputVector bottoms;
  for (size_t i = 0; i < c.bottom_count(); ++i) bottoms.push_back(c.Bottom(i));
  if (bottoms.size() == 1) return {bottoms.front()};
  return {std::make_shared<ov::op::v0::Concat>(bottoms, static_cast<int64_t>(axis))};
}

std::vector<GraphValue> Slice(LayerContext& c) {
  Params p = c.Param("slice_param");
  const size_t axis = ReadAxis(p, "slice_dim", RankOf(c.Bottom()));
  const auto points = p.Ints("slice_point", 0, kMaxDimension);
  p.Finish();
  c.FinishText();
  const size_t parts = c.top_count();
  if (parts == 0) throw std::invalid_argument("has no tops");
  if (parts == 1) return {c.Bottom()};
  const auto axis_value = ov::op::v0::Constant::create(ov::element::i64, ov::Shape{}, {static_cast<int64_t>(axis)});
  if (points.empty()) return std::make_shared<ov::op::v1::Split>(c.Bottom(), axis_value, parts)->outputs();
  const int64_t length = DimensionOf(c.Bottom(), axis);
  if (points.size() + 1 != parts) {
    throw std::invalid_argument(fmt::format("{} slice_point for {} tops", points.size(), parts));
  }
  std::vector<int64_t> lengths;
  int64_t before = 0;
  for (size_t i = 0; i < parts; ++i) {
    const int64_t point = i < points.size() ? points[i] : length;
    if (point <= before || point > length) {
      throw std::invalid_argument(fmt::format("slice_point {} after {} of {}", point, before, length));
    }
    lengths.push_back(point - before);
    before = point;
  }
  return std::make_shared<ov::op::v1::VariadicSplit>(c.Bottom(), axis_value, IndexConstant(lengths))->outputs();
}

std::vector<GraphValue> Flatten(LayerContext& c) {
  Params p = c.Param("flatten_param");
  const size_t rank = RankOf(c.Bottom());
  const size_t axis = AxisOf(p.Int("axis", 1, -8, 8), rank);
  const size_t end = AxisOf(p.Int("end_axis", -1, -8, 8), rank);
  p.Finish();
  c.FinishText();
  return {FlattenAxes(c.Bottom(), axis, end)};
}

// The dimensions [begin, end) of the bottom become `shape`: 0 is the bottom's at that place, one -1 what is left.
GraphValue ReshapeAxes(const GraphValue& bottom, size_t begin, size_t end, const std::vector<int64_t>& shape) {
  std::vector<GraphValue> parts;
  if (begin > 0) parts.push_back(IndexConstant(std::vector<int64_t>(begin, 0)));
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 0 && begin + i >= end) throw std::invalid_argument("dim 0 where the input has no dimension");
  }
  if (!shape.empty()) parts.push_back(IndexConstant(shape));
  if (end < RankOf(bottom)) parts.push_back(DimensionsOf(bottom, end, RankOf(bottom)));
  const GraphValue whole = parts.size() == 1 ? parts.front() : JoinShape(parts);
  return std::make_shared<ov::op::v1::Reshape>(bottom, whole, true);
}

std::vector<GraphValue> Reshape(LayerContext& c) {
  Params p = c.Param("reshape_param");
  Params shape_text = p.Message("shape");
  const auto shape = shape_text.Ints("dim", -1, kMaxDimension);
  shape_text.Finish();
  const auto rank = static_cast<int64_t>(RankOf(c.Bottom()));
  // One past the last is allowed: dimensions are added there.
  const int64_t given = p.Int("axis", 0, -8, 8);
  const int64_t axis = given < 0 ? given + rank + 1 : given;
  const int64_t axes = p.Int("num_axes", -1, -1, 8);
  p.Finish();
  c.FinishText();
  const int64_t end = axes < 0 ? rank : axis + axes;
  if (axis < 0 || axis > rank || end > rank) {
    throw std::invalid_argument(
        fmt::format("axis {} and num_axes {} of an input with {} dimensions", given, axes, rank));
  }
  return {ReshapeAxes(c.Bottom(), static_cast<size_t>(axis), static_cast<size_t>(end), shape)};
}

std::vector<GraphValue> Permute(LayerContext& c) {
  Params p = c.Param("permute_param");
  auto order = p.Ints("order", 0, 7);
  p.Finish();
  c.FinishText();
  const auto rank = static_cast<int64_t>(RankOf(c.Bottom()));
  for (int64_t i = 0; i < rank; ++i) {
    if (std::find(order.begin(), order.end(), i) == order.end()) order.push_back(i);
  }
  if (std::ssize(order) != rank) throw std::invalid_argument("its order is none of the input's dimensions");
  return {std::make_shared<ov::op::v1::Transpose>(c.Bottom(), IndexConstant(order))};
}

std::vector<GraphValue> Tile(LayerContext& c) {
  Params p = c.Param("tile_param");
  const size_t rank = RankOf(c.Bottom());
  const size_t axis = AxisOf(p.Int("axis", 1, -8, 8), rank);
  std::vector<int64_t> repeats(rank, 1);
  repeats[axis] = p.Int("tiles", 0, 1, kMaxDimension);
  p.Finish();
  c.FinishText();
  if (repeats[axis] == 0) throw std::invalid_argument("has no tiles");
  return {std::make_shared<ov::op::v0::Tile>(c.Bottom(), IndexConstant(repeats))};
}

// Cuts the first bottom to the size of the second, from `axis` on.
std::vector<GraphValue> Crop(LayerContext& c) {
  Params p = c.Param("crop_param");
  const size_t rank = RankOf(c.Bottom());
  const size_t axis = AxisOf(p.Int("axis", 2, -8, 8), rank);
  const auto offsets = p.Ints("offset", 0, kMaxDimension);
  p.Finish();
  c.FinishText();
  if (offsets.size() > 1 && offsets.size() != rank - axis) {
    throw std::invalid_argument(fmt::format("{} offsets for {} dimensions", offsets.size(), rank - axis));
  }
  if (RankOf(c.Bottom(1)) != rank) throw std::invalid_argument("bottoms of different rank");
  GraphValue value = c.Bottom();
  for (size_t i = axis; i < rank; ++i) {
    const int64_t begin = offsets.empty() ? 0 : offsets.size() == 1 ? offsets[0] : offsets[i - axis];
    const ov::Dimension& whole = value.get_partial_shape()[static_cast<std::ptrdiff_t>(i)];
    const ov::Dimension& wanted = c.Bottom(1).get_partial_shape()[static_cast<std::ptrdiff_t>(i)];
    if (whole.is_static() && wanted.is_static() && begin + wanted.get_length() > whole.get_length()) {
      throw std::invalid_argument(
          fmt::format("{} from {} on of dimension {} ({})", wanted.get_length(), begin, i, whole.get_length()));
    }
    value = SliceAxis(value, i, begin, DimensionsOf(c.Bottom(1), i, i + 1));
  }
  return {value};
}

std::vector<GraphValue> ShuffleChannel(LayerContext& c) {
  Params p = c.Param("shuffle_channel_param");
  const int64_t groups = p.Int("group", 1, 1, kMaxDimension);
  p.Ignore({"engine"});
  p.Finish();
  c.FinishText();
  return {std::make_shared<ov::op::v0::ShuffleChannels>(c.Bottom(), 1, groups)};
}

using Interpolation = ov::op::v4::Interpolate;

GraphValue Resize(const GraphValue& value, const GraphValue& size, Interpolation::InterpolateMode mode,
                  Interpolation::CoordinateTransformMode coordinates) {
  const Interpolation::InterpolateAttrs attributes(mode, Interpolation::ShapeCalcMode::SIZES, {0, 0, 0, 0},
                                                   {0, 0, 0, 0}, coordinates, Interpolation::NearestMode::FLOOR);
  const auto scales = FloatConstant({2}, {1, 1});  // not used when sizes count
  return std::make_shared<Interpolation>(value, size, scales, IndexConstant({2, 3}), attributes);
}

GraphValue Enlarge(const GraphValue& value, int64_t factor) {
  const auto size = std::make_shared<ov::op::v1::Multiply>(DimensionsOf(value, 2, 4), IndexConstant({factor, factor}));
  return Resize(value, size, Interpolation::InterpolateMode::NEAREST,
                Interpolation::CoordinateTransformMode::ASYMMETRIC);
}

// The size that DeepLab's Interp gives one direction.
struct InterpSize {
  int64_t fixed = 0;  // 0: not told
  int64_t shrink = 1;
  int64_t zoom = 1;

  int64_t Of(int64_t length) const {
    if (fixed > 0) return fixed;
    const int64_t shrunk = (length - 1) / shrink + 1;
    return shrunk + (shrunk - 1) * (zoom - 1);
  }
};

std::vector<GraphValue> Interp(LayerContext& c) {
  Params p = c.Param("interp_param");
  InterpSize height{.fixed = p.Int("height", 0, 1, 1 << 20)};
  InterpSize width{.fixed = p.Int("width", 0, 1, 1 << 20)};
  height.shrink = width.shrink = p.Int("shrink_factor", 1, 1, 1 << 14);
  height.zoom = width.zoom = p.Int("zoom_factor", 1, 1, 1 << 14);
  const int64_t pad_begin = p.Int("pad_beg", 0, -(1 << 14), 0);
  const int64_t pad_end = p.Int("pad_end", 0, -(1 << 14), 0);
  p.Finish();
  c.FinishText();
  if (pad_begin != 0 || pad_end != 0) throw Unsupported("pad_beg and pad_end");
  if (RankOf(c.Bottom()) != 4) throw Unsupported(fmt::format("input with {} dimensions", RankOf(c.Bottom())));
  GraphValue size;
  if (c.bottom_count() > 1) {
    size = DimensionsOf(c.Bottom(1), 2, 4);
  } else {
    size = IndexConstant({height.Of(DimensionOf(c.Bottom(), 2)), width.Of(DimensionOf(c.Bottom(), 3))});
  }
  return {Resize(c.Bottom(), size, Interpolation::InterpolateMode::LINEAR_ONNX,
                 Interpolation::CoordinateTransformMode::ALIGN_CORNERS)};
}

// The Upsample of the YOLO forks: every pixel `scale` times in both directions.
std::vector<GraphValue> Upsample(LayerContext& c) {
  if (c.bottom_count() > 1) throw Unsupported("two bottoms (unpooling by the places of the largest)");
  Params p = c.Param("upsample_param");
  const int64_t scale = p.Int("scale", 0, 1, 1 << 10);
  p.Finish();
  c.FinishText();
  if (scale == 0) throw std::invalid_argument("has no scale");
  if (RankOf(c.Bottom()) != 4) throw Unsupported(fmt::format("input with {} dimensions", RankOf(c.Bottom())));
  return {Enlarge(c.Bottom(), scale)};
}

std::vector<GraphValue> ArgMax(LayerContext& c) {
  Params p = c.Param("argmax_param");
  const bool values_too = p.Bool("out_max_val", false);
  const auto count = p.Int("top_k", 1, 1, kMaxDimension);
  const bool has_axis = p.Has("axis");
  const size_t rank = RankOf(c.Bottom());
  const size_t axis = AxisOf(p.Int("axis", 1, -8, 8), rank);
  p.Finish();
  c.FinishText();
  const auto k = ov::op::v0::Constant::create(ov::element::i64, ov::Shape{}, {count});
  const auto top = [&](const GraphValue& value, int64_t along) {
    return std::make_shared<ov::op::v11::TopK>(value, k, along, ov::op::TopKMode::MAX,
                                               ov::op::TopKSortType::SORT_VALUES, ov::element::i32);
  };
  const auto as_float = [](const GraphValue& v) { return std::make_shared<ov::op::v0::Convert>(v, ov::element::f32); };
  if (has_axis) {
    const auto found = top(c.Bottom(), static_cast<int64_t>(axis));
    if (values_too) return {found->output(0)};
    return {as_float(found->output(1))};
  }
  // Of all numbers of a picture: [N, 1, k] places, or places and values [N, 2, k].
  const auto found = top(FlattenAxes(c.Bottom(), 1, rank - 1), 1);
  const auto row = [](const GraphValue& v) {
    return std::make_shared<ov::op::v1::Reshape>(v, IndexConstant({0, 1, -1}), true);
  };
  const GraphValue places = row(as_float(found->output(1)));
  if (!values_too) return {places};
  return {std::make_shared<ov::op::v0::Concat>(ov::OutputVector{places, row(found->output(0))}, 1)};
}

std::vector<GraphValue> Reduction(LayerContext& c) {
  Params p = c.Param("reduction_param");
  const std::string operation = p.Word("operation", "SUM");
  const size_t rank = RankOf(c.Bottom());
  const size_t axis = AxisOf(p.Int("axis", 0, -8, 8), rank);
  const float factor = p.Float("coeff", 1);
  p.Finish();
  c.FinishText();
  std::vector<int64_t> axes(rank - axis);
  std::iota(axes.begin(), axes.end(), static_cast<int64_t>(axis));
  const auto over = IndexConstant(axes);
  GraphValue value = c.Bottom();
  if (operation == "ASUM") value = std::make_shared<ov::op::v0::Abs>(value);
  if (operation == "SUMSQ") value = std::make_shared<ov::op::v1::Multiply>(value, value);
  if (operation == "MEAN") {
    value = std::make_shared<ov::op::v1::ReduceMean>(value, over, false);
  } else if (operation == "SUM" || operation == "ASUM" || operation == "SUMSQ") {
    value = std::make_shared<ov::op::v1::ReduceSum>(value, over, false);
  } else {
    throw Unsupported(fmt::format("operation {}", operation));
  }
  return {factor == 1.0F ? value : std::make_shared<ov::op::v1::Multiply>(value, FloatConstant(factor))->output(0)};
}

}  // namespace

const std::vector<LayerType>& ShapeLayers() {
  static const std::vector<LayerType> kTypes = {
      {"ArgMax", ArgMax},       {"Concat", Concat},
      {"Crop", Crop},           {"Flatten", Flatten},
      {"Interp", Interp},       {"Permute", Permute},
      {"Reduction", Reduction}, {"Reshape", Reshape},
      {"Slice", Slice},         {"Softmax", Softmax},
      {"Tile", Tile},           {"SoftmaxWithLoss", Softmax},
      {"Upsample", Upsample},   {"ShuffleChannel", ShuffleChannel},
  };
  return kTypes;
}

}  // namespace deepedge
