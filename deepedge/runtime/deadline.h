// Until when a frame's result is wanted. Pure.
#pragma once

#include <optional>

#include "deepedge/media/frame.h"

namespace deepedge {

// The deadline that jobs are sorted by where a task has none. It is nobody's wish, so nothing is dropped for it.
constexpr Duration kDefaultDeadline = std::chrono::milliseconds(500);

// By what a frame's job is sorted. `wanted`: what the task allows from capture to result.
inline Time DeadlineOf(const Frame& frame, std::optional<Duration> wanted) {
  return frame.captured + wanted.value_or(kDefaultDeadline);
}

// True when a frame has outlived what its task allows: nobody can use the result.
inline bool IsTooLate(Time captured, std::optional<Duration> wanted, Time now) {
  return wanted.has_value() && now - captured > *wanted;
}

}  // namespace deepedge
