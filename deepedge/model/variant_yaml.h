// The `variants` of model.yaml, in and out. Private to model/.
#pragma once

#include <vector>

#include "deepedge/config/yaml_document.h"
#include "deepedge/model/map_reader.h"
#include "deepedge/model/variant.h"

namespace YAML {
class Emitter;
}

namespace deepedge {

// Reads the list `variants` of a card, where there is one.
void ReadVariants(std::vector<Problem>& problems, MapReader& card, std::vector<VariantCard>* variants);

// The key `variants` with its list; nothing for an empty one.
void EmitVariants(YAML::Emitter& out, const std::vector<VariantCard>& variants);

}  // namespace deepedge
