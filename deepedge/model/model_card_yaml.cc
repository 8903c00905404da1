// ToYaml: the writing half of model_card_io.h.
#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "deepedge/config/yaml_document.h"
#include "deepedge/model/model_card_io.h"
#include "deepedge/model/model_card_names.h"
#include "deepedge/model/variant_yaml.h"

namespace deepedge {
namespace {

// The shortest text that reads back as the same float.
std::string Number(float value) { return fmt::format("{}", value); }

// In quotes where it would be read as something else than text.
void EmitText(YAML::Emitter& out, const std::string& text) {
  if (!ReadPlainScalar(text).is_string()) out << YAML::DoubleQuoted;
  out << text;
}

template <size_t N>
void EmitNumbers(YAML::Emitter& out, const std::array<float, N>& values) {
  out << YAML::Flow << YAML::BeginSeq;
  for (const float value : values) out << Number(value);
  out << YAML::EndSeq;
}

void EmitTexts(YAML::Emitter& out, const char* key, const std::vector<std::string>& texts) {
  if (texts.empty()) return;
  out << YAML::Key << key << YAML::Value << YAML::Flow << YAML::BeginSeq;
  for (const std::string& text : texts) EmitText(out, text);
  out << YAML::EndSeq;
}

// Writes fields of one map, leaving out those at their default.
class FieldWriter {
 public:
  explicit FieldWriter(YAML::Emitter& out) : out_(out) {}

  void Text(const char* key, const std::string& value) {
    if (value.empty()) return;
    out_ << YAML::Key << key << YAML::Value;
    EmitText(out_, value);
  }
  void Flag(const char* key, bool value, bool standard) {
    if (value != standard) out_ << YAML::Key << key << YAML::Value << value;
  }
  void Whole(const char* key, int value, int standard) {
    if (value != standard) out_ << YAML::Key << key << YAML::Value << value;
  }
  void Real(const char* key, float value, float standard) {
    if (value != standard) out_ << YAML::Key << key << YAML::Value << Number(value);
  }
  template <size_t N>
  void Reals(const char* key, const std::array<float, N>& value, const std::array<float, N>& standard) {
    if (value == standard) return;
    out_ << YAML::Key << key << YAML::Value;
    EmitNumbers(out_, value);
  }

