// TaskRunner: the data plane of one task, one (stream, model) pair. It holds the newest frame that waits for the model
// and, as a job on a lane, takes it through scaling, inference and post-processing to an event. The three steps of a
// job run back to back on one lane, because the model's slot is held from the first to the last; each is timed by
// itself.
//
//   idle --Offer--> queued --a lane takes it--> running --mailbox filled meanwhile--> queued
//                     |  ^ Offer replaces the frame           |
//                     |  +- (the old one is dropped)          +-- else --> idle
//
// Threads: Offer and CanAccept are called by the stream's decode job, Run by lanes, the rest by anyone.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "deepedge/base/clock.h"
#include "deepedge/base/histogram.h"
#include "deepedge/base/mutex.h"
#include "deepedge/events/sink.h"
#include "deepedge/media/frame.h"
#include "deepedge/media/pixel_ops.h"
#include "deepedge/model/inference_result.h"
#include "deepedge/runtime/frame_account.h"
#include "deepedge/runtime/loaded_model.h"
#include "deepedge/runtime/model_inference.h"
#include "deepedge/sampler/rate_gate.h"
#include "deepedge/scheduler/lanes.h"

namespace deepedge {

// Pure. Leaves objects and classes of these labels only; of all when there are none.
void KeepLabels(const std::vector<int>& labels, InferenceResult& result);

// The deadline that jobs are sorted by where a task has none. It is nobody's wish, so nothing is dropped for it.
constexpr Duration kDefaultDeadline = std::chrono::milliseconds(500);

// Pure. True when a frame has outlived what its task allows from capture to result: nobody can use the result.
bool IsTooLate(Time captured, std::optional<Duration> deadline, Time now);

// Told when a task has taken its frame, so that a stream that must not lose any can go on.
class TaskListener {
 public:
  virtual ~TaskListener() = default;
  virtual void HandleTaskProgress() = 0;
};

class TaskRunner final : public Job {
 public:
  struct Options {
    std::string stream;
    double max_rate = 0;               // results a second; not positive: the stream's own rate
    std::optional<Duration> deadline;  // capture to result; set: what is older is dropped
    bool lossless = false;             // nothing is dropped, however late
    std::vector<int> labels;           // only objects and classes of these labels are reported; empty: all
  };

  // What tasks share. All must outlive the task.
  struct Environment {
    Lanes& lanes;
    const Clock& clock;
    EventSink& events;
    std::vector<PictureScaler>& scalers;  // one a lane
  };

  TaskRunner(Options options, LoadedModel& model, ResourceId model_slots, Environment environment,
             TaskListener& stream);

  // True when Offer would not replace a frame.
  bool CanAccept() const DE_EXCLUDES(mutex_);
  // A new frame of the stream, newest wins.
  void Offer(FramePtr frame) DE_EXCLUDES(mutex_);
  void Run(const RunContext& context) override DE_EXCLUDES(mutex_);

  // True when no frame waits or is being worked on.
  bool IsIdle() const DE_EXCLUDES(mutex_);
  // After the lanes have stopped: a frame that still waits is counted as dropped.
  void DropWaiting() DE_EXCLUDES(mutex_);

  const Options& options() const { return options_; }
  const LoadedModel& model() const { return model_; }
  // Endings of frames that reached this task; capture and decoding are the stream's.
  const FrameAccount& account() const { return account_; }
  Histogram Latency() const DE_EXCLUDES(mutex_);
  InferenceCost Cost() const DE_EXCLUDES(mutex_);
  // What the last failed frame failed of; empty when none did.
  std::string LastError() const DE_EXCLUDES(mutex_);

 private:
  enum class State { kIdle, kQueued, kRunning };

  Time DeadlineOf(const Frame& frame) const;
  // Frame to event, and the frame's ending.
  void Infer(const Frame& frame, const RunContext& context) DE_EXCLUDES(mutex_);
  void Publish(const Frame& frame, InferenceResult result, Time available);

  const Options options_;
  LoadedModel& model_;
  const ResourceId model_slots_;
  const Environment environment_;
  TaskListener& stream_;
  FrameAccount account_;

  mutable Mutex mutex_;
  State state_ DE_GUARDED_BY(mutex_) = State::kIdle;
  FramePtr mailbox_ DE_GUARDED_BY(mutex_);
  RateGate gate_ DE_GUARDED_BY(mutex_);
  Histogram latency_ DE_GUARDED_BY(mutex_);
  InferenceCost cost_ DE_GUARDED_BY(mutex_);
  std::string last_error_ DE_GUARDED_BY(mutex_);
};

}  // namespace deepedge
