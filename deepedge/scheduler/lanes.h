// Lanes: one worker thread bound to each core, running whatever the policy picks. All computing of the program happens
// here, so the number of running threads is the number of cores. A lane without work sleeps on a condition variable and
// is woken only when there is a job for it; nothing polls.
//
//   Lanes lanes({.cpus = AllowedCpus(), .policy = PickEarliestDeadline}, clock);
//   ResourceId model = lanes.AddResource(/*slots=*/2);
//   lanes.Start();
//   lanes.Submit(task, {.deadline = ..., .resource = model});   // task.Run(context) on some lane, once
//   lanes.Stop();                                               // running jobs finish, waiting ones are discarded
//
// A Job is submitted again for each run and is never run by two lanes at once as long as its owner submits it only when
// the last run has ended (also from inside Run). A resource with n slots limits how many jobs that name it run at the
// same time; each gets a slot number of its own.
//
// Threads: Submit may be called from any thread, also from inside a job. No lock is held while a job runs.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "deepedge/base/clock.h"
#include "deepedge/base/mutex.h"
#include "deepedge/base/strong_id.h"
#include "deepedge/base/thread.h"
#include "deepedge/scheduler/policy.h"

namespace deepedge {

using ResourceId = StrongId<struct ResourceTag>;

struct RunContext {
  LaneId lane;
  int slot = -1;  // of the job's resource; -1 without one
};

class Job {
 public:
  virtual ~Job() = default;
  // Runs to completion without blocking.
  virtual void Run(const RunContext& context) = 0;
};

class Lanes {
 public:
  struct Options {
    std::vector<int> cpus;  // one lane each
    PickJob policy = PickEarliestDeadline;
  };
  struct LaneUse {
    int cpu = 0;
    Duration busy{0};  // time spent in jobs since Start
    int64_t jobs = 0;
    int64_t wakeups = 0;  // how often the lane woke from sleep
  };
  struct JobTerms {
    JobKind kind = JobKind::kInference;
    Time deadline;
    ResourceId resource;  // not valid: none
  };

  Lanes(Options options, const Clock& clock);
  ~Lanes();

  size_t count() const { return options_.cpus.size(); }

  // Before Start only.
  ResourceId AddResource(int slots);
  void Start();

  // Discarded after Stop.
  void Submit(Job& job, const JobTerms& terms) DE_EXCLUDES(mutex_);

  // Returns when no job runs any more. Jobs still waiting are never run.
  void Stop() DE_EXCLUDES(mutex_);

  std::vector<LaneUse> Use() const DE_EXCLUDES(mutex_);

 private:
  struct Waiting {
    Job* job;
    ResourceId resource;
  };
  struct Picked {
    Job* job;
    JobKind kind;
    ResourceId resource;
    RunContext context;
  };

  void RunLane(LaneId lane);
  std::optional<Picked> TryPick(LaneId lane) DE_REQUIRES(mutex_);
  bool IsEligible(const Waiting& waiting) const DE_REQUIRES(mutex_);

  const Options options_;
  const Clock& clock_;
  mutable Mutex mutex_;
  CondVar work_ DE_GUARDED_BY(mutex_);
  bool stopping_ DE_GUARDED_BY(mutex_) = false;
  int sleeping_ DE_GUARDED_BY(mutex_) = 0;
  DecodeShare decode_share_ DE_GUARDED_BY(mutex_);
  std::vector<ReadyJob> ready_ DE_GUARDED_BY(mutex_);  // what the policy sees; parallel to waiting_
  std::vector<Waiting> waiting_ DE_GUARDED_BY(mutex_);
  std::vector<ReadyJob> eligible_ DE_GUARDED_BY(mutex_);  // scratch of TryPick
  std::vector<size_t> eligible_index_ DE_GUARDED_BY(mutex_);
  std::vector<std::vector<int>> free_slots_ DE_GUARDED_BY(mutex_);  // by resource
  std::vector<LaneUse> use_ DE_GUARDED_BY(mutex_);
  std::vector<Time> running_since_ DE_GUARDED_BY(mutex_);  // by lane; kTimeNever while idle
  std::vector<Thread> threads_;                            // last: joined before what they use goes away
};

}  // namespace deepedge
