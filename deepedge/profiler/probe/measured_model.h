// MeasuredModel: a model as the profiler knows it: its layers at every size it was analysed at, and what was measured.
// Plain data; as JSON it is kept in the profile store, exchanged between boxes and read by `deepedge bench profiler`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "deepedge/base/result.h"
#include "deepedge/model/layer_graph.h"
#include "deepedge/profiler/probe/probe.h"

namespace deepedge {

// The layers of one form of the model: int8 or not, at one size.
struct AnalysedForm {
  bool int8 = false;
  int width = 0;
  int height = 0;
  LayerGraph graph;  // for one picture
};

struct MeasuredModel {
  std::string name;
  std::vector<AnalysedForm> forms;
  std::vector<ProbeResult> probes;
};

// Null where the model was not analysed in the form that a setting needs.
const LayerGraph* GraphFor(const MeasuredModel& model, const Setting& setting);

std::string ToJson(const MeasuredModel& model);  // one line
// Errors: kBadInput saying what is wrong with the text; sizes below zero and unknown words count as wrong.
Result<MeasuredModel> MeasuredModelFromJson(std::string_view text);

// One measurement, as ProfileStore::AddMeasurement keeps it: the object that it is in a MeasuredModel's list of probes.
std::string ToJson(const ProbeResult& probe);  // one line
// Errors: kBadInput saying what is wrong with the text.
Result<ProbeResult> ProbeResultFromJson(std::string_view text);

}  // namespace deepedge
