// The layers of detectors in the old IR.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <openvino/op/detection_output.hpp>
#include <openvino/op/prior_box.hpp>
#include <openvino/op/prior_box_clustered.hpp>
#include <openvino/op/psroi_pooling.hpp>
#include <openvino/op/region_yolo.hpp>
#include <openvino/op/reorg_yolo.hpp>
#include <openvino/op/roi_pooling.hpp>
#include <openvino/op/unsqueeze.hpp>

#include "deepedge/formats/graph/shape_ops.h"
#include "deepedge/formats/ir/ir_layer.h"

namespace deepedge {
namespace {

// [height, width] of the picture the boxes are told for, and of the feature map.
struct Sizes {
  GraphValue feature;
  GraphValue picture;
};

Sizes ReadSizes(IrContext& c) {
  const int64_t both = c.Int("img_size", 0, 0, 1 << 20);
  const int64_t h = c.Int("img_h", both, 0, 1 << 20);
  const int64_t w = c.Int("img_w", both, 0, 1 << 20);
  if (RankOf(c.Input(0)) != 4 || RankOf(c.Input(1)) != 4) throw std::invalid_argument("its inputs are no pictures");
  const GraphValue picture = h > 0 && w > 0 ? IndexConstant({h, w}) : DimensionsOf(c.Input(1), 2, 4);
  return {DimensionsOf(c.Input(0), 2, 4), picture};
}

GraphValue WithBatch(const GraphValue& boxes) {
  return std::make_shared<ov::op::v0::Unsqueeze>(boxes, IndexConstant({0}));
}

void CheckPositive(const std::vector<float>& numbers, const char* what) {
  if (std::any_of(numbers.begin(), numbers.end(), [](float v) { return v <= 0; })) {
    throw std::invalid_argument(fmt::format("{} must be over 0", what));
  }
}

std::vector<float> ReadVariance(IrContext& c) {
  auto variance = c.Floats("variance");
  if (variance.empty()) variance = {0.1F};
  if (variance.size() != 1 && variance.size() != 4) {
    throw std::invalid_argument(fmt::format("{} variances", variance.size()));
  }
  CheckPositive(variance, "variance");
  return variance;
}

std::vector<GraphValue> PriorBox(IrContext& c) {
  ov::op::v8::PriorBox::Attributes a;
  a.min_size = c.Floats("min_size");
  a.max_size = c.Floats("max_size");
  a.aspect_ratio = c.Floats("aspect_ratio");
  a.density = c.Floats("density");
  a.fixed_ratio = c.Floats("fixed_ratio");
  a.fixed_size = c.Floats("fixed_size");
  a.flip = c.Bool("flip", false);
  a.clip = c.Bool("clip", false);
  a.step = c.Float("step", 0);
  const float step_h = c.Float("step_h", 0);
  const float step_w = c.Float("step_w", 0);
  a.offset = c.Float("offset", 0.5);
  a.scale_all_sizes = c.Bool("scale_all_sizes", true);
  a.variance = ReadVariance(c);
  const Sizes sizes = ReadSizes(c);
  c.Finish();
  if (step_h != step_w) throw UnsupportedLayer("step_h and step_w that differ");
  if (a.step == 0.0F) a.step = step_h;
  if (a.min_size.empty() && a.fixed_size.empty()) throw std::invalid_argument("has no min_size");
  if (a.density.size() != a.fixed_size.size()) throw std::invalid_argument("fixed_size and density differ in number");
  for (const auto* numbers : {&a.min_size, &a.max_size, &a.aspect_ratio, &a.density, &a.fixed_ratio, &a.fixed_size}) {
    CheckPositive(*numbers, "sizes and ratios");
  }
  return {WithBatch(std::make_shared<ov::op::v8::PriorBox>(sizes.feature, sizes.picture, a))};
}

std::vector<GraphValue> PriorBoxClustered(IrContext& c) {
  ov::op::v0::PriorBoxClustered::Attributes a;
  a.widths = c.Floats("width");
  a.heights = c.Floats("height");
  a.clip = c.Bool("clip", false);
  a.step = c.Float("step", 0);
  a.step_widths = c.Float("step_w", 0);
  a.step_heights = c.Float("step_h", 0);
  a.offset = c.Float("offset", 0.5);
  a.variances = ReadVariance(c);
  c.Ignore({"flip"});  // means nothing here: sizes come in pairs
  const Sizes sizes = ReadSizes(c);
  c.Finish();
  if (a.widths.empty() || a.widths.size() != a.heights.size()) {
    throw std::invalid_argument(fmt::format("{} widths and {} heights", a.widths.size(), a.heights.size()));
  }
  CheckPositive(a.widths, "width");
  CheckPositive(a.heights, "height");
  if (a.step_widths == 0.0F) a.step_widths = a.step;
  if (a.step_heights == 0.0F) a.step_heights = a.step;
  return {WithBatch(std::make_shared<ov::op::v0::PriorBoxClustered>(sizes.feature, sizes.picture, a))};
}

std::vector<GraphValue> DetectionOutput(IrContext& c) {
  ov::op::v8::DetectionOutput::Attributes a;
  const int64_t classes = c.Int("num_classes", 0, 1, 1 << 20);
  a.background_label_id = static_cast<int>(c.Int("background_label_id", 0, -1, 1 << 20));
  a.top_k = static_cast<int>(c.Int("top_k", -1, -1, 1 << 24));
  a.keep_top_k = {static_cast<int>(c.Int("keep_top_k", -1, -1, 1 << 24))};
  a.variance_encoded_in_target = c.Bool("variance_encoded_in_target", false);
  a.share_location = c.Bool("share_location", true);
  a.nms_threshold = c.Float("nms_threshold", 0.3);
  a.confidence_threshold = c.Float("confidence_threshold", static_cast<double>(std::numeric_limits<float>::lowest()));
  a.code_type = c.Text("code_type", "caffe.PriorBoxParameter.CORNER");
  a.normalized = c.Bool("normalized", true);
  a.input_height = static_cast<size_t>(c.Int("input_height", 1, 1, 1 << 20));
  a.input_width = static_cast<size_t>(c.Int("input_width", 1, 1, 1 << 20));
  a.clip_after_nms = c.Bool("clip_after_nms", c.Bool("clip", false));
  a.clip_before_nms = c.Bool("clip_before_nms", false);
  a.decrease_label_id = c.Bool("decrease_label_id", false);
  a.objectness_score = c.Float("objectness_score", 0);
  const float eta = c.Float("eta", 1);
  c.Ignore({"visualize", "visualize_threshold", "num_orient_classes", "resize_mode", "pad_mode", "interp_mode", "prob",
            "height", "width", "height_scale", "width_scale", "save_file", "pad_value"});
  c.Finish();
  if (eta != 1.0F) throw UnsupportedLayer("eta other than 1");
  if (a.code_type != "caffe.PriorBoxParameter.CORNER" && a.code_type != "caffe.PriorBoxParameter.CENTER_SIZE") {
    throw UnsupportedLayer(fmt::format("code_type=\"{}\"", a.code_type));
  }
  if (classes == 0) throw std::invalid_argument("has no num_classes");
  const int64_t boxes = DimensionOf(c.Input(2), 2) / (a.normalized ? 4 : 5);
  if (DimensionOf(c.Input(1), 1) != boxes * classes) {
    throw std::invalid_argument(
        fmt::format("{} scores for {} boxes of {} classes", DimensionOf(c.Input(1), 1), boxes, classes));
  }
  if (c.input_count() == 5) {
    return {
        std::make_shared<ov::op::v8::DetectionOutput>(c.Input(0), c.Input(1), c.Input(2), c.Input(3), c.Input(4), a)};
  }
  if (c.input_count() != 3) throw UnsupportedLayer(fmt::format("{} inputs", c.input_count()));
  return {std::make_shared<ov::op::v8::DetectionOutput>(c.Input(0), c.Input(1), c.Input(2), a)};
}

std::vector<GraphValue> RegionYolo(IrContext& c) {
  const auto mask = c.Ints("mask", 0, 1000);
  const auto coords = static_cast<size_t>(c.Int("coords", 4, 1, 1000));
  const auto classes = static_cast<size_t>(c.Int("classes", 0, 1, 1 << 20));
  const auto regions = static_cast<size_t>(c.Int("num", 0, 1, 1000));
  const bool softmax = c.Bool("do_softmax", true);
  const auto axis = static_cast<int>(AxisOf(c.Int("axis", 1, -8, 8), RankOf(c.Input())));
  const auto end = static_cast<int>(AxisOf(c.Int("end_axis", -1, -8, 8), RankOf(c.Input())));
  const auto anchors = c.Floats("anchors");
  c.Ignore({"bias_match", "jitter", "random", "ignore_thresh", "truth_thresh", "rescore", "object_scale",
            "noobject_scale", "class_scale", "coord_scale", "absolute", "thresh"});
  c.Finish();
  return {
      std::make_shared<ov::op::v0::RegionYolo>(c.Input(), coords, classes, regions, softmax, mask, axis, end, anchors)};
}

std::vector<GraphValue> ReorgYolo(IrContext& c) {
  const auto stride = static_cast<size_t>(c.Int("stride", 1, 1, 1000));
  c.Finish();
  return {std::make_shared<ov::op::v0::ReorgYolo>(c.Input(), stride)};
}

std::vector<GraphValue> RoiPooling(IrContext& c) {
  const auto h = static_cast<size_t>(c.Int("pooled_h", 0, 1, 1 << 12));
  const auto w = static_cast<size_t>(c.Int("pooled_w", 0, 1, 1 << 12));
  const float scale = c.Float("spatial_scale", 1);
  const std::string method = c.Text("method", "max");
  c.Finish();
  if (h == 0 || w == 0) throw std::invalid_argument("has no pooled_h and pooled_w");
  if (method != "max" && method != "bilinear") throw UnsupportedLayer(fmt::format("method=\"{}\"", method));
  return {std::make_shared<ov::op::v0::ROIPooling>(c.Input(0), c.Input(1), ov::Shape{h, w}, scale, method)};
}

std::vector<GraphValue> PsRoiPooling(IrContext& c) {
  const float scale = c.Float("spatial_scale", 1);
  const auto outputs = static_cast<size_t>(c.Int("output_dim", 0, 1, 1 << 20));
  const auto groups = static_cast<size_t>(c.Int("group_size", 0, 1, 1 << 12));
  const std::string mode = c.Text("mode", "average");
  const auto bins_x = static_cast<int>(c.Int("spatial_bins_x", 1, 1, 1000));
  const auto bins_y = static_cast<int>(c.Int("spatial_bins_y", 1, 1, 1000));
  c.Finish();
  if (outputs == 0 || groups == 0) throw std::invalid_argument("has no output_dim and group_size");
  if (mode != "average" && mode != "bilinear") throw UnsupportedLayer(fmt::format("mode=\"{}\"", mode));
  return {
      std::make_shared<ov::op::v0::PSROIPooling>(c.Input(0), c.Input(1), outputs, groups, scale, bins_x, bins_y, mode)};
}

}  // namespace

const std::vector<IrLayerType>& IrDetectionLayers() {
  static const std::vector<IrLayerType> kTypes = {
      {"DetectionOutput", DetectionOutput},
      {"PSROIPooling", PsRoiPooling},
      {"PriorBox", PriorBox},
      {"PriorBoxClustered", PriorBoxClustered},
      {"ROIPooling", RoiPooling},
      {"RegionYolo", RegionYolo},
      {"ReorgYolo", ReorgYolo},
  };
  return kTypes;
}

}  // namespace deepedge
