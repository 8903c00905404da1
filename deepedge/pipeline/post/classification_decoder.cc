// Classification: one score per class. The result names the best `top_k` of them, whatever their score; where the card
// has several heads, the best of each. Plain numbers (`values`) may come beside them.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "deepedge/pipeline/post/decoders.h"
#include "deepedge/pipeline/post/value_reader.h"

namespace deepedge {
namespace {

struct Head {
  std::string name;
  size_t tensor = 0;
  size_t classes = 0;
  int first_label = 0;  // where its labels begin among the card's
};

class ClassificationDecoder : public OutputDecoder {
 public:
  ClassificationDecoder(const ModelCard& card, std::vector<TensorSpec> outputs, std::vector<Head> heads,
                        ValueReader values)
      : card_(card), outputs_(std::move(outputs)), heads_(std::move(heads)), values_(std::move(values)) {}

  Result<InferenceResult> Decode(std::span<const TensorView> outputs, const Placement& /*placement*/) const override {
    DE_TRY_STATUS(CheckTensorCount(card_, outputs_.size(), outputs.size()));
    InferenceResult result;
    for (const Head& head : heads_) {
      DE_TRY_STATUS(
          CheckTensor(card_, outputs_[head.tensor], outputs[head.tensor], static_cast<int64_t>(head.classes)));
      const FloatReader values(outputs[head.tensor], card_.output.score_scale, card_.output.score_zero);
      std::vector<ClassScore> classes = Best(values, head);
      Activate(values, head.classes, &classes);
      for (ClassScore& entry : classes) result.classes.push_back(std::move(entry));
    }
    DE_TRY(result.values, values_.Read(outputs));
    return result;
  }

 private:
  // The best top_k by raw value, which every activation keeps in order. Insertion into a short list: no copy of all
  // classes.
  std::vector<ClassScore> Best(const FloatReader& values, const Head& head) const {
    const auto limit = heads_.size() > 1 ? size_t{1} : static_cast<size_t>(card_.output.top_k);
    const int offset = card_.output.label_offset;
    const int background = card_.output.background;
    std::vector<ClassScore> best;
    best.reserve(std::min(limit, head.classes) + 1);
    for (auto i = static_cast<size_t>(offset); i < head.classes; ++i) {
      const float value = values[i];
      const int number = static_cast<int>(i);
      if (!std::isfinite(value) || number == background) continue;
      if (best.size() == limit && !(value > best.back().score)) continue;
      const auto place =
          std::find_if(best.begin(), best.end(), [value](const ClassScore& c) { return c.score < value; });
      // A background between the labels has no entry of its own.
      const int skipped = offset + (background >= offset && number > background ? 1 : 0);
      best.insert(place, {.label = number - skipped + head.first_label, .score = value, .head = head.name});
      if (best.size() > limit) best.pop_back();
    }
    return best;
  }

  void Activate(const FloatReader& values, size_t count, std::vector<ClassScore>* classes) const {
    if (classes->empty()) return;
    if (card_.output.sigmoid) {
      for (ClassScore& c : *classes) c.score = Logistic(c.score);
    }
    if (!card_.output.softmax) return;
    float most = classes->front().score;
    for (size_t i = 0; i < count; ++i) {
      if (std::isfinite(values[i])) most = std::max(most, values[i]);
    }
    float sum = 0;
    for (size_t i = 0; i < count; ++i) {
      if (std::isfinite(values[i])) sum += std::exp(values[i] - most);
    }
    for (ClassScore& c : *classes) c.score = std::exp(c.score - most) / sum;
  }

  ModelCard card_;
  std::vector<TensorSpec> outputs_;
  std::vector<Head> heads_;
  ValueReader values_;
};

Result<Head> FindHead(const OutputFinder& finder, std::string_view role, const std::string& name, int64_t classes,
                      std::span<const size_t> taken) {
  const auto fits = [classes](const Shape& shape) {
    const auto count = AsList(shape);
    return count && (classes > 0 ? *count == classes : *count > 1);
  };
  const std::string expected =
      classes > 0 ? fmt::format("{} class scores", classes) : std::string("a list of class scores");
  DE_TRY(const size_t tensor, finder.Find(role, name, fits, expected, taken));
  return Head{.name = {}, .tensor = tensor, .classes = static_cast<size_t>(*AsList(finder.At(tensor).shape))};
}

Result<std::vector<Head>> FindHeads(const ModelCard& card, const OutputFinder& finder) {
  const OutputDecoderSpec& spec = card.output;
  std::vector<Head> heads;
  if (spec.class_heads.empty()) {
    DE_TRY(heads.emplace_back(),
           FindHead(finder, "scores", spec.scores, ScoreRule::Columns(spec, card.labels.size()), {}));
    return heads;
  }
  std::vector<size_t> taken;
  int first_label = 0;
  for (const ClassHead& wanted : spec.class_heads) {
    const int64_t classes = ScoreRule::Columns(spec, static_cast<size_t>(wanted.classes));
    DE_TRY(Head head, FindHead(finder, fmt::format("scores of '{}'", wanted.name), wanted.tensor, classes, taken));
    taken.push_back(head.tensor);
    head.name = wanted.name;
    head.first_label = first_label;
    first_label += wanted.classes;
    heads.push_back(std::move(head));
  }
  if (!card.labels.empty() && static_cast<size_t>(first_label) != card.labels.size()) {
    return Error{ErrorCode::kBadInput, fmt::format("model '{}': the class_heads have {} classes together, the labels "
                                                   "are {}",
                                                   card.name, first_label, card.labels.size())};
  }
  return heads;
}

}  // namespace

MadeDecoder MakeClassificationDecoder(const ModelCard& card, const std::vector<TensorSpec>& outputs) {
  const OutputFinder finder(card, outputs);
  DE_TRY(std::vector<Head> heads, FindHeads(card, finder));
  std::vector<size_t> taken;
  for (const Head& head : heads) taken.push_back(head.tensor);
  DE_TRY(ValueReader values, ValueReader::Create(card, outputs, card.output.values, taken));
  return std::unique_ptr<OutputDecoder>(
      std::make_unique<ClassificationDecoder>(card, outputs, std::move(heads), std::move(values)));
}

}  // namespace deepedge
