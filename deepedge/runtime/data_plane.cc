#include "deepedge/runtime/data_plane.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
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
  scalers_.resize(lanes_->count());
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
  auto stream = std::make_unique<StreamRunner>(
      StreamRunner::Options{
          .id = {index}, .name = spec.name, .lossless = options_.pace == Pace::kFast && kind == SourceKind::kFile},
      MakeDecoder(), TaskRunner::Environment{.lanes = *lanes_, .clock = clock_, .events = events_, .scalers = scalers_},
      *this);
  for (const TaskSpec& task : spec.tasks) {
    const auto model =
        std::find_if(models_.begin(), models_.end(), [&](const auto& m) { return m->name == task.model; });
    if (model == models_.end()) {
      return Error{ErrorCode::kBadInput, fmt::format("stream '{}': no model '{}' is loaded", spec.name, task.model)};
    }
    DE_TRY(auto task_options, MakeTaskOptions(spec, kind, task, **model));
    stream->AddTask(std::move(task_options), **model, model_slots_[static_cast<size_t>(model - models_.begin())]);
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

Result<TaskRunner::Options> DataPlane::MakeTaskOptions(const StreamSpec& stream, SourceKind kind, const TaskSpec& task,
                                                       const LoadedModel& model) const {
  TaskRunner::Options options{.max_rate = MaxRateInMediaTime(task.max_rate, kind, options_.pace, stream.speed),
                              .deadline = task.deadline,
                              .lossless = options_.pace == Pace::kFast};
  const std::vector<std::string>& known = *model.labels;
  for (const std::string& label : task.labels) {
    const auto found = std::find(known.begin(), known.end(), label);
    if (found == known.end()) {
      return Error{ErrorCode::kBadInput, fmt::format("stream '{}': model '{}' has no label '{}'; it has: {}",
                                                     stream.name, task.model, label, fmt::join(known, ", "))};
    }
    options.labels.push_back(static_cast<int>(found - known.begin()));
  }
  return options;
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
    }
  }
  report.lanes = lanes_->Use();
  return report;
}

}  // namespace deepedge
