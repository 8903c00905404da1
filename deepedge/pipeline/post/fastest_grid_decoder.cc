// FastestDet: one map, at every cell objectness, 4 box numbers and class scores. The centre is counted in cells from
// the corner of its own cell (tanh), the size is a fraction of the input (logistic). Score: objectness^0.6 * class^0.4.
#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "deepedge/pipeline/post/cell_table.h"
#include "deepedge/pipeline/post/decoders.h"
#include "deepedge/pipeline/post/nms.h"

namespace deepedge {
namespace {

constexpr size_t kFirstClass = 5;
constexpr float kObjectnessPower = 0.6F;
constexpr float kClassPower = 0.4F;

class FastestGridDecoder : public OutputDecoder {
 public:
  FastestGridDecoder(const ModelCard& card, std::vector<TensorSpec> outputs, const FoundTable& found)
      : card_(card), outputs_(std::move(outputs)), found_(found), classes_(ClassSpec(card.output), 0.0F) {}

  Result<InferenceResult> Decode(std::span<const TensorView> outputs, const Placement& placement) const override {
    DE_TRY_STATUS(CheckTensorCount(card_, outputs_.size(), outputs.size()));
    const CellTable& table = found_.table;
    DE_TRY_STATUS(CheckTensor(card_, outputs_[found_.tensor], outputs[found_.tensor],
                              static_cast<int64_t>(table.cells * table.numbers)));
    const FloatReader values(outputs[found_.tensor], card_.output.score_scale, card_.output.score_zero);
    std::vector<DetectedObject> candidates;
    CellRows rows(values, table, 0, table.numbers);
    for (size_t cell = 0; cell < table.cells; ++cell) {
      const float raw = values[table.Index(cell, 0)];
      const float objectness = std::pow(card_.output.sigmoid ? Logistic(raw) : raw, kObjectnessPower);
      if (!(objectness >= card_.threshold)) continue;
      const std::span<const float> row = rows[cell];
      const auto best = classes_.Best(row.subspan(kFirstClass));
      if (!best) continue;
      const float score = objectness * std::pow(best->score, kClassPower);
      if (!(score >= card_.threshold) || !std::isfinite(score)) continue;
      const auto box = BoxInPicture(BoxAt(cell, row), placement);
      if (box) candidates.push_back({.label = best->label, .score = score, .box = *box});
    }
    return InferenceResult{
        .objects = SuppressOverlaps(std::move(candidates), card_.output.nms_iou, card_.output.nms_per_label)};
  }

 private:
  static OutputDecoderSpec ClassSpec(const OutputDecoderSpec& spec) {
    return {.softmax = spec.softmax, .background = spec.background, .label_offset = spec.label_offset};
  }

  Box BoxAt(size_t cell, std::span<const float> row) const {
    const CellTable& table = found_.table;
    const float cx =
        (static_cast<float>(cell % table.map_columns) + std::tanh(row[1])) / static_cast<float>(table.map_columns);
    const float cy =
        (static_cast<float>(cell / table.map_columns) + std::tanh(row[2])) / static_cast<float>(table.map_rows);
    const float half_width = Logistic(row[3]) / 2;
    const float half_height = Logistic(row[4]) / 2;
    return {cx - half_width, cy - half_height, cx + half_width, cy + half_height};
  }

  ModelCard card_;
  std::vector<TensorSpec> outputs_;
  FoundTable found_;
  ScoreRule classes_;
};

}  // namespace

MadeDecoder MakeFastestGridDecoder(const ModelCard& card, const std::vector<TensorSpec>& outputs) {
  const int64_t classes = ScoreRule::Columns(card.output, card.labels.size());
  const auto fits = [&](const CellTable& table) {
    if (table.map_rows == 0 || !StrideOf(card.input, table.map_columns, table.map_rows)) return false;
    return classes > 0 ? table.numbers == kFirstClass + static_cast<size_t>(classes) : table.numbers > kFirstClass;
  };
  const std::string expected = fmt::format("a map of the cells of a {}x{} input with objectness, 4 box numbers and {}",
                                           card.input.width, card.input.height, ClassCountText(classes));
  const OutputFinder finder(card, outputs);
  DE_TRY(const FoundTable found, FindCells(finder, "boxes", card.output.boxes, fits, expected));
  return std::unique_ptr<OutputDecoder>(std::make_unique<FastestGridDecoder>(card, outputs, found));
}

}  // namespace deepedge
