#include "deepedge/events/snapshot_sink.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <set>

#include "deepedge/events/event_bus.h"
#include "deepedge/events/file_size_limit.h"

namespace deepedge {
namespace {

using testing::HasSubstr;

constexpr std::string_view kRun = "t0u4k1a7xw3f9bc";

std::string IdOfNumber(int number) { return fmt::format("{}-{}", kRun, number); }

Event WithPicture(const std::string& id, size_t bytes) {
  SceneEvent event{.stream = "gate", .id = id};
  event.picture = std::make_shared<const std::vector<uint8_t>>(bytes, static_cast<uint8_t>('x'));
  return event;
}

class SnapshotSinkTest : public testing::Test {
 protected:
  std::unique_ptr<SnapshotSink> Make(SnapshotSink::Options options) {
    if (options.folder.empty()) options.folder = folder_;
    auto sink = SnapshotSink::Create(std::move(options), clock_);
    EXPECT_TRUE(sink.ok()) << sink.error().message;
    return std::move(sink).value();
  }
  std::set<std::string> Names() const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) names.insert(entry.path().filename());
    return names;
  }
  std::set<std::string> NamesOf(const std::vector<int>& numbers) const {
    std::set<std::string> names;
    for (const int number : numbers) names.insert(IdOfNumber(number) + ".jpg");
    return names;
  }

  RealClock clock_;
  TemporaryFolder root_ = TemporaryFolder::Create("de_snapshot_test").value();
  Path folder_ = root_.path() / "a" / "b";
};

TEST_F(SnapshotSinkTest, WritesPicturesAndCountsWhatHasNone) {
  const auto sink = Make({});
  sink->Publish(WithPicture(IdOfNumber(1), 100));
  sink->Publish(StreamUpEvent{.stream = "gate", .id = IdOfNumber(2)});
  sink->Publish(WithPicture(IdOfNumber(3), 0));
  EXPECT_TRUE(sink->Close().ok());
  EXPECT_EQ(Names(), NamesOf({1}));
  EXPECT_EQ(ReadFile(folder_ / (IdOfNumber(1) + ".jpg")).value(), std::string(100, 'x'));
  EXPECT_EQ(sink->counts().accepted, 3);
  EXPECT_EQ(sink->counts().delivered, 3);
  EXPECT_EQ(sink->counts().lost, 0);
}

TEST_F(SnapshotSinkTest, LosesWhatHasNoUsableId) {
  const auto sink = Make({});
  for (const char* id : {"", "../up", "/etc/x", ".hidden", "a b", "a\nb"}) sink->Publish(WithPicture(id, 10));
  const Status closed = sink->Close();
  ASSERT_FALSE(closed.ok());
  EXPECT_THAT(closed.error().message, HasSubstr("6 snapshots could not be written"));
  EXPECT_EQ(sink->counts().lost, 6);
  EXPECT_TRUE(Names().empty());
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(root_.path()), {}), 1);
}

TEST_F(SnapshotSinkTest, KeepsTheNewestThatFit) {
  const auto sink = Make({.max_bytes = 1000});
  for (int i = 1; i <= 10; ++i) sink->Publish(WithPicture(IdOfNumber(i), 300));
  sink->Publish(WithPicture(IdOfNumber(10), 400));  // comes again: counts once
  EXPECT_TRUE(sink->Close().ok());
  EXPECT_EQ(Names(), NamesOf({8, 9, 10}));
}

TEST_F(SnapshotSinkTest, RefusesAPictureThatNeverFits) {
  const auto sink = Make({.max_bytes = 1000});
  sink->Publish(WithPicture(IdOfNumber(1), 300));
  sink->Publish(WithPicture(IdOfNumber(2), 1001));
  EXPECT_FALSE(sink->Close().ok());
  EXPECT_EQ(Names(), NamesOf({1}));
}

