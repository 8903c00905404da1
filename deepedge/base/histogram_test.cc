#include "deepedge/base/histogram.h"

#include <gtest/gtest.h>

namespace deepedge {
namespace {

TEST(Histogram, EmptyHasNoQuantiles) { EXPECT_EQ(Histogram().Quantile(0.5).count(), 0); }

TEST(Histogram, QuantilesAreWithinABucket) {
  Histogram histogram;
  for (int i = 1; i <= 1000; ++i) histogram.Add(Duration(i * 100));
  EXPECT_EQ(histogram.count(), 1000);
  EXPECT_NEAR(static_cast<double>(histogram.Quantile(0.5).count()), 50'000, 50'000 * 0.03);
  EXPECT_NEAR(static_cast<double>(histogram.Quantile(0.95).count()), 95'000, 95'000 * 0.03);
  EXPECT_LE(histogram.Quantile(1.0), histogram.max());
}

TEST(Histogram, TakesAnyValue) {
  Histogram a;
  a.Add(Duration(-5));
  a.Add(std::chrono::hours(100));
  EXPECT_EQ(a.count(), 2);
  EXPECT_EQ(a.max(), Duration(std::chrono::hours(100)));
}

}  // namespace
}  // namespace deepedge
