#include "deepedge/profiler/meter/cpu_meter.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "deepedge/profiler/meter/proc_text.h"

namespace deepedge {
namespace {

constexpr size_t kMostThreads = 4096;
constexpr int64_t kMostTicks = int64_t{1} << 53;  // millions of years; sums of some never overflow
constexpr size_t kShownBytes = 60;

Error BadLine(std::string_view file, std::string_view line) {
  return {ErrorCode::kBadInput, fmt::format("{}: line '{}' is not understood", file, line.substr(0, kShownBytes))};
}

// user nice system idle iowait irq softirq steal guest guest_nice; kernels before 2.6.11 end earlier. Guests are part
// of user and nice already.
Result<CoreTicks> ParseCpuLine(std::string_view line) {
  const std::vector<std::string_view> words = Words(line);
  const auto cpu = ParseAmount(words[0].substr(3));
  if (!cpu || *cpu >= kMostCpus || words.size() < 5) return BadLine("/proc/stat", line);
  int64_t ticks[8] = {};
  for (size_t i = 0; i < 8 && i + 1 < words.size(); ++i) {
    const auto value = ParseAmount(words[i + 1]);
    if (!value || *value > kMostTicks) return BadLine("/proc/stat", line);
    ticks[i] = *value;
  }
  return CoreTicks{.cpu = static_cast<int>(*cpu),
                   .busy = ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6],
                   .niced = ticks[1],
                   .idle = ticks[3] + ticks[4],
                   .steal = ticks[7]};
}

std::optional<int> ParseNice(std::string_view text) {
  const bool is_negative = text.starts_with('-');
  const auto value = ParseAmount(text.substr(is_negative ? 1 : 0));
  if (!value || *value > 20) return std::nullopt;
  return static_cast<int>(is_negative ? -*value : *value);
}

struct Delta {
  int cpu = 0;
  double busy = 0, niced = 0, idle = 0, steal = 0, own = 0;

  double all() const { return busy + idle + steal; }
};

double Step(int64_t before, int64_t after) { return static_cast<double>(std::max<int64_t>(0, after - before)); }

std::vector<Delta> DeltasOf(const CpuReading& before, const CpuReading& after, const std::vector<int>& allowed) {
  std::vector<Delta> deltas;
  for (const CoreTicks& now : after.cores) {
    if (!std::ranges::binary_search(allowed, now.cpu)) continue;
    const auto then = std::ranges::find(before.cores, now.cpu, &CoreTicks::cpu);
    if (then == before.cores.end()) continue;
    const Delta delta = {.cpu = now.cpu,
                         .busy = Step(then->busy, now.busy),
                         .niced = Step(then->niced, now.niced),
                         .idle = Step(then->idle, now.idle),
                         .steal = Step(then->steal, now.steal)};
    if (delta.all() > 0) deltas.push_back(delta);
  }
  return deltas;
}

// Ticks of every thread by the CPU that it ran on last.
void AddThreads(const OwnTicks& before, const OwnTicks& after, std::vector<Delta>& deltas) {
  std::map<int64_t, int64_t> then;
  for (const ThreadTicks& thread : before.threads) then[thread.id] = thread.used.ticks;
  for (const ThreadTicks& thread : after.threads) {
    const auto core = std::ranges::find(deltas, thread.used.cpu, &Delta::cpu);
    if (core == deltas.end()) continue;
    const auto known = then.find(thread.id);
    core->own += Step(known == then.end() ? 0 : known->second, thread.used.ticks);
  }
}

void SpreadRest(double own, std::vector<Delta>& deltas) {
  double explained = 0;
  double unexplained = 0;
  for (Delta& delta : deltas) {
    delta.own = std::min(delta.own, delta.busy);
    explained += delta.own;
    unexplained += delta.busy - delta.own;
  }
  const double rest = own - explained;
  if (rest <= 0 || unexplained <= 0) return;
  const double share = std::min(1.0, rest / unexplained);
  for (Delta& delta : deltas) delta.own += share * (delta.busy - delta.own);
}

}  // namespace

