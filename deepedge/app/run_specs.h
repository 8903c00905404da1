// From what the user wrote (options or a configuration file) to what the data plane is to do. Pure, apart from what the
// callers already read.
#pragma once

#include <string>
#include <vector>

#include "deepedge/config/edge_config.h"
#include "deepedge/runtime/data_plane.h"

namespace deepedge {

// A model to load: how tasks call it, and what the user named.
struct ModelRequest {
  std::string name;
  std::string source;  // a name in the repository or a path
  std::string sha256;  // of the model's file; empty: any
};

struct RunSpecs {
  std::vector<ModelRequest> models;
  std::vector<StreamSpec> streams;
};

// A short name for a source: the file's name without its ending, or host and path of an address; never a password.
std::string NameOfSource(const std::string& address);

// The same names with "-2", "-3" ... behind repeated ones.
std::vector<std::string> MakeUnique(std::vector<std::string> names);

// Every source through every model. Model names are the last part of what the user named.
RunSpecs SpecsOfOptions(const std::vector<std::string>& sources, const std::vector<std::string>& models);

RunSpecs SpecsOfConfig(const EdgeConfig& config);

// Checks what can be checked of the sources before anything is started. The error has a line for each that is wrong,
// with its place in the configuration file where there is one.
Status CheckSources(const std::vector<StreamSpec>& streams, const SourceMap* file = nullptr);

}  // namespace deepedge
