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
    case OutputDecoderKind::kYoloAnchors: return MakeYoloAnchorsDecoder(card, outputs);
    case OutputDecoderKind::kYoloRows: return MakeYoloRowsDecoder(card, outputs);
    case OutputDecoderKind::kDetectionRows: return MakeDetectionRowsDecoder(card, outputs);
    case OutputDecoderKind::kDfl: return MakeDflDecoder(card, outputs);
    case OutputDecoderKind::kFastestGrid: return MakeFastestGridDecoder(card, outputs);
    case OutputDecoderKind::kYunet: return MakeYunetDecoder(card, outputs);
    case OutputDecoderKind::kCenternet: return MakeCenternetDecoder(card, outputs);
    case OutputDecoderKind::kHeatmapPose: return MakeHeatmapPoseDecoder(card, outputs);
    case OutputDecoderKind::kEmbedding: return MakeEmbeddingDecoder(card, outputs);
    case OutputDecoderKind::kSegmentation: return MakeSegmentationDecoder(card, outputs);
    case OutputDecoderKind::kTextMap: return MakeTextMapDecoder(card, outputs);
    case OutputDecoderKind::kRegression: return MakeRegressionDecoder(card, outputs);
    case OutputDecoderKind::kClassification: return MakeClassificationDecoder(card, outputs);
    case OutputDecoderKind::kPose: return MakePoseDecoder(card, outputs);
    case OutputDecoderKind::kWindow: return MakeWindowDecoder(card, outputs);
    case OutputDecoderKind::kPatchPoints: return MakePatchPointsDecoder(card, outputs);
  }
  return Error{ErrorCode::kInternal, "unknown output decoder"};
}

}  // namespace deepedge
