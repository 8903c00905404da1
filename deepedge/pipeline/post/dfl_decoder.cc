// Anchor-free heads whose boxes are the distances of the four sides (left, top, right, bottom) from the cell: each one
// number (FCOS, SCRFD) or the mean of a distribution over 0 .. bins - 1 (NanoDet, YOLOv8, PicoDet). The tensors come in
// one of these forms:
//   one tensor of all cells with scores and box (rows, or numbers first)
//   scores and boxes apart, each with all cells
//   for every stride one map or list with both, or one each; key points and a quality may come beside them
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include "deepedge/pipeline/post/cell_table.h"
#include "deepedge/pipeline/post/decoders.h"
#include "deepedge/pipeline/post/nms.h"

namespace deepedge {
namespace {

constexpr size_t kMostCells = 4'000'000;

struct Level {
  int stride = 0;
  GridSize grid;
  GridBlock scores;
  GridBlock boxes;
  std::optional<GridBlock> quality;
  std::optional<GridBlock> landmarks;
};

// The sizes that all levels share.
struct Sizes {
  size_t boxes_per_cell = 1;
  size_t box_numbers = 4;
  size_t classes = 0;  // 0: not known yet
  size_t landmark_numbers = 0;
};

Sizes SizesOf(const ModelCard& card) {
  return {.boxes_per_cell = static_cast<size_t>(card.output.boxes_per_cell),
          .box_numbers = 4 * static_cast<size_t>(card.output.bins),
          .classes = static_cast<size_t>(ScoreRule::Columns(card.output, card.labels.size())),
          .landmark_numbers = 2 * static_cast<size_t>(card.output.keypoints)};
}

class DflDecoder : public OutputDecoder {
 public:
  DflDecoder(const ModelCard& card, std::vector<TensorSpec> outputs, std::vector<Level> levels, const Sizes& sizes)
      : card_(card),
        outputs_(std::move(outputs)),
        levels_(std::move(levels)),
        sizes_(sizes),
        cell_offset_(card.output.cell_offset.value_or(0.5F)),
        classes_(card.output, card.threshold) {}

  Result<InferenceResult> Decode(std::span<const TensorView> outputs, const Placement& placement) const override {
    DE_TRY_STATUS(CheckTensorCount(card_, outputs_.size(), outputs.size()));
    std::vector<DetectedObject> candidates;
    for (const Level& level : levels_) {
      for (const GridBlock* block : {&level.scores, &level.boxes, level.quality ? &*level.quality : nullptr,
                                     level.landmarks ? &*level.landmarks : nullptr}) {
        if (block == nullptr) continue;
        DE_TRY_STATUS(CheckTensor(card_, outputs_[block->tensor], outputs[block->tensor],
                                  static_cast<int64_t>(block->table.cells * block->table.numbers)));
      }
      AddCandidates(level, outputs, placement, &candidates);
    }
    return InferenceResult{
        .objects = SuppressOverlaps(std::move(candidates), card_.output.nms_iou, card_.output.nms_per_label)};
  }

 private:
  void AddCandidates(const Level& level, std::span<const TensorView> outputs, const Placement& placement,
                     std::vector<DetectedObject>* candidates) const {
    const auto& spec = card_.output;
    const FloatReader scores(outputs[level.scores.tensor], spec.score_scale, spec.score_zero);
    std::vector<float> row(sizes_.classes);
    for (size_t cell = 0; cell < level.grid.cells(); ++cell) {
      for (size_t box = 0; box < sizes_.boxes_per_cell; ++box) {
        for (size_t i = 0; i < row.size(); ++i) row[i] = scores[level.scores.Index(cell, box, i)];
        const auto best = classes_.Best(row);
        if (!best) continue;
        const float score = best->score * QualityAt(level, outputs, cell, box);
        if (!(score >= card_.threshold) || !std::isfinite(score)) continue;
        const auto place = BoxInPicture(BoxAt(level, outputs, cell, box), placement);
        if (!place) continue;
        candidates->push_back({.label = best->label, .score = score, .box = *place});
        AddPoints(level, outputs, cell, box, placement, &candidates->back());
      }
    }
  }

