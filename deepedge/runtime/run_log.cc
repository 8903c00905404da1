#include "deepedge/runtime/run_log.h"

#include <algorithm>
#include <utility>

#include "deepedge/base/check.h"

namespace deepedge {

LaneLog::LaneLog(const Clock& clock, size_t capacity) : clock_(clock) {
  DE_CHECK(capacity > 0);
  spare_.slots.resize(capacity);
  MutexLock lock(mutex_);
  filling_.slots.resize(capacity);
}

Time LaneLog::Begin() {
  // The time is taken under the lock: a reader that finds nothing going on may rely on later runs to begin later.
  MutexLock lock(mutex_);
  running_since_ = clock_.Now();
  return running_since_;
}

void LaneLog::End(const EngineRun& run) {
  MutexLock lock(mutex_);
  running_since_ = kTimeNever;
  const size_t capacity = filling_.slots.size();
  if (filling_.count == capacity) {
    filling_.first = (filling_.first + 1) % capacity;
    --filling_.count;
    ++dropped_;
  }
  filling_.slots[(filling_.first + filling_.count) % capacity] = run;
  ++filling_.count;
}

void LaneLog::Abandon() {
  MutexLock lock(mutex_);
  running_since_ = kTimeNever;
}

RunLog::RunLog(size_t lanes, const Clock& clock, size_t capacity) : clock_(clock) {
  for (size_t i = 0; i < lanes; ++i) lanes_.emplace_back(clock, capacity);
}

Time RunLog::Drain(std::vector<LaneRun>& runs) {
  Time settled = clock_.Now();
  for (size_t i = 0; i < lanes_.size(); ++i) {
    LaneLog& lane = lanes_[i];
    {
      MutexLock lock(lane.mutex_);
      std::swap(lane.filling_, lane.spare_);
      settled = std::min(settled, lane.running_since_);
    }
    LaneLog::Ring& ring = lane.spare_;
    for (size_t n = 0; n < ring.count; ++n) {
      runs.push_back({.lane = static_cast<int>(i), .run = ring.slots[(ring.first + n) % ring.slots.size()]});
    }
    ring.first = 0;
    ring.count = 0;
  }
  return settled;
}

int64_t RunLog::dropped() const {
  int64_t dropped = 0;
  for (const LaneLog& lane : lanes_) {
    MutexLock lock(lane.mutex_);
    dropped += lane.dropped_;
  }
  return dropped;
}

}  // namespace deepedge
