// RateGate decides which frames a task looks at: all of them up to its maximum rate, evenly spaced in media time. It is
// the place where the Sampler's decisions will be taken.
#pragma once

#include <cstdint>
#include <optional>

namespace deepedge {

// Pure. True when a frame at `pts_us` is due after one was looked at `last_us` ago at `max_rate` results a second (no
// limit when not positive). A tenth of the period is forgiven, so that a limit equal to the stream's own rate keeps
// every frame although its time stamps are rounded.
bool IsFrameDue(std::optional<int64_t> last_pts_us, int64_t pts_us, double max_rate);

}  // namespace deepedge
