// The pages about `edge.yaml` that are made from Fields(). They are kept in docs/ so that they can be read without
// building; reference_test.cc compares them and says how to write them anew.
#pragma once

#include <string>

namespace deepedge {

// docs/configuration.md
std::string ConfigurationPage();

// docs/edge.schema.json
std::string ConfigurationJsonSchema();

}  // namespace deepedge
