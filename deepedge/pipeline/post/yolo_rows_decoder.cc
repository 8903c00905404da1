// Decoded rows of YOLO exports: box, [objectness], class scores and, behind or before them, key points; numbers at the
// end of a row (mask coefficients) are not read. Rows or columns first; one tensor, or one per scale that `heads`
// names.
#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "deepedge/pipeline/post/cell_table.h"
#include "deepedge/pipeline/post/decoders.h"
#include "deepedge/pipeline/post/nms.h"

namespace deepedge {
namespace {

// Where in a row each part begins.
struct RowForm {
  size_t classes_first = 4;
  size_t classes = 0;
  size_t points_first = 0;
  size_t points = 0;
  size_t point_size = 2;
};

size_t FixedNumbers(const OutputDecoderSpec& spec) {
  return 4 + (spec.objectness ? 1U : 0U) +
         static_cast<size_t>(spec.keypoints) * static_cast<size_t>(spec.keypoint_size) +
         static_cast<size_t>(spec.ignored_columns);
}

RowForm FormOf(const OutputDecoderSpec& spec, size_t numbers) {
  RowForm form{.classes = numbers - FixedNumbers(spec),
               .points = static_cast<size_t>(spec.keypoints),
               .point_size = static_cast<size_t>(spec.keypoint_size)};
  const size_t after_box = spec.objectness ? 5 : 4;
  const size_t point_numbers = form.points * form.point_size;
  form.points_first = spec.keypoints_first ? after_box : after_box + form.classes;
  form.classes_first = spec.keypoints_first ? after_box + point_numbers : after_box;
  return form;
}

class YoloRowsDecoder : public OutputDecoder {
 public:
  YoloRowsDecoder(const ModelCard& card, std::vector<TensorSpec> outputs, std::vector<FoundTable> tables)
      : card_(card),
        outputs_(std::move(outputs)),
        tables_(std::move(tables)),
        form_(FormOf(card.output, tables_.front().table.numbers)),
        box_form_(card.output.box_form.value_or(BoxForm::kCenterSize)),
        classes_(card.output, card.threshold) {}

  Result<InferenceResult> Decode(std::span<const TensorView> outputs, const Placement& placement) const override {
    DE_TRY_STATUS(CheckTensorCount(card_, outputs_.size(), outputs.size()));
    std::vector<DetectedObject> candidates;
    for (const FoundTable& found : tables_) {
      const TensorView& tensor = outputs[found.tensor];
      DE_TRY_STATUS(CheckTensor(card_, outputs_[found.tensor], tensor,
                                static_cast<int64_t>(found.table.cells * found.table.numbers)));
      const FloatReader values(tensor, card_.output.score_scale, card_.output.score_zero);
      AddCandidates(values, found.table, placement, &candidates);
    }
    return InferenceResult{
        .objects = SuppressOverlaps(std::move(candidates), card_.output.nms_iou, card_.output.nms_per_label)};
  }

 private:
  static constexpr size_t kObjectness = 4;

  float Activated(float value) const { return card_.output.sigmoid ? Logistic(value) : value; }

  void AddCandidates(const FloatReader& values, const CellTable& table, const Placement& placement,
                     std::vector<DetectedObject>* candidates) const {
    CellRows rows(values, table, 0, table.numbers);
    for (size_t i = 0; i < table.cells; ++i) {
      float objectness = 1;
      if (card_.output.objectness) {
        objectness = Activated(values[table.Index(i, kObjectness)]);
        if (!(objectness >= card_.threshold)) continue;
      }
      const std::span<const float> row = rows[i];
      const auto best =
          form_.classes > 0 ? classes_.Best(row.subspan(form_.classes_first, form_.classes)) : BestClass{0, 1.0F};
      if (!best) continue;
      const float score = objectness * best->score;
      if (!(score >= card_.threshold) || !std::isfinite(score)) continue;
      const auto box = BoxInPicture(BoxOfNumbers(card_, box_form_, row), placement);
      if (!box) continue;
      candidates->push_back({.label = best->label, .score = score, .box = *box});
      AddPoints(row.subspan(form_.points_first, form_.points * form_.point_size), placement, &candidates->back());
    }
  }

