#include "deepedge/pipeline/post/output_decoder.h"

#include "deepedge/pipeline/post/decoders.h"

namespace deepedge {
namespace {

// Tensors that nobody reads: the result stays empty.
class RawDecoder : public OutputDecoder {
 public:
  Result<InferenceResult> Decode(std::span<const TensorView> /*outputs*/,
                                 const Placement& /*placement*/) const override {
    return InferenceResult{};
  }
};

}  // namespace

Result<std::unique_ptr<OutputDecoder>> MakeOutputDecoder(const ModelCard& card,
                                                         const std::vector<TensorSpec>& outputs) {
  switch (card.output.kind) {
    case OutputDecoderKind::kRaw: return std::unique_ptr<OutputDecoder>(std::make_unique<RawDecoder>());
    case OutputDecoderKind::kSsd: return MakeSsdDecoder(card, outputs);
    case OutputDecoderKind::kSsdAnchors: return MakeSsdAnchorsDecoder(card, outputs);
    case OutputDecoderKind::kBoxesScores: return MakeBoxesScoresDecoder(card, outputs);
    case OutputDecoderKind::kDetections: return MakeDetectionsDecoder(card, outputs);
    case OutputDecoderKind::kYolox: return MakeYoloxDecoder(card, outputs);
    case OutputDecoderKind::kYoloAnchors:
    case OutputDecoderKind::kYoloRows:
    case OutputDecoderKind::kDetectionRows:
    case OutputDecoderKind::kDfl:
    case OutputDecoderKind::kFastestGrid:
    case OutputDecoderKind::kYunet:
    case OutputDecoderKind::kCenternet:
    case OutputDecoderKind::kHeatmapPose:
    case OutputDecoderKind::kEmbedding:
    case OutputDecoderKind::kSegmentation:
    case OutputDecoderKind::kTextMap:
    case OutputDecoderKind::kRegression: break;
    case OutputDecoderKind::kClassification: return MakeClassificationDecoder(card, outputs);
    case OutputDecoderKind::kPose: return MakePoseDecoder(card, outputs);
  }
  return Error{ErrorCode::kInternal, "unknown output decoder"};
}

}  // namespace deepedge
