// Two tensors with one row per candidate: boxes, and class scores. kBoxesScores: the boxes stand for themselves;
// kSsdAnchors: they are offsets from anchors. Key points stand behind the box numbers or in a tensor of their own
// (RetinaFace). kYunet with anchors: a third tensor, the IoU, weighs the scores.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "deepedge/pipeline/post/anchors.h"
#include "deepedge/pipeline/post/cell_table.h"
#include "deepedge/pipeline/post/decoders.h"
#include "deepedge/pipeline/post/nms.h"
#include "deepedge/pipeline/post/output_tensors.h"

namespace deepedge {
namespace {

constexpr int64_t kMostAnchors = 1'000'000;

struct Tables {
  size_t boxes = 0;   // which output
  size_t scores = 0;  // which output
  size_t rows = 0;
  size_t box_columns = 4;
  size_t score_columns = 0;
  std::optional<size_t> landmarks;  // which output; empty: behind the box numbers
  size_t landmark_columns = 0;
  std::optional<size_t> quality;  // which output
};

// A table of `rows` rows (0: of any number over one), or where rows are known the same numbers as one list.
bool HoldsRows(const Shape& shape, size_t rows, size_t columns) {
  const auto list = rows > 0 ? AsList(shape) : std::nullopt;
  if (list && columns > 1 && *list == static_cast<int64_t>(rows * columns)) return true;
  const auto table = AsTable(shape, static_cast<int64_t>(columns));
  if (!table || shape.back() < 0) return false;
  return rows == 0 ? table->rows > 1 : table->rows == static_cast<int64_t>(rows) || table->rows < 0;
}

// Key points in a tensor of their own, and the IoU.
Status FindExtras(const ModelCard& card, const OutputFinder& finder, Tables* tables) {
  const OutputDecoderSpec& spec = card.output;
  const auto find = [&](std::string_view role, const std::string& name, size_t columns, std::span<const size_t> taken) {
    const auto fits = [&](const Shape& shape) { return HoldsRows(shape, tables->rows, columns); };
    return finder.Find(role, name, fits, fmt::format("{} rows of {} numbers", tables->rows, columns), taken);
  };
  std::vector<size_t> taken{tables->boxes, tables->scores};
  if (spec.keypoints > 0 && tables->box_columns == 4) {
    tables->landmark_columns = 2 * static_cast<size_t>(spec.keypoints);
    DE_TRY(tables->landmarks, find("landmarks", spec.landmarks, tables->landmark_columns, taken));
    taken.push_back(*tables->landmarks);
  }
  if (spec.kind == OutputDecoderKind::kYunet) {
    DE_TRY(tables->quality, find("quality", spec.quality, 1, taken));
  }
  return Status::Ok();
}

// Whether points stand behind the box numbers: where some output has such rows and the card names no tensor of points.
bool PointsInRows(const ModelCard& card, const std::vector<TensorSpec>& outputs, size_t rows) {
  if (card.output.keypoints == 0 || !card.output.landmarks.empty()) return false;
  const size_t columns = 4 + 2 * static_cast<size_t>(card.output.keypoints);
  return std::any_of(outputs.begin(), outputs.end(),
                     [&](const TensorSpec& spec) { return HoldsRows(spec.shape, rows, columns); });
}

// Finds both outputs. `rows` is 0 where the card does not say.
Result<Tables> FindTables(const ModelCard& card, const std::vector<TensorSpec>& outputs, size_t rows) {
  const OutputFinder finder(card, outputs);
  Tables tables{.rows = rows};
  if (PointsInRows(card, outputs, rows)) tables.box_columns += 2 * static_cast<size_t>(card.output.keypoints);
  const auto fits_boxes = [&](const Shape& shape) { return HoldsRows(shape, tables.rows, tables.box_columns); };
  const std::string row_text = rows == 0 ? "rows" : fmt::format("{} rows", rows);
  DE_TRY(tables.boxes, finder.Find("boxes", card.output.boxes, fits_boxes,
                                   fmt::format("{} of {} numbers", row_text, tables.box_columns)));
  if (rows == 0) {
    const auto table = AsTable(outputs[tables.boxes].shape, static_cast<int64_t>(tables.box_columns));
    tables.rows = static_cast<size_t>(table->rows);
  }

  const int64_t columns = ScoreRule::Columns(card.output, card.labels.size());
  const auto fits_scores = [&](const Shape& shape) {
    if (shape.empty()) return false;
    return HoldsRows(shape, tables.rows,
                     static_cast<size_t>(columns > 0 ? columns : std::max<int64_t>(shape.back(), 1)));
  };
  const size_t taken[] = {tables.boxes};
  DE_TRY(tables.scores, finder.Find("scores", card.output.scores, fits_scores,
                                    fmt::format("{} rows of {} class scores", tables.rows,
                                                columns > 0 ? std::to_string(columns) : std::string("one or more")),
                                    taken));
  tables.score_columns = static_cast<size_t>(columns > 0 ? columns : outputs[tables.scores].shape.back());
  DE_TRY_STATUS(FindExtras(card, finder, &tables));
  return tables;
}

class BoxTableDecoder : public OutputDecoder {
 public:
  // `anchors` is empty for boxes that stand for themselves.
  BoxTableDecoder(const ModelCard& card, std::vector<TensorSpec> outputs, const Tables& tables,
                  std::vector<Anchor> anchors)
      : card_(card),
        outputs_(std::move(outputs)),
        tables_(tables),
        anchors_(std::move(anchors)),
        scores_(card.output, card.threshold) {}

