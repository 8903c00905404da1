// What every EventSink keeps. A new sink adds a SinkUnderTest to the list at the end.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <optional>
#include <sstream>
#include <thread>

#include "deepedge/base/file.h"
#include "deepedge/events/event_json.h"
#include "deepedge/events/memory_sink.h"
#include "deepedge/events/ndjson_sink.h"
#include "deepedge/events/null_sink.h"
#include "deepedge/events/outbox/outbox.h"
#include "deepedge/events/snapshot_sink.h"

namespace deepedge {
namespace {

// A sink and a way to see what arrived in it, as JSON lines.
class SinkUnderTest {
 public:
  virtual ~SinkUnderTest() = default;
  virtual EventSink& sink() = 0;
  virtual std::vector<std::string> Arrived() = 0;  // after Close
};

class MemorySinkUnderTest final : public SinkUnderTest {
 public:
  explicit MemorySinkUnderTest(size_t capacity) : sink_(capacity) {}
  EventSink& sink() override { return sink_; }
  std::vector<std::string> Arrived() override {
    std::vector<std::string> lines;
    for (const Event& event : sink_.Take()) lines.push_back(ToJsonLine(event));
    return lines;
  }

 private:
  MemorySink sink_;
};

class NdjsonSinkUnderTest final : public SinkUnderTest {
 public:
  explicit NdjsonSinkUnderTest(size_t capacity) : folder_(TemporaryFolder::Create("de_sink_test").value()) {
    sink_ = NdjsonSink::Create({.path = path(), .queue_capacity = capacity}, clock_).value();
  }
  EventSink& sink() override { return *sink_; }
  std::vector<std::string> Arrived() override {
    std::istringstream content(ReadFile(path()).value());
    std::vector<std::string> lines;
    for (std::string line; std::getline(content, line);) lines.push_back(line);
    return lines;
  }

 private:
  Path path() const { return folder_.path() / "events.ndjson"; }

  RealClock clock_;
  TemporaryFolder folder_;
  std::unique_ptr<NdjsonSink> sink_;
};

// Puts the event's JSON into it as a picture, under an id that sorts by the order of publication, so that all that the
// contract says of events holds for pictures.
class AsPictures final : public EventSink {
 public:
  explicit AsPictures(std::unique_ptr<EventSink> sink) : sink_(std::move(sink)) {}
  void Publish(Event event) override {
    const std::string json = ToJsonLine(event);
    SceneEvent scene{.id = fmt::format("t0u4k1a7xw3f9bc-{:06}", next_++)};
    scene.picture = std::make_shared<const std::vector<uint8_t>>(json.begin(), json.end());
    sink_->Publish(std::move(scene));
  }
  Status Close() override { return sink_->Close(); }
  SinkCounts counts() const override { return sink_->counts(); }

 private:
  std::unique_ptr<EventSink> sink_;
  std::atomic<int> next_ = 0;
};

class SnapshotSinkUnderTest final : public SinkUnderTest {
 public:
  explicit SnapshotSinkUnderTest(size_t capacity) : folder_(TemporaryFolder::Create("de_sink_test").value()) {
    sink_.emplace(SnapshotSink::Create({.folder = folder_.path(), .queue_capacity = capacity}, clock_).value());
  }
  EventSink& sink() override { return *sink_; }
  std::vector<std::string> Arrived() override {
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
      files[entry.path().filename()] = ReadFile(entry.path()).value();
    }
    std::vector<std::string> lines;
    for (auto& [name, content] : files) lines.push_back(std::move(content));
    return lines;
  }

 private:
  RealClock clock_;
  TemporaryFolder folder_;
  std::optional<AsPictures> sink_;
};

class OutboxUnderTest final : public SinkUnderTest {
 public:
  explicit OutboxUnderTest(size_t capacity) : folder_(TemporaryFolder::Create("de_sink_test").value()) {
    // The events of this test are of 1970: kept for ever.
    sink_ = Outbox::Create({.file = path(), .queue_capacity = capacity, .max_age = Duration(0)}, clock_).value();
  }
  EventSink& sink() override { return *sink_; }
  std::vector<std::string> Arrived() override {
    std::vector<std::string> lines;
    const std::vector<StoredEvent> events = ReadEvents(path(), {.limit = 10000}).value();
    for (const StoredEvent& event : events) lines.push_back(event.json);
    return lines;
  }

