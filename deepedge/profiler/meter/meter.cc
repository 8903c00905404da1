#include "deepedge/profiler/meter/meter.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "deepedge/profiler/meter/memory_meter.h"
#include "deepedge/profiler/meter/proc_text.h"

namespace deepedge {
namespace {

constexpr int64_t kUsualTicks = 100;

double Seconds(Duration d) { return static_cast<double>(d.count()) / 1e6; }

int64_t TicksPerSecond(int64_t wanted) {
  if (wanted > 0) return wanted;
  const long ticks = sysconf(_SC_CLK_TCK);
  return ticks > 0 ? ticks : kUsualTicks;
}

std::optional<PressureUse> Between(const std::optional<Pressure>& before, const std::optional<Pressure>& now,
                                   Duration interval) {
  if (!before || !now) return std::nullopt;
  return PressureBetween(*before, *now, interval);
}

// CPUs that are allowed and do not tell: no reading of /proc/stat has them.
void AddAllowed(const CpuReading& cpu, MeterReport& report) {
  if (!report.allowed.empty()) return;
  for (const CoreTicks& core : cpu.cores) report.allowed.push_back(core.cpu);
  std::ranges::sort(report.allowed);
}

}  // namespace

Meter::Meter(MeterOptions options) : options_(std::move(options)), cgroup_(options_.root) {
  options_.ticks_per_second = TicksPerSecond(options_.ticks_per_second);
}

void Meter::ReadCpu(Reading& reading, MeterReport& report) const {
  const auto text = ReadProcFile(options_.root, "proc/stat");
  auto cores = text.ok() ? ParseCpuStat(text.value()) : Result<std::vector<CoreTicks>>(text.error());
  if (cores.ok()) {
    reading.cpu.cores = std::move(cores).value();
  } else {
    report.missing.push_back({"use of CPUs", cores.error().message});
  }
  auto own = ReadOwnTicks(options_.root);
  if (own.ok()) {
    reading.cpu.own = std::move(own).value();
  } else {
    report.missing.push_back({"own use of CPUs", own.error().message});
  }
}

void Meter::ReadStatus(MeterReport& report) const {
  const auto meminfo = ReadProcFile(options_.root, "proc/meminfo");
  const auto box = meminfo.ok() ? ParseMeminfo(meminfo.value()) : Result<BoxMemory>(meminfo.error());
  if (box.ok()) {
    report.memory.total = box.value().total;
    report.memory.available = box.value().available;
  } else {
    report.missing.push_back({"memory of the box", box.error().message});
  }
  const auto status = ReadProcFile(options_.root, "proc/self/status");
  const auto own = status.ok() ? ParseProcessMemory(status.value()) : Result<ProcessMemory>(status.error());
  if (own.ok()) {
    report.memory.own = own.value().anonymous.value_or(own.value().resident);
    report.memory.own_resident = own.value().resident;
  } else {
    report.missing.push_back({"own memory", own.error().message});
  }
  auto allowed = status.ok() ? ParseAllowedCpus(status.value()) : Result<std::vector<int>>(status.error());
  if (allowed.ok()) {
    report.allowed = std::move(allowed).value();
  } else {
    report.missing.push_back({"allowed CPUs", allowed.error().message});
  }
}

std::optional<Pressure> Meter::ReadPressure(std::string_view resource, MeterReport& report) const {
  const auto text = ReadProcFile(options_.root, fmt::format("proc/pressure/{}", resource));
  const auto pressure = text.ok() ? ParsePressure(text.value()) : Result<Pressure>(text.error());
  if (pressure.ok()) return pressure.value();
  report.missing.push_back({fmt::format("{} pressure", resource), pressure.error().message});
  return std::nullopt;
}

Meter::Reading Meter::Read(Time now, MeterReport& report) const {
  Reading reading = {.at = now};
  ReadStatus(report);
  ReadCpu(reading, report);
  AddAllowed(reading.cpu, report);
  reading.cpu_pressure = ReadPressure("cpu", report);
  reading.memory_pressure = ReadPressure("memory", report);
  reading.io_pressure = ReadPressure("io", report);
  reading.cgroup = cgroup_.Read();
  const auto& missing = reading.cgroup.missing;
  report.missing.insert(report.missing.end(), missing.begin(), missing.end());
  report.memory.cgroup_used = reading.cgroup.memory_used;
  report.memory.cgroup_limit = reading.cgroup.memory_limit;
  report.quota = reading.cgroup.cpu_limit;
  if (!report.allowed.empty()) report.capacity = static_cast<double>(report.allowed.size());
  if (report.quota) report.capacity = std::min(*report.quota, report.capacity.value_or(*report.quota));
  return reading;
}

void Meter::ReportCpu(const Reading& before, const Reading& now, MeterReport& report) const {
  CpuUse use = UseBetween(before.cpu, now.cpu, report.allowed);
  if (use.cores.empty()) return;
  report.cores = std::move(use.cores);
  report.steal_cores = 0;
  for (const CoreUse& core : report.cores) *report.steal_cores += core.steal;
  if (!before.cpu.own || !now.cpu.own) return;
  report.own_cores = use.own_cores;
  report.foreign_cores = 0;
  for (const CoreUse& core : report.cores) *report.foreign_cores += core.others;
}

void Meter::ReportCgroup(const Reading& before, const Reading& now, MeterReport& report) const {
  if (!report.quota) return;
  if (before.cgroup.cpu && now.cgroup.cpu) {
    const int64_t periods = now.cgroup.cpu->periods - before.cgroup.cpu->periods;
    const int64_t throttled = now.cgroup.cpu->throttled_periods - before.cgroup.cpu->throttled_periods;
    report.throttled =
        periods > 0 ? std::clamp(static_cast<double>(throttled) / static_cast<double>(periods), 0.0, 1.0) : 0;
  }
  if (before.cgroup.cpu_usage_us && now.cgroup.cpu_usage_us && report.own_cores) {
    const double used_us = static_cast<double>(*now.cgroup.cpu_usage_us - *before.cgroup.cpu_usage_us);
    report.cgroup_others = std::max(0.0, used_us / 1e6 / Seconds(report.interval) - *report.own_cores);
  }
}

MeterReport Meter::Sample(const Clock& clock) {
  MeterReport report;
  report.at = clock.Now();
  Reading now = Read(report.at, report);
  if (last_ && now.at > last_->at) {
    report.interval = now.at - last_->at;
    report.resolution = 1 / (static_cast<double>(options_.ticks_per_second) * Seconds(report.interval));
    ReportCpu(*last_, now, report);
    ReportCgroup(*last_, now, report);
    const auto& cpu_before = last_->cgroup.cpu_pressure ? last_->cgroup.cpu_pressure : last_->cpu_pressure;
    const auto& cpu_now = now.cgroup.cpu_pressure ? now.cgroup.cpu_pressure : now.cpu_pressure;
    if (last_->cgroup.cpu_pressure.has_value() == now.cgroup.cpu_pressure.has_value()) {
      report.cpu_pressure = Between(cpu_before, cpu_now, report.interval);
    }
    report.memory_pressure = Between(last_->memory_pressure, now.memory_pressure, report.interval);
    report.io_pressure = Between(last_->io_pressure, now.io_pressure, report.interval);
  }
  last_ = std::move(now);
  return report;
}

}  // namespace deepedge
