// One function per family of output decoders, each in its own file; MakeOutputDecoder chooses among them. All return
// kBadInput naming the model, the tensor and what is expected of it. Private to pipeline/post.
#pragma once

#include <memory>
#include <vector>

#include "deepedge/pipeline/post/output_decoder.h"

namespace deepedge {

using MadeDecoder = Result<std::unique_ptr<OutputDecoder>>;

MadeDecoder MakeYoloxDecoder(const ModelCard& card, const std::vector<TensorSpec>& outputs);
MadeDecoder MakeSsdDecoder(const ModelCard& card, const std::vector<TensorSpec>& outputs);
MadeDecoder MakeSsdAnchorsDecoder(const ModelCard& card, const std::vector<TensorSpec>& outputs);
MadeDecoder MakeBoxesScoresDecoder(const ModelCard& card, const std::vector<TensorSpec>& outputs);
MadeDecoder MakeDetectionsDecoder(const ModelCard& card, const std::vector<TensorSpec>& outputs);
MadeDecoder MakeClassificationDecoder(const ModelCard& card, const std::vector<TensorSpec>& outputs);
MadeDecoder MakePoseDecoder(const ModelCard& card, const std::vector<TensorSpec>& outputs);
MadeDecoder MakeYoloAnchorsDecoder(const ModelCard& card, const std::vector<TensorSpec>& outputs);
MadeDecoder MakeYoloRowsDecoder(const ModelCard& card, const std::vector<TensorSpec>& outputs);
MadeDecoder MakeDetectionRowsDecoder(const ModelCard& card, const std::vector<TensorSpec>& outputs);
MadeDecoder MakeDflDecoder(const ModelCard& card, const std::vector<TensorSpec>& outputs);
MadeDecoder MakeFastestGridDecoder(const ModelCard& card, const std::vector<TensorSpec>& outputs);
MadeDecoder MakeYunetDecoder(const ModelCard& card, const std::vector<TensorSpec>& outputs);
MadeDecoder MakeCenternetDecoder(const ModelCard& card, const std::vector<TensorSpec>& outputs);
MadeDecoder MakeHeatmapPoseDecoder(const ModelCard& card, const std::vector<TensorSpec>& outputs);
MadeDecoder MakeEmbeddingDecoder(const ModelCard& card, const std::vector<TensorSpec>& outputs);
MadeDecoder MakeSegmentationDecoder(const ModelCard& card, const std::vector<TensorSpec>& outputs);
MadeDecoder MakeTextMapDecoder(const ModelCard& card, const std::vector<TensorSpec>& outputs);
MadeDecoder MakeRegressionDecoder(const ModelCard& card, const std::vector<TensorSpec>& outputs);
MadeDecoder MakeWindowDecoder(const ModelCard& card, const std::vector<TensorSpec>& outputs);
MadeDecoder MakePatchPointsDecoder(const ModelCard& card, const std::vector<TensorSpec>& outputs);

}  // namespace deepedge
