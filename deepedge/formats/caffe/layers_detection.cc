// The layers of SSD and Faster R-CNN.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <openvino/op/detection_output.hpp>
#include <openvino/op/prior_box.hpp>
#include <openvino/op/proposal.hpp>
#include <openvino/op/psroi_pooling.hpp>
#include <openvino/op/reshape.hpp>
#include <openvino/op/roi_pooling.hpp>
#include <openvino/op/unsqueeze.hpp>

#include "deepedge/formats/caffe/layer_context.h"
#include "deepedge/formats/graph/shape_ops.h"

namespace deepedge {
namespace {

// One number for both directions, or one for each that must be the same: the engine's boxes have one step.
float ReadStep(Params& p) {
  const float step = p.Float("step", 0);
  const bool apart = p.Has("step_h") || p.Has("step_w");
  const float h = p.Float("step_h", 0);
  const float w = p.Float("step_w", 0);
  if (!apart) return step;
  if (h != w) throw Unsupported("step_h and step_w that differ");
  return h;
}

// The size of the picture that the boxes are told for: of the second bottom unless the text says another.
GraphValue PictureSize(LayerContext& c, Params& p) {
  const int64_t both = p.Int("img_size", 0, 1, 1 << 20);
  const int64_t h = p.Int("img_h", both, 1, 1 << 20);
  const int64_t w = p.Int("img_w", both, 1, 1 << 20);
  if (h > 0 && w > 0) return IndexConstant({h, w});
  if (h > 0 || w > 0) throw std::invalid_argument("img_h and img_w: one is missing");
  if (RankOf(c.Bottom(1)) != 4) throw std::invalid_argument("its second bottom is no picture");
  return DimensionsOf(c.Bottom(1), 2, 4);
}

std::vector<GraphValue> PriorBox(LayerContext& c) {
  Params p = c.Param("prior_box_param");
  ov::op::v8::PriorBox::Attributes a;
  a.min_size = p.Floats("min_size");
  a.max_size = p.Floats("max_size");
  a.aspect_ratio = p.Floats("aspect_ratio");
  a.flip = p.Bool("flip", true);
  a.clip = p.Bool("clip", false);
  a.variance = p.Floats("variance");
  a.fixed_size = p.Floats("fixed_size");
  a.fixed_ratio = p.Floats("fixed_ratio");
  a.density = p.Floats("density");
  a.step = ReadStep(p);
  a.offset = p.Float("offset", 0.5);
  const GraphValue picture = PictureSize(c, p);
  p.Finish();
  c.FinishText();
  const auto positive = [](const std::vector<float>& v) {
    return std::all_of(v.begin(), v.end(), [](float x) { return x > 0; });
  };
  if (a.min_size.empty() && a.fixed_size.empty()) throw std::invalid_argument("has no min_size");
  if (!a.max_size.empty() && a.max_size.size() != a.min_size.size()) {
    throw std::invalid_argument(fmt::format("{} max_size for {} min_size", a.max_size.size(), a.min_size.size()));
  }
  if (a.variance.size() != 0 && a.variance.size() != 1 && a.variance.size() != 4) {
    throw std::invalid_argument(fmt::format("{} variances", a.variance.size()));
  }
  if (a.density.size() != a.fixed_size.size()) throw std::invalid_argument("fixed_size and density differ in number");
  if (!positive(a.min_size) || !positive(a.max_size) || !positive(a.aspect_ratio) || !positive(a.fixed_size) ||
      !positive(a.fixed_ratio) || !positive(a.density) || !positive(a.variance) || a.step < 0) {
    throw std::invalid_argument("sizes, ratios, steps and variances must be over 0");
  }
  if (a.variance.empty()) a.variance = {0.1F};
  if (RankOf(c.Bottom()) != 4) throw std::invalid_argument("its first bottom is no picture");
  const auto boxes = std::make_shared<ov::op::v8::PriorBox>(DimensionsOf(c.Bottom(), 2, 4), picture, a);
  return {std::make_shared<ov::op::v0::Unsqueeze>(boxes, IndexConstant({0}))};
}

std::string CodeType(const std::string& word) {
  if (word == "CORNER" || word == "1") return "caffe.PriorBoxParameter.CORNER";
  if (word == "CENTER_SIZE" || word == "2") return "caffe.PriorBoxParameter.CENTER_SIZE";
  throw Unsupported(fmt::format("code_type {}", word));
}

std::vector<GraphValue> DetectionOutput(LayerContext& c) {
  Params p = c.Param("detection_output_param");
  ov::op::v8::DetectionOutput::Attributes a;
  const int64_t classes = p.Int("num_classes", 0, 1, 1 << 20);
  a.share_location = p.Bool("share_location", true);
  a.background_label_id = static_cast<int>(p.Int("background_label_id", 0, -1, 1 << 20));
  Params nms = p.Message("nms_param");
  a.nms_threshold = nms.Float("nms_threshold", 0.3);
  a.top_k = static_cast<int>(nms.Int("top_k", -1, -1, 1 << 24));
  if (nms.Number("eta", 1) != 1) throw Unsupported("eta other than 1");
  nms.Finish();
  a.code_type = CodeType(p.Word("code_type", "CORNER"));
  a.variance_encoded_in_target = p.Bool("variance_encoded_in_target", false);
  a.keep_top_k = {static_cast<int>(p.Int("keep_top_k", -1, -1, 1 << 24))};
  a.confidence_threshold = p.Float("confidence_threshold", std::numeric_limits<float>::lowest());
  a.objectness_score = p.Float("objectness_score", 0.01);
  a.normalized = true;
  p.Ignore({"save_output_param", "visualize", "visualize_threshold", "save_file"});
  p.Finish();
  c.FinishText();
  if (classes == 0) throw std::invalid_argument("has no num_classes");
  const auto& priors = c.Bottom(2).get_partial_shape();
  const auto& scores = c.Bottom(1).get_partial_shape();
  if (priors.size() == 3 && priors[2].is_static() && scores.size() == 2 && scores[1].is_static() &&
      scores[1].get_length() != priors[2].get_length() / 4 * classes) {
    throw std::invalid_argument(fmt::format("{} scores for {} boxes of {} classes", scores[1].get_length(),
                                            priors[2].get_length() / 4, classes));
  }
  if (c.bottom_count() == 5) {
    return {std::make_shared<ov::op::v8::DetectionOutput>(c.Bottom(0), c.Bottom(1), c.Bottom(2), c.Bottom(3),
                                                          c.Bottom(4), a)};
  }
  if (c.bottom_count() != 3) throw Unsupported(fmt::format("{} bottoms", c.bottom_count()));
  return {std::make_shared<ov::op::v8::DetectionOutput>(c.Bottom(0), c.Bottom(1), c.Bottom(2), a)};
}

std::vector<GraphValue> MakeProposal(LayerContext& c, const ov::op::v4::Proposal::Attributes& attributes) {
  // The engine takes the picture's size as one vector: height, width, scale.
  const auto picture = std::make_shared<ov::op::v1::Reshape>(c.Bottom(2), IndexConstant({-1}), false);
  ov::op::v4::Proposal::Attributes a = attributes;
  a.infer_probs = true;
  const auto boxes = std::make_shared<ov::op::v4::Proposal>(c.Bottom(0), c.Bottom(1), picture, a);
  return boxes->outputs();
}

// What py-faster-rcnn's layers use where nothing is told.
ov::op::v4::Proposal::Attributes UsualProposal() {
  ov::op::v4::Proposal::Attributes a;
  a.base_size = 16;
  a.pre_nms_topn = 6000;
  a.post_nms_topn = 300;
  a.nms_thresh = 0.7F;
  a.feat_stride = 16;
  a.min_size = 16;
  a.ratio = {0.5F, 1, 2};
  a.scale = {8, 16, 32};
  return a;
}

std::vector<GraphValue> Proposal(LayerContext& c) {
  Params p = c.Param("proposal_param");
  ov::op::v4::Proposal::Attributes a = UsualProposal();
  const auto size = [&](const char* field, size_t absent, int64_t most) {
    return static_cast<size_t>(p.Int(field, static_cast<int64_t>(absent), 1, most));
  };
  a.base_size = size("base_size", a.base_size, 1 << 14);
  a.feat_stride = size("feat_stride", a.feat_stride, 1 << 14);
  a.min_size = size("min_size", a.min_size, 1 << 14);
  a.pre_nms_topn = size("pre_nms_topn", a.pre_nms_topn, 1 << 20);
  a.post_nms_topn = size("post_nms_topn", a.post_nms_topn, 1 << 20);
  a.nms_thresh = p.Float("nms_thresh", 0.7);
  if (p.Has("ratio")) a.ratio = p.Floats("ratio");
  if (p.Has("scale")) a.scale = p.Floats("scale");
  p.Finish();
  c.FinishText();
  return MakeProposal(c, a);
}

// A layer written in Python: the region proposals of py-faster-rcnn are known by their name.
std::vector<GraphValue> Python(LayerContext& c) {
  Params p = c.Param("python_param");
  const std::string module = p.Word("module", "");
  const std::string layer = p.Word("layer", "");
  const std::string text = p.Word("param_str", "");
  p.Finish();
  c.FinishText();
  if (layer != "ProposalLayer") throw Unsupported(fmt::format("{}.{} is a program", module, layer));
  ov::op::v4::Proposal::Attributes a = UsualProposal();
  // "'feat_stride': 16"
  const size_t colon = text.find(':');
  constexpr std::string_view kDigits = "0123456789";
  const size_t digit = text.find_first_of(kDigits, colon == std::string::npos ? text.size() : colon);
  const bool one_number = digit != std::string::npos && text.find("feat_stride") != std::string::npos &&
                          std::count(text.begin(), text.end(), ':') == 1;
  if (!one_number) throw Unsupported(fmt::format("param_str \"{}\"", text));
  size_t end = digit;
  while (end < text.size() && kDigits.find(text[end]) != std::string_view::npos) ++end;
  if (end - digit > 4) throw std::invalid_argument(fmt::format("param_str \"{}\"", text));
  a.feat_stride = static_cast<size_t>(std::stoi(text.substr(digit, end - digit)));
  if (a.feat_stride == 0) throw std::invalid_argument("feat_stride 0");
  return MakeProposal(c, a);
}

std::vector<GraphValue> RoiPooling(LayerContext& c) {
  Params p = c.Param("roi_pooling_param");
  const auto h = static_cast<size_t>(p.Int("pooled_h", 0, 1, 1 << 12));
  const auto w = static_cast<size_t>(p.Int("pooled_w", 0, 1, 1 << 12));
  const float scale = p.Float("spatial_scale", 1);
  p.Finish();
  c.FinishText();
  if (h == 0 || w == 0) throw std::invalid_argument("has no pooled_h and pooled_w");
  return {std::make_shared<ov::op::v0::ROIPooling>(c.Bottom(0), c.Bottom(1), ov::Shape{h, w}, scale, "max")};
}

std::vector<GraphValue> PsRoiPooling(LayerContext& c) {
  Params p = c.Param("psroi_pooling_param");
  const float scale = p.Float("spatial_scale", 1);
  const auto outputs = static_cast<size_t>(p.Int("output_dim", 0, 1, 1 << 20));
  const auto groups = static_cast<size_t>(p.Int("group_size", 0, 1, 1 << 12));
  p.Finish();
  c.FinishText();
  if (outputs == 0 || groups == 0) throw std::invalid_argument("has no output_dim and group_size");
  return {
      std::make_shared<ov::op::v0::PSROIPooling>(c.Bottom(0), c.Bottom(1), outputs, groups, scale, 1, 1, "average")};
}

}  // namespace

const std::vector<LayerType>& DetectionLayers() {
  static const std::vector<LayerType> kTypes = {
      {"DetectionOutput", DetectionOutput},
      {"PSROIPooling", PsRoiPooling},
      {"PriorBox", PriorBox},
      {"Proposal", Proposal},
      {"Python", Python},
      {"ROIPooling", RoiPooling},
  };
  return kTypes;
}

}  // namespace deepedge
