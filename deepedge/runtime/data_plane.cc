#include "deepedge/runtime/data_plane.h"

#include <utility>

#include "deepedge/base/check.h"

namespace deepedge {

double MaxRateInMediaTime(double max_rate, SourceKind kind, Pace pace, double speed) {
  return kind == SourceKind::kFile && pace == Pace::kReal ? max_rate / speed : max_rate;
}

DataPlane::DataPlane(Options options, std::vector<std::unique_ptr<LoadedModel>> models, EventSink& events,
                     const Clock& clock)
    : options_(std::move(options)), clock_(clock), events_(events), models_(std::move(models)) {
  lanes_ = std::make_unique<Lanes>(Lanes::Options{.cpus = options_.cpus}, clock_);
  tools_.resize(lanes_->count());
  for (const auto& model : models_) model_slots_.push_back(lanes_->AddResource(model->compiled->concurrency()));
}

DataPlane::~DataPlane() { Stop(); }

Result<std::unique_ptr<DataPlane>> DataPlane::Create(Options options, const std::vector<StreamSpec>& streams,
                                                     std::vector<std::unique_ptr<LoadedModel>> models,
                                                     EventSink& events, const Clock& clock) {
  std::unique_ptr<DataPlane> plane(new DataPlane(std::move(options), std::move(models), events, clock));
  for (uint32_t i = 0; i < streams.size(); ++i) DE_TRY_STATUS(plane->AddStream(streams[i], i));
  plane->unfinished_ = plane->streams_.size();
  return plane;
}

Status DataPlane::AddStream(const StreamSpec& spec, uint32_t index) {
  DE_TRY(const SourceKind kind, KindOf(spec.address));
  DE_TRY(auto source, MakeSource({.address = spec.address}, clock_));
  const TaskEnvironment environment{
      .lanes = *lanes_, .clock = clock_, .events = events_, .tools = tools_, .runs = options_.runs};
  auto stream = std::make_unique<StreamRunner>(
      StreamRunner::Options{
          .id = {index}, .name = spec.name, .lossless = options_.pace == Pace::kFast && kind == SourceKind::kFile},
      MakeDecoder(), environment, *this);
  std::vector<ServedModel> served;
  for (size_t i = 0; i < models_.size(); ++i) served.push_back({.model = models_[i].get(), .slots = model_slots_[i]});
  const TaskBuilder builder(served, environment);
  for (const TaskSpec& task : spec.tasks) {
    DE_TRY(const ServedModel model, builder.Find(spec, task.model));
    const TaskBuilder::Options options{.max_rate = MaxRateInMediaTime(task.max_rate, kind, options_.pace, spec.speed),
                                       .lossless = options_.pace == Pace::kFast,
                                       .gallery = options_.gallery.get(),
                                       .snapshots = options_.snapshots};
    DE_TRY(auto task_options, builder.TaskOptions(spec, task, *model.model, options));
    TaskRunner& runner = stream->AddTask(std::move(task_options), *model.model, model.slots);
    DE_TRY(auto cascades, builder.Cascades(spec, task, *model.model, options, *stream));
    for (auto& cascade : cascades) runner.AddCascade(std::move(cascade));
  }
  readers_.push_back(std::make_unique<StreamReader>(StreamReader::Options{.name = spec.name,
                                                                          .is_file = kind == SourceKind::kFile,
                                                                          .pace = options_.pace,
                                                                          .loop = spec.loop,
                                                                          .speed = spec.speed,
                                                                          .start_offset = spec.start_offset,
                                                                          .seed = options_.seed + index},
                                                    std::move(source), *stream, clock_));
  streams_.push_back(std::move(stream));
  return {};
}

void DataPlane::Start() {
  {
    MutexLock lock(mutex_);
    started_ = clock_.Now();
    cpu_at_start_ = ProcessCpuTime();
  }
  lanes_->Start();
  for (const auto& reader : readers_) reader->Start();
}

void DataPlane::Stop() {
  {
    MutexLock lock(mutex_);
    if (stopped_) return;
  }
  for (const auto& reader : readers_) reader->RequestStop();
  for (const auto& reader : readers_) reader->Join();
  lanes_->Stop();
  for (const auto& stream : streams_) stream->DropWaiting();
  MutexLock lock(mutex_);
  stopped_ = clock_.Now();
  cpu_at_stop_ = ProcessCpuTime();
}

void DataPlane::HandleStreamFinished() {
  if (--unfinished_ == 0 && options_.all_finished) options_.all_finished();
}

std::vector<std::unique_ptr<LoadedModel>> DataPlane::TakeModels() {
  {
    MutexLock lock(mutex_);
    DE_CHECK(stopped_);
  }
  return std::move(models_);
}

LaneLoad DataPlane::Load() const {
  constexpr size_t kBegunToWait = 8;  // packets: with fewer, decoding keeps up
  LaneLoad load{.lanes = lanes_->count()};
  for (const Lanes::LaneUse& use : lanes_->Use()) load.busy += use.busy;
  for (const auto& stream : streams_) {
    load.decode_waits = load.decode_waits || stream->Status().queued_packets >= kBegunToWait;
  }
  return load;
}

RunReport DataPlane::Report() const {
  RunReport report;
  {
    MutexLock lock(mutex_);
    report.elapsed = stopped_.value_or(clock_.Now()) - started_;
    report.cpu = (stopped_ ? cpu_at_stop_ : ProcessCpuTime()) - cpu_at_start_;
  }
  for (const auto& stream : streams_) {
    report.streams.push_back({.name = stream->options().name, .status = stream->Status()});
    for (const auto& task : stream->tasks()) {
      report.tasks.push_back({.stream = stream->options().name,
                              .model = task->model().name,
                              .counts = stream->CountsOf(*task),
                              .latency = task->Latency(),
                              .cost = task->Cost(),
                              .last_error = task->LastError()});
      for (CascadeReport& cascade : task->Cascades()) report.cascades.push_back(std::move(cascade));
    }
  }
  report.lanes = lanes_->Use();
  return report;
}

}  // namespace deepedge