  float QualityAt(const Level& level, std::span<const TensorView> outputs, size_t cell, size_t box) const {
    if (!level.quality) return 1;
    const FloatReader values(outputs[level.quality->tensor], card_.output.score_scale, card_.output.score_zero);
    const float value = values[level.quality->Index(cell, box, 0)];
    return card_.output.sigmoid ? Logistic(value) : value;
  }

  // Where the cell itself lies, in pixels of the input.
  Point Centre(const Level& level, size_t cell) const {
    return {(static_cast<float>(cell % level.grid.columns) + cell_offset_) * static_cast<float>(level.stride),
            (static_cast<float>(cell / level.grid.columns) + cell_offset_) * static_cast<float>(level.stride)};
  }
  float Unit(const Level& level) const {
    return card_.output.distances_in_pixels ? 1.0F : static_cast<float>(level.stride);
  }

  Box BoxAt(const Level& level, std::span<const TensorView> outputs, size_t cell, size_t box) const {
    const FloatReader values(outputs[level.boxes.tensor]);
    std::array<float, 4> sides{};
    for (size_t side = 0; side < 4; ++side) sides[side] = Distance(values, level.boxes, cell, box, side) * Unit(level);
    const Point centre = Centre(level, cell);
    const auto width = static_cast<float>(card_.input.width);
    const auto height = static_cast<float>(card_.input.height);
    return {(centre.x - sides[0]) / width, (centre.y - sides[1]) / height, (centre.x + sides[2]) / width,
            (centre.y + sides[3]) / height};
  }

  float Distance(const FloatReader& values, const GridBlock& block, size_t cell, size_t box, size_t side) const {
    const auto bins = static_cast<size_t>(card_.output.bins);
    const auto at = [&](size_t bin) { return values[block.Index(cell, box, side * bins + bin)]; };
    if (bins == 1) return at(0);
    float most = at(0);
    for (size_t bin = 1; bin < bins; ++bin) most = std::max(most, at(bin));
    float sum = 0;
    float weighted = 0;
    for (size_t bin = 0; bin < bins; ++bin) {
      const float weight = std::exp(at(bin) - most);
      sum += weight;
      weighted += weight * static_cast<float>(bin);
    }
    return weighted / sum;
  }

  void AddPoints(const Level& level, std::span<const TensorView> outputs, size_t cell, size_t box,
                 const Placement& placement, DetectedObject* object) const {
    if (!level.landmarks) return;
    const FloatReader values(outputs[level.landmarks->tensor]);
    const Point centre = Centre(level, cell);
    for (size_t i = 0; i < sizes_.landmark_numbers; i += 2) {
      const float x = centre.x + values[level.landmarks->Index(cell, box, i)] * Unit(level);
      const float y = centre.y + values[level.landmarks->Index(cell, box, i + 1)] * Unit(level);
      const auto point = PointInPicture(
          {x / static_cast<float>(card_.input.width), y / static_cast<float>(card_.input.height)}, placement);
      // A point that is no number keeps its place in the list with score 0.
      object->keypoints.push_back(point ? Keypoint{*point, object->score} : Keypoint{});
    }
  }

  ModelCard card_;
  std::vector<TensorSpec> outputs_;
  std::vector<Level> levels_;
  Sizes sizes_;
  float cell_offset_;
  ScoreRule classes_;
};

// Finds the tensors of all levels, trying the forms one after the other.
class LevelFinder {
 public:
  LevelFinder(const ModelCard& card, const OutputFinder& finder) : card_(card), finder_(finder), sizes_(SizesOf(card)) {
    const auto add = [this](int stride) { levels_.push_back({.stride = stride, .grid = GridOf(card_.input, stride)}); };
    if (card.output.heads.empty()) {
      for (const int stride : card.output.strides) add(stride);
    } else {
      for (const OutputHead& head : card.output.heads) add(head.stride);
    }
    for (const Level& level : levels_) all_.columns += level.grid.cells();
    all_.rows = 1;
  }

