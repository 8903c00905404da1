#include "deepedge/events/ndjson_sink.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "deepedge/base/unique_fd.h"
#include "deepedge/events/event_json.h"
#include "deepedge/events/file_size_limit.h"

namespace deepedge {
namespace {

using testing::HasSubstr;

Event EventNumber(int number) { return StreamDownEvent{"gate", number, "timed out", -1}; }

class NdjsonSinkTest : public testing::Test {
 protected:
  void SetUp() override {
    auto folder = TemporaryFolder::Create("de_events_test");
    ASSERT_TRUE(folder.ok());
    folder_.emplace(std::move(folder).value());
    path_ = folder_->path() / "events.ndjson";
  }

  std::unique_ptr<NdjsonSink> MakeSink(const Path& path, size_t capacity = 8192) {
    auto sink = NdjsonSink::Create({.path = path, .queue_capacity = capacity}, clock_);
    EXPECT_TRUE(sink.ok()) << sink.error().message;
    return std::move(sink).value();
  }

  std::unique_ptr<NdjsonSink> MakeRotating(const Path& path, int64_t bytes, int keep) {
    auto sink = NdjsonSink::Create({.path = path, .rotate_bytes = bytes, .rotate_keep = keep}, clock_);
    EXPECT_TRUE(sink.ok()) << sink.error().message;
    return std::move(sink).value();
  }
  Path PutAside(int number) const { return path_.string() + "." + std::to_string(number); }

  // Lines of the file, each of which has to be a whole object.
  int64_t CountWholeLines() const { return CountWholeLines(path_); }
  static int64_t CountWholeLines(const Path& path) {
    const std::string content = ReadFile(path).value();
    EXPECT_TRUE(content.empty() || content.ends_with('\n'));
    std::istringstream lines(content);
    int64_t count = 0;
    for (std::string line; std::getline(lines, line); ++count) EXPECT_TRUE(nlohmann::json::accept(line)) << line;
    return count;
  }

  RealClock clock_;
  std::optional<TemporaryFolder> folder_;
  Path path_;
};

TEST_F(NdjsonSinkTest, WritesWhileItRuns) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  const UniqueFd reader(open(path_.c_str(), O_RDONLY | O_NONBLOCK));
  const auto sink = MakeSink(path_);
  for (int i = 0; i < 3; ++i) {
    sink->Publish(EventNumber(i));
    pollfd ready{.fd = reader.get(), .events = POLLIN, .revents = 0};
    ASSERT_EQ(poll(&ready, 1, 10000), 1) << "not written promptly";
    std::array<char, 1024> buffer{};
    const ssize_t size = read(reader.get(), buffer.data(), buffer.size());
    ASSERT_GT(size, 0);
    EXPECT_EQ(std::string(buffer.data(), static_cast<size_t>(size)), ToJsonLine(EventNumber(i)) + "\n");
  }
}

TEST_F(NdjsonSinkTest, WritesToStandardOutput) {
  ASSERT_TRUE(WriteFileAtomically(path_, "").ok());
  fflush(stdout);
  const UniqueFd saved(dup(STDOUT_FILENO));
  const UniqueFd file(open(path_.c_str(), O_WRONLY));
  ASSERT_EQ(dup2(file.get(), STDOUT_FILENO), STDOUT_FILENO);
  const auto sink = MakeSink("-");
  sink->Publish(EventNumber(1));
  EXPECT_TRUE(sink->Close().ok());
  ASSERT_EQ(dup2(saved.get(), STDOUT_FILENO), STDOUT_FILENO);
  EXPECT_EQ(CountWholeLines(), 1);
}

TEST_F(NdjsonSinkTest, KeepsLinesWholeOnAFullDisk) {
  for (const rlim_t limit : {0U, 1U, 100U, 1000U, 70'000U, 100'000U}) {
    std::filesystem::remove(path_);
    const auto sink = MakeSink(path_);
    Status closed;
    {
      const FileSizeLimit full(limit);
      for (int i = 0; i < 2000; ++i) sink->Publish(EventNumber(i));
      closed = sink->Close();
    }
    ASSERT_FALSE(closed.ok());
    EXPECT_THAT(closed.error().message, HasSubstr("events.ndjson: "));
    EXPECT_THAT(closed.error().message, HasSubstr(" events could not be written: File too large"));
    const SinkCounts counts = sink->counts();
    EXPECT_EQ(counts.accepted, 2000);
    EXPECT_EQ(counts.delivered + counts.lost, 2000);
    EXPECT_EQ(counts.delivered, CountWholeLines());
    EXPECT_LE(std::filesystem::file_size(path_), limit);
  }
}

TEST_F(NdjsonSinkTest, KeepsTheEventsOfAnEarlierRun) {
  for (int i = 0; i < 3; ++i) {
    const auto sink = MakeSink(path_);
    sink->Publish(EventNumber(i));
    EXPECT_TRUE(sink->Close().ok());
    EXPECT_EQ(CountWholeLines(), i + 1);
  }
}

TEST_F(NdjsonSinkTest, CountsWhatAReaderThatIsGoneDoesNotGet) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  UniqueFd reader(open(path_.c_str(), O_RDONLY | O_NONBLOCK));
  const auto sink = MakeSink(path_);
  {
    const UniqueFd closed = std::move(reader);
  }
  for (int i = 0; i < 10; ++i) sink->Publish(EventNumber(i));
  const Status closed = sink->Close();
  ASSERT_FALSE(closed.ok());
  EXPECT_EQ(closed.error().message, path_.string() + ": 10 events could not be written: the reader is gone");
  EXPECT_EQ(sink->counts().lost, 10);
}