 private:
  YAML::Emitter& out_;
};

void EmitInput(YAML::Emitter& out, const PictureInput& input) {
  const PictureInput standard;
  FieldWriter fields(out);
  out << YAML::BeginMap;
  fields.Text("tensor", input.tensor);
  out << YAML::Key << "layout" << YAML::Value << std::string(NameOf(kLayoutNames, input.layout));
  fields.Flag("transposed", input.transposed, false);
  fields.Whole("width", input.width, 0);
  fields.Whole("height", input.height, 0);
  out << YAML::Key << "color" << YAML::Value << std::string(NameOf(kColorNames, input.order));
  fields.Reals("mean", input.mean, standard.mean);
  fields.Reals("std", input.std, standard.std);
  out << YAML::Key << "resize" << YAML::Value << std::string(NameOf(kResizeNames, input.resize));
  fields.Whole("pad", input.pad, standard.pad);
  fields.Real("pyramid", input.pyramid, standard.pyramid);
  fields.Whole("patches", input.patches, standard.patches);
  fields.Real("patch_size", input.patch_size, standard.patch_size);
  out << YAML::EndMap;
}

void EmitAnchors(YAML::Emitter& out, const std::vector<AnchorLevel>& anchors) {
  out << YAML::Key << "anchors" << YAML::Value << YAML::BeginSeq;
  for (const AnchorLevel& level : anchors) {
    out << YAML::Flow << YAML::BeginMap;
    out << YAML::Key << "columns" << YAML::Value << level.columns << YAML::Key << "rows" << YAML::Value << level.rows;
    FieldWriter(out).Reals("step", level.step, AnchorLevel{}.step);
    out << YAML::Key << "sizes" << YAML::Value << YAML::Flow << YAML::BeginSeq;
    for (const auto& size : level.sizes) EmitNumbers(out, size);
    out << YAML::EndSeq << YAML::EndMap;
  }
  out << YAML::EndSeq;
}

void EmitAnchorRule(YAML::Emitter& out, const SsdAnchorRule& rule) {
  const SsdAnchorRule standard;
  FieldWriter fields(out);
  out << YAML::Key << "anchor_rule" << YAML::Value << YAML::BeginMap;
  out << YAML::Key << "strides" << YAML::Value << YAML::Flow << rule.strides;
  fields.Real("min_scale", rule.min_scale, standard.min_scale);
  fields.Real("max_scale", rule.max_scale, standard.max_scale);
  if (rule.aspect_ratios != standard.aspect_ratios) {
    out << YAML::Key << "aspect_ratios" << YAML::Value << YAML::Flow << YAML::BeginSeq;
    for (const float ratio : rule.aspect_ratios) out << Number(ratio);
    out << YAML::EndSeq;
  }
  fields.Flag("interpolated_square", rule.interpolated_square, standard.interpolated_square);
  fields.Flag("reduce_lowest", rule.reduce_lowest, standard.reduce_lowest);
  fields.Flag("unit_sizes", rule.unit_sizes, standard.unit_sizes);
  out << YAML::EndMap;
}

void EmitHeads(YAML::Emitter& out, const OutputDecoderSpec& spec) {
  FieldWriter fields(out);
  if (!spec.heads.empty()) out << YAML::Key << "heads" << YAML::Value << YAML::BeginSeq;
  for (const OutputHead& head : spec.heads) {
    out << YAML::Flow << YAML::BeginMap;
    fields.Whole("stride", head.stride, 0);
    fields.Text("boxes", head.boxes);
    fields.Text("scores", head.scores);
    fields.Text("quality", head.quality);
    fields.Text("landmarks", head.landmarks);
    if (!head.anchors.empty()) {
      out << YAML::Key << "anchors" << YAML::Value << YAML::Flow << YAML::BeginSeq;
      for (const auto& anchor : head.anchors) EmitNumbers(out, anchor);
      out << YAML::EndSeq;
    }
    out << YAML::EndMap;
  }
  if (!spec.heads.empty()) out << YAML::EndSeq;
  if (!spec.class_heads.empty()) out << YAML::Key << "class_heads" << YAML::Value << YAML::BeginSeq;
  for (const ClassHead& head : spec.class_heads) {
    out << YAML::Flow << YAML::BeginMap;
    out << YAML::Key << "name" << YAML::Value;
    EmitText(out, head.name);
    fields.Text("tensor", head.tensor);
    out << YAML::Key << "classes" << YAML::Value << head.classes << YAML::EndMap;
  }
  if (!spec.class_heads.empty()) out << YAML::EndSeq;
}

void EmitValues(YAML::Emitter& out, const std::vector<ValueSpec>& values) {
  if (values.empty()) return;
  const ValueSpec standard;
  FieldWriter fields(out);
  out << YAML::Key << "values" << YAML::Value << YAML::BeginSeq;
  for (const ValueSpec& value : values) {
    out << YAML::Flow << YAML::BeginMap << YAML::Key << "name" << YAML::Value;
    EmitText(out, value.name);
    fields.Text("tensor", value.tensor);
    fields.Whole("index", value.index, standard.index);
    fields.Real("scale", value.scale, standard.scale);
    fields.Real("offset", value.offset, standard.offset);
    fields.Text("unit", value.unit);
    out << YAML::EndMap;
  }
  out << YAML::EndSeq;
}

void EmitLists(YAML::Emitter& out, const OutputDecoderSpec& spec) {
  if (!spec.columns.empty()) {
    out << YAML::Key << "columns" << YAML::Value << YAML::Flow << YAML::BeginSeq;
    for (const RowColumn column : spec.columns) out << std::string(NameOf(kRowColumnNames, column));
    out << YAML::EndSeq;
  }
  EmitTexts(out, "point_names", spec.point_names);
  if (!spec.limbs.empty()) {
    out << YAML::Key << "limbs" << YAML::Value << YAML::Flow << YAML::BeginSeq;
    for (const Limb& limb : spec.limbs) {
      out << YAML::Flow << std::vector<int>{limb.from, limb.to, limb.x_channel, limb.y_channel};
    }
    out << YAML::EndSeq;
  }
}

// The counterpart of ReadForm.
void EmitForm(YAML::Emitter& out, const OutputDecoderSpec& spec) {
  const OutputDecoderSpec standard;
  FieldWriter fields(out);
  fields.Flag("objectness", spec.objectness, standard.objectness);
  if (spec.box_form) {
    out << YAML::Key << "box_form" << YAML::Value << std::string(NameOf(kBoxFormNames, *spec.box_form));
  }
  fields.Whole("keypoint_size", spec.keypoint_size, standard.keypoint_size);
  fields.Flag("keypoints_first", spec.keypoints_first, standard.keypoints_first);
  fields.Whole("ignored_columns", spec.ignored_columns, standard.ignored_columns);
  if (spec.box_rule != standard.box_rule) {
    out << YAML::Key << "box_rule" << YAML::Value << std::string(NameOf(kYoloBoxRuleNames, spec.box_rule));
  }
  fields.Real("scale_xy", spec.scale_xy, standard.scale_xy);
  fields.Flag("activated", spec.activated, standard.activated);
  fields.Flag("shared_classes", spec.shared_classes, standard.shared_classes);
  fields.Whole("bins", spec.bins, standard.bins);
  fields.Flag("distances_in_pixels", spec.distances_in_pixels, standard.distances_in_pixels);
  if (spec.cell_offset) out << YAML::Key << "cell_offset" << YAML::Value << Number(*spec.cell_offset);
  fields.Flag("boxes_first", spec.boxes_first, standard.boxes_first);
  fields.Whole("boxes_per_cell", spec.boxes_per_cell, standard.boxes_per_cell);
  fields.Flag("log_sizes", spec.log_sizes, standard.log_sizes);
  fields.Flag("l2_normalize", spec.l2_normalize, standard.l2_normalize);
  fields.Flag("class_ids", spec.class_ids, standard.class_ids);
  fields.Real("map_threshold", spec.map_threshold, standard.map_threshold);
  fields.Real("unclip", spec.unclip, standard.unclip);
  fields.Flag("rotated", spec.rotated, standard.rotated);
  fields.Whole("window", spec.window, standard.window);
  fields.Whole("stride", spec.stride, standard.stride);
  fields.Real("max_move", spec.max_move, standard.max_move);
  EmitLists(out, spec);
}

void EmitOutput(YAML::Emitter& out, const OutputDecoderSpec& spec) {
  const OutputDecoderSpec standard;
  FieldWriter fields(out);
  out << YAML::BeginMap << YAML::Key << "decoder" << YAML::Value << std::string(ToString(spec.kind));
  fields.Text("boxes", spec.boxes);
  fields.Text("scores", spec.scores);
  fields.Text("classes", spec.classes);
  fields.Text("count", spec.count);
  fields.Text("landmarks", spec.landmarks);
  fields.Text("quality", spec.quality);
  fields.Text("offsets", spec.offsets);
  fields.Text("pafs", spec.pafs);
  fields.Text("tensor", spec.tensor);
  EmitTexts(out, "tensors", spec.tensors);
  EmitHeads(out, spec);
  EmitValues(out, spec.values);
  fields.Flag("sigmoid", spec.sigmoid, standard.sigmoid);
  fields.Flag("softmax", spec.softmax, standard.softmax);
  fields.Whole("background", spec.background, standard.background);
  fields.Whole("label_offset", spec.label_offset, standard.label_offset);
  fields.Flag("normalized", spec.normalized, standard.normalized);
  fields.Reals("variances", spec.variances, standard.variances);
  fields.Flag("linear_offsets", spec.linear_offsets, standard.linear_offsets);
  fields.Flag("yx_order", spec.yx_order, standard.yx_order);
  fields.Whole("keypoints", spec.keypoints, standard.keypoints);
  if (!spec.anchors.empty()) EmitAnchors(out, spec.anchors);
  if (spec.anchor_rule) EmitAnchorRule(out, *spec.anchor_rule);
  if (spec.strides != standard.strides) out << YAML::Key << "strides" << YAML::Value << YAML::Flow << spec.strides;
  EmitForm(out, spec);
  fields.Real("nms_iou", spec.nms_iou, standard.nms_iou);
  fields.Real("merge_iou", spec.merge_iou, standard.merge_iou);
  fields.Flag("nms_per_label", spec.nms_per_label, standard.nms_per_label);
  fields.Whole("top_k", spec.top_k, standard.top_k);
  fields.Real("score_scale", spec.score_scale, standard.score_scale);
  fields.Real("score_zero", spec.score_zero, standard.score_zero);
  out << YAML::EndMap;
}

}  // namespace

std::string ToYaml(const ModelCard& card) {
  YAML::Emitter out;
  FieldWriter fields(out);
  out << YAML::BeginMap;
  fields.Text("name", card.name);
  fields.Text("task", card.task);
  fields.Text("licence", card.licence);
  fields.Text("source", card.source);
  fields.Text("sha256", card.sha256);
  fields.Whole("version", card.version, 0);
  out << YAML::Key << "input" << YAML::Value;
  EmitInput(out, card.input);
  out << YAML::Key << "output" << YAML::Value;
  EmitOutput(out, card.output);
  fields.Real("threshold", card.threshold, ModelCard{}.threshold);
  if (!card.labels.empty()) {
    out << YAML::Key << "labels" << YAML::Value << YAML::BeginSeq;
    for (const std::string& label : card.labels) EmitText(out, label);
    out << YAML::EndSeq;
  }
  EmitVariants(out, card.variants);
  out << YAML::EndMap;
  return std::string(out.c_str()) + '\n';
}

}  // namespace deepedge
