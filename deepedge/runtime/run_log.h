// RunLog: what runs of engines took, from the lanes that made them to the Model Profiler, which reads when it has time.
//
//   lane:      run.start = log.lane(n).Begin();  ...the engine...  run.end = clock.Now();  log.lane(n).End(run);
//   profiler:  Time settled = log.Drain(runs);   // ten times a second
//
// One bounded list a lane: when it is full the oldest run goes, and is counted. A lane allocates nothing and holds a
// lock for the time of one push, which only the reader shares: it exchanges two lists under it and reads outside.
//
// Threads: Begin, End and Abandon of a LaneLog by its lane; Drain by one thread at a time; dropped by any.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "deepedge/base/clock.h"
#include "deepedge/base/mutex.h"

namespace deepedge {

struct LoadedModel;

// One run of an engine, or of one stage where the model is cut.
struct EngineRun {
  const LoadedModel* model = nullptr;  // who it was; never looked into
  int width = 0;                       // of the pictures
  int height = 0;
  int batch = 1;  // pictures
  int stage = 0;
  int stages = 1;  // that the model is cut into
  Time start;
  Time end;
  Duration cpu{0};  // CPU time of the lane; 0 where the engine computes in threads of its own
};

class LaneLog {
 public:
  LaneLog(const Clock& clock, size_t capacity);

  // A run begins: the time, for EngineRun::start. Until End or Abandon it counts as going on.
  Time Begin() DE_EXCLUDES(mutex_);
  void End(const EngineRun& run) DE_EXCLUDES(mutex_);
  // It failed: nothing is known of what it takes.
  void Abandon() DE_EXCLUDES(mutex_);

 private:
  friend class RunLog;
  // The oldest at `first`, around the end.
  struct Ring {
    std::vector<EngineRun> slots;
    size_t first = 0;
    size_t count = 0;
  };

  const Clock& clock_;
  mutable Mutex mutex_;
  Ring filling_ DE_GUARDED_BY(mutex_);
  Time running_since_ DE_GUARDED_BY(mutex_) = kTimeNever;
  int64_t dropped_ DE_GUARDED_BY(mutex_) = 0;
  Ring spare_;  // the reader's; empty between two Drains
};

class RunLog {
 public:
  static constexpr size_t kCapacity = 1024;  // of a lane, between two looks

  // `clock` must outlive it.
  RunLog(size_t lanes, const Clock& clock, size_t capacity = kCapacity);

  size_t lanes() const { return lanes_.size(); }
  LaneLog& lane(size_t lane) { return lanes_[lane]; }

  struct LaneRun {
    int lane = 0;
    EngineRun run;
  };
  // Appends all runs since the last call, those of a lane in their order. Returns the time up to which everybody who
  // ran has been told of: now, or when the run began that has been going on for longest.
  Time Drain(std::vector<LaneRun>& runs);

  int64_t dropped() const;  // pushed out unread

 private:
  const Clock& clock_;
  std::deque<LaneLog> lanes_;  // they cannot be moved
};

}  // namespace deepedge
