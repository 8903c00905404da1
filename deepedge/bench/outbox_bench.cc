#include "deepedge/bench/outbox_bench.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "deepedge/base/clock.h"
#include "deepedge/events/outbox/outbox.h"

namespace deepedge {
namespace {

constexpr double kMicrosPerSecond = 1e6;
constexpr double kMicrosPerMilli = 1e3;

// Takes everything and notes how long it was under way.
class Stopwatch final : public Courier {
 public:
  Stopwatch(const Clock& clock, std::vector<int64_t>& latencies_us, std::atomic<int>& arrived)
      : clock_(clock), latencies_us_(latencies_us), arrived_(arrived) {}
  std::string_view name() const override { return "stopwatch"; }
  Result<Delivery> Deliver(std::span<const StoredEvent> events, std::stop_token /*stop*/) override {
    const int64_t now = clock_.EpochMicros(clock_.Now());
    for (const StoredEvent& event : events) latencies_us_.push_back(now - event.at_us);
    arrived_ += static_cast<int>(events.size());
    return Delivery{.arrived = events.size()};
  }

 private:
  const Clock& clock_;
  std::vector<int64_t>& latencies_us_;  // read when the outbox is closed
  std::atomic<int>& arrived_;
};

// As a detector gives it: about 600 bytes of JSON.
ResultEvent Detection() {
  constexpr int kObjects = 5;
  ResultEvent event{.stream = "gate", .model = "yolox_nano", .task = "detection"};
  for (int i = 0; i < kObjects; ++i) {
    const float at = 0.1F * static_cast<float>(i);
    event.result.objects.push_back({.label = i, .score = 0.87654F, .box = {at, at, at + 0.123F, at + 0.234F}});
  }
  event.variant = "fp32@416x416";
  return event;
}

void Pause() { std::this_thread::sleep_for(std::chrono::microseconds(200)); }

}  // namespace

Result<OutboxSample> MeasureOutbox(const OutboxBenchOptions& options) {
  const Path parent = options.folder.empty() ? std::filesystem::temp_directory_path() : options.folder;
  DE_TRY(const TemporaryFolder folder, TemporaryFolder::CreateIn(parent, "deepedge_outbox_bench"));
  const RealClock clock;
  std::vector<int64_t> latencies_us;
  latencies_us.reserve(static_cast<size_t>(options.events));
  std::atomic<int> arrived = 0;
  DE_TRY(const auto outbox, Outbox::Create({.file = folder.path() / "outbox.db"}, clock));
  outbox->AddCourier(std::make_unique<Stopwatch>(clock, latencies_us, arrived), {});

  constexpr int64_t kMostQueued = 4096;
  ResultEvent event = Detection();
  const Duration cpu_before = ProcessCpuTime();
  const Time start = clock.Now();
  for (int i = 0; i < options.events; ++i) {
    if (options.rate > 0) {
      const Time due = start + Duration(int64_t{1'000'000} * i / options.rate);
      while (clock.Now() < due) Pause();
    }
    while (true) {
      const SinkCounts counts = outbox->counts();
      if (counts.accepted - counts.delivered - counts.lost < kMostQueued) break;
      Pause();
    }
    event.frame = i;
    event.available_us = clock.EpochMicros(clock.Now());
    event.id = "bench-" + std::to_string(i);
    outbox->Publish(event);
  }
  const Time give_up = clock.Now() + std::chrono::seconds(60);
  while (arrived < options.events && clock.Now() < give_up) Pause();
  const Duration took = clock.Now() - start;
  const Duration cpu = ProcessCpuTime() - cpu_before;
  DE_TRY_STATUS(outbox->Close());
  if (latencies_us.empty()) return Error{ErrorCode::kInternal, "no event came through the outbox"};
  std::ranges::sort(latencies_us);
  const auto count = static_cast<double>(latencies_us.size());
  return OutboxSample{
      .events_per_s = count * kMicrosPerSecond / static_cast<double>(took.count()),
      .cpu_us = static_cast<double>(cpu.count()) / count,
      .latency_ms_p50 = static_cast<double>(latencies_us[latencies_us.size() / 2]) / kMicrosPerMilli,
      .latency_ms_p99 = static_cast<double>(latencies_us[latencies_us.size() * 99 / 100]) / kMicrosPerMilli,
      .lost = outbox->counts().lost + options.events - static_cast<int64_t>(latencies_us.size())};
}

}  // namespace deepedge
