#include "deepedge/profiler/meter/cgroup_meter.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

#include "deepedge/base/text.h"
#include "deepedge/profiler/meter/proc_text.h"

namespace deepedge {
namespace {

constexpr size_t kMostMountBytes = size_t{1} << 20;

bool Has(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

CgroupMeter::CgroupMeter(Path root) : root_(std::move(root)) {
  const auto mountinfo = ReadProcFile(root_, "proc/self/mountinfo", kMostMountBytes);
  const auto self = ReadProcFile(root_, "proc/self/cgroup");
  if (!mountinfo.ok() || !self.ok()) {
    missing_.push_back({"cgroup", (mountinfo.ok() ? self.error() : mountinfo.error()).message});
    return;
  }
  const auto mounts = ParseCgroupMounts(mountinfo.value());
  const auto lines = ParseSelfCgroup(self.value());
  cpu_ = FindTree(mounts, lines, "cpu");
  memory_ = FindTree(mounts, lines, "memory");
  if (!cpu_) missing_.push_back({"cgroup cpu", "no mounted cgroup tree has this controller"});
  if (!memory_) missing_.push_back({"cgroup memory", "no mounted cgroup tree has this controller"});
  if (cpu_ && !cpu_->is_v2) {
    cpuacct_ = FindTree(mounts, lines, "cpuacct");
    if (!cpuacct_) missing_.push_back({"cgroup cpuacct", "no mounted cgroup tree has this controller"});
  }
}

// A controller is in one tree only: in one of version 1 if that names it, else in that of version 2 if its file
// cgroup.controllers does.
std::optional<CgroupMeter::Tree> CgroupMeter::FindTree(const std::vector<CgroupMount>& mounts,
                                                       const std::vector<CgroupLine>& lines,
                                                       std::string_view controller) {
  for (const CgroupMount& mount : mounts) {
    if (!Has(mount.controllers, controller)) continue;
    for (const CgroupLine& line : lines) {
      if (Has(line.controllers, controller)) return Tree{.folders = CgroupFolders(mount, line)};
    }
  }
  for (const CgroupMount& mount : mounts) {
    if (!mount.controllers.empty()) continue;
    CgroupReading unused;
    const auto line = std::ranges::find_if(lines, [](const CgroupLine& l) { return l.controllers.empty(); });
    const std::string controllers = Value(mount.point, "cgroup.controllers", unused).value_or("");
    const auto names = Words(controllers);
    if (line == lines.end() || std::ranges::find(names, controller) == names.end()) continue;
    return Tree{.is_v2 = true, .folders = CgroupFolders(mount, *line)};
  }
  return std::nullopt;
}

std::optional<std::string> CgroupMeter::Value(const std::string& folder, std::string_view file,
                                              CgroupReading& reading) const {
  const auto text = ReadProcFile(root_ / folder.substr(1), file);
  if (text.ok()) return text.value();
  if (text.error().code != ErrorCode::kNotFound) {
    reading.missing.push_back({fmt::format("cgroup {}", file), text.error().message});
  }
  return std::nullopt;
}

std::optional<double> CgroupMeter::CpuLimit(const std::string& folder, CgroupReading& reading) const {
  const auto limit = [&]() -> Result<std::optional<double>> {
    if (cpu_->is_v2) return ParseCpuMax(Value(folder, "cpu.max", reading).value_or("max"));
    return ParseCfsQuota(Value(folder, "cpu.cfs_quota_us", reading).value_or("-1"),
                         Value(folder, "cpu.cfs_period_us", reading).value_or("100000"));
  }();
  if (limit.ok()) return limit.value();
  reading.missing.push_back({"limit of CPU", fmt::format("{}: {}", folder, limit.error().message)});
  return std::nullopt;
}

// Version 1 counts in a tree of its own, in which the same depth need not be the same cgroup: where both lie alike.
std::optional<int64_t> CgroupMeter::CpuacctUsage(size_t folder, CgroupReading& reading) const {
  if (!cpuacct_ || cpuacct_->folders.size() != cpu_->folders.size()) return std::nullopt;
  const std::string text = Value(cpuacct_->folders[folder], "cpuacct.usage", reading).value_or("");
  const auto usage_ns = ParseAmount(Trim(text));
  return usage_ns ? std::optional<int64_t>(*usage_ns / 1000) : std::nullopt;
}

void CgroupMeter::ReadCpu(CgroupReading& reading) const {
  size_t tightest = 0;
  for (size_t i = 0; i < cpu_->folders.size(); ++i) {
    const auto limit = CpuLimit(cpu_->folders[i], reading);
    if (!limit || (reading.cpu_limit && *reading.cpu_limit <= *limit)) continue;
    reading.cpu_limit = limit;
    tightest = i;
  }
  if (const auto text = Value(cpu_->folders[tightest], "cpu.stat", reading)) {
    const auto stat = ParseCgroupCpuStat(*text);
    if (stat.ok()) {
      reading.cpu = stat.value();
    } else {
      reading.missing.push_back({"cgroup cpu.stat", stat.error().message});
    }
  }
  if (!cpu_->is_v2) {
    reading.cpu_usage_us = CpuacctUsage(tightest, reading);
    return;
  }
  if (reading.cpu) reading.cpu_usage_us = reading.cpu->usage_us;
  const auto pressure = ParsePressure(Value(cpu_->folders[0], "cpu.pressure", reading).value_or(""));
  if (pressure.ok()) reading.cpu_pressure = pressure.value();
}

std::optional<int64_t> CgroupMeter::MemoryLimit(const std::string& folder, CgroupReading& reading) const {
  static constexpr std::string_view kFilesV2[] = {"memory.max", "memory.high"};
  static constexpr std::string_view kFilesV1[] = {"memory.limit_in_bytes"};
  std::optional<int64_t> least;
  for (const std::string_view file : memory_->is_v2 ? std::span<const std::string_view>(kFilesV2) : kFilesV1) {
    const auto limit = ParseMemoryLimit(Value(folder, file, reading).value_or("max"));
    if (!limit.ok()) {
      reading.missing.push_back({fmt::format("cgroup {}", file), fmt::format("{}: {}", folder, limit.error().message)});
    } else if (limit.value()) {
      least = std::min(*limit.value(), least.value_or(INT64_MAX));
    }
  }
  return least;
}

std::optional<int64_t> CgroupMeter::MemoryUsed(const std::string& folder, CgroupReading& reading) const {
  const std::string text =
      Value(folder, memory_->is_v2 ? "memory.current" : "memory.usage_in_bytes", reading).value_or("");
  return ParseAmount(Trim(text));
}

void CgroupMeter::ReadMemory(CgroupReading& reading) const {
  reading.memory_used = MemoryUsed(memory_->folders[0], reading);
  int64_t least_left = INT64_MAX;
  for (const std::string& folder : memory_->folders) {
    const auto limit = MemoryLimit(folder, reading);
    if (!limit) continue;
    const auto used = MemoryUsed(folder, reading);
    const int64_t left = *limit - used.value_or(0);
    if (left >= least_left) continue;
    least_left = left;
    reading.memory_limit = limit;
    reading.memory_used = used;
  }
}

CgroupReading CgroupMeter::Read() const {
  CgroupReading reading = {.missing = missing_};
  if (cpu_) ReadCpu(reading);
  if (memory_) ReadMemory(reading);
  return reading;
}

}  // namespace deepedge
