// Detections as TensorFlow's Object Detection API gives them: boxes, classes, scores and how many of them count,
// suppressed inside the graph. The box numbers are y1, x1, y2, x2 unless the card's `columns` say otherwise.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "deepedge/pipeline/post/cell_table.h"
#include "deepedge/pipeline/post/decoders.h"
#include "deepedge/pipeline/post/nms.h"
#include "deepedge/pipeline/post/output_tensors.h"

namespace deepedge {
namespace {

constexpr float kLargestLabel = 1e6F;

struct Roles {
  size_t boxes = 0;
  size_t classes = 0;
  size_t scores = 0;
  std::optional<size_t> count;
  BoxForm box_form = BoxForm::kCorners;
  std::array<size_t, 4> box_order{1, 0, 3, 2};  // where x1, y1, x2, y2 (cx, cy, w, h) stand
};

class DetectionsDecoder : public OutputDecoder {
 public:
  DetectionsDecoder(const ModelCard& card, std::vector<TensorSpec> outputs, const Roles& roles)
      : card_(card), outputs_(std::move(outputs)), roles_(roles) {}

  Result<InferenceResult> Decode(std::span<const TensorView> outputs, const Placement& placement) const override {
    DE_TRY_STATUS(CheckTensorCount(card_, outputs_.size(), outputs.size()));
    DE_TRY(const size_t rows, CountRows(outputs));
    const FloatReader boxes(outputs[roles_.boxes]);
    const FloatReader classes(outputs[roles_.classes]);
    const FloatReader scores(outputs[roles_.scores], card_.output.score_scale, card_.output.score_zero);

    InferenceResult result;
    for (size_t i = 0; i < rows; ++i) {
      const float label = classes[i] - static_cast<float>(card_.output.label_offset);
      const float score = scores[i];
      if (!(score >= card_.threshold) || !std::isfinite(score) || !(label >= 0 && label <= kLargestLabel)) continue;
      const auto box = BoxInPicture(BoxAt(boxes, 4 * i), placement);
      if (box) {
        result.objects.push_back({.label = static_cast<int>(std::lround(label)), .score = score, .box = *box});
      }
    }
    SortBestFirst(&result.objects);
    return result;
  }

 private:
  Box BoxAt(const FloatReader& values, size_t i) const {
    const auto& order = roles_.box_order;
    const float numbers[] = {values[i + order[0]], values[i + order[1]], values[i + order[2]], values[i + order[3]]};
    return BoxOfNumbers(card_, roles_.box_form, numbers);
  }

  // How many rows count, after all tensors were found to have the same number of them.
  Result<size_t> CountRows(std::span<const TensorView> outputs) const {
    const TensorView& boxes = outputs[roles_.boxes];
    const int64_t rows = boxes.data.empty() ? 0 : static_cast<int64_t>(boxes.data.size() / SizeOf(boxes.type) / 4);
    DE_TRY_STATUS(CheckTensor(card_, outputs_[roles_.boxes], boxes, 4 * rows));
    DE_TRY_STATUS(CheckTensor(card_, outputs_[roles_.classes], outputs[roles_.classes], rows));
    DE_TRY_STATUS(CheckTensor(card_, outputs_[roles_.scores], outputs[roles_.scores], rows));
    if (!roles_.count) return static_cast<size_t>(rows);
    DE_TRY_STATUS(CheckTensor(card_, outputs_[*roles_.count], outputs[*roles_.count], 1));
    const float count = FloatReader(outputs[*roles_.count])[0];
    // A count that is no number hides nothing: the scores decide.
    if (!(count >= 0 && count < static_cast<float>(rows))) return static_cast<size_t>(rows);
    return static_cast<size_t>(count);
  }

  ModelCard card_;
  std::vector<TensorSpec> outputs_;
  Roles roles_;
};

// Classes and scores have the same shape. By name where the card or the tensor's own name tells, else the order of the
// usual frameworks: classes first.
Result<Roles> FindRoles(const ModelCard& card, const std::vector<TensorSpec>& outputs) {
  const OutputFinder finder(card, outputs);
  const OutputDecoderSpec& spec = card.output;
  const auto is_boxes = [](const Shape& s) { return s.size() > 1 && AsTable(s, 4).has_value(); };
  Roles roles;
  if (!spec.columns.empty()) {
    DE_TRY(const BoxColumns box, FindBoxColumns(card, spec.columns));
    roles.box_form = box.form;
    roles.box_order = box.places;
    if (spec.columns.size() != 4) {
      return Error{ErrorCode::kBadInput, fmt::format("model '{}': the card's columns of detections are the 4 numbers "
                                                     "of a box",
                                                     card.name)};
    }
  }
  DE_TRY(roles.boxes, finder.Find("boxes", spec.boxes, is_boxes, "rows of 4 numbers"));

  const Shape& box_shape = outputs[roles.boxes].shape;
  const int64_t rows = box_shape[box_shape.size() - 2];
  const auto is_column = [rows](const Shape& shape) {
    // torchvision's lists have no batch.
    if (shape.size() == 1) return shape[0] < 0 || (rows > 1 && shape[0] == rows);
    return !shape.empty() && (shape.back() == rows || shape.back() < 0 || rows < 0) && shape.size() > 1 &&
           AsList(shape).has_value();
  };
  std::vector<size_t> columns;
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (i != roles.boxes && is_column(outputs[i].shape)) columns.push_back(i);
  }
  const auto pick = [&](std::string_view word, size_t place) -> std::string {
    for (const size_t i : columns) {
      if (outputs[i].name.find(word) != std::string::npos) return outputs[i].name;
    }
    return place < columns.size() ? outputs[columns[place]].name : std::string();
  };
  const std::string classes = spec.classes.empty() ? pick("detection_classes", 0) : spec.classes;
  DE_TRY(roles.classes, finder.Find("classes", classes, is_column, "one number a box"));
  const std::string scores = spec.scores.empty() ? pick("detection_scores", 1) : spec.scores;
  const size_t taken[] = {roles.boxes, roles.classes};
  DE_TRY(roles.scores, finder.Find("scores", scores, is_column, "one number a box", taken));

  const auto is_count = [](const Shape& shape) { return shape.size() <= 1 && AsList(shape).value_or(1) <= 1; };
  if (!spec.count.empty()) {
    DE_TRY(roles.count, finder.Find("count", spec.count, is_count, "one number"));
  } else {
    const size_t used[] = {roles.boxes, roles.classes, roles.scores};
    const Result<size_t> count = finder.Find("count", "", is_count, "one number", used);
    if (count.ok()) roles.count = count.value();
  }
  return roles;
}

}  // namespace

MadeDecoder MakeDetectionsDecoder(const ModelCard& card, const std::vector<TensorSpec>& outputs) {
  DE_TRY(const Roles roles, FindRoles(card, outputs));
  return std::unique_ptr<OutputDecoder>(std::make_unique<DetectionsDecoder>(card, outputs, roles));
}

}  // namespace deepedge
