#include "deepedge/events/backoff.h"

#include <gtest/gtest.h>

namespace deepedge {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Backoff, DoublesUpToTheLongestBetweenHalfAndAll) {
  struct Case {
    int failures;
    double chance;
    Duration expected;
  };
  const BackoffRule rule{.first = milliseconds(500), .longest = seconds(30)};
  const Case cases[] = {
      {1, 1, milliseconds(500)}, {1, 0, milliseconds(250)},  {1, 0.5, milliseconds(375)},
      {2, 1, seconds(1)},        {3, 1, seconds(2)},         {6, 1, seconds(16)},
      {7, 1, seconds(30)},       {8, 0, seconds(15)},        {2'000'000'000, 1, seconds(30)},
      {0, 1, milliseconds(500)}, {-5, 1, milliseconds(500)}, {1, 7, milliseconds(500)},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(BackoffDelay(rule, c.failures, c.chance), c.expected) << c.failures << " failures, chance " << c.chance;
  }
  EXPECT_EQ(BackoffDelay({.first = seconds(60), .longest = seconds(10)}, 1, 1), seconds(10));
}

}  // namespace
}  // namespace deepedge
