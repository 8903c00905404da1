#include "deepedge/profiler/online/box_factor.h"

#include <gtest/gtest.h>

#include <cmath>

namespace deepedge {
namespace {

constexpr Duration kMs = std::chrono::milliseconds(1);

// Every stage runs once a millisecond, `runs` times; stage i takes ratios[i] times what was predicted.
void Feed(BoxFactor& box, Time& now, const std::vector<double>& ratios, int runs) {
  for (int i = 0; i < runs; ++i) {
    now = now + kMs;
    for (size_t slot = 0; slot < ratios.size(); ++slot) box.Add(slot, slot, std::log(ratios[slot]), now);
  }
}

TEST(BoxFactor, IsTheMedianOfStagesByTable) {
  struct Case {
    std::vector<double> ratios;
    std::optional<double> meters;
    double kappa;
    BoxSource source;
  };
  const Case cases[] = {
      {{1, 1, 1}, {}, 1, BoxSource::kStages},
      {{1.3, 1.3, 1.3}, {}, 1.3, BoxSource::kStages},
      {{1.3, 1, 1}, {}, 1, BoxSource::kStages},
      {{1.3, 1, 1}, 1.3, 1, BoxSource::kStages},  // stages know better than meters
      {{2.0, 1.3, 1.25, 1.3, 0.7}, {}, 1.3, BoxSource::kStages},
      {{0.8, 0.8, 0.8, 0.8}, {}, 0.8, BoxSource::kStages},
      {{1.3, 1.3}, {}, 1, BoxSource::kUnknown},
      {{1.3, 1.3}, 1.25, 1.25, BoxSource::kMeters},
      {{1.3}, 0.5, 1, BoxSource::kMeters},  // foreign load makes nothing faster
      {{1.3}, std::nan(""), 1, BoxSource::kUnknown},
      {{}, {}, 1, BoxSource::kUnknown},
  };
  for (const Case& c : cases) {
    BoxFactor box;
    Time now;
    Feed(box, now, c.ratios, 20);
    if (c.meters) box.SetMeters(c.meters, now);
    SCOPED_TRACE(testing::Message() << c.ratios.size() << " stages, kappa " << c.kappa);
    EXPECT_NEAR(box.state().kappa, c.kappa, 1e-6);
    EXPECT_EQ(box.state().source, c.source);
    EXPECT_EQ(box.state().stages, static_cast<int>(c.ratios.size()));
  }
}

// Stage i is of models[i].
TEST(BoxFactor, AModelCountsOnceHoweverOftenItIsCut) {
  struct Case {
    std::vector<int> models;
    std::vector<double> ratios;
    double kappa;
  };
  const Case cases[] = {
      {{0, 0, 0, 0, 0, 0, 1, 2}, {1.3, 1.3, 1.3, 1.3, 1.3, 1.3, 1, 1}, 1},
      {{0, 0, 0, 0, 1}, {1.3, 1.3, 1.3, 1.3, 1}, 1},  // one of two: the one nearer to 1 is believed
      {{0, 0, 0, 0, 1}, {1, 1, 1, 1, 1.3}, 1},
      {{0, 0, 1}, {0.8, 0.8, 1.3}, 0.8},
      {{0, 0, 0}, {1.3, 1.3, 1.3}, 1.3},
      {{0, 0, 1, 1}, {1.3, 1.3, 1.3, 1.3}, 1.3},
  };
  for (const Case& c : cases) {
    BoxFactor box;
    Time now;
    for (int i = 0; i < 20; ++i) {
      for (size_t slot = 0; slot < c.models.size(); ++slot) {
        box.Add(slot, static_cast<size_t>(c.models[slot]), std::log(c.ratios[slot]), now);
      }
    }
    EXPECT_NEAR(box.state().kappa, c.kappa, 1e-6) << c.models.size() << " stages";
  }
}

TEST(BoxFactor, FollowsALoadThatComesAndGoesWithinFiveRuns) {
  BoxFactor box;
  Time now;
  Feed(box, now, {1, 1.02, 0.98}, 50);
  EXPECT_NEAR(box.state().kappa, 1, 0.01);
  Feed(box, now, {1.5, 1.53, 1.47}, 5);
  EXPECT_NEAR(box.state().kappa, 1.5, 0.01);
  Feed(box, now, {1, 1.02, 0.98}, 5);
  EXPECT_NEAR(box.state().kappa, 1, 0.01);
}

TEST(BoxFactor, OneInterruptedRunIsNotSeen) {
  BoxFactor box;
  Time now;
  Feed(box, now, {1, 1, 1}, 20);
  Feed(box, now, {50, 50, 50}, 2);
  EXPECT_NEAR(box.state().kappa, 1, 1e-6);
}

TEST(BoxFactor, StagesThatRestDoNotCount) {
  BoxFactor box;
  Time now;
  Feed(box, now, {1, 1, 1}, 20);
  now = now + std::chrono::seconds(11);
  Feed(box, now, {1.4}, 20);
  EXPECT_EQ(box.state().source, BoxSource::kUnknown);
  EXPECT_EQ(box.state().kappa, 1);
  EXPECT_EQ(box.state().stages, 1);

  BoxFactor idle;
  Feed(idle, now, {1.4, 1.4, 1.4}, 20);
  EXPECT_TRUE(idle.IsMeasured(now));
  now = now + std::chrono::seconds(11);
  EXPECT_FALSE(idle.IsMeasured(now));
  idle.SetMeters(1.1, now);
  EXPECT_EQ(idle.state().source, BoxSource::kMeters);
  EXPECT_NEAR(idle.state().kappa, 1.1, 1e-9);
}

TEST(BoxFactor, TheErrorBarIsHowFarStagesLieApart) {
  BoxFactor together;
  BoxFactor apart;
  Time now;
  Feed(together, now, {1, 1, 1, 1, 1}, 20);
  Feed(apart, now, {0.8, 0.9, 1, 1.1, 1.2}, 20);
  EXPECT_NEAR(together.state().log_sd, 0, 1e-6);
  EXPECT_NEAR(apart.state().log_sd, 1.2533 * 1.4826 * 0.1 / std::sqrt(5.0), 0.012);
}

TEST(BoxFactor, ARoundTakesNineRunsOfMoreThanHalfOfTheStages) {
  BoxFactor box;
  Time now;
  Feed(box, now, {1, 1, 1, 1}, 20);
  const int64_t before = box.state().round;
  for (int i = 0; i < 500; ++i) {
    now = now + kMs;
    box.Add(0, 0, 0, now);
    box.Add(1, 1, 0, now);
  }
  EXPECT_LE(box.state().round, before + 1);  // at most the one that stages 2 and 3 had begun
  const int64_t alone = box.state().round;
  Feed(box, now, {1, 1, 1}, 9);
  EXPECT_EQ(box.state().round, alone + 1);
}

TEST(BoxFactor, ForgetsAStage) {
  BoxFactor box;
  Time now;
  Feed(box, now, {1.3, 1.3, 1.3}, 20);
  box.Forget(1);
  box.Forget(99);
  Feed(box, now, {1.3}, 1);
  EXPECT_EQ(box.state().stages, 2);
  EXPECT_EQ(box.state().source, BoxSource::kUnknown);
}

TEST(BoxFactor, TakesAnyNumber) {
  BoxFactor box;
  for (int i = 0; i < 20; ++i) {
    for (size_t slot = 0; slot < 3; ++slot) box.Add(slot, slot, i % 2 == 0 ? std::nan("") : 1e300, Time{i});
  }
  EXPECT_NEAR(box.state().kappa, 20, 1e-4);
}

}  // namespace
}  // namespace deepedge
