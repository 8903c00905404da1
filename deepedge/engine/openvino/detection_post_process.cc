#include "deepedge/engine/openvino/detection_post_process.h"

#include <fmt/format.h>

#include <memory>
#include <openvino/frontend/extension/conversion.hpp>
#include <openvino/frontend/node_context.hpp>
#include <openvino/op/add.hpp>
#include <openvino/op/concat.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/convert.hpp>
#include <openvino/op/divide.hpp>
#include <openvino/op/exp.hpp>
#include <openvino/op/gather.hpp>
#include <openvino/op/gather_nd.hpp>
#include <openvino/op/multiply.hpp>
#include <openvino/op/non_max_suppression.hpp>
#include <openvino/op/reduce_max.hpp>
#include <openvino/op/reshape.hpp>
#include <openvino/op/shape_of.hpp>
#include <openvino/op/slice.hpp>
#include <openvino/op/split.hpp>
#include <openvino/op/squeeze.hpp>
#include <openvino/op/subtract.hpp>
#include <openvino/op/topk.hpp>
#include <openvino/op/transpose.hpp>
#include <openvino/op/unsqueeze.hpp>
#include <stdexcept>

#include "deepedge/formats/graph/graph_ops.h"

namespace deepedge {
namespace {

constexpr const char* kOperation = "TFLite_Detection_PostProcess";
constexpr const char* kMark = "deepedge_operation";

using Value = GraphValue;
using ov::op::v0::Constant;

Value Scalar(int64_t value) { return Constant::create(ov::element::i64, ov::Shape{}, {value}); }
Value ToFloat(const Value& value) { return std::make_shared<ov::op::v0::Convert>(value, ov::element::f32); }
Value Add(const Value& a, const Value& b) { return std::make_shared<ov::op::v1::Add>(a, b); }
Value Subtract(const Value& a, const Value& b) { return std::make_shared<ov::op::v1::Subtract>(a, b); }
Value Multiply(const Value& a, const Value& b) { return std::make_shared<ov::op::v1::Multiply>(a, b); }
Value Divide(const Value& a, const Value& b) { return std::make_shared<ov::op::v1::Divide>(a, b); }

// Boxes [1, N, 4] as y1, x1, y2, x2.
Value DecodeBoxes(const Value& offsets, const Value& anchors, const DetectionPostProcess& rule) {
  const auto columns = [](const Value& table) {
    return std::make_shared<ov::op::v1::Split>(table, Scalar(-1), 4)->outputs();
  };
  const ov::OutputVector offset = columns(offsets);
  const ov::OutputVector anchor = columns(anchors);  // cy, cx, h, w
  const auto centre = [&](size_t axis, float scale) {
    return Add(Multiply(Divide(offset[axis], FloatConstant(scale)), anchor[axis + 2]), anchor[axis]);
  };
  const auto half_side = [&](size_t axis, float scale) {
    const Value grown = std::make_shared<ov::op::v0::Exp>(Divide(offset[axis + 2], FloatConstant(scale)));
    return Multiply(Multiply(grown, anchor[axis + 2]), FloatConstant(0.5F));
  };
  const Value cy = centre(0, rule.y_scale);
  const Value cx = centre(1, rule.x_scale);
  const Value h = half_side(0, rule.h_scale);
  const Value w = half_side(1, rule.w_scale);
  return std::make_shared<ov::op::v0::Concat>(
      ov::OutputVector{Subtract(cy, h), Subtract(cx, w), Add(cy, h), Add(cx, w)}, -1);
}

// The first `count` rows of a table of any length, filled up with zeros.
Value ExactlyRows(const Value& rows, int64_t count, int64_t columns) {
  const auto zeros = Constant::create(ov::element::f32, {static_cast<size_t>(count), static_cast<size_t>(columns)},
                                      std::vector<float>(static_cast<size_t>(count * columns)));
  const auto filled = std::make_shared<ov::op::v0::Concat>(ov::OutputVector{rows, zeros}, 0);
  return std::make_shared<ov::op::v8::Slice>(filled, IndexConstant({0}), IndexConstant({count}), IndexConstant({1}),
                                             IndexConstant({0}));
}

// [1, N, classes] without the background.
Value WithoutBackground(const Value& scores, int64_t classes) {
  const ov::Dimension columns = scores.get_partial_shape()[2];
  if (columns.is_dynamic() || columns.get_length() < classes || columns.get_length() > classes + 1) {
    throw std::invalid_argument(
        fmt::format("has scores of shape {} for {} classes", scores.get_partial_shape().to_string(), classes));
  }
  const int64_t first = columns.get_length() - classes;
  return std::make_shared<ov::op::v8::Slice>(scores, IndexConstant({first}), IndexConstant({columns.get_length()}),
                                             IndexConstant({1}), IndexConstant({2}));
}

// What was kept, best first: rows of (image, class or 0, box).
Value Suppress(const Value& boxes, const Value& scores, int64_t most, const DetectionPostProcess& rule) {
  using Nms = ov::op::v9::NonMaxSuppression;
  return std::make_shared<Nms>(boxes, scores, Scalar(most), FloatConstant(rule.overlap),
                               FloatConstant(rule.least_score), Nms::BoxEncodingType::CORNER,
                               /*sort_result_descending=*/true, ov::element::i64)
      ->output(0);
}

Value Column(const Value& table, int64_t column) {
  return std::make_shared<ov::op::v8::Gather>(table, IndexConstant({column}), Scalar(1));  // [n, 1]
}

Value Flat(const Value& value) { return std::make_shared<ov::op::v1::Reshape>(value, IndexConstant({-1}), false); }

Value Shaped(const Value& value, const std::vector<int64_t>& shape) {
  return std::make_shared<ov::op::v1::Reshape>(value, IndexConstant(shape), false);
}

}  // namespace

ov::OutputVector BuildDetectionPostProcess(const Value& offsets, const Value& all_scores, const Value& anchors,
                                           const DetectionPostProcess& rule) {
  const Value boxes = DecodeBoxes(offsets, anchors, rule);
  const Value scores = WithoutBackground(all_scores, rule.classes);                                  // [1, N, C]
  const Value by_class = std::make_shared<ov::op::v1::Transpose>(scores, IndexConstant({0, 2, 1}));  // [1, C, N]
  Value kept;
  Value classes;  // [n, 1], whole numbers
  if (rule.by_class) {
    kept = Suppress(boxes, by_class, rule.max_per_class, rule);
    classes = Column(kept, 1);
  } else {
    const auto best = std::make_shared<ov::op::v11::TopK>(scores, Scalar(1), 2, ov::op::TopKMode::MAX,
                                                          ov::op::TopKSortType::NONE, ov::element::i64);
    const Value best_scores =
        std::make_shared<ov::op::v1::Transpose>(best->output(0), IndexConstant({0, 2, 1}));  // [1, 1, N]
    kept = Suppress(boxes, best_scores, rule.max_detections, rule);
    classes = std::make_shared<ov::op::v8::Gather>(Shaped(best->output(1), {-1, 1}), Flat(Column(kept, 2)), Scalar(0));
  }
  const Value box_rows = Flat(Column(kept, 2));
  const Value kept_boxes = std::make_shared<ov::op::v8::Gather>(Shaped(boxes, {-1, 4}), box_rows, Scalar(0));
  const Value places = std::make_shared<ov::op::v0::Concat>(ov::OutputVector{classes, Column(kept, 2)}, 1);
  const Value plane = std::make_shared<ov::op::v0::Squeeze>(by_class, IndexConstant({0}));
  const Value kept_scores = std::make_shared<ov::op::v8::GatherND>(plane, places);

  const int64_t most = rule.max_detections;
  const Value rows = std::make_shared<ov::op::v0::Concat>(
      ov::OutputVector{kept_boxes, ToFloat(classes), Shaped(kept_scores, {-1, 1})}, 1);  // [n, 6]
  const Value table = ExactlyRows(rows, most, 6);
  const auto part = [&](int64_t first, int64_t end, const std::vector<int64_t>& shape) {
    return Shaped(std::make_shared<ov::op::v8::Slice>(table, IndexConstant({first}), IndexConstant({end}),
                                                      IndexConstant({1}), IndexConstant({1})),
                  shape);
  };
  // Those beyond the limit are cut off, and do not count: the rows that are left, with ones, tell how many.
  const Value shape = std::make_shared<ov::op::v3::ShapeOf>(std::make_shared<ov::op::v8::Slice>(
      rows, IndexConstant({0}), IndexConstant({most}), IndexConstant({1}), IndexConstant({0})));
  const Value count = ToFloat(std::make_shared<ov::op::v8::Gather>(shape, IndexConstant({0}), Scalar(0)));
  return {part(0, 4, {1, most, 4}), part(4, 5, {1, most}), part(5, 6, {1, most}), count};
}

namespace {

// A number that the file may hold as any arithmetic type; `otherwise` where it is not there.
template <typename T>
T ReadOption(const ov::frontend::NodeContext& context, const std::string& name, T otherwise) {
  const ov::Any value = context.get_attribute_as_any(name);
  if (value.empty()) return otherwise;
  if (value.is<float>()) return static_cast<T>(value.as<float>());
  if (value.is<double>()) return static_cast<T>(value.as<double>());
  if (value.is<bool>()) return static_cast<T>(value.as<bool>());
  if (value.is<int32_t>()) return static_cast<T>(value.as<int32_t>());
  if (value.is<int64_t>()) return static_cast<T>(value.as<int64_t>());
  if (value.is<uint32_t>()) return static_cast<T>(value.as<uint32_t>());
  if (value.is<uint64_t>()) return static_cast<T>(value.as<uint64_t>());
  throw std::invalid_argument(fmt::format("{}: '{}' is no number", kOperation, name));
}

DetectionPostProcess ReadRule(const ov::frontend::NodeContext& context) {
  DetectionPostProcess rule;
  rule.y_scale = ReadOption(context, "y_scale", rule.y_scale);
  rule.x_scale = ReadOption(context, "x_scale", rule.x_scale);
  rule.h_scale = ReadOption(context, "h_scale", rule.h_scale);
  rule.w_scale = ReadOption(context, "w_scale", rule.w_scale);
  rule.least_score = ReadOption(context, "nms_score_threshold", rule.least_score);
  rule.overlap = ReadOption(context, "nms_iou_threshold", rule.overlap);
  rule.classes = ReadOption<int64_t>(context, "num_classes", 0);
  rule.max_detections = ReadOption<int64_t>(context, "max_detections", 0);
  rule.max_per_class = ReadOption<int64_t>(context, "detections_per_class", rule.max_per_class);
  rule.by_class = ReadOption(context, "use_regular_nms", false);
  constexpr int64_t kMost = 100'000;
  const auto fits = [](int64_t value) { return value >= 1 && value <= kMost; };
  if (!fits(rule.classes) || !fits(rule.max_detections) || !fits(rule.max_per_class)) {
    throw std::invalid_argument(fmt::format("{}: {} classes and {} detections, {} of a class, make no sense",
                                            kOperation, rule.classes, rule.max_detections, rule.max_per_class));
  }
  if (!rule.by_class && ReadOption<int64_t>(context, "max_classes_per_detection", 1) != 1) {
    throw std::invalid_argument(fmt::format("{}: several classes for one box are not supported", kOperation));
  }
  return rule;
}

ov::OutputVector Translate(const ov::frontend::NodeContext& context) {
  const auto input = [&](int i) { return ToFloat(context.get_input(i)); };
  ov::OutputVector outputs = BuildDetectionPostProcess(input(0), input(1), input(2), ReadRule(context));
  for (const auto& output : outputs) output.get_node()->get_rt_info()[kMark] = std::string(kOperation);
  return outputs;
}

}  // namespace

void AddDetectionPostProcess(ov::Core& core) {
  core.add_extension(
      std::make_shared<ov::frontend::ConversionExtension>(kOperation, ov::frontend::CreatorFunction(Translate)));
}

std::string MarkedOperation(const ov::Node& node) {
  const auto& info = node.get_rt_info();
  const auto it = info.find(kMark);
  return it != info.end() && it->second.is<std::string>() ? it->second.as<std::string>() : std::string();
}

}  // namespace deepedge
