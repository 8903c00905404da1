// Regression: plain numbers, such as an age or the direction of a gaze.
#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "deepedge/pipeline/post/decoders.h"
#include "deepedge/pipeline/post/value_reader.h"

namespace deepedge {
namespace {

constexpr int64_t kMostValues = 2000;  // the largest set of landmarks has 1434

class RegressionDecoder : public OutputDecoder {
 public:
  RegressionDecoder(const ModelCard& card, size_t outputs, ValueReader values)
      : card_(card), outputs_(outputs), values_(std::move(values)) {}

  Result<InferenceResult> Decode(std::span<const TensorView> outputs, const Placement& /*placement*/) const override {
    DE_TRY_STATUS(CheckTensorCount(card_, outputs_, outputs.size()));
    InferenceResult result;
    DE_TRY(result.values, values_.Read(outputs));
    return result;
  }

 private:
  ModelCard card_;
  size_t outputs_;
  ValueReader values_;
};

// Every number of the only list, called after the labels.
Result<std::vector<ValueSpec>> AllValues(const ModelCard& card, const std::vector<TensorSpec>& outputs) {
  const auto labels = static_cast<int64_t>(card.labels.size());
  const auto fits = [labels](const Shape& shape) {
    const auto count = AsList(shape);
    return count && (labels > 0 ? *count == labels : *count <= kMostValues);
  };
  const OutputFinder finder(card, outputs);
  const std::string expected =
      labels > 0 ? fmt::format("{} numbers", labels) : fmt::format("up to {} numbers", kMostValues);
  DE_TRY(const size_t tensor, finder.Find("tensor", card.output.tensor, fits, expected));
  std::vector<ValueSpec> values;
  for (int64_t i = 0; i < *AsList(outputs[tensor].shape); ++i) {
    const auto place = static_cast<size_t>(i);
    values.push_back({.name = place < card.labels.size() ? card.labels[place] : fmt::format("value {}", i),
                      .tensor = outputs[tensor].name,
                      .index = static_cast<int>(i)});
  }
  return values;
}

}  // namespace

Result<ValueReader> ValueReader::Create(const ModelCard& card, const std::vector<TensorSpec>& outputs,
                                        const std::vector<ValueSpec>& values, std::span<const size_t> taken) {
  ValueReader reader(card, outputs);
  const OutputFinder finder(card, outputs);
  for (const ValueSpec& spec : values) {
    const auto fits = [&spec](const Shape& shape) {
      const auto count = AsList(shape);
      return count && *count > spec.index;
    };
    const std::span<const size_t> not_these = spec.tensor.empty() ? taken : std::span<const size_t>{};
    DE_TRY(const size_t tensor, finder.Find(fmt::format("value '{}'", spec.name), spec.tensor, fits,
                                            fmt::format("{} or more numbers", spec.index + 1), not_these));
    reader.values_.push_back({spec, tensor, *AsList(outputs[tensor].shape)});
  }
  return reader;
}

Result<std::vector<NamedNumber>> ValueReader::Read(std::span<const TensorView> outputs) const {
  std::vector<NamedNumber> numbers;
  for (const Value& value : values_) {
    DE_TRY_STATUS(CheckTensor(card_, outputs_[value.tensor], outputs[value.tensor], value.count));
    const FloatReader reader(outputs[value.tensor], card_.output.score_scale, card_.output.score_zero);
    const float number = reader[static_cast<size_t>(value.spec.index)] * value.spec.scale + value.spec.offset;
    if (std::isfinite(number)) numbers.push_back({value.spec.name, number, value.spec.unit});
  }
  return numbers;
}

MadeDecoder MakeRegressionDecoder(const ModelCard& card, const std::vector<TensorSpec>& outputs) {
  std::vector<ValueSpec> values = card.output.values;
  if (values.empty()) {
    DE_TRY(values, AllValues(card, outputs));
  }
  DE_TRY(ValueReader reader, ValueReader::Create(card, outputs, values, {}));
  return std::unique_ptr<OutputDecoder>(std::make_unique<RegressionDecoder>(card, outputs.size(), std::move(reader)));
}

}  // namespace deepedge
