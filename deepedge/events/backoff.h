// How long to wait before something that failed is tried again: twice as long each time, with chance in it so that many
// boxes don't knock at a server at the same moment when it comes back.
#pragma once

#include "deepedge/base/clock.h"

namespace deepedge {

struct BackoffRule {
  Duration first = std::chrono::milliseconds(500);
  Duration longest = std::chrono::seconds(30);
};

// `failures` in a row, at least 1; `chance` from 0 to 1. Between half of the full time and all of it.
Duration BackoffDelay(const BackoffRule& rule, int failures, double chance);

}  // namespace deepedge
