// Made-up outputs of networks: tensors of the shapes that common networks have, that show as many things as are asked
// for, with the card that says how to read them. For measuring what reading costs before any model is there.
#pragma once

#include <span>
#include <vector>

#include "deepedge/model/model_card.h"
#include "deepedge/model/tensor.h"

namespace deepedge {

struct MadeUpOutput {
  ModelCard card;
  std::vector<TensorSpec> specs;
  std::vector<Tensor> tensors;
};

// The kinds that can be made up, those of most networks.
std::span<const OutputDecoderKind> MadeUpKinds();
// Whether such outputs show objects or regions; of others `objects` does not matter.
bool ShowsObjects(OutputDecoderKind kind);

// `side` of the network's input in pixels, a multiple of 32. `kind` is one of MadeUpKinds(). Each object is seen by
// three neighbouring cells, which suppression has to clear. Decoders find about `objects` of them.
MadeUpOutput MakeUpOutput(OutputDecoderKind kind, int side, int objects);

}  // namespace deepedge
