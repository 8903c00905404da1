#include "deepedge/profiler/online/tail.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace deepedge {
namespace {

TailHistogram Lognormal(unsigned seed, int runs, double median, double sd) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  TailHistogram tail;
  for (int i = 0; i < runs; ++i) tail.Add(std::log(median) + sd * normal(random));
  return tail;
}

TEST(Tail, QuantilesOfKnownDistributions) {
  const TailHistogram lognormal = Lognormal(1, 4000, 1.1, 0.2);
  EXPECT_NEAR(std::exp(lognormal.Quantile(0.5)), 1.1, 0.02);
  EXPECT_NEAR(lognormal.Quantile(0.99), std::log(1.1) + 2.326 * 0.2, 0.04);
  EXPECT_NEAR(lognormal.ShareBelow(std::log(1.1)), 0.5, 0.03);

  std::mt19937 random(2);
  std::exponential_distribution<double> exponential(1);
  TailHistogram skewed;  // 1 + Exp(0.1): a floor and interruptions
  for (int i = 0; i < 4000; ++i) skewed.Add(std::log(1 + 0.1 * exponential(random)));
  EXPECT_NEAR(std::exp(skewed.Quantile(0.5)), 1 + 0.1 * std::log(2.0), 0.01);
  EXPECT_NEAR(std::exp(skewed.Quantile(0.99)), 1 + 0.1 * std::log(100.0), 0.05);
}

TEST(Tail, AStageOfManyRunsSpeaksForItself) {
  const TailHistogram box = Lognormal(3, 4000, 1, 0.05);
  for (const double sd : {0.02, 0.1, 0.3}) {
    const double ratio = TailRatio(Lognormal(4, 4000, 2.0, sd), box);
    EXPECT_NEAR(std::log(ratio), 2.326 * sd, 0.03 + 0.1 * 2.326 * sd) << sd;  // whatever its level
  }
}

TEST(Tail, AStageOfNoRunsHasTheBoxsTail) {
  const TailHistogram box = Lognormal(5, 4000, 1, 0.15);
  EXPECT_NEAR(std::log(TailRatio({}, box)), 2.326 * 0.15, 0.04);
  // Of few runs: nearer to the box's than the few could tell.
  const double few = std::log(TailRatio(Lognormal(6, 10, 1, 0.01), box));
  EXPECT_NEAR(few, 2.326 * 0.15, 0.06);
  // Between: the more runs, the nearer to its own.
  const double some = std::log(TailRatio(Lognormal(6, 400, 1, 0.01), box));
  const double many = std::log(TailRatio(Lognormal(6, 3900, 1, 0.01), box));
  EXPECT_LT(some, few);
  EXPECT_LT(many, some);
}

TEST(Tail, BeforeAnythingRanItIsThePrior) {
  EXPECT_NEAR(TailRatio({}, TailHistogram::Prior()), 1.25, 0.02);
  EXPECT_NEAR(TailHistogram::Prior().weight(), 100, 1);
  EXPECT_NEAR(TailHistogram::Prior().Quantile(0.5), 0, 0.01);
  EXPECT_NEAR(TailRatio({}, {}), 1.25, 0.02);
}

TEST(Tail, OldRunsFade) {
  TailHistogram tail = Lognormal(7, 3000, 1, 0.02);
  std::mt19937 random(8);
  std::normal_distribution<double> normal;
  for (int i = 0; i < 30000; ++i) {
    tail.Add(0.2 * normal(random));
    ASSERT_LE(tail.weight(), 4096);
  }
  EXPECT_NEAR(tail.Quantile(0.99), 2.326 * 0.2, 0.05);
}

TEST(Tail, TakesAnyNumber) {
  TailHistogram tail;
  EXPECT_EQ(tail.Quantile(0.99), 0);
  for (const double value : {std::nan(""), HUGE_VAL, -HUGE_VAL}) tail.Add(value);
  EXPECT_EQ(tail.weight(), 0);
  tail.Add(1e9);
  tail.Add(-1e9);
  EXPECT_EQ(tail.weight(), 2);
  EXPECT_GE(TailRatio(tail, tail), 1);
}

TEST(Tail, RestoresWhatItGaveAndNothingElse) {
  const TailHistogram tail = Lognormal(9, 500, 1, 0.1);
  TailHistogram back;
  ASSERT_TRUE(back.Restore({tail.bins().begin(), tail.bins().end()}));
  EXPECT_EQ(back.Quantile(0.99), tail.Quantile(0.99));
  EXPECT_EQ(back.weight(), 500);

  std::vector<float> bins(TailHistogram::kBins, 1.0F);
  bins[3] = -1;
  EXPECT_FALSE(back.Restore(bins));
  bins[3] = std::nanf("");
  EXPECT_FALSE(back.Restore(bins));
  bins[3] = 1e9F;
  EXPECT_FALSE(back.Restore(bins));
  bins.pop_back();
  EXPECT_FALSE(back.Restore(bins));
  EXPECT_EQ(back.weight(), 500);
}

}  // namespace
}  // namespace deepedge
