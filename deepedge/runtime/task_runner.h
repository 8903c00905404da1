// TaskRunner: the data plane of one task, one (stream, model) pair. It holds the newest frame that waits for the model
// and, as a job on a lane, takes it through scaling, inference and post-processing to what follows (follow_up.h):
// tracks, events, cascades. The steps of a job run back to back on one lane, because the model's slot is held from the
// first to the last; the first three are timed by themselves.
//
//   idle --Offer--> queued --a lane takes it--> running --mailbox filled meanwhile--> queued
//                     |  ^ Offer replaces the frame           |
//                     |  +- (the old one is dropped)          +-- else --> idle
//
// Threads: Offer and CanAccept are called by the stream's decode job, Run by lanes, the rest by anyone.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "deepedge/base/clock.h"
#include "deepedge/base/histogram.h"
#include "deepedge/base/mutex.h"
#include "deepedge/media/frame.h"
#include "deepedge/model/inference_result.h"
#include "deepedge/pipeline/track/zones.h"
#include "deepedge/runtime/follow_up.h"
#include "deepedge/runtime/frame_account.h"
#include "deepedge/runtime/loaded_model.h"
#include "deepedge/runtime/model_inference.h"
#include "deepedge/runtime/task_environment.h"
#include "deepedge/sampler/rate_gate.h"

namespace deepedge {

// Pure. Leaves objects and classes of these labels only; of all when there are none.
void KeepLabels(const std::vector<int>& labels, InferenceResult& result);

class TaskRunner final : public Job {
 public:
  struct Options {
    std::string stream;
    double max_rate = 0;               // results a second; not positive: the stream's own rate
    std::optional<Duration> deadline;  // capture to result; set: what is older is dropped
    bool lossless = false;             // nothing is dropped, however late
    std::vector<int> labels;           // only objects and classes of these labels are reported; empty: all
    bool track = false;                // objects get tracks
    LoadedModel* reid = nullptr;       // with `track`: gives embeddings; has a slot for every lane. May be null
    bool report = true;                // results become events
    SceneRules scene;                  // with `track`: the stream's zones and lines, good by CheckRules
    SnapshotRule snapshots;
  };

  TaskRunner(Options options, LoadedModel& model, ResourceId model_slots, TaskEnvironment environment,
             TaskListener& stream);

  // Before the first frame only: a model that runs on what this task finds.
  void AddCascade(std::unique_ptr<CascadeRunner> cascade) { follow_up_.AddCascade(std::move(cascade)); }

  // True when Offer would not replace a frame, here or further down in a cascade.
  bool CanAccept() const DE_EXCLUDES(mutex_);
  // A new frame of the stream, newest wins.
  void Offer(FramePtr frame) DE_EXCLUDES(mutex_);
  void Run(const RunContext& context) override DE_EXCLUDES(mutex_);

  // True when no frame waits or is being worked on, by the task or its cascades.
  bool IsIdle() const DE_EXCLUDES(mutex_);
  // The scene is over, for now or for good: tracks end when the frame that waits or runs is done, or at once. By the
  // stream's decode job, or after the lanes have stopped.
  void EndTracks() DE_EXCLUDES(mutex_);
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
  // Of all models of its cascades, from the top.
  std::vector<CascadeReport> Cascades() const { return follow_up_.Reports(); }

 private:
  enum class State { kIdle, kQueued, kRunning };

  // After a job: what comes next. True: a frame waits, and the job is to be submitted again with the deadline.
  bool GoOn(Time& deadline) DE_EXCLUDES(mutex_);
  // Frame to result and what follows, and the frame's ending.
  void Infer(const FramePtr& frame, const RunContext& context) DE_EXCLUDES(mutex_);
  ResultEvent EventOf(const Frame& frame, InferenceResult result, Time available) const;

  const Options options_;
  LoadedModel& model_;
  const ResourceId model_slots_;
  const TaskEnvironment environment_;
  TaskListener& stream_;
  FrameAccount account_;
  FollowUp follow_up_;

  mutable Mutex mutex_;
  State state_ DE_GUARDED_BY(mutex_) = State::kIdle;
  FramePtr mailbox_ DE_GUARDED_BY(mutex_);
  bool end_tracks_ DE_GUARDED_BY(mutex_) = false;  // asked for while a frame was waiting or running
  RateGate gate_ DE_GUARDED_BY(mutex_);
  Histogram latency_ DE_GUARDED_BY(mutex_);
  InferenceCost cost_ DE_GUARDED_BY(mutex_);
  std::string last_error_ DE_GUARDED_BY(mutex_);
};

}  // namespace deepedge
