#include "deepedge/bench/outbox_bench.h"

#include <gtest/gtest.h>

namespace deepedge {
namespace {

TEST(OutboxBench, CarriesAllEventsAndTimesThem) {
  const Result<OutboxSample> sample = MeasureOutbox({.events = 2000});
  ASSERT_TRUE(sample.ok()) << sample.error().message;
  EXPECT_EQ(sample.value().lost, 0);
  EXPECT_GT(sample.value().events_per_s, 0);
  EXPECT_GT(sample.value().cpu_us, 0);
  EXPECT_GT(sample.value().latency_ms_p50, 0);
  EXPECT_GE(sample.value().latency_ms_p99, sample.value().latency_ms_p50);
}

TEST(OutboxBench, SaysWhereItCannotWrite) {
  const Result<OutboxSample> sample = MeasureOutbox({.folder = "/no/such/folder", .events = 1});
  ASSERT_FALSE(sample.ok());
  EXPECT_NE(sample.error().message.find("/no/such/folder"), std::string::npos) << sample.error().message;
}

}  // namespace
}  // namespace deepedge
