// DetectionOutput: one tensor of rows (image, label, score, x1, y1, x2, y2), suppressed inside the graph. A row with a
// negative image ends the list.
#include <algorithm>
#include <cmath>

#include "deepedge/pipeline/post/decoders.h"
#include "deepedge/pipeline/post/nms.h"
#include "deepedge/pipeline/post/output_tensors.h"

namespace deepedge {
namespace {

constexpr int64_t kColumns = 7;
constexpr float kLargestLabel = 1e6F;

class SsdDecoder : public OutputDecoder {
 public:
  SsdDecoder(const ModelCard& card, std::vector<TensorSpec> outputs, size_t tensor)
      : card_(card), outputs_(std::move(outputs)), tensor_(tensor) {}

  Result<InferenceResult> Decode(std::span<const TensorView> outputs, const Placement& placement) const override {
    DE_TRY_STATUS(CheckTensorCount(card_, outputs_.size(), outputs.size()));
    // The number of rows may differ from run to run.
    const TensorView& tensor = outputs[tensor_];
    const auto table = IsStatic(tensor.shape) ? AsTable(tensor.shape, kColumns) : std::nullopt;
    const int64_t rows = table ? table->rows : 0;
    DE_TRY_STATUS(CheckTensor(card_, outputs_[tensor_], tensor, std::max<int64_t>(rows, 0) * kColumns));
    const FloatReader values(tensor);

    InferenceResult result;
    for (size_t i = 0; i < static_cast<size_t>(rows) * kColumns; i += kColumns) {
      if (!(values[i] >= 0)) break;
      const float label = values[i + 1] - static_cast<float>(card_.output.label_offset);
      const float score = values[i + 2];
      if (!(score >= card_.threshold) || !std::isfinite(score) || !(label >= 0 && label <= kLargestLabel)) continue;
      const auto box = BoxInPicture(BoxAt(values, i + 3), placement);
      if (box) result.objects.push_back({.label = static_cast<int>(label), .score = score, .box = *box});
    }
    SortBestFirst(&result.objects);
    return result;
  }

 private:
  Box BoxAt(const FloatReader& values, size_t i) const {
    const float width = card_.output.normalized ? 1.0F : static_cast<float>(card_.input.width);
    const float height = card_.output.normalized ? 1.0F : static_cast<float>(card_.input.height);
    return {values[i] / width, values[i + 1] / height, values[i + 2] / width, values[i + 3] / height};
  }

  ModelCard card_;
  std::vector<TensorSpec> outputs_;
  size_t tensor_;
};

}  // namespace

MadeDecoder MakeSsdDecoder(const ModelCard& card, const std::vector<TensorSpec>& outputs) {
  const OutputFinder finder(card, outputs);
  const auto fits = [](const Shape& shape) { return AsTable(shape, kColumns).has_value(); };
  DE_TRY(const size_t tensor,
         finder.Find("boxes", card.output.boxes, fits, "rows of 7 numbers (image, label, score, x1, y1, x2, y2)"));
  return std::unique_ptr<OutputDecoder>(std::make_unique<SsdDecoder>(card, outputs, tensor));
}

}  // namespace deepedge