TEST_F(NdjsonSinkTest, NeverBlocksOnAReaderThatDoesNotRead) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  const UniqueFd reader(open(path_.c_str(), O_RDONLY | O_NONBLOCK));
  const auto sink = MakeSink(path_, 2000);  // more than a pipe holds
  for (int i = 0; i < 20000; ++i) sink->Publish(EventNumber(i));
  const Time before = clock_.Now();
  const Status closed = sink->Close();
  EXPECT_LT(clock_.Now() - before, std::chrono::seconds(3));
  ASSERT_FALSE(closed.ok());
  EXPECT_THAT(closed.error().message, HasSubstr("the reader does not take them"));
  const SinkCounts counts = sink->counts();
  EXPECT_EQ(counts.accepted, 20000);
  EXPECT_EQ(counts.delivered + counts.lost, 20000);
  EXPECT_GT(counts.delivered, 0);
  EXPECT_GT(counts.lost, 1000);
}

TEST_F(NdjsonSinkTest, QueuedBytesAreBounded) {
  const std::string line = ToJsonLine(EventNumber(0)) + "\n";
  const int64_t one = static_cast<int64_t>(line.size());
  auto sink = NdjsonSink::Create({.path = path_, .queue_bytes = one}, clock_).value();
  Event big = StreamDownEvent{"gate", 0, std::string(1000, 'x'), -1};
  sink->Publish(big);
  EXPECT_EQ(sink->counts().lost, 1) << "longer than the queue";
  // What is written makes room: each is taken when the one before it is in the file.
  for (int i = 1; i <= 3; ++i) {
    sink->Publish(EventNumber(0));
    const Time until = clock_.Now() + std::chrono::seconds(10);
    while (sink->counts().delivered < i && clock_.Now() < until) std::this_thread::yield();
    ASSERT_EQ(sink->counts().delivered, i);
  }
  EXPECT_TRUE(sink->Close().ok());
  EXPECT_EQ(sink->counts().lost, 1);
  EXPECT_EQ(ReadFile(path_).value(), line + line + line);
}

