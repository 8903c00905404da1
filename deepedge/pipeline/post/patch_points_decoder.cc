// Patch points: one pair x, y for each patch of the input, as shares of the patch, which is a small picture around
// where a point was thought to be. A point that the network puts far from the middle is not believed and stays in the
// middle.
#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "deepedge/pipeline/post/decoders.h"
#include "deepedge/pipeline/post/output_tensors.h"

namespace deepedge {
namespace {

bool IsPair(const Shape& shape) { return AsList(shape) == 2; }

class PatchPointsDecoder : public OutputDecoder {
 public:
  PatchPointsDecoder(const ModelCard& card, std::vector<TensorSpec> outputs, std::vector<size_t> tensors)
      : card_(card), outputs_(std::move(outputs)), tensors_(std::move(tensors)) {}

  // Key point i is in fractions of patch i.
  Result<InferenceResult> Decode(std::span<const TensorView> outputs, const Placement& placement) const override {
    DE_TRY_STATUS(CheckTensorCount(card_, outputs_.size(), outputs.size()));
    InferenceResult result;
    for (const size_t tensor : tensors_) {
      DE_TRY_STATUS(CheckTensor(card_, outputs_[tensor], outputs[tensor], 2));
      const FloatReader pair(outputs[tensor], card_.output.score_scale, card_.output.score_zero);
      const float most = card_.output.max_move;
      // Comparisons with NaN are false.
      const bool believed = std::abs(pair[0] - 0.5F) <= most && std::abs(pair[1] - 0.5F) <= most;
      const bool said = std::isfinite(pair[0]) && std::isfinite(pair[1]);
      const Point point = believed ? Point{pair[0], pair[1]} : Point{0.5F, 0.5F};
      result.keypoints.push_back({placement.ToSource(point), said ? 1.0F : 0.0F});
    }
    return result;
  }

 private:
  ModelCard card_;
  std::vector<TensorSpec> outputs_;
  std::vector<size_t> tensors_;  // of the patches, in their order
};

}  // namespace

MadeDecoder MakePatchPointsDecoder(const ModelCard& card, const std::vector<TensorSpec>& outputs) {
  const OutputFinder finder(card, outputs);
  const auto patches = static_cast<size_t>(card.input.patches);
  const std::string expected = fmt::format("2 numbers for each of {} patches", patches);
  std::vector<size_t> tensors;
  for (const std::string& name : card.output.tensors) {
    DE_TRY(const size_t tensor, finder.Find("tensors", name, IsPair, expected));
    tensors.push_back(tensor);
  }
  for (size_t i = 0; i < outputs.size() && card.output.tensors.empty(); ++i) {
    if (IsPair(outputs[i].shape)) tensors.push_back(i);
  }
  if (tensors.size() != patches || patches == 0) return finder.NoneFits("tensors", expected);
  return std::unique_ptr<OutputDecoder>(std::make_unique<PatchPointsDecoder>(card, outputs, std::move(tensors)));
}

}  // namespace deepedge
