// RunProfiler: the Model Profiler's part in `deepedge run`: the store in the state folder, the log of runs, the watch,
// and the probe of idle time.
//
//   RunProfiler profiler(*engine, state_folder, models, cpus.size(), clock);  // before the plane takes the models
//   ... DataPlane::Create({.., .runs = &profiler.runs()}, ..)
//   profiler.Start(*plane);
//   plane->Stop();
//   profiler.Stop();                       // keeps what was learned
//   report.profile = profiler.Report();
//
// In idle time are measured: a model that has no profile, once, as it is served; a setting whose stages have left their
// profile. A state folder that cannot be used is said and costs nothing else. Threads: owned by one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "deepedge/engine/engine.h"
#include "deepedge/profiler/meter/box.h"
#include "deepedge/profiler/meter/foreign_load.h"
#include "deepedge/profiler/meter/meter.h"
#include "deepedge/profiler/store/profile_store.h"
#include "deepedge/runtime/data_plane.h"
#include "deepedge/runtime/idle_probe.h"
#include "deepedge/runtime/profile_watch.h"
#include "deepedge/runtime/wanted_probes.h"

namespace deepedge {

class RunProfiler {
 public:
  // Engine and clock must outlive it; models are looked at now, and known by their addresses later.
  RunProfiler(Engine& engine, const Path& state_folder, const std::vector<std::unique_ptr<LoadedModel>>& models,
              size_t lanes, const Clock& clock);

  RunLog& runs() { return runs_; }
  // `plane` must outlive Stop.
  void Start(const DataPlane& plane);
  void Stop();
  ProfileReport Report() const { return watch_->Report(); }

 private:
  // Nothing, after a warning, where models are kept by a program that is newer than this one.
  static std::unique_ptr<ProfileStore> OpenStore(const Path& state_folder, const Clock& clock);
  WatchedModel Watched(const LoadedModel& model) const;
  // Adds it to what may be measured in idle time, where it can be.
  void AddTarget(const LoadedModel& model, const WatchedModel& watched);
  bool WasProbed(const WatchedModel& watched, const Setting& setting) const;

  Engine& engine_;
  const Clock& clock_;
  const BoxIdentity identity_;
  const std::string box_;  // its fingerprint: what profiles are kept under
  Meter meter_;
  ForeignLoad foreign_;
  RunLog runs_;
  WantedProbes wanted_;
  std::vector<IdleTarget> targets_;
  std::unique_ptr<ProfileStore> store_;  // may be null
  std::unique_ptr<ProfileWatch> watch_;
  std::unique_ptr<IdleProbe> idle_;  // from Start to Stop
};

}  // namespace deepedge
