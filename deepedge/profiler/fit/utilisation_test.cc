#include "deepedge/profiler/fit/utilisation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

namespace deepedge {
namespace {

using std::chrono::milliseconds;

// 10 ms a run, known to 10 %; 100 MB a copy, known to 5 %; 50 MB of traffic a run.
UtilisationTask Task(std::string model, double rate, std::vector<int> cores) {
  UtilisationTask task = {.model = std::move(model), .rate = rate, .cores = std::move(cores)};
  task.cost.time = {.median = milliseconds(10), .p99 = milliseconds(10), .log_sd = 0.1};
  task.cost.memory_bytes = 100'000'000;
  task.cost.memory_log_sd = 0.05;
  task.cost.traffic_bytes = 50'000'000;
  return task;
}

Utilisation Predict(const std::vector<UtilisationTask>& tasks, int cores = 2) {
  const auto result = PredictUtilisation(tasks, {.cores = cores});
  EXPECT_TRUE(result.ok()) << (result.ok() ? "" : result.error().message);
  return result.ok() ? result.value() : Utilisation{.cores = std::vector<Amount>(static_cast<size_t>(cores))};
}

TEST(Utilisation, OfOneTask) {
  struct Case {
    const char* what;
    std::function<void(UtilisationTask&)> change;
    double core0, core1;
  };
  const Case cases[] = {
      {"homed on core 0", [](UtilisationTask&) {}, 0.2, 0},
      {"homed nowhere", [](UtilisationTask& t) { t.cores.clear(); }, 0.1, 0.1},
      {"homed on both, one named twice", [](UtilisationTask& t) { t.cores = {0, 1, 1}; }, 0.1, 0.1},
      {"not running", [](UtilisationTask& t) { t.rate = 0; }, 0, 0},
      {"four pictures a run", [](UtilisationTask& t) { t.cost.setting.batch = 4; }, 0.05, 0},
      {"a run takes two cores",
       [](UtilisationTask& t) {
         t.cost.setting.cores = 2;
         t.cores = {0, 1};
       },
       0.2, 0.2},
      {"neighbours slow it", [](UtilisationTask& t) { t.slowdown = 1.5; }, 0.3, 0},
      {"decoding at the stream's rate, scaling at its own",
       [](UtilisationTask& t) {
         t.frame = {.decode = milliseconds(2), .scale = milliseconds(1), .post = milliseconds(3)};
         t.stream_fps = 30;
       },
       0.2 + 0.06 + 0.08, 0},
      {"more than a core has", [](UtilisationTask& t) { t.rate = 150; }, 1.5, 0},
  };
  for (const Case& c : cases) {
    UtilisationTask task = Task("a", 20, {0});
    c.change(task);
    const Utilisation use = Predict({task});
    EXPECT_NEAR(use.cores[0].value, c.core0, 1e-9) << c.what;
    EXPECT_NEAR(use.cores[1].value, c.core1, 1e-9) << c.what;
    EXPECT_NEAR(use.cpu.value, c.core0 + c.core1, 1e-9) << c.what;
  }
}

TEST(Utilisation, AHeavyTailRaisesTheMean) {
  UtilisationTask task = Task("a", 20, {0});
  task.cost.time.p99 = milliseconds(20);
  const double s = std::log(2) / 2.326;
  EXPECT_NEAR(Predict({task}).cpu.value, 0.2 * std::exp(s * s / 2), 1e-9);
  task.cost.time.p99 = milliseconds(1'000'000);  // one run that was stopped does not make all long
  EXPECT_NEAR(Predict({task}).cpu.value, 0.2 * std::exp(0.125), 1e-9);
}

TEST(Utilisation, ErrorsOfOneModelAreOneErrorThoseOfTwoIndependent) {
  EXPECT_NEAR(Predict({Task("a", 20, {0})}).cpu.sd, 0.02, 1e-9);
  EXPECT_NEAR(Predict({Task("a", 20, {0}), Task("a", 20, {1})}).cpu.sd, 0.04, 1e-9);
  EXPECT_NEAR(Predict({Task("a", 20, {0}), Task("b", 20, {1})}).cpu.sd, 0.02 * std::sqrt(2.0), 1e-9);
  const Utilisation two = Predict({Task("a", 20, {0}), Task("b", 20, {1})});
  EXPECT_NEAR(two.cores[0].sd, 0.02, 1e-9);
  EXPECT_NEAR(two.memory_bytes.sd, 5e6 * std::sqrt(2.0), 1);
}

TEST(Utilisation, AStreamIsDecodedOnce) {
  UtilisationTask a = Task("a", 0, {0});
  a.stream = "gate";
  a.stream_fps = 25;
  a.frame = {.decode = milliseconds(4), .log_sd = 0.1};
  UtilisationTask b = a;
  b.model = "b";
  b.cores = {1};
  EXPECT_NEAR(Predict({a, b}).cpu.value, 0.1, 1e-9);
  b.stream = "door";
  EXPECT_NEAR(Predict({a, b}).cpu.value, 0.2, 1e-9);
  EXPECT_NEAR(Predict({a, b}).cpu.sd, 0.01 * std::sqrt(2.0), 1e-9);
  a.stream = b.stream = "";  // shared with nobody
  EXPECT_NEAR(Predict({a, b}).cpu.value, 0.2, 1e-9);
}

TEST(Utilisation, MemoryIsOfOneCopyForEachLane) {
  const auto megabytes = [](const std::vector<UtilisationTask>& tasks) {
    return Predict(tasks).memory_bytes.value / 1e6;
  };
  EXPECT_NEAR(megabytes({Task("a", 1, {0})}), 100, 1e-9);
  EXPECT_NEAR(megabytes({Task("a", 1, {0}), Task("a", 2, {0})}), 100, 1e-9);
  EXPECT_NEAR(megabytes({Task("a", 1, {0}), Task("a", 2, {1})}), 200, 1e-9);
  EXPECT_NEAR(megabytes({Task("a", 1, {})}), 200, 1e-9);
  EXPECT_NEAR(megabytes({Task("a", 1, {0}), Task("b", 1, {0})}), 200, 1e-9);
  UtilisationTask batch = Task("a", 1, {0});
  batch.cost.setting.batch = 4;
  batch.cost.memory_bytes = 150'000'000;
  EXPECT_NEAR(megabytes({Task("a", 1, {0}), batch}), 150, 1e-9);
  UtilisationTask other = Task("a", 1, {0});
  other.cost.setting.variant.precision = Precision::kInt8;
  EXPECT_NEAR(megabytes({Task("a", 1, {0}), other}), 200, 1e-9);
  UtilisationTask wide = Task("a", 1, {0, 1});
  wide.cost.setting.cores = 2;
  EXPECT_NEAR(megabytes({wide}), 100, 1e-9);
  EXPECT_NEAR(PredictUtilisation({}, {.cores = 1, .base_memory_bytes = 7}).value().memory_bytes.value, 7, 1e-9);
}

TEST(Utilisation, TrafficIsBytesTimesRuns) {
  UtilisationTask batch = Task("b", 20, {1});
  batch.cost.setting.batch = 2;
  const Amount traffic = Predict({Task("a", 20, {0}), batch}).traffic_bytes;
  EXPECT_NEAR(traffic.value, 1.5e9, 1);
  EXPECT_NEAR(traffic.sd, 0.2 * std::hypot(1e9, 0.5e9), 1);
}

TEST(Utilisation, BadInputIsAnErrorThatNamesTheTask) {
  const std::function<void(UtilisationTask&)> changes[] = {
      [](UtilisationTask& t) { t.rate = -1; },
      [](UtilisationTask& t) { t.rate = std::numeric_limits<double>::quiet_NaN(); },
      [](UtilisationTask& t) { t.stream_fps = std::numeric_limits<double>::infinity(); },
      [](UtilisationTask& t) { t.cost.time.median = milliseconds(-1); },
      [](UtilisationTask& t) { t.cost.time.log_sd = -0.1; },
      [](UtilisationTask& t) { t.cost.setting.batch = 0; },
      [](UtilisationTask& t) { t.cost.memory_bytes = -1; },
      [](UtilisationTask& t) { t.slowdown = 0.5; },
      [](UtilisationTask& t) { t.cores = {2}; },
      [](UtilisationTask& t) { t.cores = {-1}; },
      [](UtilisationTask& t) { t.frame.decode = milliseconds(-1); },
  };
  for (const auto& change : changes) {
    std::vector<UtilisationTask> tasks = {Task("good", 1, {0}), Task("bad", 1, {0})};
    change(tasks[1]);
    const auto use = PredictUtilisation(tasks, {.cores = 2});
    ASSERT_FALSE(use.ok());
    EXPECT_EQ(use.error().code, ErrorCode::kBadInput);
    EXPECT_NE(use.error().message.find("task 1 ('bad'"), std::string::npos) << use.error().message;
  }
  EXPECT_FALSE(PredictUtilisation({}, {.cores = 0}).ok());
}

TEST(Utilisation, SaysWhatIsShort) {
  const Utilisation use = Predict({Task("a", 340, {0, 1})});
  EXPECT_NEAR(ShortBy(use, 2).value, 1.4, 1e-9);
  EXPECT_NEAR(ShortBy(use, 2).sd, 0.34, 1e-9);
  EXPECT_EQ(ShortBy(use, 4), Amount{});
}

MeterReport Metered(double core0, double core1) {
  MeterReport report = {.interval = std::chrono::seconds(1), .resolution = 0.01};
  report.allowed = {2, 5};
  report.cores = {{.cpu = 2, .own = core0}, {.cpu = 5, .own = core1}};
  report.own_cores = core0 + core1;
  report.memory.own = 101'000'000;
  return report;
}

TEST(Utilisation, IsComparedWithMeters) {
  const Utilisation predicted = Predict({Task("a", 20, {0})});
  const auto comparison = CompareUtilisation(predicted, Metered(0.21, 0.3));
  ASSERT_EQ(comparison.amounts.size(), 5u);
  EXPECT_TRUE(comparison.amounts[0].agrees());
  EXPECT_NEAR(comparison.amounts[0].z, 0.01 / std::hypot(0.02, 0.01), 1e-9);
  EXPECT_FALSE(comparison.amounts[1].agrees());  // 0.3 on a core where nothing was to run
  EXPECT_FALSE(comparison.amounts[2].agrees());
  EXPECT_TRUE(comparison.amounts[3].agrees());
  EXPECT_FALSE(comparison.amounts[4].metered);
  const std::string text = comparison.Text();
  EXPECT_NE(text.find("CPU of core 0"), std::string::npos);
  EXPECT_NE(text.find("+30.0 sd"), std::string::npos) << text;
  EXPECT_NE(text.find("not metered: no counter"), std::string::npos) << text;
}

TEST(Utilisation, WithoutMetersNothingIsCompared) {
  const auto comparison = CompareUtilisation(Predict({Task("a", 20, {0})}), {});
  for (const ComparedAmount& amount : comparison.amounts) {
    EXPECT_FALSE(amount.metered) << amount.what;
    EXPECT_FALSE(amount.why_not.empty()) << amount.what;
  }
}

}  // namespace
}  // namespace deepedge