  const Sizes& sizes() const { return sizes_; }
  const GridSize& all() const { return all_; }

  // Apart before together: a tensor of scores alone could be taken for one of both where the class count is open.
  Result<std::vector<Level>> Find() {
    const bool only_apart = !card_.output.heads.empty() || card_.output.objectness || sizes_.landmark_numbers > 0;
    const auto works = [this](Status (LevelFinder::*form)()) {
      sizes_ = SizesOf(card_);
      return (this->*form)().ok();
    };
    if (!only_apart && works(&LevelFinder::AllApart)) return levels_;
    sizes_ = SizesOf(card_);
    const Status apart = EachApart();
    if (apart.ok()) return levels_;
    if (only_apart) return apart.error();
    if (works(&LevelFinder::AllInOne) || works(&LevelFinder::EachInOne)) return levels_;
    sizes_ = SizesOf(card_);
    return finder_.NoneFits(
        "boxes", fmt::format("{} cells (the grids of a {}x{} input) or the cells of each stride, with {} and {} "
                             "distances, together or apart",
                             all_.cells(), card_.input.width, card_.input.height,
                             ClassCountText(static_cast<int64_t>(sizes_.classes)), sizes_.box_numbers));
  }

 private:
  size_t P() const { return sizes_.boxes_per_cell; }

  // Tables of all boxes of a grid with `numbers` numbers each; 0: any number over `more_than`.
  Result<FoundTable> FindGrid(std::string_view role, const std::string& name, const GridSize& grid, size_t numbers,
                              size_t more_than, std::span<const size_t> taken) const {
    const auto fits = [&](const CellTable& table) {
      if (!HoldsGrid(table, grid, P())) return false;
      const size_t boxes_together = table.cells == grid.cells() ? P() : 1;
      if (table.numbers % boxes_together != 0) return false;
      const size_t each = table.numbers / boxes_together;
      return numbers > 0 ? each == numbers : each > more_than;
    };
    const std::string count = numbers > 0 ? std::to_string(numbers) : fmt::format("{} or more", more_than + 1);
    return FindCells(finder_, role, name, fits,
                     fmt::format("{} numbers for each of {}x{} cells", count, grid.columns, grid.rows), taken);
  }

  size_t NumbersEach(const FoundTable& found, const GridSize& grid) const {
    return found.table.cells == grid.cells() ? found.table.numbers / P() : found.table.numbers;
  }

  // Notes the class count where the labels did not say it; a second, other count is refused.
  Status SetClasses(const FoundTable& found, size_t classes) {
    if (sizes_.classes == 0) sizes_.classes = classes;
    if (sizes_.classes == classes) return Status::Ok();
    return finder_.Misfit(found.tensor,
                          fmt::format("expected {} class scores as in the other outputs", sizes_.classes));
  }

  // The blocks of a tensor with both scores and boxes.
  void SetTogether(const FoundTable& found, const GridSize& grid, Level* level) const {
    const size_t numbers = sizes_.classes + sizes_.box_numbers;
    level->scores = level->boxes = BlockOf(found, grid, P(), numbers);
    (card_.output.boxes_first ? level->scores : level->boxes).first_number =
        card_.output.boxes_first ? sizes_.box_numbers : sizes_.classes;
  }

  Status AllInOne() {
    const size_t numbers = sizes_.classes > 0 ? sizes_.classes + sizes_.box_numbers : 0;
    DE_TRY(const FoundTable found, FindGrid("boxes", card_.output.boxes, all_, numbers, sizes_.box_numbers, {}));
    DE_TRY_STATUS(SetClasses(found, NumbersEach(found, all_) - sizes_.box_numbers));
    size_t first_cell = 0;
    for (Level& level : levels_) {
      SetTogether(found, all_, &level);
      for (GridBlock* block : {&level.scores, &level.boxes}) block->first_cell = first_cell * block->cell_rows;
      first_cell += level.grid.cells();
    }
    return Status::Ok();
  }

