#include "deepedge/events/event_bus.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "deepedge/events/memory_sink.h"

namespace deepedge {
namespace {

// Fails at Close.
class BrokenSink final : public EventSink {
 public:
  explicit BrokenSink(Error error) : error_(std::move(error)) {}
  void Publish(Event /*event*/) override { ++lost_; }
  Status Close() override { return error_; }
  SinkCounts counts() const override { return {.accepted = lost_, .delivered = 0, .lost = lost_}; }

 private:
  Error error_;
  int64_t lost_ = 0;
};

std::vector<std::string> Ids(MemorySink& sink) {
  std::vector<std::string> ids;
  for (const Event& event : sink.Take()) ids.push_back(IdOf(event));
  return ids;
}

TEST(IdPrefix, IsShortAndSortsByTime) {
  EXPECT_EQ(IdPrefix(0, 0), "000000000000000");
  EXPECT_EQ(IdPrefix(33'000'000, 1), "000001100000001");
  EXPECT_EQ(IdPrefix(0, ~uint64_t{0}), "0000000zzzzzzzz");
  EXPECT_LT(IdPrefix(1'700'000'000'000'000, 99), IdPrefix(1'700'000'001'000'000, 1));
}

TEST(IdPrefix, DiffersFromRunToRun) {
  const ManualClock clock;
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) seen.insert(NewIdPrefix(clock));
  EXPECT_EQ(seen.size(), 100U);
}

TEST(EventBus, GivesEverySinkTheSameIds) {
  auto a = std::make_unique<MemorySink>();
  auto b = std::make_unique<MemorySink>();
  MemorySink& first = *a;
  MemorySink& second = *b;
  EventBus bus("run");
  bus.Add("a", std::move(a));
  bus.Add("b", std::move(b));
  bus.Publish(StreamUpEvent{.stream = "gate"});
  bus.Publish(CountEvent{.stream = "gate"});
  bus.Publish(CountEvent{.stream = "gate", .id = "kept"});
  const std::vector<std::string> expected{"run-1", "run-2", "kept"};
  EXPECT_EQ(Ids(first), expected);
  EXPECT_EQ(Ids(second), expected);
}

TEST(EventBus, GivesNoIdTwiceWhateverTheThread) {
  auto sink = std::make_unique<MemorySink>();
  MemorySink& memory = *sink;
  EventBus bus("run");
  bus.Add("memory", std::move(sink));
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 500; ++i) bus.Publish(StreamUpEvent{});
      });
    }
  }
  const std::vector<std::string> ids = Ids(memory);
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), 2000U);
}

TEST(EventBus, ClosesAllAndJoinsWhatTheySay) {
  auto memory = std::make_unique<MemorySink>();
  MemorySink& last = *memory;
  EventBus bus("run");
  bus.Add("disk", std::make_unique<BrokenSink>(Error{ErrorCode::kExhausted, "disk full"}));
  bus.Add("net", std::make_unique<BrokenSink>(Error{ErrorCode::kUnavailable, "no broker"}));
  bus.Add("memory", std::move(memory));
  bus.Publish(StreamUpEvent{});
  const Status status = bus.Close();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kExhausted);
  EXPECT_EQ(status.error().message, "disk full; no broker");
  last.Publish(StreamUpEvent{});
  EXPECT_EQ(last.counts().lost, 1) << "closed too";
}

TEST(EventBus, CountsBySinkAndTogether) {
  EventBus bus("run");
  bus.Add("disk", std::make_unique<BrokenSink>(Error{}));
  bus.Add("memory", std::make_unique<MemorySink>());
  bus.Publish(StreamUpEvent{});
  const auto by_sink = bus.CountsOfSinks();
  ASSERT_EQ(by_sink.size(), 2U);
  EXPECT_EQ(by_sink[0].name, "disk");
  EXPECT_EQ(by_sink[0].counts.lost, 1);
  EXPECT_EQ(by_sink[1].counts.delivered, 1);
  const SinkCounts sum = bus.counts();
  EXPECT_EQ(sum.accepted, 2);
  EXPECT_EQ(sum.delivered, 1);
  EXPECT_EQ(sum.lost, 1);
}

}  // namespace
}  // namespace deepedge
