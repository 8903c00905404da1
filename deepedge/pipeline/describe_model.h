// DescribeModel finds out what has to be known about a network beyond its file: from the card beside it, from the
// catalogue, or, in clear cases, from the graph itself.
//
//   DE_TRY(GraphInfo graph, engine.Inspect(files));
//   DE_TRY(ModelDescription model, DescribeModel(files, graph));
//   for (const auto& text : model.assumptions) log(text);   // what the user should check
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "deepedge/engine/engine.h"
#include "deepedge/model/model_card.h"
#include "deepedge/model/model_files.h"

namespace deepedge {

enum class CardOrigin { kFile, kCatalogue, kGuess };

std::string_view ToString(CardOrigin origin);  // "model.yaml", "catalogue", "guess from the graph"

struct ModelDescription {
  ModelCard card;
  CardOrigin origin = CardOrigin::kGuess;
  Path card_file;                        // of kFile
  std::vector<std::string> assumptions;  // of kGuess: one sentence each, for the user
};

// In this order:
//  1. `model.yaml` in the folder of the graph file (of a SavedModel: in it), or one folder up where that folder is a
//     version number; of a version that does not serve, the card that it keeps. A `sha256` in it must be that of the
//     graph file.
//  2. The card of the catalogue with the graph file's SHA-256. Of IR and Paddle that is the file of the graph, not of
//     the weights.
//  3. A guess, for one input that is a 3-channel picture of fixed size and outputs of a well-known form. The name is
//     then that of the file.
// Errors: kBadInput when the card is wrong, and when nothing can be said: with the reason and what a card must give.
// Reads the graph file once for its hash; takes as long. Not for lanes.
Result<ModelDescription> DescribeModel(const ModelFiles& files, const GraphInfo& graph);

// The third step alone: pure.
Result<ModelDescription> GuessCard(const ModelFiles& files, const GraphInfo& graph);

}  // namespace deepedge
