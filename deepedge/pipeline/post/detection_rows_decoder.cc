// Rows of a box, a score and a class in the order that the card's `columns` say, suppressed inside the graph; key
// points may stand behind. The number of rows may differ from run to run.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "deepedge/pipeline/post/cell_table.h"
#include "deepedge/pipeline/post/decoders.h"
#include "deepedge/pipeline/post/nms.h"

namespace deepedge {
namespace {

constexpr float kLargestLabel = 1e6F;
constexpr size_t kMostObjects = 300;

// Where in a row each number stands.
struct RowForm {
  BoxColumns box;
  size_t score = 0;
  std::optional<size_t> label;
  size_t points_first = 0;
  size_t numbers = 0;
};

Result<RowForm> FormOf(const ModelCard& card) {
  using Column = RowColumn;
  std::vector<RowColumn> columns = card.output.columns;
  if (columns.empty()) columns = {Column::kX1, Column::kY1, Column::kX2, Column::kY2, Column::kScore, Column::kClass};
  RowForm form;
  DE_TRY(form.box, FindBoxColumns(card, columns));
  const auto score = PlaceOf(columns, Column::kScore);
  if (!score) {
    return Error{ErrorCode::kBadInput, fmt::format("model '{}': the card's columns have no score", card.name)};
  }
  form.score = *score;
  form.label = PlaceOf(columns, Column::kClass);
  form.points_first = columns.size();
  form.numbers = columns.size() +
                 static_cast<size_t>(card.output.keypoints) * static_cast<size_t>(card.output.keypoint_size) +
                 static_cast<size_t>(card.output.ignored_columns);
  return form;
}

class DetectionRowsDecoder : public OutputDecoder {
 public:
  DetectionRowsDecoder(const ModelCard& card, std::vector<TensorSpec> outputs, const RowForm& form, size_t tensor,
                       std::optional<size_t> count)
      : card_(card), outputs_(std::move(outputs)), form_(form), tensor_(tensor), count_(count) {}

  Result<InferenceResult> Decode(std::span<const TensorView> outputs, const Placement& placement) const override {
    DE_TRY_STATUS(CheckTensorCount(card_, outputs_.size(), outputs.size()));
    DE_TRY(const size_t rows, CountRows(outputs));
    const FloatReader values(outputs[tensor_]);
    InferenceResult result;
    std::vector<float> scratch;
    for (size_t i = 0; i < rows; ++i) {
      auto object = MakeObject(values.Row(i * form_.numbers, form_.numbers, &scratch), placement);
      if (object) result.objects.push_back(std::move(*object));
    }
    SortBestFirst(&result.objects);
    if (result.objects.size() > kMostObjects) result.objects.resize(kMostObjects);
    return result;
  }

 private:
  Result<size_t> CountRows(std::span<const TensorView> outputs) const {
    const TensorView& tensor = outputs[tensor_];
    const auto table =
        IsStatic(tensor.shape) ? AsTable(tensor.shape, static_cast<int64_t>(form_.numbers)) : std::nullopt;
    const int64_t rows = table ? std::max<int64_t>(table->rows, 0) : 0;
    DE_TRY_STATUS(CheckTensor(card_, outputs_[tensor_], tensor, rows * static_cast<int64_t>(form_.numbers)));
    if (!count_) return static_cast<size_t>(rows);
    DE_TRY_STATUS(CheckTensor(card_, outputs_[*count_], outputs[*count_], 1));
    const float count = FloatReader(outputs[*count_])[0];
    // A count that is no number hides nothing: the scores decide.
    if (!(count >= 0 && count < static_cast<float>(rows))) return static_cast<size_t>(rows);
    return static_cast<size_t>(count);
  }

  std::optional<DetectedObject> MakeObject(std::span<const float> row, const Placement& placement) const {
    const float score = (row[form_.score] - card_.output.score_zero) * card_.output.score_scale;
    if (!(score >= card_.threshold) || !std::isfinite(score)) return std::nullopt;
    const float label = form_.label ? row[*form_.label] - static_cast<float>(card_.output.label_offset) : 0.0F;
    if (!(label >= 0 && label <= kLargestLabel)) return std::nullopt;
    const auto& places = form_.box.places;
    const float numbers[] = {row[places[0]], row[places[1]], row[places[2]], row[places[3]]};
    const auto box = BoxInPicture(BoxOfNumbers(card_, form_.box.form, numbers), placement);
    if (!box) return std::nullopt;
    DetectedObject object{.label = static_cast<int>(std::lround(label)), .score = score, .box = *box};
    const float width = card_.output.normalized ? 1.0F : static_cast<float>(card_.input.width);
    const float height = card_.output.normalized ? 1.0F : static_cast<float>(card_.input.height);
    const auto size = static_cast<size_t>(card_.output.keypoint_size);
    for (size_t i = 0; i < static_cast<size_t>(card_.output.keypoints); ++i) {
      const auto numbers_of_point = row.subspan(form_.points_first + i * size, size);
      const auto point = PointInPicture({numbers_of_point[0] / width, numbers_of_point[1] / height}, placement);
      const float point_score = size > 2 ? numbers_of_point[2] : score;
      object.keypoints.push_back(point && std::isfinite(point_score) ? Keypoint{*point, point_score} : Keypoint{});
    }
    return object;
  }

  ModelCard card_;
  std::vector<TensorSpec> outputs_;
  RowForm form_;
  size_t tensor_;
  std::optional<size_t> count_;
};

}  // namespace

MadeDecoder MakeDetectionRowsDecoder(const ModelCard& card, const std::vector<TensorSpec>& outputs) {
  DE_TRY(const RowForm form, FormOf(card));
  const OutputFinder finder(card, outputs);
  const auto fits = [&form](const Shape& shape) {
    return shape.size() > 1 && shape.back() > 0 && AsTable(shape, static_cast<int64_t>(form.numbers)).has_value();
  };
  DE_TRY(const size_t tensor,
         finder.Find("boxes", card.output.boxes, fits, fmt::format("rows of {} numbers", form.numbers)));
  std::optional<size_t> count;
  if (!card.output.count.empty()) {
    const auto is_count = [](const Shape& shape) { return AsList(shape).value_or(1) == 1; };
    DE_TRY(count, finder.Find("count", card.output.count, is_count, "one number"));
  }
  return std::unique_ptr<OutputDecoder>(std::make_unique<DetectionRowsDecoder>(card, outputs, form, tensor, count));
}

}  // namespace deepedge
