// YOLO with anchors (v2, v3, v4, v5, v7, yolo_fastest): one raw map per scale. At every cell of a map and for every
// anchor of its head stand x, y, w, h, [objectness] and class scores. The centre is counted in cells from the corner of
// its own cell, the size in anchors.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "deepedge/pipeline/post/cell_table.h"
#include "deepedge/pipeline/post/decoders.h"
#include "deepedge/pipeline/post/nms.h"

namespace deepedge {
namespace {

// One head's tensor: where in it each number of each anchor stands.
struct AnchorMap {
  CellTable table;         // numbers: of one anchor
  size_t anchor_step = 0;  // elements between the numbers of two anchors
  // Of shared classes: the map holds the boxes of so many anchors, their objectness, the classes. 0: not shared.
  size_t sharing = 0;

  size_t Index(size_t cell, size_t anchor, size_t number) const {
    if (sharing == 0) return anchor * anchor_step + table.Index(cell, number);
    if (number < 4) return table.Index(cell, anchor * 4 + number);
    if (number == 4) return table.Index(cell, 4 * sharing + anchor);
    return table.Index(cell, 5 * sharing + number - 5);
  }
  size_t Elements(size_t anchors) const {
    return table.cells * (sharing == 0 ? table.numbers * anchors : 5 * sharing + table.numbers - 5);
  }
};

struct Head {
  size_t tensor = 0;
  AnchorMap map;
  std::vector<std::array<float, 2>> sizes;  // of the anchors, as fractions of the input
};

// All ways to read a shape as a map of `anchors` anchors: the anchors may have a dimension of their own.
std::vector<AnchorMap> AnchorReadings(const Shape& shape, size_t anchors) {
  std::vector<AnchorMap> readings;
  for (const CellTable& whole : CellReadings(shape)) {
    if (whole.map_rows == 0 || whole.numbers % anchors != 0) continue;
    AnchorMap map{.table = whole, .anchor_step = whole.numbers / anchors * whole.number_step};
    map.table.numbers = whole.numbers / anchors;
    readings.push_back(map);
  }
  Shape dims = shape;
  if (dims.size() == 5 && dims[0] <= 1) dims.erase(dims.begin());
  if (dims.size() != 4 || !IsBounded(dims)) return readings;
  const auto at = [&dims](size_t i) { return static_cast<size_t>(dims[i]); };
  const auto add = [&](size_t rows, size_t columns, size_t numbers, size_t cell_step, size_t number_step,
                       size_t anchor_step) {
    readings.push_back({{.cells = rows * columns,
                         .numbers = numbers,
                         .cell_step = cell_step,
                         .number_step = number_step,
                         .map_rows = rows,
                         .map_columns = columns},
                        anchor_step});
  };
  const bool one_anchor_map = shape.size() == 4 && anchors == 1;  // [1,C,H,W] was read above
  if (at(0) == anchors && !one_anchor_map) {
    add(at(2), at(3), at(1), 1, at(2) * at(3), at(1) * at(2) * at(3));
    add(at(1), at(2), at(3), at(3), 1, at(1) * at(2) * at(3));
  }
  if (at(2) == anchors && shape.size() == 5) add(at(0), at(1), at(3), at(2) * at(3), 1, at(3));
  return readings;
}

// The same where the anchors share the classes: so many numbers in one map.
std::vector<AnchorMap> SharedReadings(const Shape& shape, size_t anchors) {
  std::vector<AnchorMap> readings;
  for (const CellTable& whole : CellReadings(shape)) {
    if (whole.map_rows == 0 || whole.numbers <= 5 * anchors) continue;
    AnchorMap map{.table = whole, .sharing = anchors};
    map.table.numbers = 5 + whole.numbers - 5 * anchors;
    readings.push_back(map);
  }
  return readings;
}

class YoloAnchorsDecoder : public OutputDecoder {
 public:
  YoloAnchorsDecoder(const ModelCard& card, std::vector<TensorSpec> outputs, std::vector<Head> heads)
      : card_(card),
        outputs_(std::move(outputs)),
        heads_(std::move(heads)),
        scale_xy_(ScaleOf(card.output)),
        classes_(ClassSpec(card.output), card.threshold) {}

