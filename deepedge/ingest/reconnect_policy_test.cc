#include "deepedge/ingest/reconnect_policy.h"

#include <gtest/gtest.h>

namespace deepedge {
namespace {

TEST(ReconnectDelayTest, DoublesUpToTheLongest) {
  const ReconnectOptions options{.jitter = 0};
  const int64_t expected_ms[] = {500, 1000, 2000, 4000, 8000, 10'000, 10'000};
  for (int failures = 1; failures <= 7; ++failures) {
    EXPECT_EQ(ReconnectDelay(options, failures, 0.9), std::chrono::milliseconds(expected_ms[failures - 1]));
  }
  EXPECT_EQ(ReconnectDelay(options, 2'000'000'000, 0), std::chrono::seconds(10));
}

TEST(ReconnectDelayTest, JitterGoesBothWays) {
  const ReconnectOptions options;
  EXPECT_EQ(ReconnectDelay(options, 1, 0), std::chrono::milliseconds(400));
  EXPECT_EQ(ReconnectDelay(options, 1, 0.5), std::chrono::milliseconds(500));
  EXPECT_NEAR(static_cast<double>(ReconnectDelay(options, 1, 0.999999).count()), 600'000, 2);
  EXPECT_EQ(ReconnectDelay(options, 50, 0), std::chrono::seconds(8));
}

}  // namespace
}  // namespace deepedge
