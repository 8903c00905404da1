// Scheduling policies: which ready job a free lane runs next. A policy is pure: the same snapshot gives the same
// answer, whatever thread asks and however often. lanes.h is the machine around it.
#pragma once

#include <cstddef>
#include <span>

#include "deepedge/base/clock.h"

namespace deepedge {

// What a policy knows of a job that could run now.
struct ReadyJob {
  Time deadline;  // when its result is due
  Time ready_at;  // since when it has been waiting
};

// Index into `ready` of the job to run next; `ready` is never empty.
using PickJob = size_t (*)(std::span<const ReadyJob> ready);

// Earliest deadline first; of equal deadlines the one that has been waiting longest, then the first.
size_t PickEarliestDeadline(std::span<const ReadyJob> ready);

}  // namespace deepedge
