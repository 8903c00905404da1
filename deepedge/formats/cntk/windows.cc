// Layers with a window: convolution and pooling.
//
// CNTK's automatic padding centres the windows: with `out` windows of stride s, the cells between the first and the
// last centre are (out - 1) * s + 1; what is left of the axis is shared between both ends, the smaller half before.
// Padding is half a kernel less that share, so that it may be negative, and on an even axis with stride 2 it adds
// before, where TensorFlow's adds after.
#include <fmt/format.h>

#include <algorithm>
#include <openvino/opsets/opset8.hpp>

#include "deepedge/formats/cntk/layers.h"

namespace deepedge::cntk {
namespace {

namespace op = ov::opset8;

Error Bad(std::string what) { return {ErrorCode::kBadInput, std::move(what)}; }
Error Unsupported(std::string what) { return {ErrorCode::kUnsupported, std::move(what)}; }

// The entry for an axis: a list of one counts for all axes of the window.
int64_t EntryOf(const Dims& list, size_t axis, size_t window_rank, int64_t otherwise) {
  if (list.size() == 1 && axis < window_rank) return list[0];
  return axis < list.size() ? list[axis] : otherwise;
}

Result<WindowOnAxis> WindowAt(const WindowSpec& spec, size_t axis, size_t window_rank, int64_t size, int64_t kernel) {
  WindowOnAxis window{.size = size,
                      .kernel = kernel,
                      .stride = EntryOf(spec.strides, axis, window_rank, 1),
                      .dilation = EntryOf(spec.dilation, axis, window_rank, 1),
                      .auto_pad = EntryOf(spec.auto_pad, axis, window_rank, 0) != 0,
                      .lower = EntryOf(spec.lower_pad, axis, window_rank, 0),
                      .upper = EntryOf(spec.upper_pad, axis, window_rank, 0),
                      .ceil = spec.ceil};
  if (EntryOf(spec.sharing, axis, window_rank, 1) == 0) return Unsupported("its windows do not share their weights");
  return window;
}

// Padding, strides and dilation of the axes of a picture in the graph's order.
struct Geometry {
  Dims out;  // CNTK's order
  ov::Strides strides;
  ov::Strides dilations;
  ov::CoordinateDiff begins;
  ov::CoordinateDiff ends;
  ov::Shape kernel;
};

Status PutAxis(Geometry& geometry, const WindowOnAxis& window, const WindowAxis& placed) {
  geometry.out.push_back(placed.out);
  geometry.strides.insert(geometry.strides.begin(), static_cast<size_t>(window.stride));
  geometry.dilations.insert(geometry.dilations.begin(), static_cast<size_t>(window.dilation));
  geometry.begins.insert(geometry.begins.begin(), static_cast<std::ptrdiff_t>(placed.lower));
  geometry.ends.insert(geometry.ends.begin(), static_cast<std::ptrdiff_t>(placed.upper));
  geometry.kernel.insert(geometry.kernel.begin(), static_cast<size_t>(window.kernel));
  return {};
}

// Crops [N, C, ...] where padding is negative and sets that to zero.
GraphValue CropNegative(const GraphValue& value, Geometry& geometry) {
  std::vector<int64_t> begins;
  std::vector<int64_t> ends;
  std::vector<int64_t> axes;
  for (size_t i = 0; i < geometry.begins.size(); ++i) {
    if (geometry.begins[i] >= 0 && geometry.ends[i] >= 0) continue;
    const int64_t size = value.get_partial_shape()[static_cast<ptrdiff_t>(i) + 2].get_length();
    axes.push_back(static_cast<int64_t>(i) + 2);
    begins.push_back(std::max<int64_t>(0, -geometry.begins[i]));
    ends.push_back(size - std::max<int64_t>(0, -geometry.ends[i]));
    geometry.begins[i] = std::max<std::ptrdiff_t>(geometry.begins[i], 0);
    geometry.ends[i] = std::max<std::ptrdiff_t>(geometry.ends[i], 0);
  }
  if (axes.empty()) return value;
  const std::vector<int64_t> steps(axes.size(), 1);
  return std::make_shared<op::Slice>(value, IndexConstant(begins), IndexConstant(ends), IndexConstant(steps),
                                     IndexConstant(axes));
}

GraphValue Shaped(const Tensor& weights, const ov::Shape& shape) {
  if (weights.weights) return weights.weights->Constant(shape);
  return std::make_shared<op::Reshape>(weights.value, IndexConstant({shape.begin(), shape.end()}), false);
}

// The weights of a convolution: kernel of every axis of the input, then how many maps.
struct Kernel {
  Dims window;           // of the picture's axes
  int64_t channels = 1;  // that a window sees
  int64_t maps = 1;
};

Result<Kernel> KernelOf(const Tensor& weights, size_t rank) {
  if (weights.batched || weights.dims.size() < rank) {
    return Unsupported(fmt::format("weights of {} for an input of {} axes", ToText(weights.dims), rank));
  }
  const auto end = weights.dims.begin() + static_cast<std::ptrdiff_t>(rank);
  Kernel kernel{.window = Dims(weights.dims.begin(), end - 1), .channels = *(end - 1)};
  for (auto it = end; it != weights.dims.end(); ++it) kernel.maps *= *it;
  if (kernel.maps != weights.dims.back() && weights.dims.size() > rank) {
    return Unsupported(fmt::format("maps on several axes: weights of {}", ToText(weights.dims)));
  }
  return kernel;
}

ov::Shape WeightShape(int64_t groups, int64_t first, int64_t second, const Dims& window) {
  ov::Shape shape;
  if (groups > 1) shape.push_back(static_cast<size_t>(groups));
  shape.push_back(static_cast<size_t>(first / groups));
  shape.push_back(static_cast<size_t>(second));
  for (auto it = window.rbegin(); it != window.rend(); ++it) shape.push_back(static_cast<size_t>(*it));
  return shape;
}

Result<Tensor> ConvolveForward(const Tensor& weights, const Tensor& x, const ConvolutionSpec& spec,
                               const Kernel& kernel) {
  const size_t rank = x.dims.size();
  Geometry geometry;
  for (size_t axis = 0; axis + 1 < rank; ++axis) {
    DE_TRY(const WindowOnAxis window, WindowAt(spec.window, axis, rank, x.dims[axis], kernel.window[axis]));
    DE_TRY(const WindowAxis placed, PlaceWindow(window));
    DE_TRY_STATUS(PutAxis(geometry, window, placed));
  }
  const int64_t channels = x.dims.back();
  if (channels != kernel.channels * spec.groups || kernel.maps % spec.groups != 0) {
    return Bad(fmt::format("weights of {} in {} groups do not fit an input of {}", ToText(weights.dims), spec.groups,
                           ToText(x.dims)));
  }
  // The window must lie on the channels in one place only; padding of that axis is a habit of some writers.
  DE_TRY(WindowOnAxis depth, WindowAt(spec.window, rank - 1, rank, channels, channels));
  depth.dilation = 1;
  DE_TRY(const WindowAxis placed, PlaceWindow(depth));
  if (placed.out != 1) return Unsupported("its windows move over the channels");
  const GraphValue input = CropNegative(ValueOf(x), geometry);
  const GraphValue w = Shaped(weights, WeightShape(spec.groups, kernel.maps, kernel.channels, kernel.window));
  GraphValue value;
  if (spec.groups > 1) {
    value = std::make_shared<op::GroupConvolution>(input, w, geometry.strides, geometry.begins, geometry.ends,
                                                   geometry.dilations);
  } else {
    value = std::make_shared<op::Convolution>(input, w, geometry.strides, geometry.begins, geometry.ends,
                                              geometry.dilations);
  }
  geometry.out.push_back(kernel.maps);
  return MakeTensor(value, geometry.out, true);
}

// The windows of a transposed convolution lie on its output: that is placed, and must give the input's size.
Result<WindowAxis> PlaceOutput(WindowOnAxis& window, int64_t in, int64_t wanted) {
  const int64_t reach = (window.kernel - 1) * window.dilation + 1;
  if (window.stride < 1 || in < 1 || in > kMaxElements / window.stride) return Bad("its stride is too large");
  window.size = (in - 1) * window.stride + (window.auto_pad ? 1 : reach - window.lower - window.upper);
  if (wanted > 0) window.size = wanted;
  if (window.size < 1) return Bad("its output is empty");
  DE_TRY(WindowAxis placed, PlaceWindow(window));
  if (placed.out != in) return Bad(fmt::format("an output of {} does not belong to an input of {}", window.size, in));
  // What the windows do not reach stays empty: the engine is told by less padding.
  placed.upper = (in - 1) * window.stride + reach - placed.lower - window.size;
  return placed;
}

Result<Tensor> ConvolveBack(const Tensor& weights, const Tensor& x, const ConvolutionSpec& spec, const Kernel& kernel) {
  const size_t rank = x.dims.size();
  Geometry geometry;
  Dims dims;
  const bool given = spec.output.size() >= rank - 1 &&
                     std::all_of(spec.output.begin(), spec.output.end(), [](int64_t d) { return d > 0; });
  std::vector<int64_t> pad_begins{0, 0};
  std::vector<int64_t> pad_ends{0, 0};
  for (size_t axis = 0; axis + 1 < rank; ++axis) {
    DE_TRY(WindowOnAxis window, WindowAt(spec.window, axis, rank, 1, kernel.window[axis]));
    DE_TRY(WindowAxis placed, PlaceOutput(window, x.dims[axis], given ? spec.output[axis] : 0));
    dims.push_back(window.size);
    // Padding takes away from the output here, and what is negative adds to it.
    pad_begins.insert(pad_begins.begin() + 2, std::max<int64_t>(0, -placed.lower));
    pad_ends.insert(pad_ends.begin() + 2, std::max<int64_t>(0, -placed.upper));
    placed.lower = std::max<int64_t>(0, placed.lower);
    placed.upper = std::max<int64_t>(0, placed.upper);
    DE_TRY_STATUS(PutAxis(geometry, window, placed));
  }
  const int64_t channels = x.dims.back();
  if (kernel.maps != channels || channels % spec.groups != 0) {
    return Bad(fmt::format("weights of {} do not fit an input of {}", ToText(weights.dims), ToText(x.dims)));
  }
  dims.push_back(kernel.channels * spec.groups);
  DE_TRY_STATUS(CountOf(dims).status());
  const GraphValue w = Shaped(weights, WeightShape(spec.groups, channels, kernel.channels, kernel.window));
  GraphValue value;
  if (spec.groups > 1) {
    value = std::make_shared<op::GroupConvolutionBackpropData>(ValueOf(x), w, geometry.strides, geometry.begins,
                                                               geometry.ends, geometry.dilations);
  } else {
    value = std::make_shared<op::ConvolutionBackpropData>(ValueOf(x), w, geometry.strides, geometry.begins,
                                                          geometry.ends, geometry.dilations);
  }
  const auto any = [](const std::vector<int64_t>& v) {
    return std::any_of(v.begin(), v.end(), [](auto n) { return n; });
  };
  if (any(pad_begins) || any(pad_ends)) {
    value = std::make_shared<op::Pad>(value, IndexConstant(pad_begins), IndexConstant(pad_ends), FloatConstant(0.0F),
                                      ov::op::PadMode::CONSTANT);
  }
  return MakeTensor(value, dims, true);
}

ov::Shape Unsigned(const ov::CoordinateDiff& padding) { return {padding.begin(), padding.end()}; }

}  // namespace

Result<WindowAxis> PlaceWindow(const WindowOnAxis& w) {
  const auto in_range = [](int64_t v, int64_t low) { return v >= low && v <= kMaxElements; };
  if (!in_range(w.size, 1) || !in_range(w.kernel, 1) || !in_range(w.stride, 1) || !in_range(w.dilation, 1) ||
      w.kernel > kMaxElements / w.dilation || !in_range(w.lower, 0) || !in_range(w.upper, 0)) {
    return Bad(fmt::format("a window of {} (stride {}, dilation {}, padding {} and {}) on an axis of {}", w.kernel,
                           w.stride, w.dilation, w.lower, w.upper, w.size));
  }
  const int64_t reach = (w.kernel - 1) * w.dilation + 1;
  const int64_t room = w.auto_pad ? w.size - 1 : w.size + w.lower + w.upper - reach;
  if (room < 0) return Bad(fmt::format("a window of {} does not fit an axis of {}", reach, w.size));
  WindowAxis placed{.out = (room + (w.ceil ? w.stride - 1 : 0)) / w.stride + 1, .lower = w.lower, .upper = w.upper};
  if (w.auto_pad) {
    const int64_t extra = w.size - ((placed.out - 1) * w.stride + 1);
    const int64_t before = extra / 2;
    placed.lower = (reach - 1) / 2 - before;
    placed.upper = reach - 1 - (reach - 1) / 2 - (extra - before);
  } else {
    // Rounded up, the last window may reach past the padding.
    placed.upper = std::max(w.upper, (placed.out - 1) * w.stride + reach - w.size - w.lower);
  }
  return placed;
}

Result<Tensor> Convolve(const Tensor& weights, const Tensor& x, const ConvolutionSpec& spec) {
  const size_t rank = x.dims.size();
  if (!x.batched) return Unsupported("convolves a constant");
  if (rank < 2 || rank > 4) return Unsupported(fmt::format("convolves an input of {}", ToText(x.dims)));
  if (spec.groups < 1 || spec.groups > x.dims.back()) return Bad(fmt::format("{} groups", spec.groups));
  DE_TRY(const Kernel kernel, KernelOf(weights, rank));
  return spec.transpose ? ConvolveBack(weights, x, spec, kernel) : ConvolveForward(weights, x, spec, kernel);
}

Result<Tensor> Pool(const Tensor& x, const PoolSpec& spec) {
  const size_t rank = x.dims.size();
  if (!x.batched || rank < 2 || rank > 4) return Unsupported(fmt::format("pools an input of {}", ToText(x.dims)));
  const Dims& kernel = spec.window.kernel;
  const bool whole = kernel.empty() || std::any_of(kernel.begin(), kernel.end(), [](int64_t k) { return k < 0; });
  if (kernel.size() > rank) return Bad(fmt::format("a window of {} on an input of {}", ToText(kernel), ToText(x.dims)));
  const size_t window_rank = whole ? rank - 1 : kernel.size();
  Geometry geometry;
  for (size_t axis = 0; axis < rank; ++axis) {
    const bool channels = axis + 1 == rank;
    const int64_t otherwise = whole && !channels ? x.dims[axis] : 1;
    const int64_t size = whole || axis >= kernel.size() ? otherwise : kernel[axis];
    DE_TRY(const WindowOnAxis window, WindowAt(spec.window, axis, window_rank, x.dims[axis], size));
    DE_TRY(const WindowAxis placed, PlaceWindow(window));
    if (!channels) DE_TRY_STATUS(PutAxis(geometry, window, placed));
    if (channels && (size != 1 || placed.out != x.dims[axis])) return Unsupported("its windows move over the channels");
  }
  const GraphValue input = CropNegative(ValueOf(x), geometry);
  const ov::Shape begins = Unsigned(geometry.begins);
  const ov::Shape ends = Unsigned(geometry.ends);
  geometry.out.push_back(x.dims.back());
  GraphValue value;
  if (spec.average) {
    value = std::make_shared<ov::op::v1::AvgPool>(input, geometry.strides, begins, ends, geometry.kernel,
                                                  !spec.include_pad, ov::op::RoundingType::FLOOR);
  } else {
    value = std::make_shared<ov::op::v1::MaxPool>(input, geometry.strides, begins, ends, geometry.kernel,
                                                  ov::op::RoundingType::FLOOR);
  }
  return MakeTensor(value, geometry.out, true);
}

Result<Tensor> RoiPool(const Tensor& map, const Tensor& rois, const Dims& size, double scale) {
  if (!map.batched || !rois.batched || map.dims.size() != 3 || rois.dims.size() != 2 || rois.dims[0] != 4 ||
      size.size() != 2 || size[0] < 1 || size[1] < 1 || !(scale > 0)) {
    return Bad(fmt::format("pools regions {} of a map {} to {}", ToText(rois.dims), ToText(map.dims), ToText(size)));
  }
  const Dims dims{size[0], size[1], map.dims[2], rois.dims[1]};
  DE_TRY_STATUS(CountOf(dims).status());
  // The engine wants the number of the picture in front of each region: there is one picture.
  const auto count = rois.dims[1];
  const auto flat = std::make_shared<op::Reshape>(rois.value, IndexConstant({count, 4}), false);
  const auto zeros = FloatConstant({static_cast<size_t>(count), 1}, std::vector<float>(static_cast<size_t>(count)));
  const auto regions = std::make_shared<op::Concat>(ov::OutputVector{zeros, flat}, 1);
  const auto pooled = std::make_shared<ov::op::v0::ROIPooling>(
      map.value, regions, ov::Shape{static_cast<size_t>(size[1]), static_cast<size_t>(size[0])},
      static_cast<float>(scale), "max");
  const auto shaped =
      std::make_shared<op::Reshape>(pooled, IndexConstant({1, count, map.dims[2], size[1], size[0]}), false);
  return MakeTensor(shaped, dims, true);
}

}  // namespace deepedge::cntk
