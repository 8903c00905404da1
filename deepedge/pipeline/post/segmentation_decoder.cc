// Segmentation: a class for every cell of a map, the one with the largest score or the number that the graph gives. One
// map of one class holds how likely each pixel belongs to it. The result has the network's resolution.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "deepedge/pipeline/post/cell_table.h"
#include "deepedge/pipeline/post/decoders.h"

namespace deepedge {
namespace {

constexpr size_t kMostCells = 16'000'000;
constexpr size_t kMostClasses = 65'536;
constexpr int kNothing = -1;

class SegmentationDecoder : public OutputDecoder {
 public:
  SegmentationDecoder(const ModelCard& card, std::vector<TensorSpec> outputs, const FoundTable& found)
      : card_(card),
        outputs_(std::move(outputs)),
        found_(found),
        classes_(card.output.class_ids ? IdCount(card) : found.table.numbers) {}

  Result<InferenceResult> Decode(std::span<const TensorView> outputs, const Placement& placement) const override {
    DE_TRY_STATUS(CheckTensorCount(card_, outputs_.size(), outputs.size()));
    const CellTable& table = found_.table;
    DE_TRY_STATUS(CheckTensor(card_, outputs_[found_.tensor], outputs[found_.tensor],
                              static_cast<int64_t>(table.cells * table.numbers)));
    const FloatReader values(outputs[found_.tensor], card_.output.class_ids ? 1.0F : card_.output.score_scale,
                             card_.output.class_ids ? 0.0F : card_.output.score_zero);
    CellRows rows(values, table, 0, table.numbers);
    const auto across = Covered(placement.x, placement.width, placement.input_width, table.map_columns);
    const auto down = Covered(placement.y, placement.height, placement.input_height, table.map_rows);

    InferenceResult result;
    ClassMask& mask = result.mask;
    mask.width = static_cast<int>(across.end - across.begin);
    mask.height = static_cast<int>(down.end - down.begin);
    std::vector<size_t> counts(classes_, 0);
    for (size_t y = down.begin; y < down.end; ++y) {
      for (size_t x = across.begin; x < across.end; ++x) {
        const int label = LabelOf(rows[y * table.map_columns + x]);
        if (label >= 0) ++counts[static_cast<size_t>(label)];
        if (mask.runs.empty() || mask.runs.back().label != label) mask.runs.push_back({label, 0});
        ++mask.runs.back().length;
      }
    }
    const auto cells = static_cast<float>(mask.width) * static_cast<float>(mask.height);
    for (size_t label = 0; label < counts.size(); ++label) {
      if (counts[label] == 0) continue;
      mask.shares.push_back({static_cast<int>(label), static_cast<float>(counts[label]) / cells});
    }
    std::sort(mask.shares.begin(), mask.shares.end(), [](const LabelShare& a, const LabelShare& b) {
      return a.share != b.share ? a.share > b.share : a.label < b.label;
    });
    return result;
  }

 private:
  static size_t IdCount(const ModelCard& card) {
    return card.labels.empty() ? kMostClasses
                               : static_cast<size_t>(ScoreRule::Columns(card.output, card.labels.size()));
  }

  struct Range {
    size_t begin = 0;
    size_t end = 0;
  };

  // The cells whose middle lies in the picture, at least one.
  static Range Covered(int first, int size, int input_size, size_t cells) {
    const double scale = static_cast<double>(cells) / std::max(input_size, 1);
    const auto at = [&](int pixel) {
      return static_cast<size_t>(std::clamp(std::ceil(pixel * scale - 0.5), 0.0, static_cast<double>(cells)));
    };
    Range range{at(first), at(first + size)};
    range.begin = std::min(range.begin, cells - 1);
    range.end = std::max(range.end, range.begin + 1);
    return range;
  }

  int LabelOf(std::span<const float> numbers) const {
    if (card_.output.class_ids) {
      const float id = numbers[0];
      return id >= 0 && id < static_cast<float>(classes_) ? ToLabel(static_cast<int>(std::lround(id))) : kNothing;
    }
    if (numbers.size() == 1) {
      const float score = card_.output.sigmoid ? Logistic(numbers[0]) : numbers[0];
      return score >= card_.threshold && std::isfinite(score) ? 0 : kNothing;
    }
    size_t best = numbers.size();
    for (size_t i = 0; i < numbers.size(); ++i) {
      if (std::isfinite(numbers[i]) && (best == numbers.size() || numbers[i] > numbers[best])) best = i;
    }
    return best == numbers.size() ? kNothing : ToLabel(static_cast<int>(best));
  }

  int ToLabel(int number) const {
    const int offset = card_.output.label_offset;
    const int background = card_.output.background;
    if (number == background || number < offset || static_cast<size_t>(number) >= classes_) return kNothing;
    return number - offset - (background >= offset && number > background ? 1 : 0);
  }

  ModelCard card_;
  std::vector<TensorSpec> outputs_;
  FoundTable found_;
  size_t classes_;  // numbers that may come, background among them
};

}  // namespace

MadeDecoder MakeSegmentationDecoder(const ModelCard& card, const std::vector<TensorSpec>& outputs) {
  const auto classes = static_cast<size_t>(ScoreRule::Columns(card.output, card.labels.size()));
  const auto fits = [&](const CellTable& table) {
    if (table.cells > kMostCells || table.numbers > kMostClasses || table.map_rows < 2 || table.map_columns < 2) {
      return false;
    }
    if (card.output.class_ids) return table.numbers == 1;
    return classes > 0 ? table.numbers == classes : table.numbers > 1;
  };
  const std::string expected = card.output.class_ids
                                   ? std::string("a map of class numbers")
                                   : fmt::format("a map of {}", ClassCountText(static_cast<int64_t>(classes)));
  const OutputFinder finder(card, outputs);
  DE_TRY(const FoundTable found, FindCells(finder, "tensor", card.output.tensor, fits, expected));
  return std::unique_ptr<OutputDecoder>(std::make_unique<SegmentationDecoder>(card, outputs, found));
}

}  // namespace deepedge
