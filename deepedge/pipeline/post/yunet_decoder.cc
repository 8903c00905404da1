// YuNet faces: for every stride one class score, one objectness, a box and the points of the face. The centre and the
// points are counted in cells from the corner of the row's own cell, sizes are logarithms of cells. Score: the root of
// class times objectness. (The older form with anchors is read by box_table_decoder.cc.)
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "deepedge/pipeline/post/cell_table.h"
#include "deepedge/pipeline/post/decoders.h"
#include "deepedge/pipeline/post/nms.h"

namespace deepedge {
namespace {

constexpr size_t kPointsOfFace = 5;

struct Level {
  int stride = 0;
  GridSize grid;
  FoundTable scores;
  FoundTable quality;
  FoundTable boxes;
  FoundTable landmarks;
};

class YunetDecoder : public OutputDecoder {
 public:
  YunetDecoder(const ModelCard& card, std::vector<TensorSpec> outputs, std::vector<Level> levels)
      : card_(card), outputs_(std::move(outputs)), levels_(std::move(levels)) {}

  Result<InferenceResult> Decode(std::span<const TensorView> outputs, const Placement& placement) const override {
    DE_TRY_STATUS(CheckTensorCount(card_, outputs_.size(), outputs.size()));
    std::vector<DetectedObject> candidates;
    for (const Level& level : levels_) {
      for (const FoundTable* found : {&level.scores, &level.quality, &level.boxes, &level.landmarks}) {
        DE_TRY_STATUS(CheckTensor(card_, outputs_[found->tensor], outputs[found->tensor],
                                  static_cast<int64_t>(found->table.cells * found->table.numbers)));
      }
      const FloatReader scores(outputs[level.scores.tensor], card_.output.score_scale, card_.output.score_zero);
      const FloatReader quality(outputs[level.quality.tensor], card_.output.score_scale, card_.output.score_zero);
      for (size_t cell = 0; cell < level.grid.cells(); ++cell) {
        const float score = std::sqrt(Share(scores[level.scores.table.Index(cell, 0)]) *
                                      Share(quality[level.quality.table.Index(cell, 0)]));
        if (score >= card_.threshold && std::isfinite(score)) {
          AddCandidate(level, outputs, cell, score, placement, &candidates);
        }
      }
    }
    return InferenceResult{
        .objects = SuppressOverlaps(std::move(candidates), card_.output.nms_iou, card_.output.nms_per_label)};
  }

 private:
  float Share(float value) const {
    if (!std::isfinite(value)) return 0;
    return std::clamp(card_.output.sigmoid ? Logistic(value) : value, 0.0F, 1.0F);
  }

  void AddCandidate(const Level& level, std::span<const TensorView> outputs, size_t cell, float score,
                    const Placement& placement, std::vector<DetectedObject>* candidates) const {
    const FloatReader box(outputs[level.boxes.tensor]);
    const FloatReader points(outputs[level.landmarks.tensor]);
    const auto column = static_cast<float>(cell % level.grid.columns);
    const auto row = static_cast<float>(cell / level.grid.columns);
    const float step_x = static_cast<float>(level.stride) / static_cast<float>(card_.input.width);
    const float step_y = static_cast<float>(level.stride) / static_cast<float>(card_.input.height);
    const auto number = [&](size_t i) { return box[level.boxes.table.Index(cell, i)]; };
    const float cx = (column + number(0)) * step_x;
    const float cy = (row + number(1)) * step_y;
    const float half_width = std::exp(number(2)) * step_x / 2;
    const float half_height = std::exp(number(3)) * step_y / 2;
    const auto place = BoxInPicture({cx - half_width, cy - half_height, cx + half_width, cy + half_height}, placement);
    if (!place) return;
    DetectedObject object{.label = 0, .score = score, .box = *place};
    for (size_t i = 0; i < level.landmarks.table.numbers; i += 2) {
      const float x = (column + points[level.landmarks.table.Index(cell, i)]) * step_x;
      const float y = (row + points[level.landmarks.table.Index(cell, i + 1)]) * step_y;
      const auto point = PointInPicture({x, y}, placement);
      // A point that is no number keeps its place in the list with score 0.
      object.keypoints.push_back(point ? Keypoint{*point, score} : Keypoint{});
    }
    candidates->push_back(std::move(object));
  }

  ModelCard card_;
  std::vector<TensorSpec> outputs_;
  std::vector<Level> levels_;
};

// The names of a stride's tensors: those of the card, else those that YuNet's own export gives.
OutputHead NamesOf(const OutputHead& head) {
  const auto named = [&](const std::string& name, std::string_view word) {
    return name.empty() ? fmt::format("{}_{}", word, head.stride) : name;
  };
  return {.stride = head.stride,
          .boxes = named(head.boxes, "bbox"),
          .scores = named(head.scores, "cls"),
          .quality = named(head.quality, "obj"),
          .landmarks = named(head.landmarks, "kps"),
          .anchors = {}};
}

Result<Level> FindLevel(const ModelCard& card, const OutputFinder& finder, const OutputHead& head) {
  const OutputHead names = NamesOf(head);
  const size_t points = card.output.keypoints > 0 ? static_cast<size_t>(card.output.keypoints) : kPointsOfFace;
  Level level{.stride = head.stride,
              .grid = GridOf(card.input, head.stride),
              .scores = {},
              .quality = {},
              .boxes = {},
              .landmarks = {}};
  const auto find = [&](std::string_view role, const std::string& name, size_t numbers) {
    const auto fits = [&](const CellTable& table) { return table.numbers == numbers && HoldsGrid(table, level.grid); };
    return FindCells(finder, role, name, fits,
                     fmt::format("{} numbers for each of {}x{} cells", numbers, level.grid.columns, level.grid.rows));
  };
  DE_TRY(level.scores, find("scores", names.scores, 1));
  DE_TRY(level.quality, find("quality", names.quality, 1));
  DE_TRY(level.boxes, find("boxes", names.boxes, 4));
  DE_TRY(level.landmarks, find("landmarks", names.landmarks, 2 * points));
  return level;
}

}  // namespace

MadeDecoder MakeYunetDecoder(const ModelCard& card, const std::vector<TensorSpec>& outputs) {
  if (card.output.anchor_rule || !card.output.anchors.empty()) return MakeSsdAnchorsDecoder(card, outputs);
  const OutputFinder finder(card, outputs);
  std::vector<OutputHead> heads = card.output.heads;
  if (heads.empty()) {
    for (const int stride : card.output.strides) heads.push_back({.stride = stride});
  }
  std::vector<Level> levels;
  for (const OutputHead& head : heads) {
    if (head.stride < 1) {
      return Error{ErrorCode::kBadInput, fmt::format("model '{}': every head of yunet needs its stride", card.name)};
    }
    DE_TRY(levels.emplace_back(), FindLevel(card, finder, head));
  }
  if (levels.empty()) {
    return Error{ErrorCode::kBadInput, fmt::format("model '{}': the card gives no strides", card.name)};
  }
  return std::unique_ptr<OutputDecoder>(std::make_unique<YunetDecoder>(card, outputs, std::move(levels)));
}

}  // namespace deepedge
