// CenterNet: a heat map of object centres per class, and maps of sizes and of where in its cell a centre lies. A cell
// counts where no neighbour of the same class is larger; of equal ones the first. CenterFace: sizes are logarithms
// (`log_sizes`), y comes before x (`yx_order`), points are fractions of the box (`landmarks`).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "deepedge/pipeline/post/cell_table.h"
#include "deepedge/pipeline/post/decoders.h"
#include "deepedge/pipeline/post/nms.h"

namespace deepedge {
namespace {

struct Maps {
  FoundTable scores;
  FoundTable sizes;
  std::optional<FoundTable> offsets;
  std::optional<FoundTable> landmarks;
  int stride = 1;
};

class CenternetDecoder : public OutputDecoder {
 public:
  CenternetDecoder(const ModelCard& card, std::vector<TensorSpec> outputs, const Maps& maps)
      : card_(card), outputs_(std::move(outputs)), maps_(maps) {}

  Result<InferenceResult> Decode(std::span<const TensorView> outputs, const Placement& placement) const override {
    DE_TRY_STATUS(CheckTensorCount(card_, outputs_.size(), outputs.size()));
    for (const FoundTable* found : {&maps_.scores, &maps_.sizes, maps_.offsets ? &*maps_.offsets : nullptr,
                                    maps_.landmarks ? &*maps_.landmarks : nullptr}) {
      if (found == nullptr) continue;
      DE_TRY_STATUS(CheckTensor(card_, outputs_[found->tensor], outputs[found->tensor],
                                static_cast<int64_t>(found->table.cells * found->table.numbers)));
    }
    const FloatReader heat(outputs[maps_.scores.tensor], card_.output.score_scale, card_.output.score_zero);
    std::vector<DetectedObject> candidates;
    for (size_t label = 0; label < maps_.scores.table.numbers; ++label) {
      for (size_t cell = 0; cell < maps_.scores.table.cells; ++cell) {
        const float raw = heat[maps_.scores.table.Index(cell, label)];
        const float score = card_.output.sigmoid ? Logistic(raw) : raw;
        if (!(score >= card_.threshold) || !std::isfinite(score) || !IsPeak(heat, cell, label, raw)) continue;
        AddCandidate(outputs, static_cast<int>(label), cell, score, placement, &candidates);
      }
    }
    return InferenceResult{
        .objects = SuppressOverlaps(std::move(candidates), card_.output.nms_iou, card_.output.nms_per_label)};
  }

 private:
  bool IsPeak(const FloatReader& heat, size_t cell, size_t label, float value) const {
    const CellTable& table = maps_.scores.table;
    const size_t column = cell % table.map_columns;
    const size_t row = cell / table.map_columns;
    for (size_t y = row > 0 ? row - 1 : 0; y <= std::min(row + 1, table.map_rows - 1); ++y) {
      for (size_t x = column > 0 ? column - 1 : 0; x <= std::min(column + 1, table.map_columns - 1); ++x) {
        const size_t neighbour = y * table.map_columns + x;
        const float other = heat[table.Index(neighbour, label)];
        if (other > value || (other == value && neighbour < cell)) return false;
      }
    }
    return true;
  }

  // The two numbers of a position as (x, y).
  Point PairAt(std::span<const TensorView> outputs, const FoundTable& found, size_t cell, size_t first) const {
    const FloatReader values(outputs[found.tensor]);
    const float one = values[found.table.Index(cell, first)];
    const float two = values[found.table.Index(cell, first + 1)];
    return card_.output.yx_order ? Point{two, one} : Point{one, two};
  }

