// What meters say as lines for people, each of at most 120 columns with its line break. Pure.
//
//   fmt::print("{}{}", BoxLines(box, topology), MeterText(report));
#pragma once

#include <string>

#include "deepedge/profiler/meter/box.h"
#include "deepedge/profiler/meter/meter_report.h"
#include "deepedge/profiler/meter/topology.h"

namespace deepedge {

// Use of each core, pressure, limits, memory, and every source that is missing with its reason.
std::string MeterText(const MeterReport& report);

// The box itself: identity, fingerprint and topology.
std::string BoxLines(const BoxIdentity& box, const Topology& topology);

}  // namespace deepedge
