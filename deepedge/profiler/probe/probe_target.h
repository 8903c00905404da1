// From a model and its card to what can be measured of it.
#pragma once

#include <string>
#include <vector>

#include "deepedge/engine/engine.h"
#include "deepedge/profiler/probe/measured_model.h"
#include "deepedge/profiler/probe/probe.h"

namespace deepedge {

// Open inputs of a model without a picture input are given a batch of one. Errors: kUnsupported where another dimension
// is open.
Result<ProbeTarget> TargetOf(const std::string& name, const ModelFiles& files, const ModelCard& card,
                             const std::vector<TensorSpec>& inputs);

// Sizes that are worth knowing about: the card's own, and with `resizable` half, three quarters and one and a half
// times as large, in steps of 32 pixels, as far as they are below `most_pixels`.
std::vector<VariantKey> SizesOf(const ProbeTarget& target, int64_t most_pixels);

// Whether the graph can be given every size of SizesOf, by analysing it in each.
bool CanResize(Engine& engine, const ProbeTarget& target);

// Makes an int8 form of the model as <folder>/<file_name>.xml to measure what such a form takes: its ranges come from
// noise, so its answers are good for nothing. Errors: as Engine::Quantize; kUnsupported for a model without a picture.
Result<ModelFiles> MakeInt8ForTiming(Engine& engine, const ProbeTarget& target, const Path& folder,
                                     const std::string& file_name);

// Analyses the model in the form that a setting needs, unless that is there already. Errors: as Engine::Analyse.
Status AddForm(Engine& engine, const ProbeTarget& target, const Setting& setting, MeasuredModel& model);

}  // namespace deepedge