 private:
  Path path() const { return folder_.path() / "outbox.db"; }

  RealClock clock_;
  TemporaryFolder folder_;
  std::unique_ptr<Outbox> sink_;
};

struct SinkKind {
  const char* name;
  std::function<std::unique_ptr<SinkUnderTest>(size_t capacity)> make;
};

class SinkContract : public testing::TestWithParam<SinkKind> {};

Event EventNumber(int stream, int number) { return StreamUpEvent{std::to_string(stream), number, "h264", 640, 480}; }

TEST_P(SinkContract, DeliversInOrder) {
  const auto tested = GetParam().make(1000);
  std::vector<std::string> expected;
  for (int i = 0; i < 1000; ++i) {
    tested->sink().Publish(EventNumber(0, i));
    expected.push_back(ToJsonLine(EventNumber(0, i)));
  }
  EXPECT_TRUE(tested->sink().Close().ok());
  EXPECT_EQ(tested->Arrived(), expected);
  const SinkCounts counts = tested->sink().counts();
  EXPECT_EQ(counts.accepted, 1000);
  EXPECT_EQ(counts.delivered, 1000);
  EXPECT_EQ(counts.lost, 0);
}

TEST_P(SinkContract, RefusesAndCountsWhatDoesNotFit) {
  const auto tested = GetParam().make(0);
  for (int i = 0; i < 10; ++i) tested->sink().Publish(EventNumber(0, i));
  EXPECT_TRUE(tested->sink().Close().ok());
  EXPECT_TRUE(tested->Arrived().empty());
  EXPECT_EQ(tested->sink().counts().accepted, 10);
  EXPECT_EQ(tested->sink().counts().lost, 10);
}

TEST_P(SinkContract, CountsWhatComesAfterCloseAsLost) {
  const auto tested = GetParam().make(10);
  tested->sink().Publish(EventNumber(0, 0));
  EXPECT_TRUE(tested->sink().Close().ok());
  tested->sink().Publish(EventNumber(0, 1));
  EXPECT_EQ(tested->sink().counts().delivered, 1);
  EXPECT_EQ(tested->sink().counts().lost, 1);
}

TEST_P(SinkContract, TakesEventsFromManyThreads) {
  constexpr int kThreads = 4;
  constexpr int kEach = 500;
  const auto tested = GetParam().make(kThreads * kEach);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kEach; ++i) tested->sink().Publish(EventNumber(t, i));
      });
    }
  }
  EXPECT_TRUE(tested->sink().Close().ok());
  std::vector<std::string> arrived = tested->Arrived();
  std::vector<std::string> expected;
  for (int t = 0; t < kThreads; ++t) {
    for (int i = 0; i < kEach; ++i) expected.push_back(ToJsonLine(EventNumber(t, i)));
  }
  std::ranges::sort(arrived);
  std::ranges::sort(expected);
  EXPECT_EQ(arrived, expected);
}

TEST_P(SinkContract, MayBeDestroyedWithoutClose) {
  const auto tested = GetParam().make(10);
  tested->sink().Publish(EventNumber(0, 0));
}

// Not in the list below: it keeps nothing, so it promises nothing.
TEST(NullSink, ClaimsNothing) {
  NullSink sink;
  sink.Publish(EventNumber(0, 0));
  EXPECT_TRUE(sink.Close().ok());
  EXPECT_EQ(sink.counts().accepted, 0);
  EXPECT_EQ(sink.counts().delivered, 0);
  EXPECT_EQ(sink.counts().lost, 0);
}

INSTANTIATE_TEST_SUITE_P(
    All, SinkContract,
    testing::Values(SinkKind{"memory", [](size_t capacity) { return std::make_unique<MemorySinkUnderTest>(capacity); }},
                    SinkKind{"ndjson", [](size_t capacity) { return std::make_unique<NdjsonSinkUnderTest>(capacity); }},
                    SinkKind{"snapshots",
                             [](size_t capacity) { return std::make_unique<SnapshotSinkUnderTest>(capacity); }},
                    SinkKind{"outbox", [](size_t capacity) { return std::make_unique<OutboxUnderTest>(capacity); }}),
    [](const testing::TestParamInfo<SinkKind>& kind) { return kind.param.name; });

}  // namespace
}  // namespace deepedge
