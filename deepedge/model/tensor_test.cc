#include "deepedge/model/tensor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace deepedge {
namespace {

TEST(Tensor, HalvesKeepTheirValue) {
  EXPECT_EQ(HalfToFloat(0x0000), 0.0F);
  EXPECT_TRUE(std::signbit(HalfToFloat(0x8000)));
  EXPECT_EQ(HalfToFloat(0x3C00), 1.0F);
  EXPECT_EQ(HalfToFloat(0xC100), -2.5F);
  EXPECT_EQ(HalfToFloat(0x7BFF), 65504.0F);
  EXPECT_EQ(HalfToFloat(0x0001), 0x1p-24F);
  EXPECT_EQ(HalfToFloat(0x83FF), -1023 * 0x1p-24F);
  EXPECT_EQ(HalfToFloat(0x0400), 0x1p-14F);
  EXPECT_EQ(HalfToFloat(0xFC00), -std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(HalfToFloat(0x7E01)));
}

TEST(Tensor, ShapesAreWrittenWithCrosses) {
  EXPECT_EQ(ToString(Shape{1, 3, -1, 416}), "1x3x?x416");
  EXPECT_EQ(ToString(Shape{}), "scalar");
  EXPECT_EQ(ElementCount({2, 3}), 6);
  EXPECT_FALSE(IsStatic({1, -1}));
}

}  // namespace
}  // namespace deepedge
