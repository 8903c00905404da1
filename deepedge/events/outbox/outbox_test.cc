#include "deepedge/events/outbox/outbox.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <fstream>
#include <set>

#include "deepedge/events/file_size_limit.h"
#include "deepedge/events/outbox/fake_courier_for_test.h"

namespace deepedge {
namespace {

using std::chrono::milliseconds;

Event EventNumber(int number) { return StreamUpEvent{.stream = "s", .at_us = number, .id = std::to_string(number)}; }

std::vector<std::string> IdsUpTo(int count, int first = 0) {
  std::vector<std::string> ids;
  for (int i = first; i < count; ++i) ids.push_back(std::to_string(i));
  return ids;
}

class OutboxTest : public testing::Test {
 protected:
  Path path() const { return folder_.path() / "state" / "outbox.db"; }
  Outbox::Options Options() const {
    return {.file = path(), .max_age = Duration(0), .backoff = {milliseconds(2), milliseconds(20)}};
  }
  std::unique_ptr<Outbox> Open(const Outbox::Options& options) { return Outbox::Create(options, clock_).value(); }
  std::unique_ptr<Outbox> Open() { return Open(Options()); }
  template <typename Condition>
  bool WaitUntil(Condition condition) {
    const Time until = clock_.Now() + std::chrono::seconds(10);
    while (!condition() && clock_.Now() < until) std::this_thread::sleep_for(milliseconds(2));
    return condition();
  }

