#include "deepedge/bench/throughput_bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <latch>
#include <memory>
#include <optional>
#include <utility>

#include "deepedge/base/check.h"
#include "deepedge/base/thread.h"
#include "deepedge/events/null_sink.h"
#include "deepedge/ingest/decoder.h"
#include "deepedge/ingest/source.h"
#include "deepedge/runtime/data_plane.h"
#include "deepedge/runtime/model_inference.h"
#include "deepedge/runtime/model_loader.h"

namespace deepedge {
namespace {

using Models = std::vector<std::unique_ptr<LoadedModel>>;

Result<Models> LoadAll(Engine& engine, const std::vector<std::string>& paths, size_t concurrency) {
  Models models;
  for (const std::string& path : paths) {
    DE_TRY(auto model, LoadModel(engine, {.path = path, .concurrency = static_cast<int>(concurrency)}));
    model->name = fmt::format("model{}", models.size());
    models.push_back(std::move(model));
  }
  return models;
}

// One file through all models, frame by frame, in the calling thread. Returns the number of jobs.
Result<int64_t> RunPlainLoop(const std::string& file, const Models& models, int slot, PictureScaler& scaler,
                             const Clock& clock) {
  DE_TRY(const auto source, MakeSource({.address = file}, clock));
  DE_TRY_STATUS(source->Open({}));
  const std::unique_ptr<Decoder> decoder = MakeDecoder();
  InferenceCost cost;
  int64_t jobs = 0;
  bool ended = false;
  while (true) {
    DE_TRY(const std::optional<DecodedPicture> picture, decoder->Receive());
    if (picture) {
      for (const auto& model : models) {
        DE_TRY_STATUS(RunModelOnPicture(*model, slot, scaler, picture->picture, clock, cost).status());
        ++jobs;
      }
      continue;
    }
    if (ended) return jobs;
    auto packet = source->Read({});
    if (packet.ok()) {
      DE_TRY_STATUS(decoder->Send(packet.value()));
    } else {
      decoder->Drain();
      ended = true;
    }
  }
}

Result<double> MeasurePlainLoops(const ThroughputOptions& options, const Models& models, const Clock& clock) {
  const size_t loops = options.cpus.size();
  const std::vector<size_t> deal = DealFiles(options.files.size(), loops);
  std::vector<double> fps(loops);
  std::vector<Status> failures(loops);
  {
    std::latch start(static_cast<std::ptrdiff_t>(loops));
    std::vector<Thread> threads;
    for (size_t loop = 0; loop < loops; ++loop) {
      threads.emplace_back(
          Thread::Options{.name = fmt::format("loop-{}", loop), .cpu = options.cpus[loop]}, [&, loop](std::stop_token) {
            PictureScaler scaler;
            int64_t jobs = 0;
            start.arrive_and_wait();
            const Time began = clock.Now();
            for (size_t i = 0; i < deal.size(); ++i) {
              if (deal[i] != loop) continue;
              const auto ran = RunPlainLoop(options.files[i], models, static_cast<int>(loop), scaler, clock);
              if (!ran.ok()) {
                failures[loop] = ran.error();
                return;
              }
              jobs += ran.value();
            }
            const double seconds = static_cast<double>((clock.Now() - began).count()) / 1e6;
            fps[loop] = static_cast<double>(jobs) / seconds;
          });
    }
  }
  double sum = 0;
  for (size_t loop = 0; loop < loops; ++loop) {
    DE_TRY_STATUS(failures[loop]);
    sum += fps[loop];
  }
  return sum;
}

Result<double> MeasurePlane(const ThroughputOptions& options, Models& models, const Clock& clock) {
  std::vector<StreamSpec> streams;
  for (size_t i = 0; i < options.files.size(); ++i) {
    StreamSpec stream{.name = fmt::format("file{}", i), .address = options.files[i]};
    for (const auto& model : models) stream.tasks.push_back({.model = model->name});
    streams.push_back(std::move(stream));
  }
  NullSink sink;
  std::latch finished(1);
  DE_TRY(const auto plane,
         DataPlane::Create(
             {.cpus = options.cpus, .pace = Pace::kFast, .all_finished = [&finished] { finished.count_down(); }},
             streams, std::move(models), sink, clock));
  plane->Start();
  finished.wait();
  plane->Stop();
  const RunReport report = plane->Report();
  models = plane->TakeModels();
  int64_t jobs = 0;
  for (const TaskReport& task : report.tasks) {
    if (task.counts.Of(Ending::kDone) != task.counts.captured) {
      return Error{ErrorCode::kInternal, fmt::format("{}: {} of {} frames were done", task.stream,
                                                     task.counts.Of(Ending::kDone), task.counts.captured)};
    }
    jobs += task.counts.captured;
  }
  return static_cast<double>(jobs) / (static_cast<double>(report.elapsed.count()) / 1e6);
}

}  // namespace

std::vector<size_t> DealFiles(size_t count, size_t loops) {
  std::vector<size_t> deal(count);
  for (size_t i = 0; i < count; ++i) deal[i] = i % loops;
  return deal;
}

std::vector<int> CpusToUse(std::vector<int> cpus, size_t files) {
  if (cpus.size() > files) cpus.resize(files);
  return cpus;
}

double Median(std::vector<double> values) {
  DE_CHECK(!values.empty());
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

Result<std::vector<ThroughputSample>> MeasureThroughput(Engine& engine, ThroughputOptions options) {
  if (options.files.empty()) return Error{ErrorCode::kBadInput, "measure throughput: no file"};
  options.cpus = CpusToUse(std::move(options.cpus), options.files.size());
  const RealClock clock;
  DE_TRY(Models models, LoadAll(engine, options.models, options.cpus.size()));
  std::vector<ThroughputSample> samples;
  for (int i = 0; i < options.repetitions; ++i) {
    ThroughputSample sample;
    DE_TRY(sample.plain_fps, MeasurePlainLoops(options, models, clock));
    DE_TRY(sample.plane_fps, MeasurePlane(options, models, clock));
    samples.push_back(sample);
  }
  return samples;
}

}  // namespace deepedge