  Result<InferenceResult> Decode(std::span<const TensorView> outputs, const Placement& placement) const override {
    DE_TRY_STATUS(CheckTensorCount(card_, outputs_.size(), outputs.size()));
    std::vector<DetectedObject> candidates;
    for (const Head& head : heads_) {
      const TensorView& tensor = outputs[head.tensor];
      DE_TRY_STATUS(CheckTensor(card_, outputs_[head.tensor], tensor,
                                static_cast<int64_t>(head.map.Elements(head.sizes.size()))));
      const FloatReader values(tensor, card_.output.score_scale, card_.output.score_zero);
      for (size_t anchor = 0; anchor < head.sizes.size(); ++anchor) {
        AddCandidates(values, head, anchor, placement, &candidates);
      }
    }
    return InferenceResult{
        .objects = SuppressOverlaps(std::move(candidates), card_.output.nms_iou, card_.output.nms_per_label)};
  }

 private:
  static float ScaleOf(const OutputDecoderSpec& spec) {
    if (spec.scale_xy > 0) return spec.scale_xy;
    return spec.box_rule == YoloBoxRule::kSquare ? 2.0F : 1.0F;
  }

  static OutputDecoderSpec ClassSpec(const OutputDecoderSpec& spec) {
    return {.sigmoid = !spec.activated && !spec.softmax,
            .softmax = spec.softmax && !spec.activated,
            .background = spec.background,
            .label_offset = spec.label_offset};
  }

  float Activated(float value) const { return card_.output.activated ? value : Logistic(value); }

  void AddCandidates(const FloatReader& values, const Head& head, size_t anchor, const Placement& placement,
                     std::vector<DetectedObject>* candidates) const {
    const CellTable& table = head.map.table;
    const size_t first_class = card_.output.objectness ? 5 : 4;
    std::vector<float> row(table.numbers);
    for (size_t cell = 0; cell < table.cells; ++cell) {
      float objectness = 1;
      if (card_.output.objectness) {
        // Class scores are at most 1: most cells are done with after one look.
        objectness = Activated(values[head.map.Index(cell, anchor, 4)]);
        if (!(objectness >= card_.threshold)) continue;
      }
      for (size_t i = 0; i < row.size(); ++i) row[i] = values[head.map.Index(cell, anchor, i)];
      const std::span<const float> numbers(row);
      // Without classes the objectness says everything.
      const auto best = first_class < row.size() ? classes_.Best(numbers.subspan(first_class)) : BestClass{0, 1.0F};
      if (!best) continue;
      const float score = objectness * best->score;
      if (!(score >= card_.threshold) || !std::isfinite(score)) continue;
      const auto box = BoxInPicture(BoxAt(table, cell, numbers, head.sizes[anchor]), placement);
      if (box) candidates->push_back({.label = best->label, .score = score, .box = *box});
    }
  }

  Box BoxAt(const CellTable& table, size_t cell, std::span<const float> numbers,
            const std::array<float, 2>& anchor) const {
    const auto centre = [&](float number, size_t place, size_t count) {
      const float in_cell = Activated(number) * scale_xy_ - (scale_xy_ - 1) / 2;
      return (static_cast<float>(place) + in_cell) / static_cast<float>(count);
    };
    const auto size = [&](float number, float anchor_size) {
      if (card_.output.box_rule == YoloBoxRule::kExp) return std::exp(number) * anchor_size;
      const float twice = 2 * Activated(number);
      return twice * twice * anchor_size;
    };
    const float cx = centre(numbers[0], cell % table.map_columns, table.map_columns);
    const float cy = centre(numbers[1], cell / table.map_columns, table.map_rows);
    const float half_width = size(numbers[2], anchor[0]) / 2;
    const float half_height = size(numbers[3], anchor[1]) / 2;
    return {cx - half_width, cy - half_height, cx + half_width, cy + half_height};
  }

