// What of a result can be passed on down a cascade. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "deepedge/media/geometry.h"
#include "deepedge/model/inference_result.h"

namespace deepedge {

// Whether results of this task (ModelCard::task) hold anything that another model could look at.
bool PassesOn(std::string_view task);

// Objects as they are; a class that the picture has, as an object that fills `whole`, the part that was looked at;
// regions of text as objects of label 0. Best first.
std::vector<DetectedObject> ObjectsToPassOn(const InferenceResult& result, const Box& whole);

}  // namespace deepedge
