// The JSON form of events: one object, one line, no line break inside; keys as DESIGN 4.3 names them.
#pragma once

#include <string>

#include "deepedge/events/event.h"

namespace deepedge {

// Without a trailing line break. Strings that are not UTF-8 are repaired, numbers that are not finite become 0.
std::string ToJsonLine(const Event& event);

}  // namespace deepedge
