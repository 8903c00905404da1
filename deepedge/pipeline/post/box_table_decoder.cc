// Two tensors with one row per candidate: boxes, and class scores. kBoxesScores: the boxes are corners as they stand;
// kSsdAnchors: they are offsets from anchors, and may carry key points.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "deepedge/pipeline/post/anchors.h"
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
};

// Finds both outputs. `rows` is 0 where the card does not say.
Result<Tables> FindTables(const ModelCard& card, const std::vector<TensorSpec>& outputs, size_t rows) {
  const OutputFinder finder(card, outputs);
  Tables tables{.rows = rows, .box_columns = 4 + 2 * static_cast<size_t>(card.output.keypoints)};
  const auto has_rows = [&tables](const TableShape& table) {
    return tables.rows == 0 ? table.rows > 1 : table.rows == static_cast<int64_t>(tables.rows) || table.rows < 0;
  };
  const auto fits_boxes = [&](const Shape& shape) {
    const auto table = AsTable(shape, static_cast<int64_t>(tables.box_columns));
    return table && has_rows(*table);
  };
  const std::string row_text = rows == 0 ? "rows" : fmt::format("{} rows", rows);
  DE_TRY(tables.boxes, finder.Find("boxes", card.output.boxes, fits_boxes,
                                   fmt::format("{} of {} numbers", row_text, tables.box_columns)));
  if (rows == 0) {
    const auto table = AsTable(outputs[tables.boxes].shape, static_cast<int64_t>(tables.box_columns));
    tables.rows = static_cast<size_t>(table->rows);
  }

  const int64_t columns = ScoreRule::Columns(card.output, card.labels.size());
  const auto fits_scores = [&](const Shape& shape) {
    if (shape.empty() || shape.back() < 1 || (columns > 0 && shape.back() != columns)) return false;
    const auto table = AsTable(shape, shape.back());
    return table && has_rows(*table);
  };
  const size_t taken[] = {tables.boxes};
  DE_TRY(tables.scores, finder.Find("scores", card.output.scores, fits_scores,
                                    fmt::format("{} rows of {} class scores", tables.rows,
                                                columns > 0 ? std::to_string(columns) : std::string("one or more")),
                                    taken));
  tables.score_columns = static_cast<size_t>(outputs[tables.scores].shape.back());
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
    const TensorView& boxes = outputs[tables_.boxes];
    const TensorView& scores = outputs[tables_.scores];
    DE_TRY_STATUS(
        CheckTensor(card_, outputs_[tables_.boxes], boxes, static_cast<int64_t>(tables_.rows * tables_.box_columns)));
    DE_TRY_STATUS(CheckTensor(card_, outputs_[tables_.scores], scores,
                              static_cast<int64_t>(tables_.rows * tables_.score_columns)));
    const FloatReader box_values(boxes);
    const FloatReader score_values(scores, card_.output.score_scale, card_.output.score_zero);

    std::vector<DetectedObject> candidates;
    std::vector<float> scratch;
    for (size_t row = 0; row < tables_.rows; ++row) {
      const size_t first = row * tables_.score_columns;
      const auto best = scores_.Best(score_values.Row(first, tables_.score_columns, &scratch));
      if (!best) continue;
      const auto numbers = box_values.Row(row * tables_.box_columns, tables_.box_columns, &scratch);
      if (auto object = MakeObject(row, numbers, *best, placement)) candidates.push_back(std::move(*object));
    }
    return InferenceResult{
        .objects = SuppressOverlaps(std::move(candidates), card_.output.nms_iou, card_.output.nms_per_label)};
  }

 private:
  std::optional<DetectedObject> MakeObject(size_t row, std::span<const float> numbers, const BestClass& best,
                                           const Placement& placement) const {
    const auto box = BoxInPicture(anchors_.empty() ? Corners(numbers) : FromAnchor(anchors_[row], numbers), placement);
    if (!box) return std::nullopt;
    DetectedObject object{.label = best.label, .score = best.score, .box = *box};
    for (size_t i = 4; i + 1 < numbers.size(); i += 2) {
      const auto point = PointInPicture(KeypointAt(row, numbers.subspan(i, 2)), placement);
      // A point that is no number keeps its place in the list with score 0.
      object.keypoints.push_back(point ? Keypoint{*point, best.score} : Keypoint{});
    }
    return object;
  }

  // The two numbers of a position as (x, y) in fractions of the input.
  std::pair<float, float> Ordered(float first, float second) const {
    if (card_.output.yx_order) std::swap(first, second);
    return {first, second};
  }
  float WidthUnit() const { return card_.output.normalized ? 1.0F : static_cast<float>(card_.input.width); }
  float HeightUnit() const { return card_.output.normalized ? 1.0F : static_cast<float>(card_.input.height); }

  Box Corners(std::span<const float> numbers) const {
    const auto [x1, y1] = Ordered(numbers[0], numbers[1]);
    const auto [x2, y2] = Ordered(numbers[2], numbers[3]);
    return {x1 / WidthUnit(), y1 / HeightUnit(), x2 / WidthUnit(), y2 / HeightUnit()};
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
