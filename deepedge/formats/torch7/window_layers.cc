// Torch7 modules that move a window over a picture, or change its size.
#include <fmt/format.h>

#include <algorithm>
#include <openvino/opsets/opset8.hpp>

#include "deepedge/formats/torch7/module.h"

namespace deepedge::torch7 {
namespace {

namespace op = ov::opset8;

Error Bad(std::string what) { return {ErrorCode::kBadInput, std::move(what)}; }
Error Unsupported(std::string what) { return {ErrorCode::kUnsupported, std::move(what)}; }

struct Window {
  int64_t kernel_w = 1;
  int64_t kernel_h = 1;
  int64_t stride_w = 1;
  int64_t stride_h = 1;
  int64_t pad_w = 0;
  int64_t pad_h = 0;
  int64_t dilation_w = 1;
  int64_t dilation_h = 1;

  ov::Strides Strides() const { return {static_cast<size_t>(stride_h), static_cast<size_t>(stride_w)}; }
  ov::Shape Kernel() const { return {static_cast<size_t>(kernel_h), static_cast<size_t>(kernel_w)}; }
  ov::CoordinateDiff Pads() const { return {pad_h, pad_w}; }
};

// Old files lack strides and padding, or have one padding for both axes.
Result<Window> ReadWindow(const Module& module, bool stride_is_kernel) {
  Window window;
  DE_TRY(window.kernel_w, module.Size("kW"));
  DE_TRY(window.kernel_h, module.Size("kH"));
  DE_TRY(window.stride_w, module.Size("dW", stride_is_kernel ? window.kernel_w : 1));
  DE_TRY(window.stride_h, module.Size("dH", stride_is_kernel ? window.kernel_h : 1));
  DE_TRY(const int64_t padding, module.Size("padding", 0, 0));
  DE_TRY(window.pad_w, module.Size("padW", padding, 0));
  DE_TRY(window.pad_h, module.Size("padH", padding, 0));
  DE_TRY(window.dilation_w, module.Size("dilationW", 1));
  DE_TRY(window.dilation_h, module.Size("dilationH", 1));
  return window;
}

// How often the window fits, 0: never.
int64_t Steps(int64_t size, int64_t kernel, int64_t stride, int64_t pad, int64_t dilation, bool ceil) {
  if (size == kOpen) return kOpen;
  const int64_t room = size + 2 * pad - ((kernel - 1) * dilation + 1);
  if (room < 0) return 0;
  int64_t steps = (room + (ceil ? stride - 1 : 0)) / stride + 1;
  // The last window begins inside the picture or the padding before it.
  if (ceil && (steps - 1) * stride >= size + pad) --steps;
  return steps;
}

Status CheckPicture(const Flow& in, int64_t channels) {
  if (!in.IsPicture()) return Bad("its input is no picture");
  if (in.dims[0] == channels) return {};
  return Bad(fmt::format("wants {} channels, its input has {}", channels, in.dims[0]));
}

GraphValue WithBias(const GraphValue& value, const std::vector<float>& bias) {
  return bias.empty() ? value : AddPerChannel(value, bias);
}

Result<Flow> BuildConvolution(Run& run, const Module& module, const Flow& in) {
  DE_TRY(const int64_t from, module.Size("nInputPlane"));
  DE_TRY(const int64_t to, module.Size("nOutputPlane"));
  DE_TRY(const int64_t groups, module.Size("groups", 1));
  DE_TRY(const Window w, ReadWindow(module, false));
  DE_TRY_STATUS(CheckPicture(in, from));
  if (from % groups != 0 || to % groups != 0)
    return Bad(fmt::format("{} groups of {} and {} channels", groups, from, to));
  DE_TRY(const auto weights, run.Weights(module, "weight", to * (from / groups) * w.kernel_h * w.kernel_w));
  DE_TRY(const auto bias, run.WeightsIfAny(module, "bias", to));
  const std::vector<int64_t> dims{to, Steps(in.dims[1], w.kernel_h, w.stride_h, w.pad_h, w.dilation_h, false),
                                  Steps(in.dims[2], w.kernel_w, w.stride_w, w.pad_w, w.dilation_w, false)};
  return run.Make(dims, [&] {
    const Convolution2d layer{.out_channels = static_cast<size_t>(to),
                              .kernel_h = static_cast<size_t>(w.kernel_h),
                              .kernel_w = static_cast<size_t>(w.kernel_w),
                              .groups = static_cast<size_t>(groups),
                              .stride_h = static_cast<size_t>(w.stride_h),
                              .stride_w = static_cast<size_t>(w.stride_w),
                              .dilation_h = static_cast<size_t>(w.dilation_h),
                              .dilation_w = static_cast<size_t>(w.dilation_w),
                              .pad_top = w.pad_h,
                              .pad_bottom = w.pad_h,
                              .pad_left = w.pad_w,
                              .pad_right = w.pad_w};
    return WithBias(Convolve(in.value, layer, weights), bias);
  });
}

// A convolution that joins only the pairs of channels in its table: as a full one with zeros elsewhere.
Result<Flow> BuildConvolutionMap(Run& run, const Module& module, const Flow& in) {
  DE_TRY(const int64_t from, module.Size("nInputPlane"));
  DE_TRY(const int64_t to, module.Size("nOutputPlane"));
  DE_TRY(const Window w, ReadWindow(module, false));
  DE_TRY_STATUS(CheckPicture(in, from));
  const auto pairs_size = module.SizesOf("connTable");
  if (pairs_size.size() != 2 || pairs_size[1] != 2) return Bad("has no 'connTable' of pairs");
  const int64_t pairs = pairs_size[0];
  const int64_t window = w.kernel_h * w.kernel_w;
  constexpr int64_t kMaxFull = int64_t{1} << 24;
  if (pairs > kMaxFull || window > kMaxFull || from * to > kMaxFull / window) {
    return Unsupported(fmt::format("joins {} to {} channels with windows of {}x{}", from, to, w.kernel_w, w.kernel_h));
  }
  DE_TRY(const auto table, run.Weights(module, "connTable", pairs * 2));
  DE_TRY(const auto weights, run.Weights(module, "weight", pairs * window));
  DE_TRY(const auto bias, run.WeightsIfAny(module, "bias", to));
  const std::vector<int64_t> dims{to, Steps(in.dims[1], w.kernel_h, w.stride_h, w.pad_h, 1, false),
                                  Steps(in.dims[2], w.kernel_w, w.stride_w, w.pad_w, 1, false)};
  std::vector<float> full(run.dry() ? 0 : static_cast<size_t>(from * to * window));
  for (int64_t i = 0; i < (run.dry() ? 0 : pairs); ++i) {
    const auto source = static_cast<int64_t>(table[static_cast<size_t>(2 * i)]) - 1;
    const auto target = static_cast<int64_t>(table[static_cast<size_t>(2 * i + 1)]) - 1;
    if (source < 0 || source >= from || target < 0 || target >= to)
      return Bad("its 'connTable' names a channel it lacks");
    for (int64_t k = 0; k < window; ++k) {
      full[static_cast<size_t>((target * from + source) * window + k)] += weights[static_cast<size_t>(i * window + k)];
    }
  }
  return run.Make(dims, [&] {
    const Convolution2d layer{.out_channels = static_cast<size_t>(to),
                              .kernel_h = static_cast<size_t>(w.kernel_h),
                              .kernel_w = static_cast<size_t>(w.kernel_w),
                              .stride_h = static_cast<size_t>(w.stride_h),
                              .stride_w = static_cast<size_t>(w.stride_w),
                              .pad_top = w.pad_h,
                              .pad_bottom = w.pad_h,
                              .pad_left = w.pad_w,
                              .pad_right = w.pad_w};
    return WithBias(Convolve(in.value, layer, full), bias);
  });
}

Result<Flow> BuildFullConvolution(Run& run, const Module& module, const Flow& in) {
  DE_TRY(const int64_t from, module.Size("nInputPlane"));
  DE_TRY(const int64_t to, module.Size("nOutputPlane"));
  DE_TRY(const int64_t groups, module.Size("groups", 1));
  DE_TRY(const Window w, ReadWindow(module, false));
  DE_TRY(const int64_t adj_w, module.Size("adjW", 0, 0));
  DE_TRY(const int64_t adj_h, module.Size("adjH", 0, 0));
  DE_TRY_STATUS(CheckPicture(in, from));
  if (groups != 1) return Unsupported(fmt::format("{} groups", groups));
  DE_TRY(const auto weights, run.Weights(module, "weight", from * to * w.kernel_h * w.kernel_w));
  DE_TRY(const auto bias, run.WeightsIfAny(module, "bias", to));
  const auto grown = [](int64_t size, int64_t kernel, int64_t stride, int64_t pad, int64_t extra) {
    return size == kOpen ? kOpen : std::max<int64_t>(0, (size - 1) * stride - 2 * pad + kernel + extra);
  };
  const std::vector<int64_t> dims{to, grown(in.dims[1], w.kernel_h, w.stride_h, w.pad_h, adj_h),
                                  grown(in.dims[2], w.kernel_w, w.stride_w, w.pad_w, adj_w)};
  return run.Make(dims, [&] {
    const auto kernel = FloatConstant({static_cast<size_t>(from), static_cast<size_t>(to),
                                       static_cast<size_t>(w.kernel_h), static_cast<size_t>(w.kernel_w)},
                                      weights);
    return WithBias(std::make_shared<op::ConvolutionBackpropData>(in.value, kernel, w.Strides(), w.Pads(), w.Pads(),
                                                                  ov::Strides{1, 1}, ov::op::PadType::EXPLICIT,
                                                                  ov::CoordinateDiff{adj_h, adj_w}),
                    bias);
  });
}

// Where the last window reaches past the padding, it sees only what is there.
struct Pooling {
  Window window;
  std::vector<int64_t> dims;
  bool reaches_past = false;
  ov::Shape Ends(const Flow& in) const {
    const auto end = [](int64_t size, int64_t steps, int64_t kernel, int64_t stride, int64_t pad) {
      return static_cast<size_t>(size == kOpen ? pad : std::max(pad, (steps - 1) * stride + kernel - size - pad));
    };
    return {end(in.dims[1], dims[1], window.kernel_h, window.stride_h, window.pad_h),
            end(in.dims[2], dims[2], window.kernel_w, window.stride_w, window.pad_w)};
  }
};

Result<Pooling> ReadPooling(const Module& module, const Flow& in) {
  if (!in.IsPicture()) return Bad("its input is no picture");
  Pooling pooling;
  DE_TRY(pooling.window, ReadWindow(module, true));
  const Window& w = pooling.window;
  const bool ceil = module.Flag("ceil_mode");
  if (2 * w.pad_w > w.kernel_w || 2 * w.pad_h > w.kernel_h) return Bad("pads by more than half of its window");
  pooling.dims = {in.dims[0], Steps(in.dims[1], w.kernel_h, w.stride_h, w.pad_h, w.dilation_h, ceil),
                  Steps(in.dims[2], w.kernel_w, w.stride_w, w.pad_w, w.dilation_w, ceil)};
  if (ceil && (in.dims[1] == kOpen || in.dims[2] == kOpen)) {
    return Unsupported("rounds up, but nothing in the network says how large its input is");
  }
  const ov::Shape ends = pooling.Ends(in);
  pooling.reaches_past = ends != ov::Shape{static_cast<size_t>(w.pad_h), static_cast<size_t>(w.pad_w)};
  return pooling;
}

ov::Shape Begins(const Window& w) { return {static_cast<size_t>(w.pad_h), static_cast<size_t>(w.pad_w)}; }

Result<Flow> BuildMaxPooling(Run& run, const Module& module, const Flow& in) {
  DE_TRY(const Pooling p, ReadPooling(module, in));
  if (p.window.dilation_w != 1 || p.window.dilation_h != 1) return Unsupported("a window with gaps");
  return run.Make(p.dims, [&]() -> GraphValue {
    return std::make_shared<ov::op::v1::MaxPool>(in.value, p.window.Strides(), Begins(p.window), p.Ends(in),
                                                 p.window.Kernel(), ov::op::RoundingType::FLOOR);
  });
}

Result<Flow> BuildAveragePooling(Run& run, const Module& module, const Flow& in) {
  DE_TRY(const Pooling p, ReadPooling(module, in));
  const bool padded = p.window.pad_w > 0 || p.window.pad_h > 0;
  const bool count_padding = module.Flag("count_include_pad", true);
  const bool divide = module.Flag("divide", true);
  if (p.reaches_past && padded && count_padding)
    return Unsupported("counts padding, and its last window reaches past it");
  if (!divide && p.reaches_past) return Unsupported("adds up numbers, and its last window reaches past them");
  return run.Make(p.dims, [&]() -> GraphValue {
    const GraphValue mean = std::make_shared<ov::op::v1::AvgPool>(
        in.value, p.window.Strides(), Begins(p.window), p.Ends(in), p.window.Kernel(),
        divide && (p.reaches_past || !count_padding), ov::op::RoundingType::FLOOR);
    if (divide) return mean;
    const auto area = static_cast<float>(p.window.kernel_w * p.window.kernel_h);
    return std::make_shared<op::Multiply>(mean, FloatConstant(area));
  });
}

// The sum of a window, times a weight and plus a bias of the channel.
Result<Flow> BuildSubSampling(Run& run, const Module& module, const Flow& in) {
  DE_TRY(const Pooling p, ReadPooling(module, in));
  DE_TRY(auto weights, run.Weights(module, "weight", in.dims[0]));
  DE_TRY(const auto bias, run.Weights(module, "bias", in.dims[0]));
  for (float& weight : weights) weight *= static_cast<float>(p.window.kernel_w * p.window.kernel_h);
  return run.Make(p.dims, [&] {
    const auto mean =
        std::make_shared<ov::op::v1::AvgPool>(in.value, p.window.Strides(), Begins(p.window), Begins(p.window),
                                              p.window.Kernel(), false, ov::op::RoundingType::FLOOR);
    return AddPerChannel(ScalePerChannel(mean, weights), bias);
  });
}

// Zero, reflected or repeated borders; negative ones crop.
Result<Flow> BuildPadding(Run& run, const Module& module, const Flow& in) {
  if (!in.IsPicture()) return Bad("its input is no picture");
  std::vector<int64_t> pads;
  for (const char* key : {"pad_t", "pad_b", "pad_l", "pad_r"}) {
    DE_TRY(const int64_t pad, module.Size(key, 0, -65536));
    pads.push_back(pad);
  }
  const auto grown = [](int64_t size, int64_t before, int64_t after) {
    return size == kOpen ? kOpen : std::max<int64_t>(0, size + before + after);
  };
  const bool zero = module.type == "SpatialZeroPadding";
  if (!zero && std::any_of(pads.begin(), pads.end(), [](int64_t p) { return p < 0; })) return Unsupported("crops");
  return run.Make({in.dims[0], grown(in.dims[1], pads[0], pads[1]), grown(in.dims[2], pads[2], pads[3])}, [&] {
    const auto mode = zero                                        ? ov::op::PadMode::CONSTANT
                      : module.type == "SpatialReflectionPadding" ? ov::op::PadMode::REFLECT
                                                                  : ov::op::PadMode::EDGE;
    const auto begins = IndexConstant({0, 0, pads[0], pads[2]});
    const auto ends = IndexConstant({0, 0, pads[1], pads[3]});
    return std::make_shared<ov::op::v12::Pad>(in.value, begins, ends, FloatConstant(0.0F), mode)->output(0);
  });
}

Result<Flow> BuildUpSampling(Run& run, const Module& module, const Flow& in) {
  if (!in.IsPicture()) return Bad("its input is no picture");
  DE_TRY(const int64_t scale, module.Size("scale_factor"));
  const auto grown = [&](int64_t size) { return size == kOpen ? kOpen : size * scale; };
  return run.Make({in.dims[0], grown(in.dims[1]), grown(in.dims[2])}, [&]() -> GraphValue {
    op::Interpolate::InterpolateAttrs attributes;
    attributes.shape_calculation_mode = op::Interpolate::ShapeCalcMode::SCALES;
    const bool nearest = module.type == "SpatialUpSamplingNearest";
    attributes.mode =
        nearest ? op::Interpolate::InterpolateMode::NEAREST : op::Interpolate::InterpolateMode::LINEAR_ONNX;
    attributes.coordinate_transformation_mode = nearest ? op::Interpolate::CoordinateTransformMode::ASYMMETRIC
                                                        : op::Interpolate::CoordinateTransformMode::ALIGN_CORNERS;
    attributes.nearest_mode = op::Interpolate::NearestMode::FLOOR;
    attributes.pads_begin = {0, 0, 0, 0};
    attributes.pads_end = {0, 0, 0, 0};
    const auto factor = static_cast<float>(scale);
    // Sizes are not looked at where scales are.
    return std::make_shared<op::Interpolate>(in.value, IndexConstant({1, 1}), FloatConstant({2}, {factor, factor}),
                                             IndexConstant({2, 3}), attributes);
  });
}

Result<Flow> BuildPixelShuffle(Run& run, const Module& module, const Flow& in) {
  if (!in.IsPicture()) return Bad("its input is no picture");
  DE_TRY(const int64_t scale, module.Size("upscaleFactor"));
  if (scale > 256 || in.dims[0] % (scale * scale) != 0) return Bad(fmt::format("{} channels by {}", in.dims[0], scale));
  const auto grown = [&](int64_t size) { return size == kOpen ? kOpen : size * scale; };
  return run.Make({in.dims[0] / (scale * scale), grown(in.dims[1]), grown(in.dims[2])}, [&]() -> GraphValue {
    return std::make_shared<op::DepthToSpace>(in.value, op::DepthToSpace::DepthToSpaceMode::DEPTH_FIRST,
                                              static_cast<size_t>(scale));
  });
}

Result<Flow> BuildCrossMapLrn(Run& run, const Module& module, const Flow& in) {
  if (!in.IsPicture()) return Bad("its input is no picture");
  DE_TRY(const int64_t size, module.Size("size"));
  return run.Make(in.dims, [&]() -> GraphValue {
    return std::make_shared<op::LRN>(in.value, IndexConstant({1}), module.NumberOr("alpha", 0.0001),
                                     module.NumberOr("beta", 0.75), module.NumberOr("k", 1), static_cast<size_t>(size));
  });
}

struct Entry {
  std::string_view type;
  LayerFunction build;
};
constexpr Entry kLayers[] = {
    {"SpatialConvolution", BuildConvolution},
    {"SpatialConvolutionMM", BuildConvolution},
    {"SpatialDilatedConvolution", BuildConvolution},
    {"SpatialConvolutionMap", BuildConvolutionMap},
    {"SpatialFullConvolution", BuildFullConvolution},
    {"SpatialMaxPooling", BuildMaxPooling},
    {"SpatialAveragePooling", BuildAveragePooling},
    {"SpatialSubSampling", BuildSubSampling},
    {"SpatialZeroPadding", BuildPadding},
    {"SpatialReflectionPadding", BuildPadding},
    {"SpatialReplicationPadding", BuildPadding},
    {"SpatialUpSamplingNearest", BuildUpSampling},
    {"SpatialUpSamplingBilinear", BuildUpSampling},
    {"PixelShuffle", BuildPixelShuffle},
    {"SpatialCrossMapLRN", BuildCrossMapLrn},
};

}  // namespace

LayerFunction FindWindowLayer(std::string_view type) {
  const auto* it = std::find_if(std::begin(kLayers), std::end(kLayers), [&](const Entry& e) { return e.type == type; });
  return it == std::end(kLayers) ? nullptr : it->build;
}

}  // namespace deepedge::torch7