  Result<InferenceResult> Decode(std::span<const TensorView> outputs, const Placement& placement) const override {
    DE_TRY_STATUS(CheckTensorCount(card_, outputs_.size(), outputs.size()));
    DE_TRY_STATUS(CheckTable(outputs, tables_.boxes, tables_.box_columns));
    DE_TRY_STATUS(CheckTable(outputs, tables_.scores, tables_.score_columns));
    if (tables_.landmarks) DE_TRY_STATUS(CheckTable(outputs, *tables_.landmarks, tables_.landmark_columns));
    if (tables_.quality) DE_TRY_STATUS(CheckTable(outputs, *tables_.quality, 1));
    const FloatReader box_values(outputs[tables_.boxes]);
    const FloatReader score_values(outputs[tables_.scores], card_.output.score_scale, card_.output.score_zero);

    std::vector<DetectedObject> candidates;
    std::vector<float> scratch;
    for (size_t row = 0; row < tables_.rows; ++row) {
      const size_t first = row * tables_.score_columns;
      auto best = scores_.Best(score_values.Row(first, tables_.score_columns, &scratch));
      if (!best || !Weigh(outputs, row, &*best)) continue;
      const auto numbers = box_values.Row(row * tables_.box_columns, tables_.box_columns, &scratch);
      auto object = MakeObject(row, numbers, *best, placement);
      if (!object) continue;
      if (tables_.landmarks) AddLandmarks(outputs, row, placement, &*object);
      candidates.push_back(std::move(*object));
    }
    return InferenceResult{
        .objects = SuppressOverlaps(std::move(candidates), card_.output.nms_iou, card_.output.nms_per_label)};
  }

 private:
  Status CheckTable(std::span<const TensorView> outputs, size_t index, size_t columns) const {
    return CheckTensor(card_, outputs_[index], outputs[index], static_cast<int64_t>(tables_.rows * columns));
  }

  // Puts the IoU into the score; false where it is then too low.
  bool Weigh(std::span<const TensorView> outputs, size_t row, BestClass* best) const {
    if (!tables_.quality) return true;
    const FloatReader quality(outputs[*tables_.quality], card_.output.score_scale, card_.output.score_zero);
    const float value = quality[row];
    if (!std::isfinite(value)) return false;
    best->score = std::sqrt(best->score * std::clamp(value, 0.0F, 1.0F));
    return best->score >= card_.threshold;
  }

  void AddLandmarks(std::span<const TensorView> outputs, size_t row, const Placement& placement,
                    DetectedObject* object) const {
    const FloatReader values(outputs[*tables_.landmarks]);
    std::vector<float> scratch;
    AddPoints(row, values.Row(row * tables_.landmark_columns, tables_.landmark_columns, &scratch), placement, object);
  }

  std::optional<DetectedObject> MakeObject(size_t row, std::span<const float> numbers, const BestClass& best,
                                           const Placement& placement) const {
    const auto box = BoxInPicture(anchors_.empty() ? PlainBox(numbers) : FromAnchor(anchors_[row], numbers), placement);
    if (!box) return std::nullopt;
    DetectedObject object{.label = best.label, .score = best.score, .box = *box};
    AddPoints(row, numbers.subspan(4), placement, &object);
    return object;
  }

