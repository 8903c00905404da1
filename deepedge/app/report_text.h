// The table that `deepedge run` shows while it runs and when it ends.
#pragma once

#include <string>
#include <vector>

#include "deepedge/app/event_report.h"
#include "deepedge/runtime/data_plane.h"

namespace deepedge {

// Pure: the lines of the table. With `before`, rates, costs and busy shares are those since then (the live view);
// without, those of the whole run (the summary). Events are left out
// while there are none, as in a run that writes none.
std::vector<std::string> RenderTable(const RunReport& now, const RunReport* before, const EventReport& events);

}  // namespace deepedge