TEST_F(NdjsonSinkTest, WhatWaitsToBeWrittenCountsAsQueuedBytes) {
  const int64_t one = static_cast<int64_t>(ToJsonLine(EventNumber(0)).size()) + 1;
  auto sink = NdjsonSink::Create({.path = path_, .queue_bytes = 5 * one}, clock_).value();
  {
    const FileSizeLimit full(1);
    for (int i = 0; i < 8; ++i) sink->Publish(EventNumber(0));
    EXPECT_EQ(sink->counts().lost, 3);
  }
  const Time until = clock_.Now() + std::chrono::seconds(10);
  while (sink->counts().delivered < 5 && clock_.Now() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  for (int i = 0; i < 5; ++i) sink->Publish(EventNumber(0));
  EXPECT_TRUE(sink->Close().ok());
  EXPECT_EQ(sink->counts().delivered, 10) << "there is room again";
  EXPECT_EQ(sink->counts().lost, 3);
}

TEST_F(NdjsonSinkTest, PutsFullFilesAsideBetweenLines) {
  constexpr int kEvents = 100;
  constexpr int kKeep = 1000;
  for (const int64_t bytes : {int64_t{1}, int64_t{200}, int64_t{5000}, int64_t{1} << 40}) {
    const auto folder = TemporaryFolder::CreateIn(folder_->path(), "rotate").value();
    path_ = folder.path() / "events.ndjson";
    const auto sink = MakeRotating(path_, bytes, kKeep);
    for (int i = 0; i < kEvents; ++i) sink->Publish(EventNumber(i));
    EXPECT_TRUE(sink->Close().ok());
    EXPECT_EQ(sink->counts().delivered, kEvents);
    // All events are there, in order, from the last file put aside to the one that is written.
    std::string content;
    int files = 0;
    while (std::filesystem::exists(PutAside(files + 1))) ++files;
    for (int i = files; i >= 1; --i) {
      EXPECT_GT(CountWholeLines(PutAside(i)), 0);
      EXPECT_GE(std::filesystem::file_size(PutAside(i)), static_cast<uintmax_t>(bytes));
      EXPECT_LE(std::filesystem::file_size(PutAside(i)), static_cast<uintmax_t>(bytes + 200));
      content += ReadFile(PutAside(i)).value();
    }
    content += ReadFile(path_).value();
    std::string expected;
    for (int i = 0; i < kEvents; ++i) expected += ToJsonLine(EventNumber(i)) + "\n";
    EXPECT_EQ(content, expected);
    EXPECT_EQ(files == 0, bytes > 1'000'000);
  }
}

TEST_F(NdjsonSinkTest, KeepsTheNewestFilesOnly) {
  const auto sink = MakeRotating(path_, 1, 3);
  for (int i = 0; i < 50; ++i) sink->Publish(EventNumber(i));
  EXPECT_TRUE(sink->Close().ok());
  EXPECT_EQ(ReadFile(path_).value(), ToJsonLine(EventNumber(49)) + "\n");
  EXPECT_EQ(ReadFile(PutAside(3)).value(), ToJsonLine(EventNumber(46)) + "\n");
  EXPECT_FALSE(std::filesystem::exists(PutAside(4)));
}

TEST_F(NdjsonSinkTest, PutsALongFileOfAnEarlierRunAside) {
  ASSERT_TRUE(WriteFileAtomically(path_, std::string(300, 'x') + "\n").ok());
  const auto sink = MakeRotating(path_, 200, 3);
  sink->Publish(EventNumber(1));
  EXPECT_TRUE(sink->Close().ok());
  EXPECT_EQ(CountWholeLines(), 1);
  EXPECT_EQ(std::filesystem::file_size(PutAside(1)), 301U);
}

TEST_F(NdjsonSinkTest, PutsTheFileBehindALinkAside) {
  const Path link = folder_->path() / "link";
  std::filesystem::create_symlink(path_, link);
  const auto sink = MakeRotating(link, 1, 3);
  for (int i = 0; i < 3; ++i) sink->Publish(EventNumber(i));
  EXPECT_TRUE(sink->Close().ok());
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  EXPECT_EQ(CountWholeLines(PutAside(2)), 1);
}

TEST_F(NdjsonSinkTest, WritesOnWhereAFileCannotBePutAside) {
  std::filesystem::create_directory(PutAside(1));  // a file cannot take a folder's place
  const auto sink = MakeRotating(path_, 100, 1);
  testing::internal::CaptureStderr();
  for (int i = 0; i < 500; ++i) sink->Publish(EventNumber(i));
  EXPECT_TRUE(sink->Close().ok());
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("cannot be renamed to events.ndjson.1"));
  EXPECT_EQ(sink->counts().delivered, 500);
  EXPECT_EQ(CountWholeLines(), 500);
}

TEST_F(NdjsonSinkTest, BeginsANewFileWhereSomebodyMovedItAway) {
  const auto sink = MakeRotating(path_, 1, 3);
  sink->Publish(EventNumber(0));
  const Time until = clock_.Now() + std::chrono::seconds(10);
  while (sink->counts().delivered < 1 && clock_.Now() < until) poll(nullptr, 0, 1);
  std::filesystem::rename(path_, folder_->path() / "moved");
  sink->Publish(EventNumber(1));
  EXPECT_TRUE(sink->Close().ok());
  EXPECT_EQ(CountWholeLines(), 1);
  EXPECT_EQ(CountWholeLines(folder_->path() / "moved"), 1);
}

TEST_F(NdjsonSinkTest, NeverPutsAPipeOrStandardOutputAside) {
  ASSERT_TRUE(WriteFileAtomically(path_, "").ok());
  fflush(stdout);
  const UniqueFd saved(dup(STDOUT_FILENO));
  const UniqueFd file(open(path_.c_str(), O_WRONLY | O_APPEND));
  ASSERT_EQ(dup2(file.get(), STDOUT_FILENO), STDOUT_FILENO);
  const auto to_stdout = MakeRotating("-", 1, 1);
  for (int i = 0; i < 10; ++i) to_stdout->Publish(EventNumber(i));
  EXPECT_TRUE(to_stdout->Close().ok());
  ASSERT_EQ(dup2(saved.get(), STDOUT_FILENO), STDOUT_FILENO);
  EXPECT_EQ(CountWholeLines(), 10);

  const Path pipe = folder_->path() / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const UniqueFd reader(open(pipe.c_str(), O_RDONLY | O_NONBLOCK));
  const auto to_pipe = MakeRotating(pipe, 1, 1);
  for (int i = 0; i < 10; ++i) to_pipe->Publish(EventNumber(i));
  EXPECT_TRUE(to_pipe->Close().ok());
  EXPECT_EQ(to_pipe->counts().delivered, 10);
  EXPECT_TRUE(std::filesystem::is_fifo(pipe));
  EXPECT_FALSE(std::filesystem::exists(pipe.string() + ".1"));
}

TEST_F(NdjsonSinkTest, SaysWhyItCannotBeMade) {
  const auto sink = NdjsonSink::Create({.path = folder_->path()}, clock_);
  ASSERT_FALSE(sink.ok());
  EXPECT_THAT(sink.error().message, HasSubstr("Is a directory"));
}

}  // namespace
}  // namespace deepedge
