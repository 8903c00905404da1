// `deepedge model describe`: what a model file is and how it would be read, without adding it.
#pragma once

#include <string>
#include <vector>

#include "deepedge/base/file.h"
#include "deepedge/base/result.h"
#include "deepedge/engine/engine.h"

namespace deepedge {

struct DescribeCommandOptions {
  std::vector<std::string> models;    // names in the repository, files or folders
  std::vector<std::string> pictures;  // to try readings on, files and folders; empty: those of the repository
  std::string repository;
  bool no_catalogue = false;
  bool json = false;
  bool yaml = false;   // print the card
  bool facts = false;  // print what was seen in the graph
};

// Prints one block, or one line of JSON, for every model. A model that cannot be read is said so and makes the whole
// fail at the end.
Status DescribeModels(Engine& engine, const DescribeCommandOptions& options, const Path& repository);

}  // namespace deepedge
