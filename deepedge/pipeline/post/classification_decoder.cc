// Classification: one score per class. The result names the best `top_k` of them, whatever their score.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "deepedge/pipeline/post/decoders.h"
#include "deepedge/pipeline/post/output_tensors.h"

namespace deepedge {
namespace {

class ClassificationDecoder : public OutputDecoder {
 public:
  ClassificationDecoder(const ModelCard& card, std::vector<TensorSpec> outputs, size_t tensor, int64_t classes)
      : card_(card), outputs_(std::move(outputs)), tensor_(tensor), classes_(static_cast<size_t>(classes)) {}

  Result<InferenceResult> Decode(std::span<const TensorView> outputs, const Placement& /*placement*/) const override {
    DE_TRY_STATUS(CheckTensorCount(card_, outputs_.size(), outputs.size()));
    DE_TRY_STATUS(CheckTensor(card_, outputs_[tensor_], outputs[tensor_], static_cast<int64_t>(classes_)));
    const FloatReader values(outputs[tensor_], card_.output.score_scale, card_.output.score_zero);
    InferenceResult result;
    result.classes = Best(values);
    Activate(values, &result.classes);
    return result;
  }

 private:
  // The best top_k by raw value, which every activation keeps in order. Insertion into a short list: no copy of all
  // classes.
  std::vector<ClassScore> Best(const FloatReader& values) const {
    const auto limit = static_cast<size_t>(card_.output.top_k);
    std::vector<ClassScore> best;
    best.reserve(std::min(limit, classes_) + 1);
    for (auto i = static_cast<size_t>(card_.output.label_offset); i < classes_; ++i) {
      const float value = values[i];
      if (!std::isfinite(value) || static_cast<int>(i) == card_.output.background) continue;
      if (best.size() == limit && !(value > best.back().score)) continue;
      const auto place =
          std::find_if(best.begin(), best.end(), [value](const ClassScore& c) { return c.score < value; });
      best.insert(place, {.label = static_cast<int>(i) - card_.output.label_offset, .score = value});
      if (best.size() > limit) best.pop_back();
    }
    return best;
  }

  void Activate(const FloatReader& values, std::vector<ClassScore>* classes) const {
    if (classes->empty()) return;
    if (card_.output.sigmoid) {
      for (ClassScore& c : *classes) c.score = 1 / (1 + std::exp(-c.score));
    }
    if (!card_.output.softmax) return;
    float most = classes->front().score;
    for (size_t i = 0; i < classes_; ++i) {
      if (std::isfinite(values[i])) most = std::max(most, values[i]);
    }
    float sum = 0;
    for (size_t i = 0; i < classes_; ++i) {
      if (std::isfinite(values[i])) sum += std::exp(values[i] - most);
    }
    for (ClassScore& c : *classes) c.score = std::exp(c.score - most) / sum;
  }

  ModelCard card_;
  std::vector<TensorSpec> outputs_;
  size_t tensor_;
  size_t classes_;
};

}  // namespace

MadeDecoder MakeClassificationDecoder(const ModelCard& card, const std::vector<TensorSpec>& outputs) {
  const int64_t classes = ScoreRule::Columns(card.output, card.labels.size());
  const auto fits = [classes](const Shape& shape) {
    const auto count = AsList(shape);
    return count && (classes > 0 ? *count == classes : *count > 1);
  };
  const OutputFinder finder(card, outputs);
  const std::string expected =
      classes > 0 ? fmt::format("{} class scores", classes) : std::string("a list of class scores");
  DE_TRY(const size_t tensor, finder.Find("scores", card.output.scores, fits, expected));
  return std::unique_ptr<OutputDecoder>(
      std::make_unique<ClassificationDecoder>(card, outputs, tensor, *AsList(outputs[tensor].shape)));
}

}  // namespace deepedge
