// What a model saw on one picture, as text, as JSON and drawn into the picture.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "deepedge/media/picture.h"
#include "deepedge/runtime/loaded_model.h"

namespace deepedge {

std::vector<std::string> ResultLines(const InferenceResult& result, const LoadedModel& model);

// The same keys as in events.
nlohmann::ordered_json ResultJson(const InferenceResult& result, const LoadedModel& model);

void DrawResult(RgbPicture& picture, const InferenceResult& result, const LoadedModel& model);

}  // namespace deepedge
