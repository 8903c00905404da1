#include "deepedge/events/outbox/store.h"

#include <gtest/gtest.h>

#include "deepedge/events/outbox/outbox_file.h"

namespace deepedge {
namespace {

UnstoredEvent EventNumber(int number, std::string type = "counts", size_t picture_bytes = 0) {
  UnstoredEvent event;
  event.id = "id" + std::to_string(number);
  event.type = std::move(type);
  event.stream = number % 2 == 0 ? "even" : "odd";
  event.at_us = 1000 * number;
  event.json = "{\"n\":" + std::to_string(number) + "}";
  if (picture_bytes > 0) event.picture = std::make_shared<std::vector<uint8_t>>(picture_bytes, uint8_t{0xAB});
  return event;
}

std::vector<int64_t> Numbers(const std::vector<StoredEvent>& events) {
  std::vector<int64_t> numbers;
  for (const StoredEvent& event : events) numbers.push_back(event.number);
  return numbers;
}

class StoreTest : public testing::Test {
 protected:
  Path path() const { return folder_.path() / "outbox.db"; }
  OutboxStore Open() { return OutboxStore::Open(path(), false).value(); }
  // Events 1 to `count`.
  void Fill(OutboxStore& store, int count) {
    std::vector<UnstoredEvent> events;
    for (int i = 1; i <= count; ++i) events.push_back(EventNumber(i, i % 3 == 0 ? "result" : "counts"));
    ASSERT_TRUE(store.Write(events, {}).ok());
  }

