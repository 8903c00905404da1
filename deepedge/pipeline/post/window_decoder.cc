// Windows: for each window of the input (a square of `window` pixels every `stride` pixels, or the whole input) the
// scores of what it holds, how far the corners of the box lie from those of the window (x1 y1 x2 y2) and the places of
// points (all x, then all y), both as shares of the window's size. Boxes and points may leave the window, and with it
// the picture: nothing is cut here.
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include "deepedge/pipeline/post/decoders.h"
#include "deepedge/pipeline/post/nms.h"
#include "deepedge/pipeline/post/output_tensors.h"

namespace deepedge {
namespace {

// A tensor as so many numbers for each window.
struct WindowMap {
  size_t columns = 0;
  size_t rows = 0;
  size_t numbers = 0;
  size_t column_step = 0;  // elements between two windows beside each other
  size_t row_step = 0;
  size_t number_step = 0;

  size_t Index(size_t column, size_t row, size_t number) const {
    return column * column_step + row * row_step + number * number_step;
  }
  int64_t Elements() const { return static_cast<int64_t>(columns * rows * numbers); }
};

struct FoundMap {
  size_t tensor = 0;
  WindowMap map;
};

// [1, C] is one window; of four dimensions two are the map's, in the order in which the input holds the picture.
std::optional<WindowMap> AsWindows(const Shape& shape, const PictureInput& input) {
  constexpr int64_t kMost = 1 << 15;
  Shape sizes = shape;
  if (!sizes.empty() && sizes[0] < 0) sizes[0] = 1;
  for (const int64_t size : sizes) {
    if (size < 1 || size > kMost) return std::nullopt;
  }
  if (sizes.size() == 2 && sizes[0] == 1) return WindowMap{1, 1, static_cast<size_t>(sizes[1]), 0, 0, 1};
  if (sizes.size() != 4 || sizes[0] != 1) return std::nullopt;
  const bool numbers_first = input.layout == TensorLayout::kNchw;
  const auto numbers = static_cast<size_t>(sizes[numbers_first ? 1 : 3]);
  const auto outer = static_cast<size_t>(sizes[numbers_first ? 2 : 1]);
  const auto inner = static_cast<size_t>(sizes[numbers_first ? 3 : 2]);
  const size_t inner_step = numbers_first ? 1 : numbers;
  const size_t number_step = numbers_first ? outer * inner : 1;
  const size_t outer_step = inner * inner_step;
  if (input.transposed) return WindowMap{outer, inner, numbers, outer_step, inner_step, number_step};
  return WindowMap{inner, outer, numbers, inner_step, outer_step, number_step};
}

// No thing that a window shows, and none of its points, lies further from it, in sides of the window.
bool IsNear(float offset) { return std::abs(offset) <= 4; }  // false for NaN

// Whether windows of the card lie inside its input; the last may reach over its end by less than a stride.
bool FitsInput(const WindowMap& map, const ModelCard& card) {
  const OutputDecoderSpec& spec = card.output;
  if (spec.window == 0) return map.columns == 1 && map.rows == 1;
  const auto fits = [&](size_t count, int side) {
    return static_cast<int64_t>(count - 1) * spec.stride + spec.window < int64_t{side} + spec.stride;
  };
  return fits(map.columns, card.input.width) && fits(map.rows, card.input.height);
}

class WindowDecoder : public OutputDecoder {
 public:
  WindowDecoder(const ModelCard& card, std::vector<TensorSpec> outputs, const FoundMap& scores, const FoundMap& offsets,
                std::optional<FoundMap> points)
      : card_(card),
        outputs_(std::move(outputs)),
        scores_(scores),
        offsets_(offsets),
        points_(points),
        rule_(card.output, card.threshold) {}

  Result<InferenceResult> Decode(std::span<const TensorView> outputs, const Placement& placement) const override {
    DE_TRY_STATUS(CheckTensorCount(card_, outputs_.size(), outputs.size()));
    for (const FoundMap* found : {&scores_, &offsets_, points_ ? &*points_ : &scores_}) {
      DE_TRY_STATUS(CheckTensor(card_, outputs_[found->tensor], outputs[found->tensor], found->map.Elements()));
    }
    const FloatReader scores(outputs[scores_.tensor], card_.output.score_scale, card_.output.score_zero);
    std::vector<DetectedObject> candidates;
    std::vector<float> row(scores_.map.numbers);
    for (size_t y = 0; y < scores_.map.rows; ++y) {
      for (size_t x = 0; x < scores_.map.columns; ++x) {
        for (size_t n = 0; n < row.size(); ++n) row[n] = scores[scores_.map.Index(x, y, n)];
        const auto best = rule_.Best(row);
        if (best) AddCandidate(outputs, x, y, *best, placement, &candidates);
      }
    }
    return InferenceResult{
        .objects = SuppressOverlaps(std::move(candidates), card_.output.nms_iou, card_.output.nms_per_label)};
  }