Result<std::vector<CoreTicks>> ParseCpuStat(std::string_view text) {
  std::vector<CoreTicks> cores;
  // A line without its end may be cut in the middle of a number.
  std::string_view rest = text.substr(0, text.rfind('\n') + 1);
  while (const auto line = NextLine(rest)) {
    if (!line->starts_with("cpu") || line->starts_with("cpu ")) continue;
    DE_TRY(const CoreTicks core, ParseCpuLine(*line));
    if (std::ranges::find(cores, core.cpu, &CoreTicks::cpu) != cores.end()) {
      return Error{ErrorCode::kBadInput, fmt::format("/proc/stat: CPU {} stands there twice", core.cpu)};
    }
    cores.push_back(core);
  }
  if (cores.empty()) return Error{ErrorCode::kBadInput, "/proc/stat: no CPU in it"};
  return cores;
}

Result<TaskTicks> ParseTaskStat(std::string_view text) {
  constexpr size_t kUser = 11, kSystem = 12, kNice = 16, kCpu = 36;  // after the name, which ends at the last bracket
  const size_t name_end = text.rfind(')');
  const std::vector<std::string_view> words =
      name_end == std::string_view::npos ? std::vector<std::string_view>() : Words(text.substr(name_end + 1));
  if (words.size() <= kCpu) return BadLine("stat of a task", text);
  const auto user = ParseAmount(words[kUser]);
  const auto system = ParseAmount(words[kSystem]);
  const auto cpu = ParseAmount(words[kCpu]);
  const auto nice = ParseNice(words[kNice]);
  if (!user || !system || !cpu || !nice || *user > kMostTicks || *system > kMostTicks || *cpu >= kMostCpus) {
    return BadLine("stat of a task", text);
  }
  return TaskTicks{.ticks = *user + *system, .cpu = static_cast<int>(*cpu), .nice = *nice};
}

Result<OwnTicks> ReadOwnTicks(const Path& root) {
  OwnTicks own;
  DE_TRY(const std::string text, ReadProcFile(root, "proc/self/stat", 4096));
  DE_TRY(const TaskTicks process, ParseTaskStat(text));
  own.process = process.ticks;
  own.is_niced = process.nice > 0;
  std::error_code ec;
  for (std::filesystem::directory_iterator entry(root / "proc/self/task", ec), end; !ec && entry != end;
       entry.increment(ec)) {
    if (own.threads.size() >= kMostThreads) break;
    const auto id = ParseAmount(entry->path().filename().string());
    const auto stat = ReadProcFile(entry->path(), "stat", 4096);
    if (!id || !stat.ok()) continue;
    const auto used = ParseTaskStat(stat.value());
    if (used.ok()) own.threads.push_back({.id = *id, .used = used.value()});
  }
  return own;
}

CpuUse UseBetween(const CpuReading& before, const CpuReading& after, const std::vector<int>& allowed) {
  CpuUse use;
  std::vector<Delta> deltas = DeltasOf(before, after, allowed);
  if (deltas.empty()) return use;
  double ticks = 0;
  for (const Delta& delta : deltas) ticks += delta.all();
  if (before.own && after.own) {
    const double own = Step(before.own->process, after.own->process);
    AddThreads(*before.own, *after.own, deltas);
    SpreadRest(own, deltas);
    use.own_cores = own * static_cast<double>(deltas.size()) / ticks;
  }
  const bool others_yield = after.own && !after.own->is_niced;
  for (const Delta& delta : deltas) {
    const double others = delta.busy - delta.own;
    use.cores.push_back({.cpu = delta.cpu,
                         .own = delta.own / delta.all(),
                         .others = others / delta.all(),
                         .steal = delta.steal / delta.all(),
                         .idle = delta.idle / delta.all(),
                         .niced = others_yield ? std::min(delta.niced, others) / delta.all() : 0});
  }
  return use;
}

}  // namespace deepedge