  TemporaryFolder folder_ = TemporaryFolder::Create("de_outbox_test").value();
};

TEST_F(StoreTest, GivesBackWhatWasWrittenInOrder) {
  OutboxStore store = Open();
  UnstoredEvent event = EventNumber(1, "track_ended", 100);
  event.json = std::string("{\"text\":\"\0\xFF\"}", 14);
  ASSERT_TRUE(store.Write(std::vector{event, EventNumber(2)}, {}).ok());
  const OutboxStore::Page page = store.ReadAfter(0, {}, 10, 1 << 20).value();
  ASSERT_EQ(Numbers(page.events), (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(page.looked_up_to, 2);
  const StoredEvent& first = page.events[0];
  EXPECT_EQ(first.id, "id1");
  EXPECT_EQ(first.type, "track_ended");
  EXPECT_EQ(first.stream, "odd");
  EXPECT_EQ(first.at_us, 1000);
  EXPECT_EQ(first.json, event.json);
  EXPECT_EQ(first.picture, std::string(100, '\xAB'));
  EXPECT_EQ(page.events[1].picture, "");
}

TEST_F(StoreTest, ReadsOnlyTheTypesAskedForInBoundedPortions) {
  OutboxStore store = Open();
  Fill(store, 9);
  EXPECT_EQ(Numbers(store.ReadAfter(0, {"result"}, 10, 1 << 20).value().events), (std::vector<int64_t>{3, 6, 9}));
  EXPECT_EQ(Numbers(store.ReadAfter(3, {"result", "dwell"}, 1, 1 << 20).value().events), (std::vector<int64_t>{6}));
  EXPECT_EQ(Numbers(store.ReadAfter(0, {}, 10, 1).value().events), (std::vector<int64_t>{1})) << "one at least";
  EXPECT_EQ(store.ReadAfter(3, {"result"}, 1, 1 << 20).value().looked_up_to, 6);
  EXPECT_EQ(store.ReadAfter(6, {"dwell"}, 1, 1 << 20).value().looked_up_to, 9);
  EXPECT_EQ(store.ReadAfter(9, {}, 1, 1 << 20).value().looked_up_to, 9);
  EXPECT_EQ(store.CountAfter(3, {"result"}).value(), 2);
  EXPECT_EQ(store.CountAfter(0, {}).value(), 9);
}

TEST_F(StoreTest, KeepsCursorsAndNumbersOverRunsAndRemovals) {
  {
    OutboxStore store = Open();
    Fill(store, 5);
    EXPECT_FALSE(store.CursorOf("mqtt").value().has_value());
    ASSERT_TRUE(store.Write({}, std::vector<CourierCursor>{{"mqtt", 5}}).ok());
    const auto rows = store.OldestRows(100).value();
    EXPECT_EQ(rows.size(), 5U);
    ASSERT_TRUE(store.Remove(rows).ok());
  }
  OutboxStore store = Open();
  EXPECT_EQ(store.CursorOf("mqtt").value(), 5);
  EXPECT_EQ(store.last_number(), 5) << "a number is never given twice, or a courier would miss the second";
  ASSERT_TRUE(store.Write(std::vector{EventNumber(1)}, {}).ok());
  EXPECT_EQ(Numbers(store.ReadAfter(5, {}, 10, 1000).value().events), (std::vector<int64_t>{6}));
}

TEST_F(StoreTest, RemovesTheOldestAndGivesSpaceBack) {
  OutboxStore store = Open();
  std::vector<UnstoredEvent> events;
  for (int i = 1; i <= 200; ++i) events.push_back(EventNumber(i, "counts", 20'000));
  ASSERT_TRUE(store.Write(events, {}).ok());
  const int64_t before = store.UsedBytes().value();
  EXPECT_GT(before, 4'000'000);
  ASSERT_TRUE(store.Remove(store.OldestRows(150).value()).ok());
  EXPECT_LT(store.UsedBytes().value(), before / 3);
  EXPECT_EQ(store.OldestRows(1).value()[0].number, 151);
  ASSERT_TRUE(store.GiveBackSpace().ok());
  store = Open();  // closing the first writes the log into the file
  EXPECT_LT(static_cast<int64_t>(std::filesystem::file_size(path())), before / 3 + 100'000);
}

TEST_F(StoreTest, OnlyWhatIsKnownToBeTooOldGoesFromTheFront) {
  constexpr int64_t kDay = int64_t{24} * 3600 * 1'000'000;
  constexpr int64_t kNow = 20'000 * kDay;  // in 2024
  const int64_t old = kNow - 8 * kDay;
  const int64_t young = kNow - 6 * kDay;
  const int64_t unset = 5;  // 1970
  const int64_t ahead = kNow + kDay;
  struct Case {
    const char* what;
    std::vector<int64_t> times;
    int64_t now;
    size_t removed;
  };
  const Case cases[] = {
      {"nothing there", {}, kNow, 0},
      {"old before young", {old, old + 1, young}, kNow, 2},
      {"at most so many", {old, old, old, old, old, old}, kNow, 5},
      {"written by a clock that was not set", {unset, unset, unset}, kNow, 0},
      {"written by a clock that was ahead", {ahead, young}, kNow, 0},
      {"unknown before young", {unset, ahead, young}, kNow, 0},
      {"unknown before old is older still", {unset, ahead, old, unset, young}, kNow, 3},
      {"old behind young waits for it", {young, old, old}, kNow, 0},
      {"the clock is not set now", {old, young, old}, unset, 0},
      {"the clock is not set, nor was it", {0, 1, 2}, 8 * kDay, 0},
  };
  for (const Case& c : cases) {
    std::filesystem::remove(path());
    OutboxStore store = Open();
    std::vector<UnstoredEvent> events;
    for (const int64_t at_us : c.times) {
      events.push_back(EventNumber(1));
      events.back().at_us = at_us;
    }
    ASSERT_TRUE(store.Write(events, {}).ok());
    const auto rows = store.RowsTooOld(c.now, std::chrono::hours(7 * 24), 5);
    ASSERT_TRUE(rows.ok()) << c.what;
    ASSERT_EQ(rows.value().size(), c.removed) << c.what;
    for (size_t i = 0; i < c.removed; ++i) EXPECT_EQ(rows.value()[i].number, static_cast<int64_t>(i + 1)) << c.what;
  }
}

TEST_F(StoreTest, LeavesForeignAndLaterFilesAlone) {
  {
    Database other = Database::Open(path(), Database::Mode::kReadWrite, 0).value();
    ASSERT_TRUE(other.Execute("CREATE TABLE mine (x)").ok());
  }
  EXPECT_EQ(OutboxStore::Open(path(), false).status().error().message,
            path().string() + ": a database of another program, not an outbox");
  std::filesystem::remove(path());
  Open();
  {
    Database other = Database::Open(path(), Database::Mode::kReadWrite, 0).value();
    ASSERT_TRUE(other.Execute("UPDATE schema_version SET version = 9").ok());
  }
  const Error error = OutboxStore::Open(path(), false).status().error();
  EXPECT_EQ(error.code, ErrorCode::kUnsupported);
  EXPECT_NE(error.message.find("schema 9, this one knows 1"), std::string::npos) << error.message;
}

TEST_F(StoreTest, WhatIsNotTheTablesOfAnOutboxIsDamaged) {
  constexpr const char* kEndless =
      "CREATE VIEW events AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS number, "
      "i AS at_us, 'counts' AS type, 's' AS stream, 'id' AS id, '{}' AS json, NULL AS picture FROM n";
  struct Case {
    const char* what;
    std::vector<const char*> changes;
  };
  const Case cases[] = {
      {"no events", {"DROP TABLE events"}},
      {"no cursors", {"DROP TABLE couriers"}},
      {"no version", {"DROP TABLE schema_version"}},
      {"a column missing", {"ALTER TABLE events RENAME COLUMN json TO text"}},
      {"a view without end", {"DROP TABLE events", kEndless}},
      {"a trigger", {"CREATE TRIGGER t AFTER INSERT ON events BEGIN DELETE FROM couriers; END"}},
      {"a number too high", {"INSERT INTO couriers VALUES ('mqtt', 9223372036854775807)"}},
  };
  for (const Case& c : cases) {
    const Path file = folder_.path() / (std::string(c.what) + ".db");
    OutboxStore::Open(file, false).value();
    {
      Database other = Database::Open(file, Database::Mode::kReadWrite, 0).value();
      for (const char* change : c.changes) ASSERT_TRUE(other.Execute(change).ok()) << c.what;
    }
    const Error error = OutboxStore::Open(file, false).status().error();
    EXPECT_EQ(error.code, ErrorCode::kBadInput) << c.what << ": " << error.message;
    EXPECT_TRUE(error.message.starts_with(file.string() + ": damaged (")) << error.message;
    OutboxFile claimed = OutboxFile::Claim(file).value();
    EXPECT_TRUE(claimed.Open(false, 1).ok()) << c.what << ": put aside";
    if (std::string_view(c.what) == "a view without end") {
      EXPECT_EQ(ReadEvents(file.string() + ".damaged-1", {}).status().error().code, ErrorCode::kBadInput);
    }
  }
}

TEST_F(StoreTest, ACursorBelowZeroIsZero) {
  Open();
  Database other = Database::Open(path(), Database::Mode::kReadWrite, 0).value();
  ASSERT_TRUE(other.Execute("INSERT INTO couriers VALUES ('mqtt', -5)").ok());
  EXPECT_EQ(Open().CursorOf("mqtt").value(), 0);
}

TEST_F(StoreTest, ReadersPagesAreBoundedInBytes) {
  OutboxStore store = Open();
  ASSERT_TRUE(store.Write(std::vector{EventNumber(1, "a", 1000), EventNumber(2, "a", 1000), EventNumber(3)}, {}).ok());
  EXPECT_EQ(Numbers(ReadEvents(path(), {.max_bytes = 1001, .with_pictures = true}).value()), (std::vector<int64_t>{1}));
  EXPECT_EQ(Numbers(ReadEvents(path(), {.after = 1, .max_bytes = 1, .with_pictures = true}).value()),
            (std::vector<int64_t>{2}))
      << "one at least";
  EXPECT_EQ(ReadEvents(path(), {.max_bytes = 1001}).value().size(), 3U);
}

TEST_F(StoreTest, AnotherReadsWhileOneWrites) {
  OutboxStore store = Open();
  Fill(store, 9);
  struct Case {
    const char* what;
    EventQuery query;
    std::vector<int64_t> expected;
  };
  const Case cases[] = {
      {"all", {}, {1, 2, 3, 4, 5, 6, 7, 8, 9}},
      {"after a number", {.after = 7}, {8, 9}},
      {"since a time", {.since_us = 7000}, {7, 8, 9}},
      {"since a time in the future", {.since_us = 1'000'000}, {}},
      {"the first", {.limit = 2}, {1, 2}},
      {"the newest", {.limit = 2, .newest = true}, {8, 9}},
      {"of a type", {.types = {"result"}}, {3, 6, 9}},
      {"of a stream", {.stream = "even"}, {2, 4, 6, 8}},
      {"all together", {.since_us = 3000, .types = {"counts"}, .stream = "odd", .after = 1, .limit = 1}, {5}},
      {"none", {.limit = 0}, {}},
  };
  for (const Case& c : cases) {
    const auto events = ReadEvents(path(), c.query);
    ASSERT_TRUE(events.ok()) << events.error().message;
    EXPECT_EQ(Numbers(events.value()), c.expected) << c.what;
  }
  ASSERT_TRUE(store.Write(std::vector{EventNumber(10, "dwell", 7)}, {}).ok());
  const auto last = ReadEvents(path(), {.after = 9, .with_pictures = true}).value();
  ASSERT_EQ(last.size(), 1U);
  EXPECT_EQ(last[0].picture.size(), 7U);
}

TEST_F(StoreTest, ReadingSaysWhatIsWrong) {
  EXPECT_EQ(ReadEvents(path(), {}).status().error().message, path().string() + ": no outbox there");
  ASSERT_TRUE(WriteFileAtomically(path(), "hello, I am a text file, long enough to have a header").ok());
  const Error error = ReadEvents(path(), {}).status().error();
  EXPECT_EQ(error.code, ErrorCode::kBadInput);
  EXPECT_NE(error.message.find(path().string() + ": damaged"), std::string::npos) << error.message;
}

TEST_F(StoreTest, OneProcessAtATimeMayClaimAFile) {
  const Result<OutboxFile> first = OutboxFile::Claim(path());
  ASSERT_TRUE(first.ok());
  const Result<OutboxFile> second = OutboxFile::Claim(path());  // a lock of its own, as another process has
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(second.error().message, "outbox " + path().string() + ": process " + std::to_string(getpid()) +
                                        " uses it; give each process an outbox of its own");
}

TEST_F(StoreTest, PutsADamagedFileAsideButNoForeignOne) {
  ASSERT_TRUE(WriteFileAtomically(path(), "somebody's notes").ok());
  {
    OutboxFile file = OutboxFile::Claim(path()).value();
    EXPECT_EQ(file.Open(false, 1).status().error().message,
              path().string() + ": no outbox, but a file of another kind; give another path");
    EXPECT_EQ(ReadFile(path()).value(), "somebody's notes");
  }
  OutboxFile file = OutboxFile::Claim(path()).value();  // now the lock file says that it was an outbox
  EXPECT_TRUE(file.Open(false, 77).ok());
  EXPECT_EQ(ReadFile(path().string() + ".damaged-77").value(), "somebody's notes");
}

TEST_F(StoreTest, KeepsTheNewestTwoDamagedFiles) {
  OutboxFile file = OutboxFile::Claim(path()).value();
  const auto put_aside = [&](int64_t time) {
    ASSERT_TRUE(WriteFileAtomically(path(), std::to_string(time)).ok());
    ASSERT_TRUE(WriteFileAtomically(path().string() + "-wal", "log").ok());
    ASSERT_TRUE(file.PutAside(time).ok());
  };
  const auto names = [&] {
    std::vector<std::string> all;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
      if (const std::string name = entry.path().filename().string(); name.find("damaged") != std::string::npos)
        all.push_back(name);
    }
    std::ranges::sort(all);
    return all;
  };
  const Path other = folder_.path() / "outbox.db.damaged-1-notes";  // somebody else's
  ASSERT_TRUE(WriteFileAtomically(other, "notes").ok());
  for (const int64_t time : {8, 9, 10}) put_aside(time);
  EXPECT_EQ(names(),
            (std::vector<std::string>{"outbox.db.damaged-1-notes", "outbox.db.damaged-10", "outbox.db.damaged-10-wal",
                                      "outbox.db.damaged-9", "outbox.db.damaged-9-wal"}));
  put_aside(2);  // the clock was set back
  EXPECT_EQ(names(),
            (std::vector<std::string>{"outbox.db.damaged-1-notes", "outbox.db.damaged-10", "outbox.db.damaged-10-wal",
                                      "outbox.db.damaged-2", "outbox.db.damaged-2-wal"}));
}

}  // namespace
}  // namespace deepedge