 private:
  // In fractions of the input.
  Box WindowAt(size_t column, size_t row) const {
    if (card_.output.window == 0) return {0, 0, 1, 1};
    const auto width = static_cast<float>(card_.input.width);
    const auto height = static_cast<float>(card_.input.height);
    const auto left = static_cast<float>(column) * static_cast<float>(card_.output.stride);
    const auto top = static_cast<float>(row) * static_cast<float>(card_.output.stride);
    const auto side = static_cast<float>(card_.output.window);
    return {left / width, top / height, (left + side) / width, (top + side) / height};
  }

  void AddCandidate(std::span<const TensorView> outputs, size_t column, size_t row, const BestClass& best,
                    const Placement& placement, std::vector<DetectedObject>* candidates) const {
    const Box window = WindowAt(column, row);
    const float width = window.x2 - window.x1;
    const float height = window.y2 - window.y1;
    const FloatReader offsets(outputs[offsets_.tensor]);
    const auto offset = [&](size_t n) { return offsets[offsets_.map.Index(column, row, n)]; };
    const Box box = placement.ToSource(Box{window.x1 + offset(0) * width, window.y1 + offset(1) * height,
                                           window.x2 + offset(2) * width, window.y2 + offset(3) * height});
    bool near = box.x1 < box.x2 && box.y1 < box.y2;  // false for NaN
    for (size_t n = 0; n < 4; ++n) near = near && IsNear(offset(n));
    if (!near) return;
    DetectedObject object{.label = best.label, .score = best.score, .box = box};
    if (points_) {
      const FloatReader points(outputs[points_->tensor]);
      const size_t count = points_->map.numbers / 2;
      for (size_t i = 0; i < count; ++i) {
        const float x = points[points_->map.Index(column, row, i)];
        const float y = points[points_->map.Index(column, row, count + i)];
        const Point point = placement.ToSource(Point{window.x1 + x * width, window.y1 + y * height});
        const bool known = IsNear(x) && IsNear(y);
        object.keypoints.push_back(known ? Keypoint{point, best.score} : Keypoint{});
      }
    }
    candidates->push_back(std::move(object));
  }

  ModelCard card_;
  std::vector<TensorSpec> outputs_;
  FoundMap scores_;
  FoundMap offsets_;
  std::optional<FoundMap> points_;
  ScoreRule rule_;
};

class MapFinder {
 public:
  MapFinder(const ModelCard& card, const std::vector<TensorSpec>& outputs) : card_(card), finder_(card, outputs) {}

  // `numbers` 0: any.
  Result<FoundMap> Find(std::string_view role, const std::string& name, int64_t numbers) {
    const auto fits = [&](const Shape& shape) {
      const auto map = AsWindows(shape, card_.input);
      if (!map || !FitsInput(*map, card_)) return false;
      const bool same = !first_ || (map->columns == first_->columns && map->rows == first_->rows);
      return same && (numbers == 0 || map->numbers == static_cast<size_t>(numbers));
    };
    const std::string count = numbers > 0 ? std::to_string(numbers) : std::string("any number of");
    const std::string where = card_.output.window == 0
                                  ? std::string("for one window")
                                  : fmt::format("for each window of {} pixels in a {}x{} input", card_.output.window,
                                                card_.input.width, card_.input.height);
    DE_TRY(const size_t tensor, finder_.Find(role, name, fits, fmt::format("{} numbers {}", count, where), taken_));
    taken_.push_back(tensor);
    const FoundMap found{tensor, *AsWindows(finder_.At(tensor).shape, card_.input)};
    if (!first_) first_ = found.map;
    return found;
  }

 private:
  const ModelCard& card_;
  OutputFinder finder_;
  std::vector<size_t> taken_;
  std::optional<WindowMap> first_;
};

}  // namespace

MadeDecoder MakeWindowDecoder(const ModelCard& card, const std::vector<TensorSpec>& outputs) {
  const OutputDecoderSpec& spec = card.output;
  MapFinder finder(card, outputs);
  DE_TRY(const FoundMap scores, finder.Find("scores", spec.scores, ScoreRule::Columns(spec, card.labels.size())));
  DE_TRY(const FoundMap offsets, finder.Find("offsets", spec.offsets, 4));
  std::optional<FoundMap> points;
  if (spec.keypoints > 0) {
    DE_TRY(points, finder.Find("landmarks", spec.landmarks, 2 * int64_t{spec.keypoints}));
  }
  return std::unique_ptr<OutputDecoder>(std::make_unique<WindowDecoder>(card, outputs, scores, offsets, points));
}

}  // namespace deepedge
