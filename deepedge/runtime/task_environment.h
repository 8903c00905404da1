// What everything that runs as a job for a stream shares.
#pragma once

#include <vector>

#include "deepedge/base/clock.h"
#include "deepedge/events/sink.h"
#include "deepedge/media/pixel_ops.h"
#include "deepedge/pipeline/crop/align.h"
#include "deepedge/runtime/run_log.h"
#include "deepedge/scheduler/lanes.h"

namespace deepedge {

// One a lane: what is kept between pictures.
struct LaneTools {
  PictureScaler scaler;
  PictureWarper warper;
};

// All must outlive whoever has it.
struct TaskEnvironment {
  Lanes& lanes;
  const Clock& clock;
  EventSink& events;
  std::vector<LaneTools>& tools;  // one a lane
  RunLog* runs = nullptr;         // is told of every run of an engine; may be null

  LaneLog* RunsOf(LaneId lane) const { return runs != nullptr ? &runs->lane(lane.value) : nullptr; }
};

// Told when a task or a model of its cascades has taken or finished a frame, so that a stream that must not lose any
// can go on.
class TaskListener {
 public:
  virtual ~TaskListener() = default;
  virtual void HandleTaskProgress() = 0;
};

}  // namespace deepedge
