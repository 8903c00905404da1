#include "deepedge/profiler/meter/foreign_load.h"

#include <gtest/gtest.h>

#include <cmath>

namespace deepedge {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

MeterReport Report(std::vector<CoreUse> cores, double pressure = 0) {
  MeterReport report = {.interval = seconds(1), .resolution = 0.01};
  double own = 0, foreign = 0, steal = 0;
  for (size_t i = 0; i < cores.size(); ++i) {
    cores[i].cpu = static_cast<int>(i);
    report.allowed.push_back(static_cast<int>(i));
    own += cores[i].own;
    foreign += cores[i].others;
    steal += cores[i].steal;
  }
  report.capacity = static_cast<double>(cores.size());
  report.cores = std::move(cores);
  report.own_cores = own;
  report.foreign_cores = foreign;
  report.steal_cores = steal;
  report.cpu_pressure = PressureUse{.some = pressure};
  return report;
}

CoreUse Core(double own, double others, double steal = 0) {
  return {.own = own, .others = others, .steal = steal, .idle = 1 - own - others - steal};
}

CoreUse Niced(double own, double others) {
  CoreUse core = Core(own, others);
  core.niced = others;
  return core;
}

TEST(ForeignLoad, KappaOfOneReport) {
  struct Case {
    const char* what;
    MeterReport report;
    double kappa;
  };
  const Case cases[] = {
      {"nobody", Report({Core(0, 0), Core(0, 0)}), 1},
      {"we alone, both full", Report({Core(1, 0), Core(1, 0)}, 1), 1},
      {"others use a fifth of a core", Report({Core(0.3, 0.2), Core(0.3, 0)}), 2 / 1.8},
      {"one core is taken while we sleep: half of it is ours when we come", Report({Core(0, 1), Core(0, 0)}), 2 / 1.5},
      {"we compete for it and get half", Report({Core(0.5, 0.5), Core(1, 0)}, 1), 2 / 1.5},
      {"two others compete: we get a third", Report({Core(1.0 / 3, 2.0 / 3), Core(1, 0)}, 1), 2 / (4.0 / 3)},
      {"others wait for one another: a quarter at least", Report({Core(0, 1), Core(0, 1)}, 1), 4},
      {"half of the time somebody waits", Report({Core(0.2, 0.8)}, 0.5), 1 / 0.35},
      {"all that others use is niced", Report({Niced(0.2, 0.8)}, 1), 1 / 0.92},
      {"the hypervisor takes a tenth", Report({Core(0.5, 0, 0.1), Core(0.5, 0, 0.1)}), 1 / 0.9},
      {"the hypervisor takes all", Report({Core(0, 0, 1)}), kMostKappa},
  };
  for (const Case& c : cases) EXPECT_NEAR(KappaOf(c.report).value(), c.kappa, 1e-9) << c.what;
}

TEST(ForeignLoad, KappaOfAQuota) {
  struct Case {
    const char* what;
    double own, others, throttled, kappa;
  };
  const Case cases[] = {
      {"nothing used", 0, 0, 0, 1},
      {"our own use reached the quota", 1, 0, 1, 1},
      {"others of the group use 0.2 of 1", 0.3, 0.2, 0, 1 / 0.8},
      {"stopped further up at 0.4 of 1", 0.4, 0, 1, 2.5},
      {"stopped in half of the periods", 0.4, 0, 0.5, 1 / 0.7},
  };
  for (const Case& c : cases) {
    MeterReport report = Report({Core(c.own / 2, 0), Core(c.own / 2, 0)});
    report.quota = 1;
    report.capacity = 1;
    report.cgroup_others = c.others;
    report.throttled = c.throttled;
    EXPECT_NEAR(KappaOf(report).value(), c.kappa, 1e-9) << c.what;
  }
}

TEST(ForeignLoad, WaitingForMemoryStretchesWithABound) {
  MeterReport report = Report({Core(0.5, 0)});
  report.memory_pressure = PressureUse{.some = 1, .full = 0.2};
  EXPECT_NEAR(KappaOf(report).value(), 1.25, 1e-9);
  report.memory_pressure->full = 1;
  EXPECT_NEAR(KappaOf(report).value(), 2, 1e-9);
}

TEST(ForeignLoad, IsNeverUnderOneAndAlwaysANumber) {
  for (double own = 0; own <= 1; own += 0.25) {
    for (double others = 0; own + others <= 1; others += 0.25) {
      for (double pressure = 0; pressure <= 1; pressure += 0.5) {
        double last = 0;
        for (double steal = 0; own + others + steal <= 1; steal += 0.25) {
          const double kappa = KappaOf(Report({Core(own, others, steal)}, pressure)).value();
          EXPECT_GE(kappa, 1);
          EXPECT_LE(kappa, kMostKappa);
          EXPECT_GE(kappa, last - 1e-9) << "more was taken away, and more is left";
          last = kappa;
        }
      }
    }
  }
  MeterReport odd = Report({Core(0, 0)});
  odd.capacity = NAN;
  EXPECT_FALSE(KappaOf(odd));
}

TEST(ForeignLoad, UnknownUseIsNoKappa) {
  EXPECT_FALSE(KappaOf({}));
  MeterReport report = Report({Core(0.5, 0.5)});
  report.own_cores.reset();
  EXPECT_FALSE(KappaOf(report));
  ForeignLoad load;
  load.Add(report);
  EXPECT_FALSE(load.kappa());
}

TEST(ForeignLoad, SmoothsWhateverTheIntervals) {
  const MeterReport quiet = Report({Core(0, 0), Core(0, 0)});
  for (const int parts : {1, 5, 50}) {
    ForeignLoad load;
    load.Add(quiet);
    EXPECT_EQ(load.kappa(), 1);
    MeterReport busy = Report({Core(0, 1), Core(0, 1)});
    busy.interval = milliseconds(5000 / parts);
    for (int i = 0; i < parts; ++i) load.Add(busy);
    EXPECT_NEAR(std::log(load.kappa().value()), (1 - std::exp(-1)) * std::log(2), 1e-9) << parts;
  }
}

TEST(ForeignLoad, ABusyBoxIsNamed) {
  const BusyBox busy = IsBusy(Report({Core(0.1, 0.4), Core(0.1, 0.3)}));
  EXPECT_TRUE(busy.is_known);
  EXPECT_TRUE(busy.is_busy);
  EXPECT_EQ(busy.text, "the box is busy: 0.7 of 2 cores are used by others");
  EXPECT_NEAR(busy.extra_log_sd, std::hypot(std::log(busy.kappa) / std::sqrt(3.0), 0.15 * 0.35), 1e-12);

  MeterReport stolen = Report({Core(0.1, 0, 0.05), Core(0.1, 0, 0.05)});
  stolen.throttled = 0.5;
  stolen.quota = 2;
  EXPECT_EQ(IsBusy(stolen).text,
            "the box is busy: the hypervisor takes 5 %; the cgroup was stopped in 50 % of its periods");
}

TEST(ForeignLoad, ABoxIsBusyWithoutLosingCapacity) {
  const BusyBox niced = IsBusy(Report({Niced(0.2, 0.8), Niced(0.2, 0.8)}));
  EXPECT_TRUE(niced.is_busy);
  EXPECT_LT(niced.kappa, 1.1);
  EXPECT_GT(niced.extra_log_sd, 0.1);  // their traffic in the caches
  MeterReport stopped = Report({Core(0.25, 0), Core(0.25, 0)});
  stopped.quota = 0.5;
  stopped.capacity = 0.5;
  stopped.throttled = 1;
  EXPECT_EQ(IsBusy(stopped).kappa, 1);
  EXPECT_NEAR(IsBusy(stopped).extra_log_sd, 0.5, 1e-9);
}

TEST(ForeignLoad, AQuietBoxWidensNothing) {
  const BusyBox quiet = IsBusy(Report({Core(0.9, 0.02), Core(0.9, 0.03)}));
  EXPECT_TRUE(quiet.is_known);
  EXPECT_FALSE(quiet.is_busy);
  EXPECT_EQ(quiet.extra_log_sd, 0);
  EXPECT_EQ(quiet.text.find("busy"), std::string::npos) << quiet.text;
}

TEST(ForeignLoad, AnUnknownBoxWidensAndSaysWhy) {
  MeterReport report = {.interval = seconds(1)};
  report.missing = {{"io pressure", "x"}, {"use of CPUs", "/proc/stat: no such file"}};
  const BusyBox unknown = IsBusy(report);
  EXPECT_FALSE(unknown.is_known);
  EXPECT_FALSE(unknown.is_busy);
  EXPECT_GT(unknown.extra_log_sd, 0);
  EXPECT_EQ(unknown.text, "how busy the box is is not known: /proc/stat: no such file");
}

TEST(ForeignLoad, WidensAndNeverShifts) {
  const TimeEstimate measured = {.median = milliseconds(8), .p99 = milliseconds(9), .log_sd = 0.03};
  double last = 0;
  for (double others = 0; others <= 1; others += 0.1) {
    const TimeEstimate widened = Widened(measured, IsBusy(Report({Core(0, others), Core(0, others)}, 0.5)));
    EXPECT_EQ(widened.median, measured.median);
    EXPECT_EQ(widened.p99, measured.p99);
    EXPECT_GE(widened.log_sd, std::max(last, measured.log_sd));
    last = widened.log_sd;
  }
  EXPECT_GT(last, 0.4);  // all of it used by others: right to a factor of 1.5 at best
}

}  // namespace
}  // namespace deepedge
