#include "deepedge/profiler/meter/meter_text.h"

#include <gtest/gtest.h>

#include "deepedge/profiler/meter/meter.h"

namespace deepedge {
namespace {

MeterReport Report() {
  MeterReport report = {.interval = std::chrono::seconds(2), .resolution = 0.005};
  report.allowed = {0, 1};
  report.cores = {{.cpu = 0, .own = 0.5, .others = 0.2, .steal = 0.1, .idle = 0.2, .niced = 0.15},
                  {.cpu = 1, .own = 0.1, .others = 0.3, .steal = 0, .idle = 0.6}};
  report.own_cores = 0.6;
  report.foreign_cores = 0.5;
  report.steal_cores = 0.1;
  report.capacity = 2;
  report.cpu_pressure = PressureUse{.some = 0.25, .full = 0};
  report.memory = {.total = 8'000'000'000, .available = 6'000'000'000, .own = 2'000'000, .own_resident = 3'000'000};
  report.missing = {{"io pressure", "/proc/pressure/io: no such file"}};
  return report;
}

TEST(MeterText, TellsUseLimitsMemoryAndWhatIsMissing) {
  EXPECT_EQ(MeterText(Report()),
            "core   own  others  niced  steal  idle\n"
            "0     50 %    20 %   15 %   10 %  20 %\n"
            "1     10 %    30 %    0 %    0 %  60 %\n"
            "cores in use over 2.0 s: 0.60 by this process, 0.50 by others, 0.10 taken by the hypervisor (+-0.5 %)\n"
            "waited for: CPU some 25 % full 0 %\n"
            "the box is busy: 0.5 of 2 cores are used by others; the hypervisor takes 5 % (factor 1.30)\n"
            "capacity: 2 cores, no quota\n"
            "memory: 2 MB own, 3 MB resident; box 6000 MB of 8000 MB available; no limit by a cgroup\n"
            "not available: io pressure: /proc/pressure/io: no such file\n");
}

TEST(MeterText, TheFirstReportTellsNoUse) {
  MeterReport first = Report();
  first.interval = {};
  first.cores.clear();
  EXPECT_EQ(MeterText(first),
            "capacity: 2 cores, no quota\n"
            "memory: 2 MB own, 3 MB resident; box 6000 MB of 8000 MB available; no limit by a cgroup\n"
            "not available: io pressure: /proc/pressure/io: no such file\n");
}

TEST(MeterText, NothingKnownIsSaid) {
  EXPECT_EQ(MeterText({}),
            "capacity: unknown, no quota\nmemory: ? own, ? resident; box ? of ? available; no limit by a cgroup\n");
}

TEST(MeterText, TellsOfThisBox) {
  std::vector<MissingSource> missing;
  const Topology topology = ReadTopology("/", missing);
  const auto box = ReadBox("/", "fake 1");
  ASSERT_TRUE(box.ok());
  Meter meter;
  const std::string text = BoxLines(box.value(), topology) + MeterText(meter.Sample(RealClock()));
  EXPECT_NE(text.find(Fingerprint(box.value())), std::string::npos);
  EXPECT_NE(text.find("capacity: "), std::string::npos);
}

}  // namespace
}  // namespace deepedge
