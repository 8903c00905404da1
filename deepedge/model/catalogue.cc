#include "deepedge/model/catalogue.h"

#include <fmt/format.h>

#include "deepedge/base/check.h"
#include "deepedge/model/catalogue_data.h"
#include "deepedge/model/model_card_io.h"

namespace deepedge {
namespace {

Result<std::string> ReadEmbedded(const std::string& name) {
  for (const CatalogueFile& file : CatalogueFiles()) {
    if (file.name == name) return std::string(file.text);
  }
  return Error{ErrorCode::kNotFound, fmt::format("{}: not in the catalogue", name)};
}

Result<ModelCard> ParseEmbedded(const CatalogueFile& file) {
  return ParseModelCard(std::string(file.text), fmt::format("catalogue/{}", file.name), ReadEmbedded);
}

}  // namespace

std::optional<ModelCard> FindInCatalogue(std::string_view sha256) {
  if (sha256.empty()) return std::nullopt;
  for (const CatalogueFile& file : CatalogueFiles()) {
    if (!file.name.ends_with(".yaml") || file.text.find(sha256) == std::string_view::npos) continue;
    Result<ModelCard> card = ParseEmbedded(file);
    DE_CHECK(card.ok());  // part of the program, and parsed by the tests
    if (card.value().sha256 == sha256) return std::move(card).value();
  }
  return std::nullopt;
}

Result<std::vector<ModelCard>> CatalogueCards() {
  std::vector<ModelCard> cards;
  for (const CatalogueFile& file : CatalogueFiles()) {
    if (!file.name.ends_with(".yaml")) continue;
    Result<ModelCard> card = ParseEmbedded(file);
    if (!card.ok()) return Error{ErrorCode::kInternal, card.error().message};
    cards.push_back(std::move(card).value());
  }
  return cards;
}

std::vector<std::string> CatalogueLabels(std::string_view file_name) {
  std::vector<std::string> labels;
  for (const CatalogueFile& file : CatalogueFiles()) {
    if (file.name != file_name || !file.name.ends_with(".txt")) continue;
    std::string_view rest = file.text;
    while (!rest.empty()) {
      const size_t end = rest.find('\n');
      labels.emplace_back(rest.substr(0, end));
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
  }
  return labels;
}

}  // namespace deepedge