  void AddPoints(size_t row, std::span<const float> numbers, const Placement& placement, DetectedObject* object) const {
    for (size_t i = 0; i + 1 < numbers.size(); i += 2) {
      const auto point = PointInPicture(KeypointAt(row, numbers.subspan(i, 2)), placement);
      // A point that is no number keeps its place in the list with score 0.
      object->keypoints.push_back(point ? Keypoint{*point, object->score} : Keypoint{});
    }
  }

  // The two numbers of a position as (x, y) in fractions of the input.
  std::pair<float, float> Ordered(float first, float second) const {
    if (card_.output.yx_order) std::swap(first, second);
    return {first, second};
  }
  float WidthUnit() const { return card_.output.normalized ? 1.0F : static_cast<float>(card_.input.width); }
  float HeightUnit() const { return card_.output.normalized ? 1.0F : static_cast<float>(card_.input.height); }

  Box PlainBox(std::span<const float> numbers) const {
    const auto [a, b] = Ordered(numbers[0], numbers[1]);
    const auto [c, d] = Ordered(numbers[2], numbers[3]);
    const float ordered[] = {a, b, c, d};
    return BoxOfNumbers(card_, card_.output.box_form.value_or(BoxForm::kCorners), ordered);
  }

  Box FromAnchor(const Anchor& anchor, std::span<const float> numbers) const {
    const auto [tx, ty] = Ordered(numbers[0], numbers[1]);
    const auto [tw, th] = Ordered(numbers[2], numbers[3]);
    float width = 0;
    float height = 0;
    Point centre;
    if (card_.output.linear_offsets) {
      centre = LinearPoint(anchor, tx, ty);
      width = tw / static_cast<float>(card_.input.width) * anchor.width;
      height = th / static_cast<float>(card_.input.height) * anchor.height;
    } else {
      const auto& v = card_.output.variances;
      centre = {anchor.cx + tx * v[0] * anchor.width, anchor.cy + ty * v[1] * anchor.height};
      width = anchor.width * std::exp(tw * v[2]);
      height = anchor.height * std::exp(th * v[3]);
    }
    return {centre.x - width / 2, centre.y - height / 2, centre.x + width / 2, centre.y + height / 2};
  }

  Point LinearPoint(const Anchor& anchor, float x, float y) const {
    return {anchor.cx + x / static_cast<float>(card_.input.width) * anchor.width,
            anchor.cy + y / static_cast<float>(card_.input.height) * anchor.height};
  }

  Point KeypointAt(size_t row, std::span<const float> numbers) const {
    const auto [x, y] = Ordered(numbers[0], numbers[1]);
    if (anchors_.empty()) return {x / WidthUnit(), y / HeightUnit()};
    const Anchor& anchor = anchors_[row];
    if (card_.output.linear_offsets) return LinearPoint(anchor, x, y);
    const auto& v = card_.output.variances;
    return {anchor.cx + x * v[0] * anchor.width, anchor.cy + y * v[1] * anchor.height};
  }

  ModelCard card_;
  std::vector<TensorSpec> outputs_;
  Tables tables_;
  std::vector<Anchor> anchors_;
  ScoreRule scores_;
};

}  // namespace

MadeDecoder MakeBoxesScoresDecoder(const ModelCard& card, const std::vector<TensorSpec>& outputs) {
  DE_TRY(const Tables tables, FindTables(card, outputs, 0));
  return std::unique_ptr<OutputDecoder>(
      std::make_unique<BoxTableDecoder>(card, outputs, tables, std::vector<Anchor>{}));
}

MadeDecoder MakeSsdAnchorsDecoder(const ModelCard& card, const std::vector<TensorSpec>& outputs) {
  const std::vector<AnchorLevel> levels =
      card.output.anchor_rule ? MakeAnchorLevels(*card.output.anchor_rule, card.input.width, card.input.height)
                              : card.output.anchors;
  const int64_t count = CountAnchors(levels);
  if (count < 1 || count > kMostAnchors) {
    return Error{ErrorCode::kBadInput, fmt::format("model '{}': the card gives {} anchors, expected 1 to {}", card.name,
                                                   count, kMostAnchors)};
  }
  std::vector<Anchor> anchors = ListAnchors(levels);
  DE_TRY(const Tables tables, FindTables(card, outputs, anchors.size()));
  return std::unique_ptr<OutputDecoder>(std::make_unique<BoxTableDecoder>(card, outputs, tables, std::move(anchors)));
}

}  // namespace deepedge
