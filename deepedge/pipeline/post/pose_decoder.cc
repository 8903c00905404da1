// Pose of one person: rows of (y, x, score), one a point, as fractions of the input.
#include <fmt/format.h>

#include <cmath>

#include "deepedge/pipeline/post/decoders.h"
#include "deepedge/pipeline/post/output_tensors.h"

namespace deepedge {
namespace {

constexpr int64_t kColumns = 3;

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

}  // namespace

MadeDecoder MakePoseDecoder(const ModelCard& card, const std::vector<TensorSpec>& outputs) {
  const auto points = static_cast<int64_t>(card.labels.size());
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
