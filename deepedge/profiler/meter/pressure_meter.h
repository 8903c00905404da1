// Pressure: which share of the time work had to wait for something (the kernel's PSI). /proc/pressure/{cpu,memory,io}
// tells of the box, cpu.pressure and so on of a cgroup, in the same form:
//
//   some avg10=39.52 avg60=55.44 avg300=57.74 total=18906576474      at least one task waited
//   full avg10=0.00 avg60=0.00 avg300=0.00 total=0                   all that were not idle did; not of a box's CPU
//
// Pure, thread-safe; lines and fields that are not known are passed over.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "deepedge/base/clock.h"
#include "deepedge/base/result.h"

namespace deepedge {

struct PressureCount {
  double last_10s = 0;  // share of the last ten seconds, 0 to 1
  int64_t total_us = 0;

  friend bool operator==(const PressureCount&, const PressureCount&) = default;
};

struct Pressure {
  PressureCount some;
  std::optional<PressureCount> full;

  friend bool operator==(const Pressure&, const Pressure&) = default;
};

// Errors: kBadInput without a line "some", for a number that is none and a share of more than 1.
Result<Pressure> ParsePressure(std::string_view text);

struct PressureUse {
  double some = 0;  // shares of the time between, 0 to 1
  double full = 0;

  friend bool operator==(const PressureUse&, const PressureUse&) = default;
};

PressureUse PressureBetween(const Pressure& before, const Pressure& after, Duration interval);  // over 0

}  // namespace deepedge
