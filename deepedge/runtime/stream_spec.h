// What is to run, in names: streams, their tasks, and the cascades behind them. Made from a configuration or from
// options of the command line; TaskBuilder turns it into what the data plane runs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "deepedge/base/clock.h"
#include "deepedge/pipeline/cascade/answer_book.h"
#include "deepedge/pipeline/cascade/gate.h"
#include "deepedge/pipeline/crop/crop_box.h"
#include "deepedge/pipeline/track/zones.h"

namespace deepedge {

// One model of a cascade. Labels and zones by name; GateRule's own are not set yet.
struct CascadeSpec {
  std::string model;
  std::string label;  // that an object must have; empty: any
  std::string zone;   // that it must be in; empty: anywhere
  GateRule gate;
  AskRule ask;
  CropRule crop;
  std::optional<bool> align;  // not set: where the model gives embeddings
  size_t max_objects = 16;
  bool report = true;
  std::vector<CascadeSpec> then;
};

struct TaskSpec {
  std::string model;  // name of a loaded model
  double max_rate = 0;
  std::optional<Duration> deadline;  // not set: nothing is dropped for being late
  std::vector<std::string> labels;   // empty: all
  bool track = true;
  std::string reid;  // name of a loaded model that has a slot for every lane; empty: tracks go without embeddings
  bool report = true;
  std::vector<CascadeSpec> then;
};

// Zone and Line with labels by name; their own are not set yet.
struct ZoneSpec {
  Zone zone;
  std::vector<std::string> labels;
};
struct LineSpec {
  Line line;
  std::vector<std::string> labels;
};

struct StreamSpec {
  std::string name;
  std::string address;
  bool loop = false;  // these three for files only
  double speed = 1.0;
  Duration start_offset{0};
  std::vector<ZoneSpec> zones;
  std::vector<LineSpec> lines;
  std::vector<TaskSpec> tasks;
};

}  // namespace deepedge