  void AddCandidate(std::span<const TensorView> outputs, int label, size_t cell, float score,
                    const Placement& placement, std::vector<DetectedObject>* candidates) const {
    const CellTable& table = maps_.scores.table;
    const float cell_offset = card_.output.cell_offset.value_or(0.0F);
    const Point offset = maps_.offsets ? PairAt(outputs, *maps_.offsets, cell, 0) : Point{};
    Point size = PairAt(outputs, maps_.sizes, cell, 0);
    if (card_.output.log_sizes) size = {std::exp(size.x), std::exp(size.y)};
    const float step_x = static_cast<float>(maps_.stride) / static_cast<float>(card_.input.width);
    const float step_y = static_cast<float>(maps_.stride) / static_cast<float>(card_.input.height);
    const float cx = (static_cast<float>(cell % table.map_columns) + offset.x + cell_offset) * step_x;
    const float cy = (static_cast<float>(cell / table.map_columns) + offset.y + cell_offset) * step_y;
    const float width = size.x * step_x;
    const float height = size.y * step_y;
    const Box box{cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2};
    const auto place = BoxInPicture(box, placement);
    if (!place) return;
    DetectedObject object{.label = label, .score = score, .box = *place};
    for (size_t i = 0; maps_.landmarks && i < maps_.landmarks->table.numbers; i += 2) {
      const Point at = PairAt(outputs, *maps_.landmarks, cell, i);
      const auto point = PointInPicture({box.x1 + at.x * width, box.y1 + at.y * height}, placement);
      object.keypoints.push_back(point ? Keypoint{*point, score} : Keypoint{});
    }
    candidates->push_back(std::move(object));
  }

  ModelCard card_;
  std::vector<TensorSpec> outputs_;
  Maps maps_;
};

// The name of the only output with one of these words in it, or nothing.
std::string NameWith(const std::vector<TensorSpec>& outputs, std::initializer_list<std::string_view> words) {
  std::string found;
  for (const TensorSpec& spec : outputs) {
    const bool has = std::any_of(words.begin(), words.end(),
                                 [&](std::string_view word) { return spec.name.find(word) != std::string::npos; });
    if (!has) continue;
    if (!found.empty()) return {};
    found = spec.name;
  }
  return found;
}

Result<Maps> FindMaps(const ModelCard& card, const std::vector<TensorSpec>& outputs) {
  const OutputFinder finder(card, outputs);
  const OutputDecoderSpec& spec = card.output;
  Maps maps;
  const auto find = [&](std::string_view role, const std::string& name, size_t numbers, std::span<const size_t> taken) {
    const auto fits = [&](const CellTable& table) {
      if (table.map_rows == 0 || (numbers > 0 && table.numbers != numbers)) return false;
      if (maps.scores.table.cells > 0) {
        return table.map_columns == maps.scores.table.map_columns && table.map_rows == maps.scores.table.map_rows;
      }
      return StrideOf(card.input, table.map_columns, table.map_rows).has_value();
    };
    const std::string count = numbers > 0 ? std::to_string(numbers) : std::string("any number of");
    return FindCells(
        finder, role, name, fits,
        fmt::format("a map of the cells of a {}x{} input of {} numbers", card.input.width, card.input.height, count),
        taken);
  };
  DE_TRY(maps.scores, find("scores", spec.scores, card.labels.size(), {}));
  maps.stride = StrideOf(card.input, maps.scores.table.map_columns, maps.scores.table.map_rows).value_or(1);
  std::vector<size_t> taken{maps.scores.tensor};
  const bool two = outputs.size() == 2;
  const std::string sizes = spec.boxes.empty() && !two ? NameWith(outputs, {"wh", "size", "scale"}) : spec.boxes;
  DE_TRY(maps.sizes, find("boxes", sizes, 2, taken));
  taken.push_back(maps.sizes.tensor);
  if (!two) {
    const std::string offsets = spec.offsets.empty() ? NameWith(outputs, {"reg", "off"}) : spec.offsets;
    DE_TRY(maps.offsets, find("offsets", offsets, 2, taken));
    taken.push_back(maps.offsets->tensor);
  }
  if (spec.keypoints > 0) {
    DE_TRY(maps.landmarks, find("landmarks", spec.landmarks, 2 * static_cast<size_t>(spec.keypoints), taken));
  }
  return maps;
}

}  // namespace

MadeDecoder MakeCenternetDecoder(const ModelCard& card, const std::vector<TensorSpec>& outputs) {
  DE_TRY(const Maps maps, FindMaps(card, outputs));
  return std::unique_ptr<OutputDecoder>(std::make_unique<CenternetDecoder>(card, outputs, maps));
}

}  // namespace deepedge
