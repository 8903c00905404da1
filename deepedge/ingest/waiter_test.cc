#include "deepedge/ingest/waiter.h"

#include <gtest/gtest.h>

#include <thread>

namespace deepedge {
namespace {

TEST(RealWaiterTest, ReturnsWhenTheTimeHasCome) {
  const RealClock clock;
  RealWaiter waiter;
  const Time until = clock.Now() + std::chrono::milliseconds(5);
  EXPECT_TRUE(waiter.WaitUntil(until, {}));
  EXPECT_GE(clock.Now(), until);
  EXPECT_TRUE(waiter.WaitUntil(clock.Now() - std::chrono::seconds(1), {}));
}

TEST(RealWaiterTest, AStopWakesIt) {
  const RealClock clock;
  RealWaiter waiter;
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  const Time start = clock.Now();
  EXPECT_FALSE(waiter.WaitUntil(start + std::chrono::minutes(10), stop.get_token()));
  EXPECT_FALSE(waiter.WaitUntil(start + std::chrono::minutes(10), stop.get_token()));
  EXPECT_LT(clock.Now() - start, std::chrono::minutes(1));
}

}  // namespace
}  // namespace deepedge
