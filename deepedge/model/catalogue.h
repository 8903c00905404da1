// The catalogue: cards of known models that come with DeepEdge (folder catalogue/ of the sources, built into the
// program), found by the SHA-256 of the graph file. So a model that was downloaded by hand runs without any
// configuration. It holds no weights.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "deepedge/base/result.h"
#include "deepedge/model/model_card.h"

namespace deepedge {

// The card whose `sha256` is the given one, or nothing. Threads: any.
std::optional<ModelCard> FindInCatalogue(std::string_view sha256);

// All cards, by name. Errors: kInternal when a card is wrong, which the tests rule out.
Result<std::vector<ModelCard>> CatalogueCards();

// The lines of a label list of the catalogue, such as "imagenet1000.txt"; empty when there is none of that name.
std::vector<std::string> CatalogueLabels(std::string_view file_name);

}  // namespace deepedge
