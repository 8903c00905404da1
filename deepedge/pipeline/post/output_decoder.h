// Output decoders turn a network's tensors into what it saw, in fractions of the source picture, letterbox undone. Each
// is a pure function of (tensors, placement, threshold); its parameters come from the model card.
//
//   DE_TRY(auto decoder, MakeOutputDecoder(card, model.outputs()));   // checks names and shapes once
//   DE_TRY(InferenceResult seen, decoder->Decode(tensors, placement));
//
// Threads: immutable after creation; Decode may be called from several threads.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "deepedge/base/result.h"
#include "deepedge/media/geometry.h"
#include "deepedge/model/inference_result.h"
#include "deepedge/model/model_card.h"
#include "deepedge/model/tensor.h"

namespace deepedge {

class OutputDecoder {
 public:
  virtual ~OutputDecoder() = default;

  // `outputs` in the order of the specs given at creation. Boxes are clipped to the picture, but not those of
  // `window`: if the picture is a part of a larger one, a thing may reach out of it, so they are clipped when they are
  // in terms of the whole (RunModelOnPicture does it for whole pictures). Key points of `patch_points` are fractions of
  // their patches (crop/patches.h). Objects are above the card's threshold, suppressed (NMS per class) where the graph
  // does not do it, best first. Numbers that are not finite are never reported. Errors: kInternal when a tensor has
  // another shape than promised.
  virtual Result<InferenceResult> Decode(std::span<const TensorView> outputs, const Placement& placement) const = 0;
};

// Errors: kBadInput naming the model, the tensor and what the decoder expects of it.
Result<std::unique_ptr<OutputDecoder>> MakeOutputDecoder(const ModelCard& card, const std::vector<TensorSpec>& outputs);

}  // namespace deepedge
