// CascadeRunner: one model of a cascade on one stream. It takes objects that the model above it has found, lets through
// those whose gate is open and whose answer is wanted, and looks at each in its own part of the frame, all parts of a
// frame as one batch, in a job of its own: the frame's result above has left by then and was not delayed. What it finds
// leaves as an event of its own, with its parent, is remembered for the parent's track, and goes on to the models
// below.
//
//   parent's job --Offer--> waiting frame --a lane takes it--> crops ► infer ► events ► answers ► Offer to the models
//   below
//
// One frame waits at most, and the newest wins, as for a task; a frame that gives way is counted, and its objects may
// be asked about again. Lossless (`--pace fast`): frames queue up instead, and CanAccept keeps the stream from running
// ahead.
//
// Threads: Offer is called by the parent's job, Run by lanes, the rest by anyone.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "deepedge/base/clock.h"
#include "deepedge/base/histogram.h"
#include "deepedge/base/mutex.h"
#include "deepedge/events/event.h"
#include "deepedge/media/frame.h"
#include "deepedge/pipeline/cascade/answer_book.h"
#include "deepedge/pipeline/cascade/gate.h"
#include "deepedge/pipeline/crop/crop_box.h"
#include "deepedge/pipeline/gallery/gallery.h"
#include "deepedge/runtime/cascade_counts.h"
#include "deepedge/runtime/loaded_model.h"
#include "deepedge/runtime/task_environment.h"

namespace deepedge {

// An object on its way down a cascade.
struct FoundObject {
  DetectedObject object;
  int64_t track = 0;
  double track_age_s = 0;
  std::vector<int> zones;                         // that it is in
  std::shared_ptr<const ParentObject> as_parent;  // for the events of what is found in it
};

class CascadeRunner final : public Job {
 public:
  struct Options {
    std::string stream;
    GateRule gate;
    AskRule ask;
    CropRule crop;
    bool align = false;  // by the object's five points, where it has them
    size_t max_objects = 16;
    std::optional<Duration> deadline;  // capture to result; set: what is older is dropped
    bool lossless = false;
    bool report = true;                // results become events
    const Gallery* gallery = nullptr;  // who embeddings are; may be null
  };

  CascadeRunner(Options options, LoadedModel& model, ResourceId model_slots, TaskEnvironment environment,
                TaskListener& stream);
  ~CascadeRunner() override;

  // Before the first Offer only: a model that runs on what this one finds.
  void AddBelow(std::unique_ptr<CascadeRunner> below) { below_.push_back(std::move(below)); }

  // What the model above has found in a frame, best first.
  void Offer(const FramePtr& frame, std::span<const FoundObject> objects) DE_EXCLUDES(mutex_);
  void Run(const RunContext& context) override DE_EXCLUDES(mutex_);

  // What this model and those below have said of the track last.
  void AppendAnswers(int64_t track, std::vector<ChildAnswer>& answers) const DE_EXCLUDES(mutex_);
  void ForgetTrack(int64_t track) DE_EXCLUDES(mutex_);

  // Of this one and all below: does nothing wait for a lane; is nothing waiting or being worked on.
  bool CanAccept() const DE_EXCLUDES(mutex_);
  bool IsIdle() const DE_EXCLUDES(mutex_);
  // After the lanes have stopped: what still waits is counted as dropped.
  void DropWaiting() DE_EXCLUDES(mutex_);

  // This one's report and those of all below, with the names of the models above in front.
  void AppendReports(const std::string& above, std::vector<CascadeReport>& reports) const DE_EXCLUDES(mutex_);

 private:
  // The objects of one frame that the model is asked about.
  struct Question {
    FramePtr frame;
    std::vector<FoundObject> objects;
  };
  enum class State { kIdle, kQueued, kRunning };
  struct Look;
  struct Parts;

  std::vector<FoundObject> Choose(const Frame& frame, std::span<const FoundObject> objects) DE_REQUIRES(mutex_);
  void TakeBack(const Question& question, CascadeEnding ending) DE_REQUIRES(mutex_);
  void Submit(const Frame& frame);
  void Answer(const Question& question, const RunContext& context) DE_EXCLUDES(mutex_);
  Parts TakeParts(const Question& question, PictureWarper& warper) const;
  Result<std::vector<Look>> LookAtAll(const Question& question, const RunContext& context) DE_EXCLUDES(mutex_);
  void Tell(const Question& question, std::vector<Look> looks, Time available) DE_EXCLUDES(mutex_);
  void PassOn(const FoundObject& parent, const Look& look, std::vector<FoundObject>& below) const;

  const Options options_;
  LoadedModel& model_;
  const ResourceId model_slots_;
  const TaskEnvironment environment_;
  TaskListener& stream_;
  std::vector<std::unique_ptr<CascadeRunner>> below_;

  mutable Mutex mutex_;
  State state_ DE_GUARDED_BY(mutex_) = State::kIdle;
  std::deque<Question> waiting_ DE_GUARDED_BY(mutex_);
  AnswerBook book_ DE_GUARDED_BY(mutex_);
  CascadeCounts counts_ DE_GUARDED_BY(mutex_);
  Histogram latency_ DE_GUARDED_BY(mutex_);
  InferenceCost cost_ DE_GUARDED_BY(mutex_);
  std::string last_error_ DE_GUARDED_BY(mutex_);
};

}  // namespace deepedge
