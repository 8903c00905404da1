#include "deepedge/app/report_json.h"

#include <algorithm>
#include <cmath>

namespace deepedge {
namespace {

using Json = nlohmann::ordered_json;

double Rounded(double value) { return std::round(value * 1000) / 1000; }
double Millis(Duration d) { return static_cast<double>(d.count()) / 1e3; }

Json LatencyJson(const Histogram& latency) {
  return {{"p50", Rounded(Millis(latency.Quantile(0.5)))},
          {"p95", Rounded(Millis(latency.Quantile(0.95)))},
          {"max", Rounded(Millis(latency.max()))}};
}

Json TaskJson(const TaskReport& task, double seconds) {
  Json reasons = Json::object();
  for (size_t i = 0; i < kEndReasonCount; ++i) {
    const auto reason = static_cast<EndReason>(i);
    if (reason != EndReason::kDone && task.counts.by_reason[i] > 0)
      reasons[ToString(reason)] = task.counts.by_reason[i];
  }
  const auto per_second = [seconds](Duration d) { return Rounded(Millis(d) / seconds); };
  Json json = {
      {"stream", task.stream},
      {"model", task.model},
      {"captured", task.counts.captured},
      {"done", task.counts.Of(Ending::kDone)},
      {"skipped", task.counts.Of(Ending::kSkipped)},
      {"dropped", task.counts.Of(Ending::kDropped)},
      {"failed", task.counts.Of(Ending::kFailed)},
      {"reasons", reasons},
      {"rate", Rounded(static_cast<double>(task.counts.Of(Ending::kDone)) / seconds)},
      {"latency_ms", LatencyJson(task.latency)},
      {"core_ms_per_s",
       {{"scale", per_second(task.cost.scale)},
        {"infer", per_second(task.cost.infer)},
        {"post", per_second(task.cost.post)}}},
  };
  if (!task.last_error.empty()) json["last_error"] = task.last_error;
  return json;
}

Json CascadeJson(const CascadeReport& cascade, double seconds) {
  Json json = {{"stream", cascade.stream},
               {"path", cascade.path},
               {"offered", cascade.counts.offered},
               {"asked", cascade.counts.asked},
               {"answered", cascade.counts.answered},
               {"dropped", cascade.counts.Dropped()},
               {"failed", cascade.counts.failed},
               {"latency_ms", LatencyJson(cascade.latency)},
               {"core_ms_per_s", Rounded(Millis(cascade.cost.Total()) / seconds)}};
  if (!cascade.last_error.empty()) json["last_error"] = cascade.last_error;
  return json;
}

Json StageJson(const StageReport& stage) {
  return {{"model", stage.key.model},
          {"setting", ToString(stage.key.setting)},
          {"stage", stage.key.stage + 1},
          {"generation", stage.generation},
          {"runs", stage.runs},
          {"solo_ms", Rounded(stage.solo_us / 1e3)},
          {"predicted_ms", Rounded(stage.predicted_us / 1e3)},
          {"actual_ms", Rounded(stage.actual_us / 1e3)},
          {"ratio", Rounded(stage.ratio)},
          {"spread", Rounded(stage.spread)},
          {"p99_ratio", Rounded(stage.p99_ratio)},
          {"drifting", stage.is_drifting}};
}

Json ProfileJson(const ProfileReport& profile) {
  Json json = {{"kappa", Rounded(profile.box.kappa)},
               {"kappa_from", ToString(profile.box.source)},
               {"observed", profile.observed},
               {"lost", profile.lost}};
  json["stages"] = Json::array();
  for (const StageReport& stage : profile.stages) json["stages"].push_back(StageJson(stage));
  json["served"] = Json::array();
  for (const ServedSetting& served : profile.served) {
    json["served"].push_back({{"model", served.model},
                              {"setting", ToString(served.setting)},
                              {"runs", served.runs},
                              {"median_ms", Rounded(served.median_us / 1e3)}});
  }
  json["questions"] = profile.questions;
  return json;
}

Json CountsJson(const SinkCounts& counts) {
  return {{"accepted", counts.accepted}, {"delivered", counts.delivered}, {"lost", counts.lost}};
}

}  // namespace

Json SummaryJson(const RunReport& report, const EventReport& events, const MemoryUse& memory) {
  const double seconds = std::max(static_cast<double>(report.elapsed.count()) / 1e6, 1e-6);
  Json json = {{"type", "summary"}, {"elapsed_s", Rounded(seconds)}};
  json["tasks"] = Json::array();
  for (const TaskReport& task : report.tasks) json["tasks"].push_back(TaskJson(task, seconds));
  json["cascades"] = Json::array();
  for (const CascadeReport& cascade : report.cascades) json["cascades"].push_back(CascadeJson(cascade, seconds));
  json["streams"] = Json::array();
  for (const StreamReport& stream : report.streams) {
    json["streams"].push_back({{"name", stream.name},
                               {"state", ToString(stream.status.state)},
                               {"detail", stream.status.detail},
                               {"codec", stream.status.codec},
                               {"width", stream.status.width},
                               {"height", stream.status.height},
                               {"connects", stream.status.connects},
                               {"decode_core_ms_per_s", Rounded(Millis(stream.status.decode_cost) / seconds)}});
  }
  json["cores"] = Json::array();
  for (const Lanes::LaneUse& lane : report.lanes) {
    json["cores"].push_back({{"cpu", lane.cpu},
                             {"busy", Rounded(static_cast<double>(lane.busy.count()) / 1e6 / seconds)},
                             {"jobs", lane.jobs},
                             {"wakeups", lane.wakeups}});
  }
  json["process"] = {{"cpu_s", Rounded(static_cast<double>(report.cpu.count()) / 1e6)},
                     {"memory_mb", Rounded(static_cast<double>(memory.resident) / 1e6)},
                     {"peak_memory_mb", Rounded(static_cast<double>(memory.peak_resident) / 1e6)}};
  if (report.profile) json["profile"] = ProfileJson(*report.profile);
  json["events"] = CountsJson(events.overall);
  json["sinks"] = Json::array();
  for (const auto& [name, counts] : events.sinks) {
    Json sink = {{"name", name}};
    sink.update(CountsJson(counts));
    json["sinks"].push_back(std::move(sink));
  }
  for (const CourierCounts& courier : events.couriers) {
    json["sinks"].push_back({{"name", courier.name},
                             {"delivered", courier.delivered},
                             {"refused", courier.refused},
                             {"lost", courier.lost},
                             {"waiting", courier.waiting},
                             {"last_error", courier.last_error}});
  }
  return json;
}

}  // namespace deepedge
