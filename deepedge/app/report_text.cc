#include "deepedge/app/report_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace deepedge {
namespace {

double Seconds(Duration d) { return static_cast<double>(d.count()) / 1e6; }
double Millis(Duration d) { return static_cast<double>(d.count()) / 1e3; }

std::string Latency(const Histogram& latency, double q) {
  if (latency.count() == 0) return "-";
  const double ms = Millis(latency.Quantile(q));
  return fmt::format("{:.{}f} ms", ms, ms < 10 ? 1 : 0);
}

std::string Reasons(const FrameCounts& counts) {
  std::string text;
  for (size_t i = 0; i < kEndReasonCount; ++i) {
    const auto reason = static_cast<EndReason>(i);
    if (reason == EndReason::kDone || counts.by_reason[i] == 0) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", counts.by_reason[i], ToString(reason));
  }
  return text;
}

size_t Widest(size_t least, const std::vector<TaskReport>& tasks, std::string TaskReport::* field) {
  for (const TaskReport& task : tasks) least = std::max(least, (task.*field).size());
  return least;
}

std::string CascadeLine(const CascadeReport& cascade, size_t stream_width) {
  std::string line = fmt::format("{:<{}}  {}: {} of {} objects asked about, {} answered", cascade.stream, stream_width,
                                 cascade.path, cascade.counts.asked, cascade.counts.offered, cascade.counts.answered);
  if (cascade.counts.Dropped() > 0) line += fmt::format(", {} dropped", cascade.counts.Dropped());
  if (cascade.counts.failed > 0) line += fmt::format(", {} failed", cascade.counts.failed);
  if (cascade.counts.answered > 0) line += fmt::format(", p50 {}", Latency(cascade.latency, 0.5));
  return line;
}

std::string CourierLine(const CourierCounts& courier) {
  std::string line = fmt::format("{}: {} events arrived", courier.name, courier.delivered);
  if (courier.waiting > 0) line += fmt::format(", {} wait", courier.waiting);
  if (courier.refused > 0) line += fmt::format(", {} refused", courier.refused);
  if (courier.lost > 0) line += fmt::format(", {} lost", courier.lost);
  if (!courier.last_error.empty()) line += fmt::format(" ({})", courier.last_error);
  return line;
}

// Nothing where runs take what was predicted.
std::string ProfileLine(const ProfileReport& profile) {
  constexpr double kWorthSaying = 1.1;
  std::string line;
  const auto add = [&line](const std::string& text) { line += (line.empty() ? "profile: " : "; ") + text; };
  if (profile.box.kappa > kWorthSaying) {
    add(fmt::format("this box is {:.2f} times as slow as when it was measured", profile.box.kappa));
  }
  size_t others = 0;
  bool named = false;
  for (const StageReport& stage : profile.stages) {
    if (!stage.is_drifting) continue;
    if (std::exchange(named, true)) {
      ++others;
      continue;
    }
    add(fmt::format("{} {} stage {} takes {:.2f} times what was predicted", stage.key.model,
                    ToString(stage.key.setting), stage.key.stage + 1, stage.ratio));
  }
  if (others > 0) line += fmt::format(", and {} more have left their profiles", others);
  return line;
}

}  // namespace

std::vector<std::string> RenderTable(const RunReport& now, const RunReport* before, const EventReport& events) {
  std::vector<std::string> lines;
  const double seconds = std::max(Seconds(before ? now.elapsed - before->elapsed : now.elapsed), 1e-6);

  std::string head = fmt::format("{:.1f} s", Seconds(now.elapsed));
  for (size_t i = 0; i < now.lanes.size(); ++i) {
    const Duration busy = now.lanes[i].busy - (before ? before->lanes[i].busy : Duration(0));
    head += fmt::format("   core {}: {:.0f} % busy", now.lanes[i].cpu, std::min(100.0, Seconds(busy) / seconds * 100));
  }
  if (events.overall.accepted > 0) head += fmt::format("   events: {}", events.overall.accepted);
  if (events.overall.lost > 0) head += fmt::format(" ({} lost)", events.overall.lost);
  lines.push_back(std::move(head));

  const size_t stream_width = Widest(6, now.tasks, &TaskReport::stream);
  const size_t model_width = Widest(5, now.tasks, &TaskReport::model);
  lines.push_back(fmt::format("{:<{}}  {:<{}} {:>9} {:>8} {:>8} {:>8} {:>8} {:>8} {:>7} {:>7} {:>11}", "stream",
                              stream_width, "model", model_width, "results/s", "p50", "p95", "captured", "done",
                              "skipped", "dropped", "failed", "core-ms/s"));
  for (size_t i = 0; i < now.tasks.size(); ++i) {
    const TaskReport& task = now.tasks[i];
    const int64_t done_before = before ? before->tasks[i].counts.Of(Ending::kDone) : 0;
    const Duration cost_before = before ? before->tasks[i].cost.Total() : Duration(0);
    lines.push_back(fmt::format(
        "{:<{}}  {:<{}} {:>9.1f} {:>8} {:>8} {:>8} {:>8} {:>8} {:>7} {:>7} {:>11.1f}", task.stream, stream_width,
        task.model, model_width, static_cast<double>(task.counts.Of(Ending::kDone) - done_before) / seconds,
        Latency(task.latency, 0.5), Latency(task.latency, 0.95), task.counts.captured, task.counts.Of(Ending::kDone),
        task.counts.Of(Ending::kSkipped), task.counts.Of(Ending::kDropped), task.counts.Of(Ending::kFailed),
        Millis(task.cost.Total() - cost_before) / seconds));
  }

  for (size_t i = 0; i < now.streams.size(); ++i) {
    const StreamReport& stream = now.streams[i];
    const Duration decode = stream.status.decode_cost - (before ? before->streams[i].status.decode_cost : Duration(0));
    std::string line = fmt::format("{:<{}}  {}", stream.name, stream_width, ToString(stream.status.state));
    if (!stream.status.codec.empty()) {
      line += fmt::format(" {} {}x{}, decoding {:.1f} core-ms/s", stream.status.codec, stream.status.width,
                          stream.status.height, Millis(decode) / seconds);
    }
    if (!stream.status.detail.empty()) line += fmt::format(" ({})", stream.status.detail);
    lines.push_back(std::move(line));
  }

  for (const CascadeReport& cascade : now.cascades) lines.push_back(CascadeLine(cascade, stream_width));
  for (const CourierCounts& courier : events.couriers) lines.push_back(CourierLine(courier));

  if (before != nullptr) return lines;
  if (now.profile) {
    std::string line = ProfileLine(*now.profile);
    if (!line.empty()) lines.push_back(std::move(line));
  }
  for (const CascadeReport& cascade : now.cascades) {
    if (!cascade.last_error.empty()) {
      lines.push_back(fmt::format("{} x {}: {}", cascade.stream, cascade.path, cascade.last_error));
    }
  }
  for (const TaskReport& task : now.tasks) {
    const std::string reasons = Reasons(task.counts);
    if (!reasons.empty()) lines.push_back(fmt::format("{} x {}: {}", task.stream, task.model, reasons));
    if (!task.last_error.empty()) lines.push_back(fmt::format("{} x {}: {}", task.stream, task.model, task.last_error));
  }
  return lines;
}

}  // namespace deepedge
