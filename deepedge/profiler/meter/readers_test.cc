// The readers of /proc/meminfo, /proc/self/status and of pressure.
#include <gtest/gtest.h>

#include "deepedge/profiler/meter/memory_meter.h"
#include "deepedge/profiler/meter/pressure_meter.h"

namespace deepedge {
namespace {

using std::chrono::seconds;

TEST(MemoryMeter, ReadsTheBox) {
  const auto memory = ParseMeminfo(
      "MemTotal:       100 kB\nMemFree: 1 kB\nMemAvailable:   60 kB\nSwapTotal: 10 kB\nSwapFree: 4 kB\nHugePages: 0\n");
  EXPECT_EQ(memory.value(), (BoxMemory{.total = 102400, .available = 61440, .swap_used = 6144}));
  EXPECT_FALSE(ParseMeminfo("MemTotal: 100 kB\n").value().available);
}

TEST(MemoryMeter, RefusesHostileNumbers) {
  for (const char* text : {"", "MemFree: 1 kB\n", "MemTotal: -1 kB\n", "MemTotal: 0 kB\n", "MemTotal:\n",
                           "MemTotal: 9223372036854775807 kB\n", "MemTotal: 10\n", "MemTotal: 10 GB\n",
                           "MemTotal: 10 kB\nMemAvailable: x kB\n"}) {
    EXPECT_FALSE(ParseMeminfo(text).ok()) << text;
  }
}

TEST(MemoryMeter, ReadsTheProcess) {
  constexpr std::string_view kStatus =
      "Name:\tVmRSS\nVmRSS:\t 30 kB\nRssAnon:\t 20 kB\nVmSwap:\t 1 kB\nCpus_allowed:\t3\nCpus_allowed_list:\t0-1\n";
  EXPECT_EQ(ParseProcessMemory(kStatus).value(),
            (ProcessMemory{.resident = 30720, .anonymous = 20480, .swapped = 1024}));
  EXPECT_EQ(ParseAllowedCpus(kStatus).value(), (std::vector<int>{0, 1}));
  EXPECT_FALSE(ParseProcessMemory("VmRSS: 1 kB\n").value().anonymous);
  EXPECT_FALSE(ParseProcessMemory("Name: x\n").ok());
  EXPECT_FALSE(ParseAllowedCpus("Name: x\n").ok());
  EXPECT_FALSE(ParseAllowedCpus("Cpus_allowed_list:\n").ok());
  EXPECT_FALSE(ParseAllowedCpus("Cpus_allowed_list: 0-999999\n").ok());
}

TEST(PressureMeter, ReadsBothLinesAndPassesOverOthers) {
  const auto pressure = ParsePressure(
      "more avg10=1.00 total=1\nsome avg10=39.52 avg60=55.44 new=7 total=1000\nfull avg10=0.10 avg60=0.00 total=20\n");
  EXPECT_DOUBLE_EQ(pressure.value().some.last_10s, 0.3952);
  EXPECT_EQ(pressure.value().some.total_us, 1000);
  EXPECT_EQ(pressure.value().full->total_us, 20);
  EXPECT_FALSE(ParsePressure("some avg10=0.00 total=5\n").value().full);
}

TEST(PressureMeter, RefusesHostileNumbers) {
  for (const char* text :
       {"", "full avg10=0.00 total=1\n", "some avg10=0.00\n", "some total=1\n", "some avg10=101.00 total=1\n",
        "some avg10=-1.00 total=1\n", "some avg10=nan total=1\n", "some avg10=0.00 total=-1\n",
        "some avg10=0.00 total=99999999999999999999\n", "some avg10=0.00 total=1\nfull avg10=x total=1\n"}) {
    EXPECT_FALSE(ParsePressure(text).ok()) << text;
  }
}

TEST(PressureMeter, SharesAreOfTheTimeBetween) {
  const Pressure before = {.some = {.total_us = 1'000'000}, .full = PressureCount{.total_us = 500'000}};
  const Pressure after = {.some = {.total_us = 1'500'000}, .full = PressureCount{.total_us = 600'000}};
  EXPECT_EQ(PressureBetween(before, after, seconds(1)), (PressureUse{.some = 0.5, .full = 0.1}));
  EXPECT_EQ(PressureBetween(before, after, std::chrono::milliseconds(250)).some,
            1);  // the counters were read at another time
  EXPECT_EQ(PressureBetween(after, before, seconds(1)), (PressureUse{.some = 0, .full = 0}));
}

}  // namespace
}  // namespace deepedge