  Status AllApart() {
    DE_TRY(const FoundTable boxes, FindGrid("boxes", card_.output.boxes, all_, sizes_.box_numbers, 0, {}));
    const size_t taken[] = {boxes.tensor};
    DE_TRY(const FoundTable scores, FindGrid("scores", card_.output.scores, all_, sizes_.classes, 0, taken));
    DE_TRY_STATUS(SetClasses(scores, NumbersEach(scores, all_)));
    size_t first_cell = 0;
    for (Level& level : levels_) {
      level.boxes = BlockOf(boxes, all_, P(), sizes_.box_numbers);
      level.scores = BlockOf(scores, all_, P(), sizes_.classes);
      for (GridBlock* block : {&level.scores, &level.boxes}) block->first_cell = first_cell * block->cell_rows;
      first_cell += level.grid.cells();
    }
    return Status::Ok();
  }

  Status EachInOne() {
    for (Level& level : levels_) {
      const size_t numbers = sizes_.classes > 0 ? sizes_.classes + sizes_.box_numbers : 0;
      DE_TRY(const FoundTable found, FindGrid("boxes", "", level.grid, numbers, sizes_.box_numbers, {}));
      DE_TRY_STATUS(SetClasses(found, NumbersEach(found, level.grid) - sizes_.box_numbers));
      SetTogether(found, level.grid, &level);
    }
    return Status::Ok();
  }

  Status EachApart() {
    std::vector<size_t> taken;
    for (size_t i = 0; i < levels_.size(); ++i) {
      Level& level = levels_[i];
      const OutputHead named = card_.output.heads.empty() ? OutputHead{} : card_.output.heads[i];
      const auto find = [&](std::string_view role, const std::string& name, size_t numbers) -> Result<FoundTable> {
        DE_TRY(const FoundTable found, FindGrid(role, name, level.grid, numbers, 0, taken));
        taken.push_back(found.tensor);
        return found;
      };
      DE_TRY(const FoundTable boxes, find("boxes", named.boxes, sizes_.box_numbers));
      level.boxes = BlockOf(boxes, level.grid, P(), sizes_.box_numbers);
      if (sizes_.landmark_numbers > 0) {
        DE_TRY(const FoundTable landmarks, find("landmarks", named.landmarks, sizes_.landmark_numbers));
        level.landmarks = BlockOf(landmarks, level.grid, P(), sizes_.landmark_numbers);
      }
      DE_TRY(const FoundTable scores, find("scores", named.scores, sizes_.classes));
      DE_TRY_STATUS(SetClasses(scores, NumbersEach(scores, level.grid)));
      level.scores = BlockOf(scores, level.grid, P(), sizes_.classes);
      if (card_.output.objectness) {
        DE_TRY(const FoundTable quality, find("quality", named.quality, 1));
        level.quality = BlockOf(quality, level.grid, P(), 1);
      }
    }
    return Status::Ok();
  }

  const ModelCard& card_;
  const OutputFinder& finder_;
  Sizes sizes_;
  std::vector<Level> levels_;
  GridSize all_;  // all cells in one row
};

}  // namespace

MadeDecoder MakeDflDecoder(const ModelCard& card, const std::vector<TensorSpec>& outputs) {
  const auto& heads = card.output.heads;
  if (std::any_of(heads.begin(), heads.end(), [](const OutputHead& head) { return head.stride < 1; })) {
    return Error{ErrorCode::kBadInput, fmt::format("model '{}': every head of dfl needs its stride", card.name)};
  }
  const OutputFinder finder(card, outputs);
  LevelFinder levels(card, finder);
  if (levels.all().cells() == 0 || levels.all().cells() > kMostCells) {
    return Error{ErrorCode::kBadInput, fmt::format("model '{}': {} cells of all strides, expected 1 to {}", card.name,
                                                   levels.all().cells(), kMostCells)};
  }
  DE_TRY(std::vector<Level> found, levels.Find());
  return std::unique_ptr<OutputDecoder>(std::make_unique<DflDecoder>(card, outputs, std::move(found), levels.sizes()));
}

}  // namespace deepedge
