// Text maps (DB): how likely each pixel is text, turned into regions of text. The map's size may differ from run to
// run.
#include <algorithm>
#include <cmath>
#include <utility>

#include "deepedge/pipeline/post/cell_table.h"
#include "deepedge/pipeline/post/decoders.h"
#include "deepedge/pipeline/post/text_regions.h"

namespace deepedge {
namespace {

constexpr size_t kMostCells = 16'000'000;

// The one reading of a shape as a map of one number a cell.
std::optional<CellTable> AsTextMap(const Shape& shape) {
  for (const CellTable& table : CellReadings(shape)) {
    if (table.numbers == 1 && table.map_rows > 1 && table.map_columns > 1 && table.cells <= kMostCells) return table;
  }
  return std::nullopt;
}

class TextMapDecoder : public OutputDecoder {
 public:
  TextMapDecoder(const ModelCard& card, std::vector<TensorSpec> outputs, size_t tensor)
      : card_(card),
        outputs_(std::move(outputs)),
        tensor_(tensor),
        rules_{.map_threshold = card.output.map_threshold,
               .box_threshold = card.threshold,
               .unclip = card.output.unclip,
               .rotated = card.output.rotated} {}

  Result<InferenceResult> Decode(std::span<const TensorView> outputs, const Placement& placement) const override {
    DE_TRY_STATUS(CheckTensorCount(card_, outputs_.size(), outputs.size()));
    const TensorView& tensor = outputs[tensor_];
    const auto table = AsTextMap(tensor.shape);
    const TensorSpec& promised = outputs_[tensor_];
    const bool as_promised =
        table && (!IsStatic(promised.shape) || ElementCount(promised.shape) == static_cast<int64_t>(table->cells));
    DE_TRY_STATUS(CheckTensor(card_, promised, tensor, as_promised ? static_cast<int64_t>(table->cells) : -1));
    const FloatReader values(tensor, card_.output.score_scale, card_.output.score_zero);
    std::vector<float> scratch;
    std::span<const float> map = values.Row(0, table->cells, &scratch);
    if (card_.output.sigmoid) {
      std::vector<float> activated(map.begin(), map.end());
      for (float& value : activated) value = Logistic(value);
      scratch = std::move(activated);
      map = scratch;
    }
    InferenceResult result;
    for (const MapRegion& region : FindTextRegions(map, table->map_columns, rules_)) {
      AddRegion(region, *table, placement, &result.text);
    }
    return result;
  }

 private:
  static void AddRegion(const MapRegion& region, const CellTable& table, const Placement& placement,
                        std::vector<TextRegion>* text) {
    TextRegion out{.corners = {}, .score = region.score};
    Box box{1, 1, 0, 0};
    for (size_t i = 0; i < 4; ++i) {
      const auto point = PointInPicture({region.corners[i].x / static_cast<float>(table.map_columns),
                                         region.corners[i].y / static_cast<float>(table.map_rows)},
                                        placement);
      if (!point) return;
      out.corners[i] = *point;
      box = {std::min(box.x1, point->x), std::min(box.y1, point->y), std::max(box.x2, point->x),
             std::max(box.y2, point->y)};
    }
    // All of it may lie in the padding of a letterbox.
    if (box.x1 < box.x2 && box.y1 < box.y2) text->push_back(out);
  }

  ModelCard card_;
  std::vector<TensorSpec> outputs_;
  size_t tensor_;
  TextRules rules_;
};

}  // namespace

MadeDecoder MakeTextMapDecoder(const ModelCard& card, const std::vector<TensorSpec>& outputs) {
  const auto fits = [](const Shape& shape) {
    if (AsTextMap(shape)) return true;
    // Free sizes are known when a picture comes; one dimension besides the batch is the single channel.
    return shape.size() == 4 && !IsStatic(shape) && (shape[1] == 1 || shape[3] == 1);
  };
  const OutputFinder finder(card, outputs);
  DE_TRY(const size_t tensor, finder.Find("tensor", card.output.tensor, fits, "a map of one number a pixel"));
  return std::unique_ptr<OutputDecoder>(std::make_unique<TextMapDecoder>(card, outputs, tensor));
}

}  // namespace deepedge
