// Layers that look at windows of a picture, and InnerProduct.
#include <fmt/format.h>

#include <openvino/op/add.hpp>
#include <openvino/op/avg_pool.hpp>
#include <openvino/op/broadcast.hpp>
#include <openvino/op/concat.hpp>
#include <openvino/op/convolution.hpp>
#include <openvino/op/group_conv.hpp>
#include <openvino/op/matmul.hpp>
#include <openvino/op/max_pool.hpp>
#include <openvino/op/reduce_max.hpp>
#include <openvino/op/reduce_mean.hpp>
#include <openvino/op/reshape.hpp>

#include "deepedge/formats/caffe/layer_context.h"
#include "deepedge/formats/graph/shape_ops.h"

namespace deepedge {
namespace {

constexpr int64_t kMaxWindow = 1 << 14;
constexpr int64_t kMaxOutputs = 1 << 26;

struct Pair {
  size_t h = 0;
  size_t w = 0;
};

struct Window {
  Pair kernel;
  Pair stride{1, 1};
  Pair pad;
  Pair dilation{1, 1};
};

// `name` once for both directions or once for each, or name_h and name_w.
Pair ReadPair(Params& p, const char* name, const std::string& h, const std::string& w, Pair absent, int64_t least) {
  const auto both = p.Ints(name, least, kMaxWindow);
  if (p.Has(h) || p.Has(w)) {
    if (!both.empty()) throw std::invalid_argument(fmt::format("{} and {} or {}: one of the forms only", name, h, w));
    return {static_cast<size_t>(p.Int(h, static_cast<int64_t>(absent.h), least, kMaxWindow)),
            static_cast<size_t>(p.Int(w, static_cast<int64_t>(absent.w), least, kMaxWindow))};
  }
  if (both.size() > 2) throw Unsupported(fmt::format("{} for {} directions; pictures have two", name, both.size()));
  if (both.empty()) return absent;
  return {static_cast<size_t>(both.front()), static_cast<size_t>(both.back())};
}

Window ReadWindow(Params& p) {
  Window window;
  window.kernel = ReadPair(p, "kernel_size", "kernel_h", "kernel_w", {0, 0}, 1);
  window.stride = ReadPair(p, "stride", "stride_h", "stride_w", {1, 1}, 1);
  window.pad = ReadPair(p, "pad", "pad_h", "pad_w", {0, 0}, 0);
  return window;
}

void NeedKernel(const Window& window) {
  if (window.kernel.h == 0 || window.kernel.w == 0) throw std::invalid_argument("has no kernel_size");
}

struct ConvolutionText {
  Window window;
  int64_t outputs = 0;
  int64_t groups = 1;
  bool has_group = false;
  bool bias = true;
};

ConvolutionText ReadConvolution(LayerContext& c) {
  Params p = c.Param("convolution_param");
  ConvolutionText text;
  text.window = ReadWindow(p);
  NeedKernel(text.window);
  text.window.dilation = ReadPair(p, "dilation", "dilation_h", "dilation_w", {1, 1}, 1);
  text.outputs = p.Int("num_output", 0, 1, kMaxOutputs);
  if (text.outputs == 0) throw std::invalid_argument("has no num_output");
  text.has_group = p.Has("group");
  text.groups = p.Int("group", 1, 1, kMaxOutputs);
  text.bias = p.Bool("bias_term", true);
  if (p.Int("axis", 1, -8, 8) != 1) throw Unsupported("axis other than 1");
  p.Ignore({"weight_filler", "bias_filler", "engine", "force_nd_im2col"});
  p.Finish();
  c.FinishText();
  if (RankOf(c.Bottom()) != 4) throw Unsupported(fmt::format("input with {} dimensions", RankOf(c.Bottom())));
  return text;
}

int64_t InGroup(int64_t channels, const ConvolutionText& text) {
  if (channels % text.groups != 0 || text.outputs % text.groups != 0) {
    throw std::invalid_argument(
        fmt::format("{} groups do not divide {} input and {} output channels", text.groups, channels, text.outputs));
  }
  return channels / text.groups;
}

GraphValue AddBias(LayerContext& c, const GraphValue& value, const ConvolutionText& text) {
  if (!text.bias) return value;
  return AddPerChannel(value, c.Blob(1, {text.outputs}, "bias"));
}

GraphValue BuildConvolution(LayerContext& c, const ConvolutionText& text) {
  const Window& w = text.window;
  const Convolution2d layer{.out_channels = static_cast<size_t>(text.outputs),
                            .kernel_h = w.kernel.h,
                            .kernel_w = w.kernel.w,
                            .groups = static_cast<size_t>(text.groups),
                            .stride_h = w.stride.h,
                            .stride_w = w.stride.w,
                            .dilation_h = w.dilation.h,
                            .dilation_w = w.dilation.w,
                            .pad_top = static_cast<std::ptrdiff_t>(w.pad.h),
                            .pad_bottom = static_cast<std::ptrdiff_t>(w.pad.h),
                            .pad_left = static_cast<std::ptrdiff_t>(w.pad.w),
                            .pad_right = static_cast<std::ptrdiff_t>(w.pad.w)};
  const int64_t in_group = InGroup(DimensionOf(c.Bottom(), 1), text);
  const auto weights = c.Blob(
      0, {text.outputs, in_group, static_cast<int64_t>(w.kernel.h), static_cast<int64_t>(w.kernel.w)}, "weights");
  return AddBias(c, Convolve(c.Bottom(), layer, weights), text);
}

std::vector<GraphValue> Convolution(LayerContext& c) { return {BuildConvolution(c, ReadConvolution(c))}; }

// Layers of forks: one filter for each channel, whatever `group` says or does not say.
std::vector<GraphValue> Depthwise(LayerContext& c) {
  ConvolutionText text = ReadConvolution(c);
  const int64_t channels = DimensionOf(c.Bottom(), 1);
  if (!text.has_group || text.groups == 1) text.groups = channels;
  if (text.groups != channels) {
    throw std::invalid_argument(fmt::format("is depthwise with {} groups for {} channels", text.groups, channels));
  }
  return {BuildConvolution(c, text)};
}

std::vector<GraphValue> Deconvolution(LayerContext& c) {
  const ConvolutionText text = ReadConvolution(c);
  const Window& w = text.window;
  const int64_t channels = DimensionOf(c.Bottom(), 1);
  const int64_t in_group = InGroup(channels, text);
  const int64_t out_group = text.outputs / text.groups;
  const auto kh = static_cast<int64_t>(w.kernel.h);
  const auto kw = static_cast<int64_t>(w.kernel.w);
  const auto weights = c.Blob(0, {channels, out_group, kh, kw}, "weights");
  const auto size = [](int64_t number) { return static_cast<size_t>(number); };
  const ov::Strides strides{w.stride.h, w.stride.w};
  const ov::Strides dilations{w.dilation.h, w.dilation.w};
  const ov::CoordinateDiff pads{static_cast<std::ptrdiff_t>(w.pad.h), static_cast<std::ptrdiff_t>(w.pad.w)};
  if (text.groups == 1) {
    const auto kernel = FloatConstant({size(channels), size(text.outputs), w.kernel.h, w.kernel.w}, weights);
    const auto value =
        std::make_shared<ov::op::v1::ConvolutionBackpropData>(c.Bottom(), kernel, strides, pads, pads, dilations);
    return {AddBias(c, value, text)};
  }
  const auto kernel =
      FloatConstant({size(text.groups), size(in_group), size(out_group), w.kernel.h, w.kernel.w}, weights);
  const auto value =
      std::make_shared<ov::op::v1::GroupConvolutionBackpropData>(c.Bottom(), kernel, strides, pads, pads, dilations);
  return {AddBias(c, value, text)};
}

// All dimensions from `axis` on are one vector; its length must be known.
std::vector<GraphValue> InnerProduct(LayerContext& c) {
  Params p = c.Param("inner_product_param");
  const int64_t outputs = p.Int("num_output", 0, 1, kMaxOutputs);
  const bool bias = p.Bool("bias_term", true);
  const bool transpose = p.Bool("transpose", false);
  const size_t rank = RankOf(c.Bottom());
  const size_t axis = AxisOf(p.Int("axis", 1, -8, 8), rank);
  p.Ignore({"weight_filler", "bias_filler", "engine"});
  p.Finish();
  c.FinishText();
  if (outputs == 0) throw std::invalid_argument("has no num_output");
  int64_t inputs = 1;
  for (size_t i = axis; i < rank; ++i) inputs *= DimensionOf(c.Bottom(), i);  // bounded by CheckSize
  const CaffeBlob& blob = c.BlobAt(0, "weights");
  if (blob.count != inputs * outputs) {
    throw std::invalid_argument(fmt::format("holds {} weights, {} outputs of {} inputs need {}", blob.count, outputs,
                                            inputs, inputs * outputs));
  }
  const auto weights = c.BlobOfCount(0, inputs * outputs, "weights");
  const auto in = static_cast<size_t>(inputs);
  const auto out = static_cast<size_t>(outputs);
  const auto matrix = FloatConstant(transpose ? ov::Shape{in, out} : ov::Shape{out, in}, weights);
  const GraphValue flat = FlattenAxes(c.Bottom(), axis, rank - 1);
  GraphValue value = std::make_shared<ov::op::v0::MatMul>(flat, matrix, false, !transpose);
  if (bias) value = std::make_shared<ov::op::v1::Add>(value, FloatConstant({out}, c.Blob(1, {outputs}, "bias")));
  return {value};
}

ov::op::RoundingType Rounding(Params& p) {
  bool up = p.Bool("ceil_mode", true);
  const std::string mode = p.Word("round_mode", up ? "CEIL" : "FLOOR");
  if (mode != "CEIL" && mode != "FLOOR") throw Unsupported(fmt::format("round_mode {}", mode));
  up = mode == "CEIL";
  // Caffe rounds up and drops a last window that would begin in the padding: the engine's CEIL_TORCH.
  return up ? ov::op::RoundingType::CEIL_TORCH : ov::op::RoundingType::FLOOR;
}

std::vector<GraphValue> GlobalPooling(const GraphValue& bottom, bool max) {
  const auto axes = IndexConstant({2, 3});
  if (max) return {std::make_shared<ov::op::v1::ReduceMax>(bottom, axes, true)};
  return {std::make_shared<ov::op::v1::ReduceMean>(bottom, axes, true)};
}

// `count` rows (axis 2) or columns (axis 3) of zeros before and after.
GraphValue WithZeros(const GraphValue& value, size_t axis, size_t count) {
  if (count == 0) return value;
  std::vector<GraphValue> shape{DimensionsOf(value, 0, axis), IndexConstant({static_cast<int64_t>(count)})};
  if (axis == 2) shape.push_back(DimensionsOf(value, 3, 4));
  const auto zeros = std::make_shared<ov::op::v3::Broadcast>(FloatConstant(0), JoinShape(shape));
  return std::make_shared<ov::op::v0::Concat>(ov::OutputVector{zeros, value, zeros}, static_cast<int64_t>(axis));
}

// The average over a window and what it holds of the padding, but nothing behind the padding.
GraphValue Average(const GraphValue& bottom, const Window& w, ov::op::RoundingType rounding) {
  using ov::op::v14::AvgPool;
  const ov::Strides strides{w.stride.h, w.stride.w};
  const ov::Shape pads{w.pad.h, w.pad.w};
  const ov::Shape none{0, 0};
  const ov::Shape kernel{w.kernel.h, w.kernel.w};
  if (w.pad.h == 0 && w.pad.w == 0) {
    return std::make_shared<AvgPool>(bottom, strides, none, none, kernel, true, rounding);
  }
  const bool exact = w.stride.h == 1 && w.stride.w == 1;
  if (exact || rounding == ov::op::RoundingType::FLOOR) {
    return std::make_shared<AvgPool>(bottom, strides, pads, pads, kernel, false, ov::op::RoundingType::FLOOR);
  }
  // When it rounds up, the engine divides by cells behind the padding too. So the padding becomes part of the picture
  // (not as a Pad, which the engine would take back into the pooling), and only what lies behind is left out. A last
  // window that begins in the padding is cut off: as many stay as the maximum has.
  const GraphValue padded = WithZeros(WithZeros(bottom, 2, w.pad.h), 3, w.pad.w);
  const GraphValue all =
      std::make_shared<AvgPool>(padded, strides, none, none, kernel, true, ov::op::RoundingType::CEIL);
  const auto counted =
      std::make_shared<ov::op::v14::MaxPool>(bottom, strides, ov::Strides{1, 1}, pads, pads, kernel, rounding);
  return SliceAxis(SliceAxis(all, 2, 0, DimensionsOf(counted, 2, 3)), 3, 0, DimensionsOf(counted, 3, 4));
}

std::vector<GraphValue> Pooling(LayerContext& c) {
  Params p = c.Param("pooling_param");
  const std::string method = p.Word("pool", "MAX");
  const bool max = method == "MAX" || method == "0";
  if (!max && method != "AVE" && method != "1") throw Unsupported(fmt::format("pool {}", method));
  const Window w = ReadWindow(p);
  const auto rounding = Rounding(p);
  const bool global = p.Bool("global_pooling", false);
  p.Ignore({"engine"});
  p.Finish();
  c.FinishText();
  if (RankOf(c.Bottom()) != 4) throw Unsupported(fmt::format("input with {} dimensions", RankOf(c.Bottom())));
  if (c.top_count() > 1) throw Unsupported("a second top, the places of the largest");
  if (global) return GlobalPooling(c.Bottom(), max);
  NeedKernel(w);
  if (w.pad.h >= w.kernel.h || w.pad.w >= w.kernel.w) throw std::invalid_argument("its padding holds whole windows");
  const ov::Strides strides{w.stride.h, w.stride.w};
  const ov::Shape pads{w.pad.h, w.pad.w};
  const ov::Shape kernel{w.kernel.h, w.kernel.w};
  if (max) {
    return {
        std::make_shared<ov::op::v14::MaxPool>(c.Bottom(), strides, ov::Strides{1, 1}, pads, pads, kernel, rounding)};
  }
  return {Average(c.Bottom(), w, rounding)};
}

}  // namespace

const std::vector<LayerType>& FilterLayers() {
  static const std::vector<LayerType> kTypes = {
      {"Convolution", Convolution}, {"DepthwiseConvolution", Depthwise}, {"ConvolutionDepthwise", Depthwise},
      {"DepthwiseConv", Depthwise}, {"Deconvolution", Deconvolution},    {"InnerProduct", InnerProduct},
      {"Pooling", Pooling},
  };
  return kTypes;
}

}  // namespace deepedge
