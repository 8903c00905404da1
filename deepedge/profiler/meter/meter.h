// Meter: who uses this box, from procfs, cgroups and pressure counters.
//
//   Meter meter;
//   meter.Sample(clock);                              // the first: where counters begin
//   ...
//   const MeterReport report = meter.Sample(clock);   // what happened since
//   fmt::print("{}", MeterText(report));
//
// Every source is optional: what cannot be read is left out of the report and named in `missing` with the reason. A
// sample takes 0.2 ms (measured, 2-core Zen VM) and 0.01 to 0.02 ms for each thread of the process.
//
// Which CPUs the process may use is asked of its first thread, which must not be bound to one.
//
// Thread rule: thread-compatible, one thread samples; reads files, so never a lane.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "deepedge/base/clock.h"
#include "deepedge/base/file.h"
#include "deepedge/profiler/meter/cgroup_meter.h"
#include "deepedge/profiler/meter/meter_report.h"

namespace deepedge {

struct MeterOptions {
  Path root = "/";               // of proc/ and of the cgroups' mount points
  int64_t ticks_per_second = 0;  // of /proc/stat; 0: the system's
};

class Meter {
 public:
  explicit Meter(MeterOptions options = {});

  MeterReport Sample(const Clock& clock);

 private:
  struct Reading {
    Time at;
    CpuReading cpu;
    CgroupReading cgroup;
    std::optional<Pressure> cpu_pressure, memory_pressure, io_pressure;
  };

  Reading Read(Time now, MeterReport& report) const;
  void ReadCpu(Reading& reading, MeterReport& report) const;
  void ReadStatus(MeterReport& report) const;
  std::optional<Pressure> ReadPressure(std::string_view resource, MeterReport& report) const;
  void ReportCpu(const Reading& before, const Reading& now, MeterReport& report) const;
  void ReportCgroup(const Reading& before, const Reading& now, MeterReport& report) const;

  MeterOptions options_;
  CgroupMeter cgroup_;
  std::optional<Reading> last_;
};

}  // namespace deepedge
