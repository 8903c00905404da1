// Embedding: a vector that says who or what the picture shows, to be compared by its cosine.
#include <cmath>
#include <utility>

#include "deepedge/pipeline/post/decoders.h"
#include "deepedge/pipeline/post/output_tensors.h"

namespace deepedge {
namespace {

constexpr int64_t kMostNumbers = 1'000'000;

class EmbeddingDecoder : public OutputDecoder {
 public:
  EmbeddingDecoder(const ModelCard& card, std::vector<TensorSpec> outputs, size_t tensor, int64_t count)
      : card_(card), outputs_(std::move(outputs)), tensor_(tensor), count_(static_cast<size_t>(count)) {}

  Result<InferenceResult> Decode(std::span<const TensorView> outputs, const Placement& /*placement*/) const override {
    DE_TRY_STATUS(CheckTensorCount(card_, outputs_.size(), outputs.size()));
    DE_TRY_STATUS(CheckTensor(card_, outputs_[tensor_], outputs[tensor_], static_cast<int64_t>(count_)));
    const FloatReader values(outputs[tensor_], card_.output.score_scale, card_.output.score_zero);
    InferenceResult result;
    double squares = 0;
    for (size_t i = 0; i < count_; ++i) {
      // A vector with one bad number says nothing at all.
      if (!std::isfinite(values[i])) return InferenceResult{};
      squares += static_cast<double>(values[i]) * static_cast<double>(values[i]);
    }
    const double scale = card_.output.l2_normalize && squares > 0 ? 1 / std::sqrt(squares) : 1.0;
    result.embedding.resize(count_);
    for (size_t i = 0; i < count_; ++i) {
      result.embedding[i] = static_cast<float>(static_cast<double>(values[i]) * scale);
    }
    return result;
  }

 private:
  ModelCard card_;
  std::vector<TensorSpec> outputs_;
  size_t tensor_;
  size_t count_;
};

}  // namespace

MadeDecoder MakeEmbeddingDecoder(const ModelCard& card, const std::vector<TensorSpec>& outputs) {
  const auto fits = [](const Shape& shape) {
    const auto count = AsList(shape);
    return count && *count > 1 && *count <= kMostNumbers;
  };
  const OutputFinder finder(card, outputs);
  DE_TRY(const size_t tensor, finder.Find("tensor", card.output.tensor, fits, "a list of two or more numbers"));
  return std::unique_ptr<OutputDecoder>(
      std::make_unique<EmbeddingDecoder>(card, outputs, tensor, *AsList(outputs[tensor].shape)));
}

}  // namespace deepedge
