// The JSON form of events: one object, one line, no line break inside; keys and their order are a
// contract that users and other programs rely on.
// Scores have at most 4 decimals, positions 5. Strings that are not UTF-8 are repaired, numbers that are not finite
// become 0.
#pragma once

#include <string>

#include "deepedge/events/event.h"

namespace deepedge {

// Appends the object without a trailing line break. Allocates only to let `out` grow.
void AppendJson(const Event& event, std::string& out);

std::string ToJsonLine(const Event& event);

}  // namespace deepedge
