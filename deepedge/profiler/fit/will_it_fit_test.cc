#include "deepedge/profiler/fit/will_it_fit.h"

#include <gtest/gtest.h>

namespace deepedge {
namespace {

// A task whose every frame takes `ms` of one core.
FitTask Task(const std::string& name, double ms, double wanted, double least = 0.2, double log_sd = 0) {
  FitTask task{.name = name, .wanted_rate = wanted, .min_rate = least};
  task.use.model = name;
  task.use.cost.setting = {{Precision::kFp32, 320, 320}};
  const Duration time(static_cast<int64_t>(ms * 1000));
  task.use.cost.time = {.median = time, .p99 = time, .log_sd = log_sd};
  task.use.cost.memory_bytes = 100'000'000;
  task.use.cores = {0};  // one copy
  return task;
}

FitBox Box(double cores) { return {.options = {.cores = 2}, .capacity_cores = cores}; }

TEST(WillItFit, EveryTaskGetsWhatItWantsWhereThereIsRoom) {
  const std::vector<FitTask> tasks{Task("a", 20, 25), Task("b", 10, 25)};
  const FitAnswer answer = WillItFit(tasks, Box(1.8)).value();
  EXPECT_EQ(answer.fit, Fit::kAll);
  EXPECT_NEAR(answer.wanted.cpu.value, 0.75, 1e-6);
  EXPECT_EQ(answer.rates[0].rate.value, 25);
  EXPECT_EQ(answer.short_by.value, 0);
}

TEST(WillItFit, AllGiveWayAlikeWhereThereIsNot) {
  const std::vector<FitTask> tasks{Task("a", 100, 20), Task("b", 100, 10)};
  const FitAnswer answer = WillItFit(tasks, Box(1.5)).value();
  EXPECT_EQ(answer.fit, Fit::kReduced);
  EXPECT_NEAR(answer.share, 0.5, 0.002);
  EXPECT_NEAR(answer.rates[0].rate.value, 10, 0.05);
  EXPECT_NEAR(answer.rates[1].rate.value, 5, 0.05);
  EXPECT_NEAR(answer.short_by.value, 1.5, 1e-6);
  EXPECT_LE(answer.used.cpu.value, 1.5);
}

TEST(WillItFit, LeastRatesAreKept) {
  const std::vector<FitTask> tasks{Task("a", 100, 10, 8), Task("b", 100, 10, 0.2)};
  const FitAnswer answer = WillItFit(tasks, Box(1.0)).value();
  EXPECT_EQ(answer.fit, Fit::kReduced);
  EXPECT_EQ(answer.rates[0].rate.value, 8);
  EXPECT_NEAR(answer.rates[1].rate.value, 2, 0.02);
}

TEST(WillItFit, SaysWhatIsMissingForTheLeastRates) {
  const std::vector<FitTask> tasks{Task("a", 500, 10, 4)};
  const FitAnswer answer = WillItFit(tasks, Box(0.6)).value();
  EXPECT_EQ(answer.fit, Fit::kNot);
  EXPECT_NEAR(answer.short_of_least.value, 1.4, 1e-6);
  EXPECT_NE(FitText(answer, Box(0.6)).find("short by 1.4 cores"), std::string::npos) << FitText(answer, Box(0.6));
}

TEST(WillItFit, MemoryCounts) {
  const std::vector<FitTask> tasks{Task("a", 1, 1), Task("b", 1, 1)};
  FitBox box = Box(1);
  box.memory_limit_bytes = 150'000'000;
  const FitAnswer answer = WillItFit(tasks, box).value();
  EXPECT_EQ(answer.fit, Fit::kNot);
  EXPECT_NEAR(static_cast<double>(answer.short_memory_bytes), 50e6, 1e3);
  EXPECT_NE(FitText(answer, box).find("short by 50 MB"), std::string::npos) << FitText(answer, box);
}

TEST(WillItFit, ErrorsOfTimesBecomeErrorsOfRates) {
  const std::vector<FitTask> tasks{Task("a", 100, 30, 0.2, 0.1)};
  const FitAnswer answer = WillItFit(tasks, Box(1)).value();
  EXPECT_NEAR(answer.rates[0].rate.sd / answer.rates[0].rate.value, 0.1, 0.01);
}

TEST(WillItFit, RefusesARateBelowTheLeast) {
  const auto answer = WillItFit(std::vector<FitTask>{Task("gate/a", 1, 1, 2)}, Box(1));
  ASSERT_FALSE(answer.ok());
  EXPECT_NE(answer.error().message.find("gate/a"), std::string::npos);
}

}  // namespace
}  // namespace deepedge