  ModelCard card_;
  std::vector<TensorSpec> outputs_;
  std::vector<Head> heads_;
  float scale_xy_;
  ScoreRule classes_;
};

// How many numbers an anchor has: of the box, objectness and the classes that the labels name.
bool NumbersFit(const ModelCard& card, size_t numbers) {
  const size_t first_class = card.output.objectness ? 5 : 4;
  const auto classes = static_cast<size_t>(ScoreRule::Columns(card.output, card.labels.size()));
  if (card.output.objectness && card.labels.size() <= 1 && numbers == first_class) return true;
  return classes > 0 ? numbers == first_class + classes : numbers > first_class;
}

Result<Head> FindHead(const ModelCard& card, const OutputFinder& finder, const OutputHead& wanted,
                      std::span<const size_t> taken) {
  const size_t anchors = wanted.anchors.size();
  const auto fitting = [&](const Shape& shape) {
    std::vector<AnchorMap> maps =
        card.output.shared_classes ? SharedReadings(shape, anchors) : AnchorReadings(shape, anchors);
    std::erase_if(maps, [&](const AnchorMap& map) {
      const auto stride = StrideOf(card.input, map.table.map_columns, map.table.map_rows);
      return !NumbersFit(card, map.table.numbers) || !stride || (wanted.stride > 0 && *stride != wanted.stride);
    });
    return maps;
  };
  const int64_t classes = ScoreRule::Columns(card.output, card.labels.size());
  const std::string cells = wanted.stride > 0
                                ? fmt::format("{}x{} cells (stride {})", card.input.width / wanted.stride,
                                              card.input.height / wanted.stride, wanted.stride)
                                : fmt::format("the cells of a {}x{} input", card.input.width, card.input.height);
  const std::string expected =
      fmt::format("a map of {}, {} anchors of 4 box numbers{} and {}", cells, anchors,
                  card.output.objectness ? ", objectness" : " (no objectness)", ClassCountText(classes));
  DE_TRY(
      const size_t tensor,
      finder.Find("boxes", wanted.boxes, [&](const Shape& shape) { return !fitting(shape).empty(); }, expected, taken));
  const std::vector<AnchorMap> maps = fitting(finder.At(tensor).shape);
  if (maps.size() > 1) return TwoReadings(finder, tensor, maps[0].table.Describe(), maps[1].table.Describe());
  Head head{.tensor = tensor, .map = maps[0], .sizes = {}};
  for (const auto& [width, height] : wanted.anchors) {
    head.sizes.push_back(
        {width / static_cast<float>(card.input.width), height / static_cast<float>(card.input.height)});
  }
  return head;
}

}  // namespace

MadeDecoder MakeYoloAnchorsDecoder(const ModelCard& card, const std::vector<TensorSpec>& outputs) {
  if (card.output.shared_classes && !card.output.objectness) {
    return Error{ErrorCode::kBadInput, fmt::format("model '{}': shared_classes needs objectness: true", card.name)};
  }
  const OutputFinder finder(card, outputs);
  std::vector<Head> heads;
  std::vector<size_t> taken;
  for (const OutputHead& wanted : card.output.heads) {
    if (wanted.anchors.empty()) continue;
    DE_TRY(Head head, FindHead(card, finder, wanted, taken));
    taken.push_back(head.tensor);
    heads.push_back(std::move(head));
  }
  if (heads.empty()) {
    return Error{ErrorCode::kBadInput, fmt::format("model '{}': the card gives no heads with anchors", card.name)};
  }
  return std::unique_ptr<OutputDecoder>(std::make_unique<YoloAnchorsDecoder>(card, outputs, std::move(heads)));
}

}  // namespace deepedge
