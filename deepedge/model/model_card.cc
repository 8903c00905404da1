#include "deepedge/model/model_card.h"

#include <fmt/format.h>

namespace deepedge {

std::string ModelCard::LabelOf(int index) const {
  if (index >= 0 && static_cast<size_t>(index) < labels.size()) return labels[static_cast<size_t>(index)];
  return fmt::format("class {}", index);
}

}  // namespace deepedge