  void AddPoints(std::span<const float> numbers, const Placement& placement, DetectedObject* object) const {
    const float width = card_.output.normalized ? 1.0F : static_cast<float>(card_.input.width);
    const float height = card_.output.normalized ? 1.0F : static_cast<float>(card_.input.height);
    for (size_t i = 0; i < numbers.size(); i += form_.point_size) {
      const auto point = PointInPicture({numbers[i] / width, numbers[i + 1] / height}, placement);
      const float score = form_.point_size > 2 ? numbers[i + 2] : object->score;
      // A point that is no number keeps its place in the list with score 0.
      object->keypoints.push_back(point && std::isfinite(score) ? Keypoint{*point, score} : Keypoint{});
    }
  }

  ModelCard card_;
  std::vector<TensorSpec> outputs_;
  std::vector<FoundTable> tables_;
  RowForm form_;
  BoxForm box_form_;
  ScoreRule classes_;
};

// Whether a list is as long as the grids of the input's scales have cells, once or three times (anchors).
bool RowsOfGrids(const ModelCard& card, size_t rows) {
  size_t cells = 0;
  for (const int stride : card.output.strides) cells += GridOf(card.input, stride).cells();
  return rows == cells || rows == 3 * cells;
}

Result<FoundTable> FindRows(const ModelCard& card, const OutputFinder& finder, const std::string& name) {
  const size_t fixed = FixedNumbers(card.output);
  const int64_t classes = ScoreRule::Columns(card.output, card.labels.size());
  const auto numbers_fit = [&](const CellTable& table) {
    if (card.output.objectness && card.labels.size() <= 1 && table.numbers == fixed) return true;
    return classes > 0 ? table.numbers == fixed + static_cast<size_t>(classes) : table.numbers > fixed;
  };
  const std::string expected = fmt::format(
      "rows of {} numbers (4 of the box{}, {}{}{})",
      classes > 0 ? std::to_string(fixed + static_cast<size_t>(classes)) : fmt::format("{} or more", fixed + 1),
      card.output.objectness ? ", objectness" : "", ClassCountText(classes),
      card.output.keypoints > 0 ? fmt::format(", {} points of {}", card.output.keypoints, card.output.keypoint_size)
                                : "",
      card.output.ignored_columns > 0 ? fmt::format(", {} ignored", card.output.ignored_columns) : "");
  if (classes == 0) {
    // Without labels only the number of rows tells rows from columns.
    const auto on_grids = [&](const CellTable& table) { return numbers_fit(table) && RowsOfGrids(card, table.cells); };
    Result<FoundTable> found = FindCells(finder, "boxes", name, on_grids, expected);
    if (found.ok()) return found;
  }
  return FindCells(finder, "boxes", name, numbers_fit, expected);
}

}  // namespace

MadeDecoder MakeYoloRowsDecoder(const ModelCard& card, const std::vector<TensorSpec>& outputs) {
  const OutputFinder finder(card, outputs);
  std::vector<FoundTable> tables;
  for (const OutputHead& head : card.output.heads) {
    if (head.boxes.empty()) continue;
    DE_TRY(tables.emplace_back(), FindRows(card, finder, head.boxes));
    if (tables.back().table.numbers != tables.front().table.numbers) {
      return finder.Misfit(tables.back().tensor,
                           fmt::format("expected {} numbers a row, as in '{}'", tables.front().table.numbers,
                                       finder.At(tables.front().tensor).name));
    }
  }
  if (tables.empty()) {
    DE_TRY(tables.emplace_back(), FindRows(card, finder, card.output.boxes));
  }
  return std::unique_ptr<OutputDecoder>(std::make_unique<YoloRowsDecoder>(card, outputs, std::move(tables)));
}

}  // namespace deepedge
