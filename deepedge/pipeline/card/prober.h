// Prober runs a network on views of pictures with one card after another. Thread-compatible.
#pragma once

#include <optional>
#include <vector>

#include "deepedge/engine/engine.h"
#include "deepedge/media/picture.h"
#include "deepedge/media/pixel_ops.h"
#include "deepedge/model/model_card.h"
#include "deepedge/pipeline/card/probe_score.h"
#include "deepedge/pipeline/post/output_decoder.h"

namespace deepedge {

class Prober {
 public:
  // `model` outlives this; its first lane and batch are used.
  explicit Prober(CompiledModel& model) : model_(model) {}

  // How sane the results are with this card, or nothing where that cannot be said. `parts` is not empty (PartsOf).
  // Errors: kUnsupported and what the engine says; a decoder that does not fit the outputs.
  Result<std::optional<Sanity>> Try(ModelCard card, const std::vector<RgbPicture>& parts);

 private:
  Result<InferenceResult> Run(const ModelCard& card, const OutputDecoder& decoder, const RgbPicture& picture);

  CompiledModel& model_;
  PictureScaler scaler_;
  std::vector<uint8_t> packed_;
};

}  // namespace deepedge
