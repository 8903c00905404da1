// IdleProbe: measures models in the idle time of a box that serves. A thread of its own, of the lowest priority there
// is (never a lane), does one thing at a time, and only when ProbeBudget lets it:
//
//   idle --next() names a setting--> compile --> run, run, .. (each when there is room) --> store, done() --> idle
//                                       |           |
//                                       +-- error --+--> the model is left alone for a minute, then two, .. an hour
//
// What is measured is CPU time beside lanes that work: ProbeResult::origin and busy say so. Memory is not: others take
// and give back meanwhile. Settings on several cores are refused: the engine's helpers would not run at that priority.
// While a probe is under way its compiled copy of the model is held.
// A run of an engine cannot be broken off: Stop waits for the one that goes on.
//
// Not the watch's thread: that one must get on ten times a second, and a lane may wait for a lock that it holds.
//
//   IdleProbe probe(options, {{.target = target, .sha256 = sha256}, ..}, {.next = .., .load = .., .done = ..}, engine,
//                   store.get(), clock);
//   probe.Start();  ...  probe.Stop();   // before what the hooks use goes away
//
// Threads: Start, Stop and Step by the owner (Step only while its thread does not run: for tests); Report by any. Hooks
// are called from its thread, without a lock.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "deepedge/base/mutex.h"
#include "deepedge/base/thread.h"
#include "deepedge/engine/engine.h"
#include "deepedge/profiler/probe/probe.h"
#include "deepedge/profiler/store/profile_store.h"
#include "deepedge/runtime/probe_budget.h"

namespace deepedge {

// A model that may be measured.
struct IdleTarget {
  ProbeTarget target;
  std::string sha256;  // of its graph file; empty: nothing is kept
};

struct IdleProbeReport {
  int64_t probes = 0;  // finished
  int64_t failed = 0;
  Duration spent{0};       // of one core, all steps
  std::string last_error;  // of the last that failed
};

class IdleProbe {
 public:
  struct Hooks {
    // What of a model should be measured next; nothing: it is known well enough. The time it takes counts as spent.
    std::function<std::optional<Setting>(const std::string& model)> next;
    std::function<LaneLoad()> load;
    std::function<void(const std::string& model, const ProbeResult&)> done;  // may be empty
  };
  struct Options {
    std::string box;  // its fingerprint
    int cores = 1;    // of the box
    ProbeBudget::Options budget = {};
    int runs = 10;                                   // of a probe
    int least_runs = 3;                              // that are worth keeping
    Duration longest = std::chrono::hours(1);        // a probe that has not all its runs by then ends with what it has
    Duration look = std::chrono::milliseconds(200);  // how often it looks for room
    Duration rest = std::chrono::seconds(5);         // how long nobody is asked after there was nothing to measure
    Duration first_pause = std::chrono::minutes(1);  // of a model that failed
    Duration longest_pause = std::chrono::hours(1);
  };

  // All must outlive it; `store` may be null.
  IdleProbe(Options options, std::vector<IdleTarget> targets, Hooks hooks, Engine& engine, ProfileStore* store,
            const Clock& clock);
  ~IdleProbe();

  void Start();
  void Stop();
  // Looks at the box, and does one thing or nothing.
  ProbeVerdict Step() DE_EXCLUDES(mutex_);

  IdleProbeReport Report() const DE_EXCLUDES(mutex_);

 private:
  struct Model {
    IdleTarget idle;
    Time not_before{INT64_MIN};
    Duration pause{0};          // after the next failure
    Duration expected_compile;  // what the last compilation took
  };
  struct Current {
    size_t model = 0;
    Setting setting;
    Time since;
    std::optional<Probe> probe;  // compiled
    int runs = 0;
    double busy = 0;  // sum over runs
    Duration expected_run{0};
  };

  void Loop(const std::stop_token& stop);
  void Choose(Time now);
  void Prepare();
  void RunOnce(double busy);
  void Finish();
  void Fail(const Error& error);
  Duration Expected() const;
  Duration Spend(Time start);

  const Options options_;
  const Hooks hooks_;
  Engine& engine_;
  ProfileStore* const store_;
  const Clock& clock_;

  // Of the thread that steps.
  std::vector<Model> models_;
  size_t turn_ = 0;  // of the models: who is asked about first
  Time ask_again_{INT64_MIN};
  std::optional<Current> current_;
  ProbeBudget budget_;
  BusyMeter meter_;
  bool save_fails_ = false;

  mutable Mutex mutex_;
  IdleProbeReport report_ DE_GUARDED_BY(mutex_);

  Thread thread_;  // last: joined before what it uses goes away
};

}  // namespace deepedge
