// ProfileWatch: what the running box teaches the Model Profiler. A thread of its own reads the log of runs ten times a
// second and shares out what they took:
//
//                        the model's profile has the setting            it has not
//   RunLog --> OverlapWindow --> Observer: predicted, actual    RunTimes: count and median, by setting
//                 who ran beside whom       | drift
//                                           v
//                        a line in the log and Options::drifted: somebody should probe again
//
// Every half minute, and at the end, what was learned goes into the store: the Observer as a calibration of the box
// named "observer", its stages as statistics of their model. At the end what models without a profile took is added as
// measurements, so that a profile made later begins with them. A store that fails is said once, and tried again.
//
//   ProfileWatch watch({.box = box, .meters = meters}, {WatchedModelOf(*model, sha256), ..}, log, store.get(), clock);
//   watch.Start();
//   ...                       // any thread: watch.Report(), watch.SetProfile(profile), watch.Correct(..)
//   watch.Stop();             // after the lanes: what is left is read and kept
//
// Bounded: models are those it was made with, 64 settings of each; runs by RunLog and OverlapWindow; stages by
// Observer. Threads: Start, Stop and Pass by the owner (Pass only while its thread does not run: for tests); the rest
// is thread-safe. Nobody on a lane ever waits for it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "deepedge/base/log.h"
#include "deepedge/base/mutex.h"
#include "deepedge/base/thread.h"
#include "deepedge/profiler/interference/overlap.h"
#include "deepedge/profiler/online/observer.h"
#include "deepedge/profiler/store/profile_store.h"
#include "deepedge/runtime/profile_report.h"
#include "deepedge/runtime/run_log.h"
#include "deepedge/runtime/run_times.h"

namespace deepedge {

struct WatchedModel {
  const LoadedModel* model = nullptr;  // to know its runs; never looked into
  std::string name;
  std::string sha256;  // of its graph file; empty: nothing is kept of it
  Precision precision = Precision::kFp32;
  std::optional<Profile> profile;
};

// As it is loaded, without a profile.
WatchedModel WatchedModelOf(const LoadedModel& model, std::string sha256);

class ProfileWatch {
 public:
  struct Options {
    std::string box;                                    // its fingerprint
    std::function<std::optional<double>()> meters;      // foreign load as a factor, 1 or more; may be empty
    std::function<void(const StageQuestion&)> drifted;  // a stage has left its profile; may be empty
    Duration pass = std::chrono::milliseconds(100);
    Duration save_every = std::chrono::seconds(30);
    size_t most_settings = 64;  // of a model, without a profile
  };

  // All must outlive it; `store` may be null. Goes on with what the store has of this box.
  ProfileWatch(Options options, std::vector<WatchedModel> models, RunLog& log, ProfileStore* store, const Clock& clock);
  ~ProfileWatch();

  void Start();
  // Reads what is left, keeps it, ends the thread. Again: does nothing.
  void Stop() DE_EXCLUDES(mutex_);
  // One look at the log.
  void Pass() DE_EXCLUDES(mutex_);

  // A model has a profile from now on, or a newer one. Of a model that is not watched: nothing happens.
  void SetProfile(Profile profile) DE_EXCLUDES(mutex_);

  ProfileReport Report() const DE_EXCLUDES(mutex_);
  // As Observer::Correct: a cost with what was learned of it.
  SettingCost Correct(const std::string& model, int generation, SettingCost cost) const DE_EXCLUDES(mutex_);

 private:
  struct Model {
    WatchedModel watched;
    std::vector<std::pair<Setting, RunTimes>> times;  // of settings without a prediction
  };
  struct Learned {
    std::string observer;
    // By model's file.
    std::vector<std::pair<std::string, std::vector<StageStatistics>>> statistics;
    std::vector<std::string> outdated;  // files whose statistics are of an older profile
  };

  void Loop(const std::stop_token& stop);
  void Restore();
  // What a run is to the Observer; one of which nothing is known still is somebody's neighbour.
  StageRun StageRunOf(const RunLog::LaneRun& logged) DE_REQUIRES(mutex_);
  void AddTime(Model& model, const Setting& setting, const EngineRun& run) DE_REQUIRES(mutex_);
  void ReadMeters(Time now);
  void AskForProbes(Time now);
  void Save();
  void SaveMeasurements();
  bool Try(const Status& status);  // whether it went well
  Learned WhatWasLearned() const DE_REQUIRES(mutex_);
  std::vector<StageReport> StagesOfProfiles() const DE_REQUIRES(mutex_);
  const WatchedModel* FindByName(const std::string& name) const DE_REQUIRES(mutex_);

  const Options options_;
  RunLog& log_;
  ProfileStore* const store_;
  const Clock& clock_;

  mutable Mutex mutex_;
  std::vector<Model> models_ DE_GUARDED_BY(mutex_);
  Observer observer_ DE_GUARDED_BY(mutex_);
  std::vector<std::string> questions_ DE_GUARDED_BY(mutex_);  // the last ones
  std::vector<std::string> outdated_ DE_GUARDED_BY(mutex_);   // files of models that have a newer profile
  int64_t lost_in_window_ DE_GUARDED_BY(mutex_) = 0;

  // Of the thread that passes.
  OverlapWindow window_;
  std::vector<RunLog::LaneRun> runs_;
  Time started_;
  Time next_meters_;
  Time next_save_;
  Duration busy_{0};  // of all runs
  std::vector<std::string> unsaid_;
  LogLimiter drift_lines_;
  bool save_fails_ = false;  // and that was said, by the notes of the store at first
  bool stopped_ = false;

  Thread thread_;  // last: joined before what it uses goes away
};

}  // namespace deepedge
