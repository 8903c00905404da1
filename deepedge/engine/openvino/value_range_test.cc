#include "deepedge/engine/openvino/value_range.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

namespace deepedge {
namespace {

TEST(ValueRange, WidensByNumbersOnly) {
  ValueRange range;
  const float values[] = {1, -2, std::numeric_limits<float>::infinity(), std::nanf(""), 3};
  range.Add(values);
  EXPECT_EQ(range, (ValueRange{-2, 3}));
}

TEST(ValueHistogram, KeepsTheWholeRangeOfEvenValues) {
  std::vector<float> values(10'000);
  std::iota(values.begin(), values.end(), -5'000.0F);
  ValueHistogram histogram({-5'000, 4'999});
  histogram.Add(values);
  // Cutting off loses more than finer steps gain.
  EXPECT_EQ(histogram.LeastError(), (ValueRange{-5'000, 4'999}));
}

TEST(ValueHistogram, CutsOffWhatIsRare) {
  // 100,000 values from 0 to 1 and one of 10: over the whole range a step is 10/255 and the error of each value up to
  // 0.02, 13 in the sum of squares; cut at c the one value costs (10 - c) squared, 81 and less.
  std::vector<float> values(1'000'000);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 1'000) / 1'000;
  values[0] = 10;
  ValueHistogram histogram({0, 10});
  histogram.Add(values);
  const ValueRange range = histogram.LeastError();
  EXPECT_EQ(range.low, 0);
  EXPECT_LT(range.high, 7);
  EXPECT_GT(range.high, 1);
}

TEST(ValueHistogram, WithoutValuesKeepsTheRange) {
  EXPECT_EQ(ValueHistogram({-1, 2}).LeastError(), (ValueRange{-1, 2}));
}

TEST(OnGrid, HasZeroAmongItsLevels) {
  for (const ValueRange range : {ValueRange{-1, 3}, {0, 6}, {-0.3F, 0.1F}, {0, 0}, {-5, -1}, {2, 3}}) {
    const ValueRange grid = OnGrid(range);
    ASSERT_LT(grid.low, grid.high);
    const double zero = static_cast<double>(-grid.low) / static_cast<double>(grid.high - grid.low) * 255;
    EXPECT_NEAR(zero, std::round(zero), 1e-3) << range.low << " " << range.high;
    EXPECT_LE(grid.low, 0);
    EXPECT_GE(grid.high, 0);
  }
  EXPECT_EQ(OnGrid({0, 255}), (ValueRange{0, 255}));
}

}  // namespace
}  // namespace deepedge
