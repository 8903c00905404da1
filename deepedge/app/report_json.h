// The summary of a run as JSON, for `--json`.
#pragma once

#include <nlohmann/json.hpp>

#include "deepedge/app/event_report.h"
#include "deepedge/base/thread.h"
#include "deepedge/runtime/data_plane.h"

namespace deepedge {

// Pure. One object with "type": "summary"; times in the unit their names end in, costs in core milliseconds a second.
nlohmann::ordered_json SummaryJson(const RunReport& report, const EventReport& events, const MemoryUse& memory);

}  // namespace deepedge
