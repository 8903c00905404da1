#include "deepedge/pipeline/cascade/answer_of.h"

#include <fmt/format.h>

namespace deepedge {
namespace {

std::string LabelOf(int label, const std::vector<std::string>& labels) {
  const auto index = static_cast<size_t>(label);
  return label >= 0 && index < labels.size() ? labels[index] : fmt::format("class {}", label);
}

bool IsEmpty(const InferenceResult& result) {
  return result.keypoints.empty() && result.embedding.empty() && result.mask.width == 0;
}

}  // namespace

Answer AnswerOf(const InferenceResult& result, const std::vector<std::string>& labels, const std::string& identity,
                float similarity) {
  if (!identity.empty()) return {.label = identity, .score = similarity};
  if (!result.classes.empty()) {
    return {.label = LabelOf(result.classes[0].label, labels), .score = result.classes[0].score};
  }
  if (!result.objects.empty()) {
    return {.label = LabelOf(result.objects[0].label, labels), .score = result.objects[0].score};
  }
  if (!result.text.empty()) return {.label = "text", .score = result.text[0].score};
  if (!result.values.empty()) {
    const NamedNumber& number = result.values[0];
    return {
        .label = fmt::format("{} {:.3g}{}{}", number.name, number.value, number.unit.empty() ? "" : " ", number.unit),
        .score = 1};
  }
  return {.label = "", .score = IsEmpty(result) ? 0.0F : 1.0F};
}

}  // namespace deepedge