  RealClock clock_;
  TemporaryFolder folder_ = TemporaryFolder::Create("de_outbox_test").value();
};

TEST_F(OutboxTest, DeliversInOrderAndCounts) {
  Received received;
  auto outbox = Open();
  outbox->AddCourier(std::make_unique<FakeCourier>(received), {});
  for (int i = 0; i < 3000; ++i) outbox->Publish(EventNumber(i));
  EXPECT_TRUE(outbox->Close().ok());
  EXPECT_EQ(received.ids(), IdsUpTo(3000));
  const CourierCounts counts = outbox->couriers().at(0);
  EXPECT_EQ(counts.name, "fake");
  EXPECT_EQ(counts.delivered, 3000);
  EXPECT_EQ(counts.waiting, 0);
  EXPECT_EQ(counts.lost, 0);
}

TEST_F(OutboxTest, GivesACourierItsTypesOnlyWithPictures) {
  Received received;
  auto outbox = Open();
  outbox->AddCourier(std::make_unique<FakeCourier>(received), {"track_ended", "dwell"});
  const auto picture = std::make_shared<std::vector<uint8_t>>(std::vector<uint8_t>{1, 2, 3});
  for (int i = 0; i < 5000; ++i) outbox->Publish(EventNumber(i));
  outbox->Publish(TrackEvent{.ended = true, .stream = "s", .picture = picture, .id = "t"});
  EXPECT_TRUE(outbox->Close().ok());
  ASSERT_EQ(received.ids(), std::vector<std::string>{"t"});
  EXPECT_EQ(received.events()[0].type, "track_ended");
  EXPECT_EQ(received.events()[0].picture, std::string("\x01\x02\x03"));
  EXPECT_EQ(outbox->couriers().at(0).delivered, 1);
}

TEST_F(OutboxTest, ACourierGoesOnWhereItStoppedAndANewOneStartsAtTheEnd) {
  Received old_courier;
  Received new_courier;
  {
    auto outbox = Open();
    outbox->AddCourier(std::make_unique<FakeCourier>(old_courier, "old"), {});
    for (int i = 0; i < 10; ++i) outbox->Publish(EventNumber(i));
    ASSERT_TRUE(outbox->Close().ok());
  }
  {
    auto outbox = Open();  // a run without the courier
    for (int i = 10; i < 20; ++i) outbox->Publish(EventNumber(i));
    ASSERT_TRUE(outbox->Close().ok());
  }
  auto outbox = Open();
  outbox->AddCourier(std::make_unique<FakeCourier>(old_courier, "old"), {});
  outbox->AddCourier(std::make_unique<FakeCourier>(new_courier, "new"), {});
  for (int i = 20; i < 30; ++i) outbox->Publish(EventNumber(i));
  ASSERT_TRUE(outbox->Close().ok());
  EXPECT_EQ(old_courier.ids(), IdsUpTo(30));
  EXPECT_EQ(new_courier.ids(), IdsUpTo(30, 20));
}

TEST_F(OutboxTest, ACursorThatCannotBeReadIsNotWrittenOver) {
  Received received;
  Received new_courier;
  {
    auto outbox = Open();
    outbox->AddCourier(std::make_unique<FakeCourier>(received), {});
    outbox->Publish(EventNumber(0));
    ASSERT_TRUE(outbox->Close().ok());
  }
  auto outbox = Open();
  for (int i = 1; i < 10; ++i) outbox->Publish(EventNumber(i));  // before the courier is there
  ASSERT_TRUE(WaitUntil([&] { return outbox->counts().delivered == 9; }));
  Database other = Database::Open(path(), Database::Mode::kReadWrite, 1000).value();
  ASSERT_TRUE(other.Execute("ALTER TABLE couriers RENAME TO elsewhere").ok());
  outbox->AddCourier(std::make_unique<FakeCourier>(received), {});
  outbox->AddCourier(std::make_unique<FakeCourier>(new_courier, "new"), {});
  for (int i = 10; i < 20; ++i) outbox->Publish(EventNumber(i));
  std::this_thread::sleep_for(milliseconds(200));
  EXPECT_EQ(outbox->counts().delivered, 9) << "the new courier is to get the others";
  ASSERT_TRUE(other.Execute("ALTER TABLE elsewhere RENAME TO couriers").ok());
  EXPECT_TRUE(received.WaitFor(20));
  EXPECT_TRUE(new_courier.WaitFor(10));
  EXPECT_TRUE(outbox->Close().ok());
  EXPECT_EQ(received.ids(), IdsUpTo(20));
  EXPECT_EQ(new_courier.ids(), IdsUpTo(20, 10));
}

TEST_F(OutboxTest, WhatFailedComesAgainWhileOthersGoOn) {
  Received flaky;
  Received steady;
  int attempts = 0;
  auto outbox = Open();
  outbox->AddCourier(std::make_unique<FakeCourier>(
                         "flaky",
                         [&](std::span<const StoredEvent> events, const std::stop_token&) -> Result<Delivery> {
                           if (++attempts % 2 == 1) {
                             return Error{ErrorCode::kUnavailable, "no route"};
                           }
                           const size_t some = std::min<size_t>(events.size(), 7);
                           flaky.Add(events.first(some));
                           return Delivery{.arrived = some};
                         }),
                     {});
  outbox->AddCourier(std::make_unique<FakeCourier>(steady, "steady"), {});
  for (int i = 0; i < 100; ++i) outbox->Publish(EventNumber(i));
  EXPECT_TRUE(steady.WaitFor(100));
  EXPECT_TRUE(flaky.WaitFor(100));
  EXPECT_TRUE(outbox->Close().ok());
  EXPECT_EQ(flaky.ids(), IdsUpTo(100));
}

TEST_F(OutboxTest, WhatIsNotDeliveredAtCloseWaitsForTheNextRun) {
  auto outbox = Open();
  outbox->AddCourier(
      std::make_unique<FakeCourier>(
          "fake", [](auto, const auto&) -> Result<Delivery> { return Error{ErrorCode::kUnavailable, "no broker"}; }),
      {});
  for (int i = 0; i < 10; ++i) outbox->Publish(EventNumber(i));
  EXPECT_TRUE(WaitUntil([&] { return outbox->couriers().at(0).waiting == 10; }));
  EXPECT_TRUE(WaitUntil([&] { return outbox->couriers().at(0).last_error == "no broker"; }));
  EXPECT_TRUE(outbox->Close().ok());
  EXPECT_EQ(outbox->counts().delivered, 10) << "kept";
  EXPECT_EQ(outbox->counts().lost, 0);
  EXPECT_EQ(outbox->couriers().at(0).lost, 0);

  outbox.reset();
  Received received;
  outbox = Open();
  outbox->AddCourier(std::make_unique<FakeCourier>(received), {});
  EXPECT_TRUE(received.WaitFor(10));
  EXPECT_TRUE(outbox->Close().ok());
  EXPECT_EQ(received.ids(), IdsUpTo(10));
}

TEST_F(OutboxTest, CloseInterruptsADeliveryWithinASecond) {
  auto outbox = Open();
  outbox->AddCourier(std::make_unique<FakeCourier>("slow",
                                                   [](auto, const std::stop_token& stop) -> Result<Delivery> {
                                                     while (!stop.stop_requested()) {
                                                       std::this_thread::sleep_for(milliseconds(1));
                                                     }
                                                     return Delivery{};
                                                   }),
                     {});
  outbox->Publish(EventNumber(0));
  EXPECT_TRUE(WaitUntil([&] { return outbox->couriers().at(0).waiting == 1; }));
  const Time before = clock_.Now();
  EXPECT_TRUE(outbox->Close().ok());
  EXPECT_LT(clock_.Now() - before, milliseconds(1500));
  EXPECT_EQ(outbox->couriers().at(0).waiting, 1);
}

TEST_F(OutboxTest, CountsWhatTheOtherSideRefuses) {
  auto outbox = Open();
  outbox->AddCourier(std::make_unique<FakeCourier>("fake",
                                                   [](std::span<const StoredEvent> events, const auto&) {
                                                     return Delivery{.arrived = events.size(), .refused = 1};
                                                   }),
                     {});
  outbox->Publish(EventNumber(0));
  EXPECT_TRUE(outbox->Close().ok());
  EXPECT_EQ(outbox->couriers().at(0).refused, 1);
  EXPECT_EQ(outbox->couriers().at(0).delivered, 0);
}

TEST_F(OutboxTest, RetentionByBytesRemovesTheOldestAndCountsThemLost) {
  Outbox::Options options = Options();
  options.max_bytes = 1'000'000;
  options.queue_bytes = 100'000'000;
  Received received;
  const auto picture = std::make_shared<std::vector<uint8_t>>(4000);
  {
    auto outbox = Open(options);
    outbox->AddCourier(
        std::make_unique<FakeCourier>(
            "dead", [](auto, const auto&) -> Result<Delivery> { return Error{ErrorCode::kUnavailable, ""}; }),
        {});
    for (int i = 0; i < 3000; ++i) {
      outbox->Publish(TrackEvent{.stream = "s", .picture = picture, .id = std::to_string(i)});
    }
    // A batch of 256 is in hand and may still arrive, whether or not it is in the file.
    EXPECT_TRUE(WaitUntil([&] {
      const CourierCounts counts = outbox->couriers().at(0);
      return counts.lost > 2000 && counts.waiting < 275 + 256;
    }));
    EXPECT_TRUE(outbox->Close().ok());
    const CourierCounts counts = outbox->couriers().at(0);
    EXPECT_EQ(counts.lost + counts.waiting, 3000);
    EXPECT_GT(counts.waiting, 0);
    const auto kept = ReadEvents(path(), {.limit = 5000}).value();
    EXPECT_EQ(static_cast<int64_t>(kept.size()), counts.waiting);
    EXPECT_EQ(kept.back().id, "2999") << "the newest are kept";
    EXPECT_LT(kept.size() * 4000, 1'100'000U);
  }
  auto outbox = Open(options);
  outbox->AddCourier(std::make_unique<FakeCourier>(received, "dead"), {});
  EXPECT_TRUE(outbox->Close().ok());
  EXPECT_EQ(received.ids().back(), "2999") << "what is left comes";
}

TEST_F(OutboxTest, RetentionByAgeRemovesWhatIsOld) {
  Outbox::Options options = Options();
  options.max_age = std::chrono::hours(1);
  auto outbox = Open(options);
  const int64_t now = clock_.EpochMicros(clock_.Now());
  const int64_t old = now - int64_t{2} * 3600 * 1'000'000;
  for (int i = 0; i < 600; ++i) outbox->Publish(StreamUpEvent{.stream = "s", .at_us = old + i, .id = "old"});
  outbox->Publish(StreamUpEvent{.stream = "s", .at_us = now, .id = "now"});
  EXPECT_TRUE(WaitUntil([&] { return ReadEvents(path(), {}).value().size() == 1; }));
  EXPECT_EQ(ReadEvents(path(), {}).value()[0].id, "now");
  EXPECT_TRUE(outbox->Close().ok());
}

TEST_F(OutboxTest, RetentionByAgeKeepsWhatAWrongClockWrote) {
  Outbox::Options options = Options();
  options.max_age = std::chrono::hours(1);
  auto outbox = Open(options);
  for (int i = 0; i < 600; ++i) outbox->Publish(EventNumber(i));  // of 1970; so many that retention looks at once
  EXPECT_TRUE(WaitUntil([&] { return outbox->counts().delivered == 600; }));
  outbox->Publish(StreamUpEvent{.stream = "s", .at_us = clock_.EpochMicros(clock_.Now()), .id = "now"});
  EXPECT_TRUE(outbox->Close().ok());
  EXPECT_EQ(ReadEvents(path(), {}).value().size(), 601U);
}

TEST_F(OutboxTest, ABatchThatNeverArrivesIsGivenUpWithItsRows) {
  Outbox::Options options = Options();
  options.max_age = std::chrono::hours(1);
  const int64_t now = clock_.EpochMicros(clock_.Now());
  const int64_t almost_old = now - int64_t{3600} * 1'000'000 + 1'500'000;  // too old in a second and a half
  Received received;
  auto outbox = Open(options);
  outbox->AddCourier(
      std::make_unique<FakeCourier>("picky",
                                    [&](std::span<const StoredEvent> events, const auto&) -> Result<Delivery> {
                                      if (events[0].id == "bad") return Error{ErrorCode::kUnavailable, "indigestible"};
                                      received.Add(events);
                                      return Delivery{.arrived = events.size()};
                                    }),
      {});
  // Fewer than make retention look before it does so by itself.
  for (int i = 0; i < 280; ++i) outbox->Publish(StreamUpEvent{.stream = "s", .at_us = almost_old, .id = "bad"});
  for (int i = 0; i < 200; ++i) outbox->Publish(StreamUpEvent{.stream = "s", .at_us = now, .id = std::to_string(i)});
  EXPECT_TRUE(received.WaitFor(200)) << "those behind it come";
  EXPECT_TRUE(outbox->Close().ok());
  EXPECT_EQ(received.ids(), IdsUpTo(200));
  const CourierCounts counts = outbox->couriers().at(0);
  EXPECT_EQ(counts.delivered, 200);
  EXPECT_EQ(counts.lost, 280);
  EXPECT_EQ(counts.waiting, 0);
}

TEST_F(OutboxTest, AFullDiskMakesEventsWaitThenTheNewestAreLost) {
  Outbox::Options options = Options();
  options.queue_capacity = 50;
  auto outbox = Open(options);
  outbox->Publish(EventNumber(0));
  EXPECT_TRUE(WaitUntil([&] { return outbox->counts().delivered == 1; }));
  {
    const FileSizeLimit full(1);
    outbox->Publish(EventNumber(1));
    std::this_thread::sleep_for(milliseconds(200));  // it fails meanwhile, and waits for its next attempt
    for (int i = 2; i < 100; ++i) outbox->Publish(EventNumber(i));
    EXPECT_TRUE(WaitUntil([&] { return outbox->counts().lost == 49; }));
    EXPECT_EQ(outbox->counts().delivered, 1);
  }
  EXPECT_TRUE(WaitUntil([&] { return outbox->counts().delivered == 51; })) << "there is room again";
  EXPECT_TRUE(outbox->Close().ok());
  EXPECT_EQ(outbox->counts().lost, 49);
}

TEST_F(OutboxTest, CloseSaysWhatCouldNotBeKept) {
  auto outbox = Open();
  const FileSizeLimit full(1);
  for (int i = 0; i < 3; ++i) outbox->Publish(EventNumber(i));
  const Time before = clock_.Now();
  const Status status = outbox->Close();
  EXPECT_LT(clock_.Now() - before, milliseconds(2000));
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message.find("outbox: 3 events could not be kept: " + path().string()), std::string::npos)
      << status.error().message;
  EXPECT_EQ(outbox->counts().lost, 3);
}

TEST_F(OutboxTest, ALockedFileIsWaitedFor) {
  auto outbox = Open();
  {
    Database other = Database::Open(path(), Database::Mode::kReadWrite, 1000).value();
    ASSERT_TRUE(other.Execute("BEGIN IMMEDIATE").ok());
    for (int i = 0; i < 10; ++i) outbox->Publish(EventNumber(i));
    std::this_thread::sleep_for(milliseconds(400));
    EXPECT_EQ(outbox->counts().delivered, 0);
    ASSERT_TRUE(other.Execute("ROLLBACK").ok());
  }
  EXPECT_TRUE(WaitUntil([&] { return outbox->counts().delivered == 10; }));
  EXPECT_TRUE(outbox->Close().ok());
}

TEST_F(OutboxTest, QueuedBytesAreBounded) {
  Outbox::Options options = Options();
  options.queue_bytes = 10'000;
  auto outbox = Open(options);
  const auto picture = std::make_shared<std::vector<uint8_t>>(20'000);
  outbox->Publish(TrackEvent{.stream = "s", .picture = picture, .id = "big"});
  outbox->Publish(EventNumber(0));
  EXPECT_TRUE(outbox->Close().ok());
  EXPECT_EQ(outbox->counts().lost, 1);
  EXPECT_EQ(outbox->counts().delivered, 1);
}

// Overwrites the pages of the file while it is in use.
void Scribble(const Path& path) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  const auto size = std::filesystem::file_size(path);
  for (uintmax_t at = 0; at < size; at += 1024) {
    file.seekp(static_cast<std::streamoff>(at));
    file << "scribble";
  }
}

TEST_F(OutboxTest, AFileDamagedInUseIsPutAsideAndEventsGoOn) {
  Received received;
  std::atomic<bool> may_deliver = false;
  auto outbox = Open();
  outbox->AddCourier(
      std::make_unique<FakeCourier>("fake",
                                    [&](std::span<const StoredEvent> events, const auto&) -> Result<Delivery> {
                                      if (!may_deliver) return Error{ErrorCode::kUnavailable, "not yet"};
                                      received.Add(events);
                                      return Delivery{.arrived = events.size()};
                                    }),
      {});
  // More than SQLite keeps in its cache, so that the courier's events have to be read from the file.
  const auto picture = std::make_shared<std::vector<uint8_t>>(8000);
  for (int i = 0; i < 3000; ++i) {
    outbox->Publish(TrackEvent{.stream = "s", .picture = picture, .id = std::to_string(i)});
  }
  EXPECT_TRUE(WaitUntil([&] { return outbox->counts().delivered == 3000; }));
  Scribble(path().string() + "-wal");
  Scribble(path());
  may_deliver = true;
  EXPECT_TRUE(WaitUntil([&] { return outbox->couriers().at(0).lost > 0; }));
  for (int i = 3000; i < 3100; ++i) outbox->Publish(EventNumber(i));
  EXPECT_TRUE(WaitUntil([&] { return !received.ids().empty() && received.ids().back() == "3099"; }));
  EXPECT_TRUE(outbox->Close().ok());
  const CourierCounts counts = outbox->couriers().at(0);
  EXPECT_EQ(counts.delivered + counts.lost, 3100);
  EXPECT_EQ(ReadEvents(path(), {}).value().size(), 100U) << "the new file";
}

TEST_F(OutboxTest, WhatIsLostInTwoDamagesIsBookedOnce) {
  std::atomic<bool> may_deliver = false;
  Received received;
  auto outbox = Open();
  outbox->AddCourier(
      std::make_unique<FakeCourier>("fake",
                                    [&](std::span<const StoredEvent> events, const auto&) -> Result<Delivery> {
                                      if (!may_deliver) return Error{ErrorCode::kUnavailable, "not yet"};
                                      received.Add(events);
                                      return Delivery{.arrived = events.size()};
                                    }),
      {});
  const auto picture = std::make_shared<std::vector<uint8_t>>(8000);
  const auto counts = [&] { return outbox->couriers().at(0); };
  int published = 0;
  for (int damage = 1; damage <= 2; ++damage) {
    may_deliver = false;
    const int64_t lost_before = counts().lost;
    for (int i = 0; i < 2000; ++i) {
      outbox->Publish(TrackEvent{.stream = "s", .picture = picture, .id = std::to_string(published++)});
    }
    ASSERT_TRUE(WaitUntil([&] { return outbox->counts().delivered == published; }));
    Scribble(path().string() + "-wal");
    Scribble(path());
    may_deliver = true;
    ASSERT_TRUE(WaitUntil([&] { return counts().lost > lost_before; })) << "damage " << damage;
    EXPECT_EQ(counts().delivered + counts().lost + counts().waiting, published) << "damage " << damage;
  }
  outbox->Publish(EventNumber(published++));
  EXPECT_TRUE(WaitUntil([&] { return !received.ids().empty() && received.ids().back() == "4000"; }));
  EXPECT_TRUE(outbox->Close().ok());
  EXPECT_EQ(counts().delivered + counts().lost, published);
  EXPECT_EQ(counts().delivered, static_cast<int64_t>(received.ids().size()));
  EXPECT_EQ(counts().waiting, 0);
}

TEST_F(OutboxTest, ADamagedFileIsPutAsideAtStart) {
  Open()->Close().Ignore("empty");
  Scribble(path());
  Received received;
  auto outbox = Open();
  outbox->AddCourier(std::make_unique<FakeCourier>(received), {});
  outbox->Publish(EventNumber(0));
  EXPECT_TRUE(outbox->Close().ok());
  EXPECT_EQ(received.ids(), IdsUpTo(1));
  int put_aside = 0;
  for (const auto& entry : std::filesystem::directory_iterator(path().parent_path())) {
    put_aside += entry.path().filename().string().starts_with("outbox.db.damaged-") ? 1 : 0;
  }
  EXPECT_GE(put_aside, 1);
}

TEST_F(OutboxTest, TwoAtOnceAreRefused) {
  auto outbox = Open();
  const auto second = Outbox::Create(Options(), clock_);
  ASSERT_FALSE(second.ok());
  EXPECT_NE(second.status().error().message.find("uses it"), std::string::npos);
}

// The child: publishes for ever, tells through `told` how many are committed, and acknowledges what it writes there.
[[noreturn]] void RunUntilKilled(const Outbox::Options& options, int committed, int acknowledged) {
  const RealClock clock;
  auto outbox = Outbox::Create(options, clock).value();
  outbox->AddCourier(std::make_unique<FakeCourier>(
                         "fake",
                         [&](std::span<const StoredEvent> events, const auto&) {
                           std::this_thread::sleep_for(milliseconds(5));
                           std::string text;
                           for (const StoredEvent& event : events.first((events.size() + 1) / 2))
                             text += event.id + '\n';
                           DE_CHECK(write(acknowledged, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
                           return Delivery{.arrived = (events.size() + 1) / 2};
                         }),
                     {});
  for (int i = 0;; ++i) {
    outbox->Publish(EventNumber(i));
    if (i % 50 == 0) {
      const std::string text = std::to_string(outbox->counts().delivered) + '\n';
      DE_CHECK(write(committed, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
      std::this_thread::sleep_for(milliseconds(1));
    }
  }
}

std::vector<std::string> Lines(const Path& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

TEST_F(OutboxTest, KilledInTheMiddleNothingCommittedIsLostAndTheRestComesAgain) {
  const Path committed_file = folder_.path() / "committed";
  const Path acknowledged_file = folder_.path() / "acknowledged";
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    std::ofstream(committed_file).close();
    const int committed = open(committed_file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    const int acknowledged = open(acknowledged_file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    RunUntilKilled(Options(), committed, acknowledged);
  }
  EXPECT_TRUE(WaitUntil([&] {
    const auto lines = Lines(committed_file);
    return !lines.empty() && std::stoi(lines.back()) > 2000;
  }));
  kill(child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));

  const int committed = std::stoi(Lines(committed_file).back());
  const std::vector<std::string> acknowledged = Lines(acknowledged_file);
  Received received;
  auto outbox = Open();
  outbox->AddCourier(std::make_unique<FakeCourier>(received), {});
  outbox->Publish(EventNumber(1'000'000));
  EXPECT_TRUE(WaitUntil([&] { return !received.ids().empty() && received.ids().back() == "1000000"; }));
  EXPECT_TRUE(outbox->Close().ok());

  std::set<std::string> seen(acknowledged.begin(), acknowledged.end());
  const size_t before = seen.size();
  auto again = received.ids();
  again.pop_back();
  seen.insert(again.begin(), again.end());
  EXPECT_GE(static_cast<int>(seen.size()), committed) << "what was said to be committed is there";
  for (int i = 0; i < static_cast<int>(seen.size()); ++i) {
    ASSERT_TRUE(seen.contains(std::to_string(i))) << "no gap: " << i << " of " << seen.size();
  }
  EXPECT_LT(before + again.size(), seen.size() + 1000) << "only what was on its way comes twice";
  EXPECT_TRUE(std::ranges::is_sorted(again, {}, [](const std::string& id) { return std::stoi(id); }));
}

}  // namespace
}  // namespace deepedge
