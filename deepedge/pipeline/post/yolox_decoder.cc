// YOLOX: one tensor of rows (cx, cy, w, h, objectness, class scores), grid after grid. The centre is counted in cells
// from the corner of the row's own cell, the size is the logarithm of cells; scores are already sigmoid.
#include <fmt/format.h>

#include <array>
#include <cmath>

#include "deepedge/pipeline/post/decoders.h"
#include "deepedge/pipeline/post/nms.h"
#include "deepedge/pipeline/post/output_tensors.h"

namespace deepedge {
namespace {

struct Grid {
  size_t first_row = 0;
  size_t columns = 0;
  size_t rows = 0;
  float step_x = 0;  // one cell, as a fraction of the input
  float step_y = 0;
};

std::vector<Grid> MakeGrids(const ModelCard& card) {
  std::vector<Grid> grids;
  size_t first_row = 0;
  for (const int stride : card.output.strides) {
    const auto columns = static_cast<size_t>(card.input.width / stride);
    const auto rows = static_cast<size_t>(card.input.height / stride);
    grids.push_back({first_row, columns, rows, static_cast<float>(stride) / static_cast<float>(card.input.width),
                     static_cast<float>(stride) / static_cast<float>(card.input.height)});
    first_row += columns * rows;
  }
  return grids;
}

class YoloxDecoder : public OutputDecoder {
 public:
  YoloxDecoder(const ModelCard& card, std::vector<TensorSpec> outputs, size_t tensor, int64_t columns)
      : card_(card),
        outputs_(std::move(outputs)),
        tensor_(tensor),
        columns_(static_cast<size_t>(columns)),
        grids_(MakeGrids(card)),
        classes_(ClassSpec(card.output), 0.0F) {}

  Result<InferenceResult> Decode(std::span<const TensorView> outputs, const Placement& placement) const override {
    DE_TRY_STATUS(CheckTensorCount(card_, outputs_.size(), outputs.size()));
    const size_t rows = grids_.back().first_row + grids_.back().columns * grids_.back().rows;
    DE_TRY_STATUS(CheckTensor(card_, outputs_[tensor_], outputs[tensor_], static_cast<int64_t>(rows * columns_)));
    const FloatReader values(outputs[tensor_], card_.output.score_scale, card_.output.score_zero);

    std::vector<DetectedObject> candidates;
    std::vector<float> scratch;
    for (const Grid& grid : grids_) {
      const size_t end = grid.first_row + grid.columns * grid.rows;
      for (size_t row = grid.first_row; row < end; ++row) {
        // Class scores are at most 1: most rows are done with after one look at the objectness.
        if (!(values[row * columns_ + kObjectness] >= card_.threshold)) continue;
        AddCandidate(grid, row - grid.first_row, values.Row(row * columns_, columns_, &scratch), placement,
                     &candidates);
      }
    }
    return InferenceResult{
        .objects = SuppressOverlaps(std::move(candidates), card_.output.nms_iou, card_.output.nms_per_label)};
  }

 private:
  static constexpr size_t kObjectness = 4;
  static constexpr size_t kFirstClass = 5;

  // The class columns hold scores of their own, without background or activation.
  static OutputDecoderSpec ClassSpec(const OutputDecoderSpec& spec) { return {.label_offset = spec.label_offset}; }

  void AddCandidate(const Grid& grid, size_t cell, std::span<const float> row, const Placement& placement,
                    std::vector<DetectedObject>* candidates) const {
    const auto best = classes_.Best(row.subspan(kFirstClass));
    if (!best) return;
    const float score = row[kObjectness] * best->score;
    if (!(score >= card_.threshold) || !std::isfinite(score)) return;
    const float cx = (row[0] + static_cast<float>(cell % grid.columns)) * grid.step_x;
    const float cy = (row[1] + static_cast<float>(cell / grid.columns)) * grid.step_y;
    const float half_width = std::exp(row[2]) * grid.step_x / 2;
    const float half_height = std::exp(row[3]) * grid.step_y / 2;
    const auto box = BoxInPicture({cx - half_width, cy - half_height, cx + half_width, cy + half_height}, placement);
    if (box) candidates->push_back({.label = best->label, .score = score, .box = *box});
  }

  ModelCard card_;
  std::vector<TensorSpec> outputs_;
  size_t tensor_;
  size_t columns_;
  std::vector<Grid> grids_;
  ScoreRule classes_;
};

}  // namespace

MadeDecoder MakeYoloxDecoder(const ModelCard& card, const std::vector<TensorSpec>& outputs) {
  const std::vector<Grid> grids = MakeGrids(card);
  if (grids.empty())
    return Error{ErrorCode::kBadInput, fmt::format("model '{}': the card gives no strides", card.name)};
  const auto rows = static_cast<int64_t>(grids.back().first_row + grids.back().columns * grids.back().rows);
  const auto columns = card.labels.empty() ? int64_t{0} : 5 + static_cast<int64_t>(card.labels.size());
  const auto fits = [&](const Shape& shape) {
    if (shape.empty() || shape.back() < 6 || (columns > 0 && shape.back() != columns)) return false;
    const auto table = AsTable(shape, shape.back());
    return table && (table->rows == rows || table->rows < 0);
  };
  const std::string expected =
      fmt::format("{} rows (the grids of a {}x{} input) of {} numbers (box, objectness, classes)", rows,
                  card.input.width, card.input.height, columns > 0 ? std::to_string(columns) : "6 or more");
  const OutputFinder finder(card, outputs);
  DE_TRY(const size_t tensor, finder.Find("boxes", card.output.boxes, fits, expected));
  return std::unique_ptr<OutputDecoder>(
      std::make_unique<YoloxDecoder>(card, outputs, tensor, outputs[tensor].shape.back()));
}

}  // namespace deepedge