TEST_F(SnapshotSinkTest, CountsAndRemovesPicturesOfEarlierRunsOnly) {
  std::filesystem::create_directories(folder_);
  const auto put = [&](const std::string& name, int age_s) {
    ASSERT_TRUE(WriteFileAtomically(folder_ / name, std::string(400, 'o')).ok());
    const timespec times[2] = {{.tv_sec = 1'700'000'000 - age_s, .tv_nsec = 0},
                               {.tv_sec = 1'700'000'000 - age_s, .tv_nsec = 0}};
    ASSERT_EQ(utimensat(AT_FDCWD, (folder_ / name).c_str(), times, 0), 0);
  };
  put("IMG_2041.jpg", 900);  // somebody's own
  put("holiday-1.jpg", 900);
  put("notes.txt", 900);
  put(IdOfNumber(1) + ".jpg.tmp77", 900);  // cut short
  put(IdOfNumber(1) + ".jpg", 100);
  put(IdOfNumber(2) + ".jpg", 300);  // the oldest
  put(IdOfNumber(3) + ".jpg", 200);
  const auto sink = Make({.max_bytes = 1000});
  sink->Publish(WithPicture(IdOfNumber(4), 300));
  EXPECT_TRUE(sink->Close().ok());
  auto expected = NamesOf({1, 4});
  expected.insert({"IMG_2041.jpg", "holiday-1.jpg", "notes.txt"});
  EXPECT_EQ(Names(), expected);
}

TEST_F(SnapshotSinkTest, LosesWhatAFullDiskDoesNotTake) {
  const auto sink = Make({});
  Status closed;
  {
    const FileSizeLimit full(1000);
    for (int i = 1; i <= 20; ++i) sink->Publish(WithPicture(IdOfNumber(i), i % 2 == 0 ? 500 : 5000));
    closed = sink->Close();
  }
  ASSERT_FALSE(closed.ok());
  EXPECT_THAT(closed.error().message, HasSubstr("10 snapshots could not be written"));
  EXPECT_EQ(sink->counts().delivered, 10);
  EXPECT_EQ(sink->counts().lost, 10);
  EXPECT_EQ(Names().size(), 10U);  // and nothing half-written
}

TEST_F(SnapshotSinkTest, BoundsTheBytesThatWait) {
  const auto sink = Make({.queue_bytes = 1000});
  sink->Publish(WithPicture(IdOfNumber(1), 1001));
  EXPECT_TRUE(sink->Close().ok());
  EXPECT_EQ(sink->counts().lost, 1);
}

TEST_F(SnapshotSinkTest, SaysWhyItCannotBeMade) {
  ASSERT_TRUE(WriteFileAtomically(root_.path() / "file", "x").ok());
  const auto sink = SnapshotSink::Create({.folder = root_.path() / "file"}, clock_);
  ASSERT_FALSE(sink.ok());
  EXPECT_THAT(sink.error().message, HasSubstr("file: "));
}

TEST(IsSnapshotName, KnowsTheNamesOfEventIds) {
  EXPECT_TRUE(IsSnapshotName(IdPrefix(1'796'000'000'000'000, 12345) + "-17.jpg"));
  for (const char* name :
       {"t0u4k1a7xw3f9bc-1.jpg", "abcdefghijklmno-0.jpg", "t0u4k1a7xw3f9bc-18446744073709551615.jpg"}) {
    EXPECT_TRUE(IsSnapshotName(name)) << name;
  }
  for (const char* name : {"", ".jpg", "-1.jpg", "IMG_1.jpg", "IMG-20240101-1.jpg", "holiday-1.jpg",
                           "t0u4k1a7xw3f9b-1.jpg", "t0u4k1a7xw3f9bc-1.png", "t0u4k1a7xw3f9bc-.jpg",
                           "t0u4k1a7xw3f9bc.jpg", "T0U4K1A7XW3F9-1.jpg", "t0u4k1a7xw3f9bc-1a.jpg"}) {
    EXPECT_FALSE(IsSnapshotName(name)) << name;
  }
}

}  // namespace
}  // namespace deepedge
