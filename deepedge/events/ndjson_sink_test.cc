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

  // Lines of the file, each of which has to be a whole object.
  int64_t CountWholeLines() const {
    const std::string content = ReadFile(path_).value();
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

TEST_F(NdjsonSinkTest, SaysWhyItCannotBeMade) {
  const auto sink = NdjsonSink::Create({.path = folder_->path()}, clock_);
  ASSERT_FALSE(sink.ok());
  EXPECT_THAT(sink.error().message, HasSubstr("Is a directory"));
}

}  // namespace
}  // namespace deepedge
