#include "deepedge/app/events_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "deepedge/events/outbox/outbox.h"

namespace deepedge {
namespace {

using testing::ElementsAre;

class EventsReaderTest : public testing::Test {
 protected:
  std::unique_ptr<Outbox> MakeOutbox() {
    return Outbox::Create({.file = file_, .max_age = Duration(0)}, clock_).value();
  }
  // Streams "s0" and "s1" in turn, one a second from 1 s on; every third is a track of a person.
  static Event EventNumber(int number) {
    const std::string stream = number % 2 == 0 ? "s0" : "s1";
    const std::string id = "e" + std::to_string(number);
    if (number % 3 == 0) {
      return TrackEvent{.stream = stream,
                        .moment = {.available_us = int64_t{number} * 1'000'000},
                        .track = number,
                        .label = "person",
                        .id = id};
    }
    return StreamUpEvent{.stream = stream, .at_us = int64_t{number} * 1'000'000, .id = id};
  }
  void Write(int from, int to) {
    const auto outbox = MakeOutbox();
    for (int i = from; i <= to; ++i) outbox->Publish(EventNumber(i));
    EXPECT_TRUE(outbox->Close().ok());
  }
  // Names, sizes, times and content of all files there.
  std::set<std::string> Files() const {
    std::set<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
      files.insert(entry.path().filename().string() + " " + Sha256OfFile(entry.path()).value());
    }
    return files;
  }
  std::vector<std::string> First(EventsRequest request) {
    std::vector<std::string> ids;
    request.file = file_;
    EventsReader reader(request);
    const Status status = reader.ReadFirst([&](const StoredEvent& event) {
      ids.push_back(event.id);
      return Status();
    });
    EXPECT_TRUE(status.ok()) << status.error().message;
    return ids;
  }

  RealClock clock_;
  TemporaryFolder folder_ = TemporaryFolder::Create("de_events_reader_test").value();
  Path file_ = folder_.path() / "events ?a=%41#1.db";  // what means something in an address
};

TEST_F(EventsReaderTest, ShowsWhatFits) {
  Write(1, 9);
  const auto before = Files();
  EXPECT_EQ(First({}).size(), 9U);
  EXPECT_THAT(First({.since_us = 8'000'000}), ElementsAre("e8", "e9"));
  EXPECT_THAT(First({.until_us = 2'000'000}), ElementsAre("e1", "e2"));
  EXPECT_THAT(First({.types = {"track_started"}}), ElementsAre("e3", "e6", "e9"));
  EXPECT_THAT(First({.types = {"track_started", "stream_up"}, .stream = "s0"}), ElementsAre("e2", "e4", "e6", "e8"));
  EXPECT_THAT(First({.label = "person", .limit = 2}), ElementsAre("e6", "e9"));
  EXPECT_THAT(First({.until_us = 7'000'000, .limit = 2}), ElementsAre("e6", "e7"));
  EXPECT_THAT(First({.stream = "s1", .limit = 2}), ElementsAre("e7", "e9"));
  EXPECT_THAT(First({.since_us = 3'000'000, .types = {"stream_up"}, .limit = 3}), ElementsAre("e5", "e7", "e8"));
  EXPECT_TRUE(First({.limit = 0}).empty());
  EXPECT_TRUE(First({.stream = "none"}).empty());
  EXPECT_EQ(Files(), before);
}

TEST_F(EventsReaderTest, ReadsMoreThanAPage) {
  Write(1, 2345);
  EXPECT_EQ(First({}).size(), 2345U);
  EXPECT_EQ(First({.label = "person"}).size(), 781U);
  EXPECT_EQ(First({.limit = 2000}).size(), 2000U);
}

TEST_F(EventsReaderTest, SaysThatThereIsNoFileAndMakesNone) {
  EventsReader reader({.file = file_});
  const auto show = [](const StoredEvent&) { return Status(); };
  EXPECT_EQ(reader.ReadFirst(show).error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(reader.ReadNext(show).ok());
  EXPECT_TRUE(Files().empty());
}

TEST_F(EventsReaderTest, EndsWithTheErrorOfWhoShows) {
  Write(1, 3);
  EventsReader reader({.file = file_});
  const auto full = [](const StoredEvent&) -> Status { return Error{ErrorCode::kExhausted, "full"}; };
  EXPECT_EQ(reader.ReadFirst(full).error().message, "full");
  EXPECT_EQ(reader.ReadNext(full).error().message, "full");
}

TEST_F(EventsReaderTest, FollowsAFileThatSomebodyWritesOnceEach) {
  constexpr int kEvents = 3000;
  std::vector<std::string> ids;
  Wakeup wakeup;
  // The file is not there yet when the reader begins, and is opened by two writers, one after the other.
  std::thread writer([&] {
    Write(1, kEvents / 2);
    Write(kEvents / 2 + 1, kEvents);
  });
  EventsReader reader({.file = file_});
  const auto show = [&](const StoredEvent& event) {
    ids.push_back(event.id);
    if (ids.size() == kEvents) wakeup.Finish();
    return Status();
  };
  reader.ReadFirst(show).Ignore("it may not be there yet");
  // Ends by itself, so that a lost event is a failure and not a hang.
  std::jthread watchdog([&](const std::stop_token& stop) {
    const Time until = clock_.Now() + std::chrono::seconds(20);
    while (!stop.stop_requested() && clock_.Now() < until) std::this_thread::yield();
    if (!stop.stop_requested()) wakeup.Finish();
  });
  const Status followed = FollowEvents(reader, show, wakeup, clock_);
  watchdog.request_stop();
  writer.join();
  EXPECT_TRUE(followed.ok()) << followed.error().message;
  ASSERT_EQ(ids.size(), static_cast<size_t>(kEvents));
  for (int i = 0; i < kEvents; ++i) EXPECT_EQ(ids[static_cast<size_t>(i)], "e" + std::to_string(i + 1));
}

TEST_F(EventsReaderTest, GoesOnInAFileThatReplacesTheFirst) {
  Write(1, 5);
  std::vector<std::string> ids;
  EventsReader reader({.file = file_, .limit = 1});
  const auto show = [&](const StoredEvent& event) {
    ids.push_back(event.id);
    return Status();
  };
  ASSERT_TRUE(reader.ReadFirst(show).ok());
  std::filesystem::rename(file_, folder_.path() / "aside.db");  // keeps its inode, so that the new one has another
  ASSERT_TRUE(reader.ReadNext(show).ok());
  Write(6, 7);
  ASSERT_TRUE(reader.ReadNext(show).ok());
  ASSERT_TRUE(reader.ReadNext(show).ok());
  EXPECT_THAT(ids, ElementsAre("e5", "e6", "e7"));
}

}  // namespace
}  // namespace deepedge
