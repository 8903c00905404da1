// From what the user wrote (options or a configuration file) to what the data plane is to do. Pure, apart from what the
// callers already read.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "deepedge/base/file.h"
#include "deepedge/config/edge_config.h"
#include "deepedge/runtime/data_plane.h"

namespace deepedge {

// A model to load: how tasks call it, and what the user named.
struct ModelRequest {
  std::string name;
  std::string source;   // a name in the repository, a path, or an URL with its hash
  std::string sha256;   // of the model's file; empty: any
  std::string variant;  // "int8@416x256"; empty: the model's own form
};

// What each model can tell apart, by the name that tasks call it.
using LabelsByModel = std::map<std::string, std::vector<std::string>>;

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

// Checks that every model is there, of a known format, whole and the one its hash names, without loading it. Errors as
// CheckSources.
Status CheckModels(const std::vector<ModelRequest>& models, const Path& repository, const SourceMap* file = nullptr);

// Checks the shapes of zones and lines. Errors as CheckSources.
Status CheckPlaces(const std::vector<StreamSpec>& streams, const SourceMap* file = nullptr);

// Checks that the models of the tasks have the labels that the tasks want, and that each label of a zone or line is one
// of some model of its stream. Errors as CheckSources.
Status CheckLabels(const std::vector<StreamSpec>& streams, const LabelsByModel& labels,
                   const SourceMap* file = nullptr);

// Who runs a model: how many tasks and cascades, whether any of them tracks, and the most objects of a frame that a
// cascade passes to it (0: none does).
struct ModelUse {
  size_t users = 0;
  bool tracked = false;
  size_t most_objects = 0;
  bool on_every_lane = false;  // inside other models' jobs, for tracks
};
ModelUse UseOf(const std::vector<StreamSpec>& streams, const std::string& model);

// Options that change what the user gets are refused while they cannot be kept: kUnsupported with a line for each.
Status RefuseUnsupported(const EdgeConfig& config);

// How a message about a model begins: its place in the configuration file, or its name.
std::string PlaceOfModel(const std::string& name, const SourceMap* file);

}  // namespace deepedge
