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

TEST(ValueHistogram, LeavesTailsOut) {
  std::vector<float> values(10'000);
  std::iota(values.begin(), values.end(), 0.0F);
  ValueHistogram upper({0, 9'999});
  upper.Add(values);
  const ValueRange inner = upper.Within(0.01);  // 100 of 10,000 at the upper end
  EXPECT_EQ(inner.low, 0);
  EXPECT_NEAR(inner.high, 9'899, 10);

  for (float& value : values) value -= 5'000;
  ValueHistogram both({-5'000, 4'999});
  both.Add(values);
  EXPECT_NEAR(both.Within(0.01).low, -4'900, 10);
  EXPECT_NEAR(both.Within(0.01).high, 4'899, 10);
  EXPECT_EQ(both.Within(0), (ValueRange{-5'000, 4'999}));
}

TEST(ValueHistogram, KeepsOneLargeValueOutOfMany) {
  std::vector<float> values(100'000, 1.0F);
  values.back() = 1'000;
  ValueHistogram histogram({0, 1'000});
  histogram.Add(values);
  EXPECT_LT(histogram.Within(1e-4).high, 2);
}

TEST(ValueHistogram, WithoutValuesKeepsTheRange) {
  EXPECT_EQ(ValueHistogram({-1, 2}).Within(0.1), (ValueRange{-1, 2}));
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
