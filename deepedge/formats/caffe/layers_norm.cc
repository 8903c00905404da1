// Layers that bring values to a common scale, and Scale and Bias, which undo it.
#include <fmt/format.h>

#include <cmath>
#include <openvino/op/add.hpp>
#include <openvino/op/lrn.hpp>
#include <openvino/op/multiply.hpp>
#include <openvino/op/mvn.hpp>
#include <openvino/op/normalize_l2.hpp>
#include <openvino/op/unsqueeze.hpp>

#include "deepedge/formats/caffe/layer_context.h"
#include "deepedge/formats/graph/shape_ops.h"

namespace deepedge {
namespace {

// In use, the stored statistics are those divided by a common factor.
BatchNorm StoredStatistics(LayerContext& c, int64_t channels, float epsilon) {
  BatchNorm norm{
      .mean = c.Blob(0, {channels}, "mean"), .variance = c.Blob(1, {channels}, "variance"), .epsilon = epsilon};
  const float stored = c.Blob(2, {1}, "factor").front();
  const float factor = stored == 0.0F ? 0.0F : 1.0F / stored;
  for (float& v : norm.mean) v *= factor;
  for (float& v : norm.variance) v *= factor;
  return norm;
}

std::vector<GraphValue> BatchNormalization(LayerContext& c) {
  Params p = c.Param("batch_norm_param");
  const bool stored = p.Bool("use_global_stats", true);
  const float epsilon = p.Float("eps", 1e-5);
  const bool scale_bias = p.Bool("scale_bias", false);
  p.Ignore({"moving_average_fraction", "engine", "scale_filler", "bias_filler"});
  p.Finish();
  c.FinishText();
  const int64_t channels = DimensionOf(c.Bottom(), 1);
  if (!stored) {
    if (scale_bias) throw Unsupported("scale_bias with the statistics of the pictures themselves");
    std::vector<int64_t> axes{0};
    for (size_t i = 2; i < RankOf(c.Bottom()); ++i) axes.push_back(static_cast<int64_t>(i));
    return {std::make_shared<ov::op::v6::MVN>(c.Bottom(), IndexConstant(axes), true, epsilon,
                                              ov::op::MVNEpsMode::INSIDE_SQRT)};
  }
  BatchNorm norm = StoredStatistics(c, channels, epsilon);
  if (scale_bias) {
    norm.scale = c.Blob(3, {channels}, "scale");
    norm.shift = c.Blob(4, {channels}, "bias");
  }
  return {Normalize(c.Bottom(), norm)};
}

// The batch norm of SegNet (scale and shift with the statistics folded in) and of PSPNet (all four arrays).
std::vector<GraphValue> ForkBatchNorm(LayerContext& c) {
  Params p = c.Param("bn_param");
  const std::string mode = p.Word("bn_mode", "INFERENCE");
  const float epsilon = p.Float("eps", 1e-5);
  p.Ignore({"slope_filler", "scale_filler", "shift_filler", "bias_filler", "momentum", "frozen", "engine"});
  p.Finish();
  c.FinishText();
  if (mode != "INFERENCE") throw Unsupported(fmt::format("bn_mode {}", mode));
  const int64_t channels = DimensionOf(c.Bottom(), 1);
  const auto scale = c.Blob(0, {channels}, "scale");
  const auto shift = c.Blob(1, {channels}, "shift");
  if (c.blob_count() == 2) return {AddPerChannel(ScalePerChannel(c.Bottom(), scale), shift)};
  return {Normalize(c.Bottom(), BatchNorm{.mean = c.Blob(2, {channels}, "mean"),
                                          .variance = c.Blob(3, {channels}, "variance"),
                                          .scale = scale,
                                          .shift = shift,
                                          .epsilon = epsilon})};
}

// The dimensions of the bottom that an array of `axes` dimensions from `axis` on covers, with ones around them.
struct Covered {
  std::vector<int64_t> shape;
  ov::Shape padded;
};

Covered Cover(const GraphValue& bottom, size_t axis, int64_t axes) {
  const size_t rank = RankOf(bottom);
  const size_t end = axes < 0 ? rank : axis + static_cast<size_t>(axes);
  if (end > rank) throw std::invalid_argument(fmt::format("num_axes {} from axis {} on", axes, axis));
  Covered covered{.padded = ov::Shape(rank, 1)};
  for (size_t i = axis; i < end; ++i) {
    covered.shape.push_back(DimensionOf(bottom, i));
    covered.padded[static_cast<std::ptrdiff_t>(i)] = static_cast<size_t>(covered.shape.back());
  }
  return covered;
}

// A second bottom, put to the dimensions of the first from `axis` on.
GraphValue PutToAxis(const GraphValue& value, const GraphValue& bottom, size_t axis) {
  const size_t rank = RankOf(bottom);
  const size_t own = RankOf(value);
  if (axis + own > rank) throw std::invalid_argument("its second bottom has too many dimensions");
  for (size_t i = 0; i < own; ++i) {
    if (!value.get_partial_shape()[static_cast<std::ptrdiff_t>(i)].compatible(
            bottom.get_partial_shape()[static_cast<std::ptrdiff_t>(axis + i)])) {
      throw std::invalid_argument(fmt::format("bottoms of shapes {} and {} from axis {} on",
                                              bottom.get_partial_shape().to_string(),
                                              value.get_partial_shape().to_string(), axis));
    }
  }
  std::vector<int64_t> added;
  for (size_t i = axis + own; i < rank; ++i) added.push_back(static_cast<int64_t>(i - axis));
  // Dimensions in front come by themselves.
  return added.empty() ? value : std::make_shared<ov::op::v0::Unsqueeze>(value, IndexConstant(added))->output(0);
}

std::vector<GraphValue> Scale(LayerContext& c) {
  Params p = c.Param("scale_param");
  const size_t axis = AxisOf(p.Int("axis", 1, -8, 8), RankOf(c.Bottom()));
  const int64_t axes = p.Int("num_axes", 1, -1, 8);
  const bool bias = p.Bool("bias_term", false);
  p.Ignore({"filler", "bias_filler"});
  p.Finish();
  c.FinishText();
  if (c.bottom_count() > 1) {
    const GraphValue factor = PutToAxis(c.Bottom(1), c.Bottom(), axis);
    const GraphValue value = std::make_shared<ov::op::v1::Multiply>(c.Bottom(), factor);
    if (!bias) return {value};
    const Covered covered = Cover(c.Bottom(), axis, static_cast<int64_t>(RankOf(c.Bottom(1))));
    return {std::make_shared<ov::op::v1::Add>(value, FloatConstant(covered.padded, c.Blob(0, covered.shape, "bias")))};
  }
  const Covered covered = Cover(c.Bottom(), axis, axes);
  const auto factor = FloatConstant(covered.padded, c.Blob(0, covered.shape, "scale"));
  const GraphValue value = std::make_shared<ov::op::v1::Multiply>(c.Bottom(), factor);
  if (!bias) return {value};
  return {std::make_shared<ov::op::v1::Add>(value, FloatConstant(covered.padded, c.Blob(1, covered.shape, "bias")))};
}

std::vector<GraphValue> Bias(LayerContext& c) {
  Params p = c.Param("bias_param");
  const size_t axis = AxisOf(p.Int("axis", 1, -8, 8), RankOf(c.Bottom()));
  const int64_t axes = p.Int("num_axes", 1, -1, 8);
  p.Ignore({"filler"});
  p.Finish();
  c.FinishText();
  if (c.bottom_count() > 1) {
    return {std::make_shared<ov::op::v1::Add>(c.Bottom(), PutToAxis(c.Bottom(1), c.Bottom(), axis))};
  }
  const Covered covered = Cover(c.Bottom(), axis, axes);
  return {
      std::make_shared<ov::op::v1::Add>(c.Bottom(), FloatConstant(covered.padded, c.Blob(0, covered.shape, "bias")))};
}

// Axpy of squeeze-and-excitation nets: a factor for each channel, x, y: factor * x + y.
std::vector<GraphValue> Axpy(LayerContext& c) {
  c.FinishText();
  const size_t rank = RankOf(c.Bottom());
  if (rank != 2 && rank != 4) throw std::invalid_argument("its first bottom must have a number for each channel");
  const GraphValue factor =
      rank == 4 ? c.Bottom() : std::make_shared<ov::op::v0::Unsqueeze>(c.Bottom(), IndexConstant({2, 3}))->output(0);
  const auto product = std::make_shared<ov::op::v1::Multiply>(factor, c.Bottom(1));
  return {std::make_shared<ov::op::v1::Add>(product, c.Bottom(2))};
}

std::vector<GraphValue> LocalResponse(LayerContext& c) {
  Params p = c.Param("lrn_param");
  const int64_t size = p.Int("local_size", 5, 1, 1 << 14);
  const double alpha = p.Number("alpha", 1);
  const double beta = p.Number("beta", 0.75);
  const double k = p.Number("k", 1);
  const std::string region = p.Word("norm_region", "ACROSS_CHANNELS");
  p.Ignore({"engine"});
  p.Finish();
  c.FinishText();
  if (size % 2 == 0) throw std::invalid_argument("local_size must be odd");
  const bool across = region == "ACROSS_CHANNELS" || region == "0";
  if (!across && region != "WITHIN_CHANNEL" && region != "1") throw Unsupported(fmt::format("norm_region {}", region));
  // Within a channel Caffe takes no notice of k.
  const auto axes = across ? IndexConstant({1}) : IndexConstant({2, 3});
  return {
      std::make_shared<ov::op::v0::LRN>(c.Bottom(), axes, alpha, beta, across ? k : 1.0, static_cast<size_t>(size))};
}

std::vector<GraphValue> MeanVariance(LayerContext& c) {
  Params p = c.Param("mvn_param");
  const bool variance = p.Bool("normalize_variance", true);
  const bool across = p.Bool("across_channels", false);
  const float epsilon = p.Float("eps", 1e-9);
  p.Finish();
  c.FinishText();
  const auto axes = across ? IndexConstant({1, 2, 3}) : IndexConstant({2, 3});
  if (RankOf(c.Bottom()) != 4) throw Unsupported(fmt::format("input with {} dimensions", RankOf(c.Bottom())));
  return {std::make_shared<ov::op::v6::MVN>(c.Bottom(), axes, variance, epsilon, ov::op::MVNEpsMode::OUTSIDE_SQRT)};
}

// SSD's L2 normalisation, followed by a trained factor.
std::vector<GraphValue> NormalizeLength(LayerContext& c) {
  Params p = c.Param("norm_param");
  const bool across_spatial = p.Bool("across_spatial", true);
  const bool shared = p.Bool("channel_shared", true);
  const float epsilon = p.Float("eps", 1e-10);
  p.Ignore({"scale_filler"});
  p.Finish();
  c.FinishText();
  const auto axes = across_spatial ? IndexConstant({1, 2, 3}) : IndexConstant({1});
  if (RankOf(c.Bottom()) != 4) throw Unsupported(fmt::format("input with {} dimensions", RankOf(c.Bottom())));
  const auto unit = std::make_shared<ov::op::v0::NormalizeL2>(c.Bottom(), axes, epsilon, ov::op::EpsMode::ADD);
  if (shared) return {std::make_shared<ov::op::v1::Multiply>(unit, FloatConstant(c.Blob(0, {1}, "scale").front()))};
  return {ScalePerChannel(unit, c.Blob(0, {DimensionOf(c.Bottom(), 1)}, "scale"))};
}

}  // namespace

const std::vector<LayerType>& NormLayers() {
  static const std::vector<LayerType> kTypes = {
      {"BatchNorm", BatchNormalization},
      {"BN", ForkBatchNorm},
      {"Scale", Scale},
      {"Bias", Bias},
      {"Axpy", Axpy},
      {"LRN", LocalResponse},
      {"MVN", MeanVariance},
      {"Normalize", NormalizeLength},
      {"NormalizeBBox", NormalizeLength},
  };
  return kTypes;
}

}  // namespace deepedge
