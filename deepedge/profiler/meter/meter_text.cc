#include "deepedge/profiler/meter/meter_text.h"

#include <fmt/format.h>

#include "deepedge/profiler/meter/foreign_load.h"
#include "deepedge/profiler/report/text_table.h"

namespace deepedge {
namespace {

using Column = TextTable::Column;
constexpr TextTable::Align kRight = TextTable::Align::kRight;
constexpr size_t kMostRows = 64;  // cores in a table

std::string Percent(double share) { return fmt::format("{:.0f} %", 100 * share); }

std::string Megabytes(const std::optional<int64_t>& bytes) {
  return bytes ? fmt::format("{:.0f} MB", static_cast<double>(*bytes) / 1e6) : "?";
}

std::string CoreTable(const MeterReport& report) {
  TextTable table({Column{"core"}, Column{"own", kRight}, Column{"others", kRight}, Column{"niced", kRight},
                   Column{"steal", kRight}, Column{"idle", kRight}});
  size_t rows = 0;
  for (const CoreUse& core : report.cores) {
    if (++rows > kMostRows) break;
    table.Add({fmt::format("{}", core.cpu), Percent(core.own), Percent(core.others), Percent(core.niced),
               Percent(core.steal), Percent(core.idle)});
  }
  std::string text = table.Text();
  if (report.cores.size() > kMostRows) text += fmt::format("and {} more\n", report.cores.size() - kMostRows);
  return text;
}

std::string CpuLine(const MeterReport& report) {
  const auto cores = [](const std::optional<double>& value) { return value ? fmt::format("{:.2f}", *value) : "?"; };
  return fmt::format(
      "cores in use over {:.1f} s: {} by this process, {} by others, {} taken by the hypervisor (+-{:.1f} %)\n",
      static_cast<double>(report.interval.count()) / 1e6, cores(report.own_cores), cores(report.foreign_cores),
      cores(report.steal_cores), 100 * report.resolution);
}

std::string LimitLine(const MeterReport& report) {
  std::string text = report.capacity ? fmt::format("capacity: {:.3g} cores", *report.capacity) : "capacity: unknown";
  text += report.quota ? fmt::format(", a quota of {:.3g} cores", *report.quota) : ", no quota";
  if (report.cgroup_others) text += fmt::format(", {:.2f} of it used by others", *report.cgroup_others);
  if (report.throttled) text += fmt::format(", stopped in {} of its periods", Percent(*report.throttled));
  return text + '\n';
}

std::string PressureLine(const MeterReport& report) {
  std::string text;
  const auto add = [&](std::string_view name, const std::optional<PressureUse>& use) {
    if (!use) return;
    text += fmt::format("{}{} some {} full {}", text.empty() ? "waited for: " : ", ", name, Percent(use->some),
                        Percent(use->full));
  };
  add("CPU", report.cpu_pressure);
  add("memory", report.memory_pressure);
  add("disk", report.io_pressure);
  return text.empty() ? "" : text + '\n';
}

std::string MemoryLine(const MemoryState& memory) {
  std::string text = fmt::format("memory: {} own, {} resident; box {} of {} available", Megabytes(memory.own),
                                 Megabytes(memory.own_resident), Megabytes(memory.available), Megabytes(memory.total));
  if (memory.cgroup_limit) {
    text += fmt::format("; cgroup {} of {}", Megabytes(memory.cgroup_used), Megabytes(memory.cgroup_limit));
  } else {
    text += "; no limit by a cgroup";
  }
  return text + '\n';
}

}  // namespace

std::string MeterText(const MeterReport& report) {
  std::string text;
  if (report.interval.count() > 0) {
    if (!report.cores.empty()) text += CoreTable(report) + CpuLine(report);
    text += PressureLine(report);
    const BusyBox busy = IsBusy(report);
    text += WrapText(busy.is_known ? fmt::format("{} (factor {:.2f})", busy.text, busy.kappa) : busy.text, 2);
  }
  text += LimitLine(report) + MemoryLine(report.memory);
  for (const MissingSource& missing : report.missing) {
    text += WrapText(fmt::format("not available: {}: {}", missing.source, missing.reason), 2);
  }
  return text;
}

std::string BoxLines(const BoxIdentity& box, const Topology& topology) {
  return WrapText(fmt::format("box {}", Fingerprint(box)), 2) + WrapText(BoxText(box), 2) + TopologyText(topology);
}

}  // namespace deepedge
