// LoadedModel: a model that is ready to serve: its card, the compiled network with warm slots, and the decoder of its
// outputs. Immutable after loading and shared by all tasks that use the model: memory grows with the slots that run at
// once (at most one a lane), never with the number of streams.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "deepedge/engine/engine.h"
#include "deepedge/model/model_card.h"
#include "deepedge/model/model_files.h"
#include "deepedge/pipeline/post/output_decoder.h"

namespace deepedge {

// The same network for a smaller size of the picture.
struct PyramidLevel {
  int width = 0;
  int height = 0;
  std::unique_ptr<CompiledModel> compiled;
  std::unique_ptr<OutputDecoder> decoder;
};

struct LoadedModel {
  std::string name;     // as tasks and events call it
  std::string variant;  // which form of it this is: "fp32@416x416"
  ModelCard card;
  std::vector<std::string> assumptions;  // what had to be guessed about it, for the user to read
  std::shared_ptr<const std::vector<std::string>> labels;
  std::unique_ptr<CompiledModel> compiled;
  std::unique_ptr<OutputDecoder> decoder;  // may give fainter objects too, for trackers
  float threshold = 0;                     // objects under this score are not reported
  std::vector<PyramidLevel> smaller;  // of a card with a pyramid: the sizes below that of `compiled`, the largest first
  ModelFiles files;
  std::string sha256;  // of the graph file, where somebody has asked for it; a gallery is of one model
};

}  // namespace deepedge
