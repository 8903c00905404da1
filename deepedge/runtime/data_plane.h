// DataPlane: all streams, tasks and lanes of a run, their start and stop order, and what they report.
//
//   DE_TRY(auto plane, DataPlane::Create(options, streams, std::move(models), sink, clock));
//   plane->Start();
//   ...                       // plane->HandleAllFinished is told when every stream has ended by itself
//   plane->Stop();            // readers first, then lanes; afterwards every frame has its ending
//   Print(plane->Report());
//
// Threads: one lane a core, one I/O thread a stream. Create, Start and Stop from one thread; Report and Load
// from any.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "deepedge/base/clock.h"
#include "deepedge/base/mutex.h"
#include "deepedge/base/result.h"
#include "deepedge/events/sink.h"
#include "deepedge/ingest/source.h"
#include "deepedge/ingest/stream_reader.h"
#include "deepedge/runtime/loaded_model.h"
#include "deepedge/runtime/probe_budget.h"
#include "deepedge/runtime/profile_report.h"
#include "deepedge/runtime/stream_runner.h"
#include "deepedge/runtime/stream_spec.h"
#include "deepedge/runtime/task_builder.h"
#include "deepedge/scheduler/lanes.h"

namespace deepedge {

// Pure. A stream's maximum rate as its gate needs it, in media time: a file that is paced at `speed` passes that much
// media time in a second of the box. Where nothing is paced, media time is all there is.
double MaxRateInMediaTime(double max_rate, SourceKind kind, Pace pace, double speed);

struct TaskReport {
  std::string stream;
  std::string model;
  FrameCounts counts;
  Histogram latency;  // capture to result
  InferenceCost cost;
  std::string last_error;
};

struct StreamReport {
  std::string name;
  StreamStatus status;
};

struct RunReport {
  Duration elapsed{0};
  Duration cpu{0};  // CPU time of the whole process since Start
  std::vector<StreamReport> streams;
  std::vector<TaskReport> tasks;
  std::vector<CascadeReport> cascades;
  std::vector<Lanes::LaneUse> lanes;
  std::optional<ProfileReport> profile;  // from who watches it
};

class DataPlane final : public StreamRunner::Listener {
 public:
  struct Options {
    std::vector<int> cpus;
    Pace pace = Pace::kReal;
    std::function<void()> all_finished;  // called once, on a lane or an I/O thread, when every stream has ended
    uint64_t seed = 1;
    std::shared_ptr<const Gallery> gallery;  // who embeddings of cascades are; may be null
    SnapshotRule snapshots = {};
    RunLog* runs = nullptr;  // with a list for each of `cpus`: told of every run of an engine; may be null
  };

  // `models` are taken over; `events` and `clock` must outlive the plane. Errors: kBadInput naming a stream, model or
  // label that does not fit.
  static Result<std::unique_ptr<DataPlane>> Create(Options options, const std::vector<StreamSpec>& streams,
                                                   std::vector<std::unique_ptr<LoadedModel>> models, EventSink& events,
                                                   const Clock& clock);
  ~DataPlane() override;

  void Start() DE_EXCLUDES(mutex_);
  void Stop() DE_EXCLUDES(mutex_);
  RunReport Report() const DE_EXCLUDES(mutex_);
  LaneLoad Load() const;
  // After Stop: the models back, to be used again.
  std::vector<std::unique_ptr<LoadedModel>> TakeModels() DE_EXCLUDES(mutex_);

 private:
  DataPlane(Options options, std::vector<std::unique_ptr<LoadedModel>> models, EventSink& events, const Clock& clock);
  Status AddStream(const StreamSpec& spec, uint32_t index);
  void HandleStreamFinished() override;

  // In the order of destruction reversed: readers stop before the lanes, lanes before the streams they run.
  const Options options_;
  const Clock& clock_;
  EventSink& events_;
  std::vector<std::unique_ptr<LoadedModel>> models_;
  std::vector<ResourceId> model_slots_;  // by model
  std::vector<LaneTools> tools_;         // by lane
  std::vector<std::unique_ptr<StreamRunner>> streams_;
  std::unique_ptr<Lanes> lanes_;
  std::vector<std::unique_ptr<StreamReader>> readers_;
  std::atomic<size_t> unfinished_{0};

  mutable Mutex mutex_;
  Time started_ DE_GUARDED_BY(mutex_);
  Duration cpu_at_start_ DE_GUARDED_BY(mutex_){0};
  std::optional<Time> stopped_ DE_GUARDED_BY(mutex_);
  Duration cpu_at_stop_ DE_GUARDED_BY(mutex_){0};
};

}  // namespace deepedge
