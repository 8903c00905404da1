// Layers of the old IR that look at windows of a picture, and those with a number for each channel.
#include <fmt/format.h>

#include <openvino/op/add.hpp>
#include <openvino/op/avg_pool.hpp>
#include <openvino/op/convolution.hpp>
#include <openvino/op/group_conv.hpp>
#include <openvino/op/lrn.hpp>
#include <openvino/op/matmul.hpp>
#include <openvino/op/max_pool.hpp>
#include <openvino/op/multiply.hpp>
#include <openvino/op/mvn.hpp>
#include <openvino/op/normalize_l2.hpp>
#include <openvino/op/prelu.hpp>

#include "deepedge/formats/graph/shape_ops.h"
#include "deepedge/formats/ir/ir_layer.h"

namespace deepedge {
namespace {

constexpr int64_t kMaxWindow = 1 << 14;

struct Pair {
  int64_t h = 0;
  int64_t w = 0;
};

struct Window {
  Pair kernel;
  Pair stride;
  Pair dilation;
  Pair begin;
  Pair end;
};

// "h,w" under `name`, or the older name-y and name-x.
Pair ReadPair(IrContext& c, const char* name, const std::string& old_name, Pair absent, int64_t least) {
  const auto both = c.Ints(name, least, kMaxWindow);
  const Pair old{c.Int(old_name + "-y", absent.h, least, kMaxWindow),
                 c.Int(old_name + "-x", absent.w, least, kMaxWindow)};
  if (both.empty()) return old;
  if (both.size() != 2)
    throw UnsupportedLayer(fmt::format("{} of {} directions; pictures have two", name, both.size()));
  return {both[0], both[1]};
}

// What has to be added before and after so that the output is as large as the input divided by the stride.
Pair SamePads(int64_t length, int64_t kernel, int64_t stride, int64_t dilation, bool more_after) {
  const int64_t outputs = (length + stride - 1) / stride;
  const int64_t total = std::max<int64_t>(0, (outputs - 1) * stride + (kernel - 1) * dilation + 1 - length);
  const int64_t less = total / 2;
  return more_after ? Pair{less, total - less} : Pair{total - less, less};
}

Window ReadWindow(IrContext& c) {
  Window w;
  w.kernel = ReadPair(c, "kernel", "kernel", {0, 0}, 1);
  w.stride = ReadPair(c, "strides", "stride", {1, 1}, 1);
  w.dilation = ReadPair(c, "dilations", "dilation", {1, 1}, 1);
  w.begin = ReadPair(c, "pads_begin", "pad", {0, 0}, 0);
  const Pair old_end{c.Int("pad-b", w.begin.h, 0, kMaxWindow), c.Int("pad-r", w.begin.w, 0, kMaxWindow)};
  w.end = ReadPair(c, "pads_end", "pads-end", old_end, 0);
  c.Ignore({"stride"});  // the same again, with the batch and the channels in front
  const std::string automatic = c.Text("auto_pad", "explicit");
  if (w.kernel.h == 0 || w.kernel.w == 0) throw std::invalid_argument("has no kernel");
  if (RankOf(c.Input()) != 4) throw UnsupportedLayer(fmt::format("input with {} dimensions", RankOf(c.Input())));
  if (automatic == "valid") w.begin = w.end = {0, 0};
  if (automatic == "same_upper" || automatic == "same_lower") {
    const bool after = automatic == "same_upper";
    const Pair h = SamePads(DimensionOf(c.Input(), 2), w.kernel.h, w.stride.h, w.dilation.h, after);
    const Pair v = SamePads(DimensionOf(c.Input(), 3), w.kernel.w, w.stride.w, w.dilation.w, after);
    w.begin = {h.h, v.h};
    w.end = {h.w, v.w};
  } else if (automatic != "explicit" && automatic != "valid" && !automatic.empty()) {
    throw UnsupportedLayer(fmt::format("auto_pad=\"{}\"", automatic));
  }
  return w;
}

GraphValue WithBias(IrContext& c, const GraphValue& value, int64_t outputs) {
  return c.HasBlob("biases") ? AddPerChannel(value, c.Blob("biases", outputs)) : value;
}

std::vector<GraphValue> Convolution(IrContext& c) {
  const Window w = ReadWindow(c);
  const int64_t outputs = c.Int("output", 0, 1, 1 << 26);
  const int64_t groups = c.Int("group", 1, 1, 1 << 26);
  c.Finish();
  if (outputs == 0) throw std::invalid_argument("has no output count");
  const auto size = [](int64_t number) { return static_cast<size_t>(number); };
  const Convolution2d layer{.out_channels = size(outputs),
                            .kernel_h = size(w.kernel.h),
                            .kernel_w = size(w.kernel.w),
                            .groups = size(groups),
                            .stride_h = size(w.stride.h),
                            .stride_w = size(w.stride.w),
                            .dilation_h = size(w.dilation.h),
                            .dilation_w = size(w.dilation.w),
                            .pad_top = w.begin.h,
                            .pad_bottom = w.end.h,
                            .pad_left = w.begin.w,
                            .pad_right = w.end.w};
  return {WithBias(c, Convolve(c.Input(), layer, c.BlobOfAnyCount("weights")), outputs)};
}

std::vector<GraphValue> Deconvolution(IrContext& c) {
  const Window w = ReadWindow(c);
  const int64_t outputs = c.Int("output", 0, 1, 1 << 26);
  const int64_t groups = c.Int("group", 1, 1, 1 << 26);
  c.Finish();
  const int64_t channels = DimensionOf(c.Input(), 1);
  if (outputs == 0 || outputs % groups != 0 || channels % groups != 0) {
    throw std::invalid_argument(fmt::format("{} groups, {} input and {} output channels", groups, channels, outputs));
  }
  const auto weights = c.Blob("weights", channels * (outputs / groups) * w.kernel.h * w.kernel.w);
  const auto size = [](int64_t number) { return static_cast<size_t>(number); };
  const ov::Shape shape{size(groups), size(channels / groups), size(outputs / groups), size(w.kernel.h),
                        size(w.kernel.w)};
  const auto value = std::make_shared<ov::op::v1::GroupConvolutionBackpropData>(
      c.Input(), FloatConstant(shape, weights), ov::Strides{size(w.stride.h), size(w.stride.w)},
      ov::CoordinateDiff{w.begin.h, w.begin.w}, ov::CoordinateDiff{w.end.h, w.end.w},
      ov::Strides{size(w.dilation.h), size(w.dilation.w)});
  return {WithBias(c, value, outputs)};
}

std::vector<GraphValue> FullyConnected(IrContext& c) {
  const int64_t outputs = c.Int("out-size", 0, 1, 1 << 26);
  c.Ignore({"alpha", "beta"});
  c.Finish();
  if (outputs == 0) throw std::invalid_argument("has no out-size");
  const size_t rank = RankOf(c.Input());
  if (rank < 2) throw UnsupportedLayer("input with one dimension");
  int64_t inputs = 1;
  for (size_t i = 1; i < rank; ++i) inputs *= DimensionOf(c.Input(), i);
  const auto weights = c.BlobOfAnyCount("weights");
  if (std::ssize(weights) / outputs != inputs || std::ssize(weights) % outputs != 0) {
    throw std::invalid_argument(
        fmt::format("its weights hold {} numbers, {} x {} are needed", weights.size(), outputs, inputs));
  }
  const auto out = static_cast<size_t>(outputs);
  const auto matrix = FloatConstant({out, static_cast<size_t>(inputs)}, weights);
  const GraphValue value =
      std::make_shared<ov::op::v0::MatMul>(FlattenAxes(c.Input(), 1, rank - 1), matrix, false, true);
  if (!c.HasBlob("biases")) return {value};
  return {std::make_shared<ov::op::v1::Add>(value, FloatConstant({out}, c.Blob("biases", outputs)))};
}

GraphValue Pool(IrContext& c, const Window& w, bool max, bool exclude, ov::op::RoundingType rounding) {
  const auto size = [](int64_t number) { return static_cast<size_t>(number); };
  const ov::Strides strides{size(w.stride.h), size(w.stride.w)};
  const ov::Shape begin{size(w.begin.h), size(w.begin.w)};
  const ov::Shape end{size(w.end.h), size(w.end.w)};
  const ov::Shape kernel{size(w.kernel.h), size(w.kernel.w)};
  if (max) {
    return std::make_shared<ov::op::v14::MaxPool>(c.Input(), strides, ov::Strides{1, 1}, begin, end, kernel, rounding);
  }
  return std::make_shared<ov::op::v14::AvgPool>(c.Input(), strides, begin, end, kernel, exclude, rounding);
}

std::vector<GraphValue> Pooling(IrContext& c) {
  const Window w = ReadWindow(c);
  const std::string method = c.Text("pool-method", "max");
  const std::string rounding = c.Text("rounding_type", c.Text("rounding-type", "floor"));
  const bool exclude = c.Bool("exclude-pad", false);
  c.Finish();
  if (method != "max" && method != "avg") throw UnsupportedLayer(fmt::format("pool-method=\"{}\"", method));
  if (rounding != "ceil" && rounding != "floor") throw UnsupportedLayer(fmt::format("rounding_type=\"{}\"", rounding));
  const bool max = method == "max";
  const bool padded = w.begin.h + w.begin.w + w.end.h + w.end.w > 0;
  const bool exact = (DimensionOf(c.Input(), 2) + w.begin.h + w.end.h - w.kernel.h) % w.stride.h == 0 &&
                     (DimensionOf(c.Input(), 3) + w.begin.w + w.end.w - w.kernel.w) % w.stride.w == 0;
  if (!max && !exclude && padded && !exact && rounding == "ceil") {
    throw UnsupportedLayer("an average that counts padding and rounds up");
  }
  if (rounding == "floor") return {Pool(c, w, max, exclude, ov::op::RoundingType::FLOOR)};
  // Whether a last window that begins in the padding counts depends on where the file came from: its shape tells.
  const GraphValue value = Pool(c, w, max, exclude, ov::op::RoundingType::CEIL_TORCH);
  const auto& wanted = c.OutputShape();
  if (value.get_partial_shape().compatible(
          ov::PartialShape(std::vector<ov::Dimension>(wanted.begin(), wanted.end())))) {
    return {value};
  }
  return {Pool(c, w, max, exclude, ov::op::RoundingType::CEIL)};
}

std::vector<GraphValue> ScaleShift(IrContext& c) {
  c.Ignore({"broadcast"});
  c.Finish();
  const int64_t channels = DimensionOf(c.Input(), 1);
  const GraphValue value = c.HasBlob("weights") ? ScalePerChannel(c.Input(), c.Blob("weights", channels)) : c.Input();
  return {WithBias(c, value, channels)};
}

// The weights are the variances here, the biases the means.
std::vector<GraphValue> BatchNormalization(IrContext& c) {
  const float epsilon = c.Float("epsilon", 1e-5);
  c.Finish();
  const int64_t channels = DimensionOf(c.Input(), 1);
  return {Normalize(
      c.Input(),
      BatchNorm{.mean = c.Blob("biases", channels), .variance = c.Blob("weights", channels), .epsilon = epsilon})};
}

std::vector<GraphValue> Prelu(IrContext& c) {
  const bool shared = c.Bool("channel_shared", false);
  c.Ignore({"filler_type", "filler_value", "min", "max", "mean", "std", "sparse", "variance_norm"});
  c.Finish();
  const int64_t count = shared ? 1 : DimensionOf(c.Input(), 1);
  return {std::make_shared<ov::op::v0::PRelu>(c.Input(),
                                              FloatConstant({static_cast<size_t>(count)}, c.Blob("weights", count)))};
}

std::vector<GraphValue> NormalizeLength(IrContext& c) {
  const bool across_spatial = c.Bool("across_spatial", false);
  const bool shared = c.Bool("channel_shared", false);
  const float epsilon = c.Float("eps", 1e-10);
  c.Finish();
  const auto axes = across_spatial ? IndexConstant({1, 2, 3}) : IndexConstant({1});
  if (RankOf(c.Input()) != 4) throw UnsupportedLayer(fmt::format("input with {} dimensions", RankOf(c.Input())));
  const auto unit = std::make_shared<ov::op::v0::NormalizeL2>(c.Input(), axes, epsilon, ov::op::EpsMode::ADD);
  if (!shared) return {ScalePerChannel(unit, c.Blob("weights", DimensionOf(c.Input(), 1)))};
  return {std::make_shared<ov::op::v1::Multiply>(unit, FloatConstant(c.Blob("weights", 1).front()))};
}

std::vector<GraphValue> LocalResponse(IrContext& c) {
  const int64_t size = c.Int("local-size", c.Int("local_size", 5, 1, kMaxWindow), 1, kMaxWindow);
  const double alpha = static_cast<double>(c.Float("alpha", 1));
  const double beta = static_cast<double>(c.Float("beta", 0.75));
  const double k = static_cast<double>(c.Float("k", 1));
  const std::string region = c.Text("region", "across");
  c.Finish();
  if (region != "across" && region != "same") throw UnsupportedLayer(fmt::format("region=\"{}\"", region));
  const auto axes = region == "across" ? IndexConstant({1}) : IndexConstant({2, 3});
  return {std::make_shared<ov::op::v0::LRN>(c.Input(), axes, alpha, beta, k, static_cast<size_t>(size))};
}

std::vector<GraphValue> MeanVariance(IrContext& c) {
  const bool across = c.Bool("across_channels", false);
  const bool variance = c.Bool("normalize_variance", true);
  const float epsilon = c.Float("eps", 1e-9);
  c.Finish();
  if (RankOf(c.Input()) != 4) throw UnsupportedLayer(fmt::format("input with {} dimensions", RankOf(c.Input())));
  const auto axes = across ? IndexConstant({1, 2, 3}) : IndexConstant({2, 3});
  return {std::make_shared<ov::op::v6::MVN>(c.Input(), axes, variance, epsilon, ov::op::MVNEpsMode::OUTSIDE_SQRT)};
}

}  // namespace

const std::vector<IrLayerType>& IrFilterLayers() {
  static const std::vector<IrLayerType> kTypes = {
      {"BatchNormalization", BatchNormalization},
      {"Convolution", Convolution},
      {"Deconvolution", Deconvolution},
      {"FullyConnected", FullyConnected},
      {"InnerProduct", FullyConnected},
      {"LRN", LocalResponse},
      {"MVN", MeanVariance},
      {"Norm", LocalResponse},
      {"Normalize", NormalizeLength},
      {"PReLU", Prelu},
      {"Pooling", Pooling},
      {"ScaleShift", ScaleShift},
  };
  return kTypes;
}

}  // namespace deepedge
