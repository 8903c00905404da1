// The built-in catalogue as text; the definition is made from catalogue/download/models.yaml by CMakeLists.txt.
#pragma once

#include <string_view>

namespace deepedge {

std::string_view BuiltInCatalogueText();

}  // namespace deepedge
