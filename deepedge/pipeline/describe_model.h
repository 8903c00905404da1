// DescribeModel finds out what has to be known about a network beyond its file: from the card beside it, from the
// catalogue, or from the graph, its metadata and the files beside it.
//
//   DE_TRY(GraphInfo graph, engine.Inspect(files));
//   DE_TRY(ModelDescription model, DescribeModel(files, graph));
//   for (const auto& finding : model.findings) log(ToSentence(finding));   // what was worked out, how sure, and why
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "deepedge/engine/engine.h"
#include "deepedge/media/picture.h"
#include "deepedge/model/model_card.h"
#include "deepedge/model/model_files.h"
#include "deepedge/pipeline/card/finding.h"

namespace deepedge {

enum class CardOrigin { kFile, kCatalogue, kGuess };

std::string_view ToString(CardOrigin origin);  // "model.yaml", "catalogue", "guess from the graph"

struct ModelDescription {
  ModelCard card;
  CardOrigin origin = CardOrigin::kGuess;
  Path card_file;                        // of kFile
  std::vector<Finding> findings;         // of kGuess: one a field
  std::vector<std::string> assumptions;  // of kGuess: what is not certain, one sentence each, for the user
  bool undecided = false;  // of kGuess: nothing was tried, and pictures could tell between readings that stay possible
};

struct DescribeOptions {
  bool use_card_file = true;
  bool use_catalogue = true;
};

// In this order:
//  1. `model.yaml` in the folder of the graph file (of a SavedModel: in it), or one folder up where that folder is a
//     version number; of a version that does not serve, the card that it keeps. A `sha256` in it must be that of the
//     graph file.
//  2. The card of the catalogue with the graph file's SHA-256. Of IR and Paddle that is the file of the graph, not of
//     the weights.
//  3. A card written from the evidence (card/evidence.h). The name is then that of the file. A model that takes no
//     picture or whose outputs nobody knows gets a card of the task "raw".
// Errors: kBadInput when the card is wrong. Reads the graph file once for its hash and the small files beside it; takes
// as long. Not for lanes.
Result<ModelDescription> DescribeModel(const ModelFiles& files, const GraphInfo& graph,
                                       const DescribeOptions& options = {});

// The same for whoever has not read the graph yet: it is read only where no card was written by anybody. Errors: those
// of Engine::Inspect too.
Result<ModelDescription> DescribeModel(Engine& engine, const ModelFiles& files);

// The same, and where a card was written and two readings stay possible, runs the model on the pictures with each and
// keeps the one with the saner results (card/probe.h): readings of the outputs, then of what goes in. Compiles the
// model once: some seconds.
Result<ModelDescription> DescribeWithProbe(Engine& engine, const ModelFiles& files, const GraphInfo& graph,
                                           const std::vector<RgbPicture>& pictures,
                                           const DescribeOptions& options = {});

}  // namespace deepedge
