#include "deepedge/sampler/rate_gate.h"

#include <gtest/gtest.h>

namespace deepedge {
namespace {

int PassedInTenSeconds(double stream_rate, double max_rate) {
  RateGate gate(max_rate);
  int passed = 0;
  for (int i = 0; i < static_cast<int>(stream_rate * 10); ++i) {
    passed += gate.Admit(static_cast<int64_t>(i * 1e6 / stream_rate)) ? 1 : 0;
  }
  return passed;
}

TEST(RateGate, GivesTheMaximumRateOnAverage) {
  const struct {
    double stream_rate;
    double max_rate;
    int expected;
  } cases[] = {
      {25, 0, 250},      // no limit
      {25, 5, 50},       // divides
      {30, 7, 70},       // does not divide
      {30, 30, 300},     // the stream's own rate, with rounded stamps
      {29.97, 30, 299},  // a little above the stream's rate
      {10, 25, 100},     // far above
      {30, 0.2, 2},      // less than one a second
  };
  for (const auto& c : cases) {
    EXPECT_EQ(PassedInTenSeconds(c.stream_rate, c.max_rate), c.expected) << c.max_rate << " of " << c.stream_rate;
  }
}

TEST(RateGate, DoesNotCatchUpAfterAGap) {
  RateGate gate(10);
  EXPECT_TRUE(gate.Admit(0));
  EXPECT_TRUE(gate.Admit(5'000'000));
  EXPECT_FALSE(gate.Admit(5'040'000));
  EXPECT_TRUE(gate.Admit(5'100'000));
}

}  // namespace
}  // namespace deepedge
