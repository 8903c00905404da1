// FollowUp: what follows a task's result, in the task's own job: objects get their tracks, what cascades have said of
// them stands beside them, the result and what has happened leave as events, and the objects go on to the cascades.
//
// Threads: Handle is called by the task's job, one at a time; the rest by anyone.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "deepedge/events/event.h"
#include "deepedge/pipeline/track/scene_watch.h"
#include "deepedge/pipeline/track/tracker.h"
#include "deepedge/runtime/cascade_runner.h"
#include "deepedge/runtime/snapshot_rule.h"
#include "deepedge/runtime/task_environment.h"

namespace deepedge {

class FollowUp {
 public:
  struct Options {
    bool track = false;
    LoadedModel* reid = nullptr;  // with `track`: gives embeddings of objects; has a slot for every lane. May be null
    bool report = true;           // the result becomes an event
    SceneRules scene;             // with `track`: good by CheckRules
    SnapshotRule snapshots;
  };

  FollowUp(Options options, const LoadedModel& model, TaskEnvironment environment);

  // Before the first result only.
  void AddCascade(std::unique_ptr<CascadeRunner> cascade) { cascades_.push_back(std::move(cascade)); }

  // `event` holds all objects of the result, weak ones included. Adds to `cost` what embeddings cost,
  // and moves the time at which the result is available by what they take.
  void Handle(const FramePtr& frame, ResultEvent event, LaneId lane, InferenceCost& cost);

  // The scene is over, for now or for good: all tracks end, leave their zones and are counted no more. As Handle, by
  // the task's job or while none runs.
  void End();
  // Why embeddings for tracks failed last; empty: they did not. By the task's job.
  std::string TakeError() { return std::exchange(error_, {}); }

  // Of all cascades: does nothing wait for a lane; is nothing waiting or being worked on.
  bool CanAccept() const;
  bool IsIdle() const;
  // After the lanes have stopped.
  void DropWaiting();
  std::vector<CascadeReport> Reports() const;

 private:
  // The objects of a result that are reported, with their tracks; what the tracker said of the frame.
  struct Tracked {
    std::vector<int64_t> tracks;  // parallel to the reported objects; 0: none
    TrackerOutput output;
  };

  Tracked TrackObjects(const Frame& frame, InferenceResult& result, LaneId lane, InferenceCost& cost);
  // Of the objects that are reported; empty for others, and where the model fails: tracks then go without.
  std::vector<std::vector<float>> Embed(const Frame& frame, const std::vector<DetectedObject>& objects, LaneId lane,
                                        InferenceCost& cost);
  // `frame`: where the objects are seen; null: nowhere any more.
  void PublishTracks(const Frame* frame, const ResultEvent& event, const std::vector<Track>& tracks, bool ended);
  void PublishScene(const Frame* frame, const ResultEvent& event, const Tracked& tracked);
  void PublishChange(const Frame* frame, const SceneChange& change, const ResultEvent& event);
  void ForgetTracks(const std::vector<Track>& ended);
  // The event with its picture, where events of its type get one.
  template <typename T>
  void PublishWithPicture(const Frame* frame, T event);
  std::vector<FoundObject> ToPassOn(const ResultEvent& event, const std::vector<int64_t>& tracks) const;
  std::vector<int> ZonesAt(const Box& box) const;

  const Options options_;
  const LoadedModel& model_;
  const TaskEnvironment environment_;
  std::vector<std::unique_ptr<CascadeRunner>> cascades_;
  // Of the task's job only.
  Tracker tracker_;
  std::unique_ptr<SceneWatch> scene_;  // null: nothing is tracked
  ResultEvent last_;                   // without its result: when and where it was
  int pictures_ = 0;                   // made of the frame
  std::string error_;
};

}  // namespace deepedge
