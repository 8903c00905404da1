#include "deepedge/profiler/online/stage_watch.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace deepedge {
namespace {

const StageWatchOptions kOptions;

// Gives it runs, the box's factor measured anew after every ten of them.
class Runs {
 public:
  explicit Runs(StageWatch& watch) : watch_(watch) {}

  // Returns after how many the stage was drifting; 0: not.
  int Give(double ratio, int count, double noise = 0.03) {
    int drifting_after = 0;
    for (int i = 1; i <= count; ++i) {
      if (round_goes_on && ++given_ % 10 == 0) ++box.round;
      watch_.Add(std::log(ratio) + noise * normal_(random_), box, kOptions);
      if (watch_.is_drifting() && drifting_after == 0) drifting_after = i;
    }
    return drifting_after;
  }

  BoxState box{.source = BoxSource::kStages};
  bool round_goes_on = true;

 private:
  StageWatch& watch_;
  std::mt19937 random_{1};
  std::normal_distribution<double> normal_;
  int given_ = 0;
};

TEST(StageWatch, DriftByTable) {
  struct Case {
    double ratio;
    bool drifts;
  };
  for (const Case& c : {Case{1, false}, Case{1.07, false}, Case{0.94, false}, Case{1.14, true}, Case{1.3, true},
                        Case{0.85, true}, Case{3, true}}) {
    StageWatch watch;
    Runs runs(watch);
    runs.Give(1, 200);
    EXPECT_EQ(runs.Give(c.ratio, 300) > 0, c.drifts) << c.ratio;
    EXPECT_NEAR(std::exp(watch.level()), c.ratio, 0.03 * c.ratio) << c.ratio;
    EXPECT_EQ(watch.runs(), 500);
  }
}

TEST(StageWatch, DriftMustLastFiftyRuns) {
  StageWatch watch;
  Runs runs(watch);
  runs.Give(1, 200);
  EXPECT_EQ(runs.Give(1.3, 50), 0);
  runs.Give(1, 100);
  EXPECT_EQ(watch.drift_runs(), 0);
  const int after = runs.Give(1.3, 200);
  EXPECT_GT(after, 50);
  EXPECT_LT(after, 100);
}

TEST(StageWatch, WaitsUntilTheBoxWasMeasuredMeanwhile) {
  StageWatch watch;
  Runs runs(watch);
  runs.Give(1, 200);
  runs.round_goes_on = false;
  EXPECT_EQ(runs.Give(1.3, 5000), 0);
  runs.box.round += 1;
  EXPECT_EQ(runs.Give(1.3, 10), 0);
  runs.box.round += 1;
  EXPECT_EQ(runs.Give(1.3, 10), 1);
}

TEST(StageWatch, BeginsAnewWhenTheBoxIsKnownFromElsewhere) {
  StageWatch watch;
  Runs runs(watch);
  runs.Give(1, 200);
  runs.Give(1.3, 60);
  runs.box.source = BoxSource::kMeters;
  EXPECT_GE(runs.Give(1.3, 100), 49);
}

TEST(StageWatch, AFewInterruptedRunsAreNoDrift) {
  StageWatch watch;
  Runs runs(watch);
  runs.Give(1, 200);
  for (int i = 0; i < 40; ++i) {
    EXPECT_EQ(runs.Give(10, 1), 0);
    EXPECT_EQ(runs.Give(1, 19), 0);
  }
  EXPECT_LT(std::exp(watch.level()), 1.1);
}

TEST(StageWatch, AsksOnceThenWithAGrowingPauseUntilAnswered) {
  StageWatch watch;
  Runs runs(watch);
  Time now{1'000'000};
  EXPECT_FALSE(watch.Ask(now, kOptions));
  runs.Give(1.3, 300);
  ASSERT_TRUE(watch.is_drifting());
  EXPECT_TRUE(watch.Ask(now, kOptions));
  EXPECT_FALSE(watch.Ask(now, kOptions));

  std::vector<int64_t> pauses_s;
  Time last = now;
  for (int s = 1; s <= 12000; ++s) {
    now = now + std::chrono::seconds(1);
    if (!watch.Ask(now, kOptions)) continue;
    pauses_s.push_back((now - last).count() / 1'000'000);
    last = now;
  }
  EXPECT_EQ(pauses_s, (std::vector<int64_t>{60, 120, 240, 480, 960, 1920, 3600, 3600}));

  // The answer did not help: it does not ask at once again.
  watch.HandleNewProfile();
  EXPECT_FALSE(watch.is_drifting());
  EXPECT_EQ(watch.runs(), 0);
  runs.Give(1.3, 300);
  ASSERT_TRUE(watch.is_drifting());
  EXPECT_FALSE(watch.Ask(last + std::chrono::seconds(3599), kOptions));
  EXPECT_TRUE(watch.Ask(last + std::chrono::seconds(3600), kOptions));

  // It helped, and long ago.
  watch.HandleNewProfile();
  runs.Give(1, 1100);
  EXPECT_EQ(watch.state().asked, 0);
}

TEST(StageWatch, TakesItsQuestionBackBelowHalfTheDrift) {
  StageWatch watch;
  Runs runs(watch);
  runs.Give(1.2, 300);
  ASSERT_TRUE(watch.is_drifting());
  runs.Give(1.08, 300, 0.01);  // between: as it was
  EXPECT_TRUE(watch.is_drifting());
  runs.Give(1.02, 300, 0.01);
  EXPECT_FALSE(watch.is_drifting());
  runs.Give(1.08, 300, 0.01);
  EXPECT_FALSE(watch.is_drifting());
}

TEST(StageWatch, SpreadAndErrorOfTheLevelAreThoseOfTheRuns) {
  for (const double noise : {0.02, 0.1, 0.3}) {
    StageWatch watch;
    Runs runs(watch);
    runs.Give(1, 400, noise);
    EXPECT_NEAR(watch.spread(), noise, 0.35 * noise);
    EXPECT_NEAR(watch.level_sd(kOptions), watch.spread() / std::sqrt(39.0), 1e-9);
    EXPECT_LT(std::abs(watch.level()), 4 * watch.level_sd(kOptions));
  }
}

TEST(StageWatch, LeavesOutWhatIsNoNumber) {
  StageWatch watch;
  watch.Add(std::nan(""), {}, kOptions);
  watch.Add(INFINITY, {}, kOptions);
  EXPECT_EQ(watch.runs(), 0);
}

}  // namespace
}  // namespace deepedge
