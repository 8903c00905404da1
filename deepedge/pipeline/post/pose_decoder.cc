// Poses as MoveNet gives them, fractions of the input. One person: rows of (y, x, score), one a point. Many persons:
// one row a person, the points followed by y1, x1, y2, x2 and the score of the person.
#include <fmt/format.h>

#include <cmath>

#include "deepedge/pipeline/post/decoders.h"
#include "deepedge/pipeline/post/nms.h"
#include "deepedge/pipeline/post/output_tensors.h"

namespace deepedge {
namespace {

constexpr int64_t kColumns = 3;
constexpr size_t kBoxColumns = 5;
constexpr int64_t kMostPersons = 1000;

class PoseDecoder : public OutputDecoder {
 public:
  PoseDecoder(const ModelCard& card, std::vector<TensorSpec> outputs, size_t tensor, int64_t points)
      : card_(card), outputs_(std::move(outputs)), tensor_(tensor), points_(static_cast<size_t>(points)) {}

  Result<InferenceResult> Decode(std::span<const TensorView> outputs, const Placement& placement) const override {
    DE_TRY_STATUS(CheckTensorCount(card_, outputs_.size(), outputs.size()));
    DE_TRY_STATUS(CheckTensor(card_, outputs_[tensor_], outputs[tensor_], static_cast<int64_t>(points_) * kColumns));
    const FloatReader values(outputs[tensor_]);
    InferenceResult result;
    result.keypoints.reserve(points_);
    for (size_t i = 0; i < points_; ++i) {
      const auto point = PointInPicture({values[3 * i + 1], values[3 * i]}, placement);
      const float score = values[3 * i + 2];
      // A point that is no number keeps its place in the list with score 0.
      result.keypoints.push_back(point && std::isfinite(score) ? Keypoint{*point, score} : Keypoint{});
    }
    return result;
  }

 private:
  ModelCard card_;
  std::vector<TensorSpec> outputs_;
  size_t tensor_;
  size_t points_;
};

class ManyPosesDecoder : public OutputDecoder {
 public:
  ManyPosesDecoder(const ModelCard& card, std::vector<TensorSpec> outputs, size_t tensor, TableShape table)
      : card_(card),
        outputs_(std::move(outputs)),
        tensor_(tensor),
        persons_(static_cast<size_t>(table.rows)),
        columns_(static_cast<size_t>(table.columns)) {}

  Result<InferenceResult> Decode(std::span<const TensorView> outputs, const Placement& placement) const override {
    DE_TRY_STATUS(CheckTensorCount(card_, outputs_.size(), outputs.size()));
    DE_TRY_STATUS(CheckTensor(card_, outputs_[tensor_], outputs[tensor_], static_cast<int64_t>(persons_ * columns_)));
    const FloatReader values(outputs[tensor_]);
    InferenceResult result;
    std::vector<float> scratch;
    for (size_t i = 0; i < persons_; ++i) {
      const std::span<const float> row = values.Row(i * columns_, columns_, &scratch);
      const std::span<const float> box = row.last(kBoxColumns);
      const float score = box[4];
      if (!(score >= card_.threshold) || !std::isfinite(score)) continue;
      const auto place = BoxInPicture({box[1], box[0], box[3], box[2]}, placement);
      if (!place) continue;
      DetectedObject person{.label = 0, .score = score, .box = *place};
      for (size_t k = 0; k + kBoxColumns < columns_; k += 3) {
        const auto point = PointInPicture({row[k + 1], row[k]}, placement);
        person.keypoints.push_back(point && std::isfinite(row[k + 2]) ? Keypoint{*point, row[k + 2]} : Keypoint{});
      }
      result.objects.push_back(std::move(person));
    }
    SortBestFirst(&result.objects);
    return result;
  }

 private:
  ModelCard card_;
  std::vector<TensorSpec> outputs_;
  size_t tensor_;
  size_t persons_;
  size_t columns_;
};

// Rows of 3 numbers a point and 5 of the box; nothing for other shapes.
std::optional<TableShape> AsPersons(const Shape& shape, int64_t points) {
  if (shape.size() < 2 || shape.back() <= int64_t{kBoxColumns} + kColumns) return std::nullopt;
  const auto table = AsTable(shape, shape.back());
  const int64_t point_numbers = shape.back() - int64_t{kBoxColumns};
  const bool whole = points > 0 ? point_numbers == kColumns * points : point_numbers % kColumns == 0;
  if (!table || !whole || table->rows < 1 || table->rows > kMostPersons) return std::nullopt;
  return table;
}

}  // namespace

MadeDecoder MakePoseDecoder(const ModelCard& card, const std::vector<TensorSpec>& outputs) {
  const auto points =
      static_cast<int64_t>(card.output.point_names.empty() ? card.labels.size() : card.output.point_names.size());
  const auto named_points = static_cast<int64_t>(card.output.point_names.size());
  const OutputFinder all(card, outputs);
  const auto many = all.Find(
      "keypoints", card.output.boxes, [&](const Shape& shape) { return AsPersons(shape, named_points).has_value(); },
      "rows of persons");
  if (many.ok()) {
    const auto table = AsPersons(outputs[many.value()].shape, named_points);
    return std::unique_ptr<OutputDecoder>(std::make_unique<ManyPosesDecoder>(card, outputs, many.value(), *table));
  }
  const auto fits = [points](const Shape& shape) {
    const auto table = AsTable(shape, kColumns);
    return table && table->rows > 0 && (points == 0 || table->rows == points);
  };
  const OutputFinder finder(card, outputs);
  const std::string expected =
      fmt::format("{} of 3 numbers (y, x, score)", points > 0 ? fmt::format("{} rows", points) : std::string("rows"));
  DE_TRY(const size_t tensor, finder.Find("keypoints", card.output.boxes, fits, expected));
  return std::unique_ptr<OutputDecoder>(
      std::make_unique<PoseDecoder>(card, outputs, tensor, AsTable(outputs[tensor].shape, kColumns)->rows));
}

}  // namespace deepedge
