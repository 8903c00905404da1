#include "deepedge/events/line_writer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>

#include "deepedge/events/file_size_limit.h"

namespace deepedge {
namespace {

class LineWriterTest : public testing::Test {
 protected:
  void SetUp() override {
    BlockWriteSignals();
    auto folder = TemporaryFolder::Create("de_events_test");
    ASSERT_TRUE(folder.ok());
    folder_.emplace(std::move(folder).value());
    path_ = folder_->path() / "events.ndjson";
  }

  std::optional<TemporaryFolder> folder_;
  Path path_;
};

TEST_F(LineWriterTest, AppendsToAnOldFile) {
  const std::string zeros(100, '\0');
  const std::string long_start = "{" + std::string(10'000, 'x');
  const std::string too_long = "{" + std::string(2'000'000, 'x');
  const struct {
    std::string before;
    std::string after;
  } cases[] = {
      {"", "a\nb\n"},
      {"old\n", "old\na\nb\n"},
      {"{\"a\":1}\n{\"a\":", "{\"a\":1}\na\nb\n"},  // half-written by an earlier run
      {"{\"a\":", "a\nb\n"},
      {"old\n" + long_start, "old\na\nb\n"},
      {"old\n" + zeros, "old\na\nb\n"},
      {"not ours", "not ours\na\nb\n"},
      {too_long, too_long + "\na\nb\n"},
  };
  for (const auto& c : cases) {
    ASSERT_TRUE(WriteFileAtomically(path_, c.before).ok());
    auto writer = LineWriter::Open(path_);
    ASSERT_TRUE(writer.ok());
    const auto outcome = writer.value().Write("a\nb\n", -1, {});
    EXPECT_EQ(outcome.done, 4U);
    EXPECT_EQ(outcome.error, 0);
    EXPECT_TRUE(ReadFile(path_).value() == c.after) << c.before.substr(0, 100);
  }
}

TEST_F(LineWriterTest, CutsOnlyItsOwnPartFromAnOldFile) {
  ASSERT_TRUE(WriteFileAtomically(path_, "old\n").ok());
  auto writer = LineWriter::Open(path_);
  ASSERT_TRUE(writer.ok());
  const FileSizeLimit limit(12);
  const auto outcome = writer.value().Write("12345\n67890\n", -1, {});
  EXPECT_EQ(outcome.done, 6U);
  EXPECT_EQ(ReadFile(path_).value(), "old\n12345\n");
}

TEST_F(LineWriterTest, CutsTheLineThatDidNotFitAndGoesOnWithIt) {
  auto writer = LineWriter::Open(path_);
  ASSERT_TRUE(writer.ok());
  const std::string_view lines = "12345\n67890\nabcde\n";
  LineWriter::Outcome outcome;
  {
    const FileSizeLimit limit(10);
    outcome = writer.value().Write(lines, -1, {});
    EXPECT_EQ(outcome.done, 6U);
    EXPECT_EQ(outcome.error, EFBIG);
    EXPECT_EQ(ReadFile(path_).value(), "12345\n");
    outcome = writer.value().Write(lines.substr(6), -1, {});
    EXPECT_EQ(outcome.done, 0U);
    EXPECT_EQ(ReadFile(path_).value(), "12345\n");
  }
  outcome = writer.value().Write(lines.substr(6), -1, {});
  EXPECT_EQ(outcome.done, 12U);
  EXPECT_EQ(outcome.error, 0);
  EXPECT_EQ(ReadFile(path_).value(), lines);
}

TEST_F(LineWriterTest, FollowsAFileThatIsTruncatedByALogRotation) {
  auto writer = LineWriter::Open(path_);
  ASSERT_TRUE(writer.ok());
  writer.value().Write("first\n", -1, {});
  std::filesystem::resize_file(path_, 0);
  writer.value().Write("second\n", -1, {});
  EXPECT_EQ(ReadFile(path_).value(), "second\n");
}

TEST_F(LineWriterTest, GivesUpOnAReaderThatDoesNotRead) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  const UniqueFd reader(open(path_.c_str(), O_RDONLY | O_NONBLOCK));
  ASSERT_TRUE(reader.valid());
  auto writer = LineWriter::Open(path_);
  ASSERT_TRUE(writer.ok());
  const std::string lines(1000, '\n');
  LineWriter::Outcome outcome;
  size_t taken = 0;
  while (outcome.error == 0) {
    outcome = writer.value().Write(lines, -1, Duration(0));
    taken += outcome.done;
  }
  EXPECT_EQ(outcome.error, EAGAIN);
  EXPECT_GT(taken, lines.size());
  // The reader takes some: now there is room.
  std::array<char, 8192> buffer{};
  EXPECT_EQ(read(reader.get(), buffer.data(), buffer.size()), 8192);
  EXPECT_EQ(writer.value().Write(lines, -1, Duration(0)).done, lines.size());
  // Being told to give up ends waiting without a limit.
  while (writer.value().Write(lines, -1, Duration(0)).error == 0) {
  }
  const UniqueFd readable(open("/dev/null", O_RDONLY));
  EXPECT_EQ(writer.value().Write(lines, readable.get(), {}).error, EAGAIN);
}

TEST_F(LineWriterTest, ReportsAReaderThatIsGone) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  UniqueFd reader(open(path_.c_str(), O_RDONLY | O_NONBLOCK));
  auto writer = LineWriter::Open(path_);
  ASSERT_TRUE(writer.ok());
  {
    const UniqueFd closed = std::move(reader);
  }
  EXPECT_EQ(writer.value().Write("a\n", -1, {}).error, EPIPE);
}

TEST_F(LineWriterTest, SaysWhyAFileCannotBeOpened) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  const struct {
    Path path;
    std::string message;
  } cases[] = {
      {folder_->path(), ": cannot be opened for events: Is a directory"},
      {folder_->path() / "none" / "x", ": cannot be opened for events: No such file or directory"},
      {path_, ": cannot be opened for events: nobody reads this pipe"},
  };
  for (const auto& c : cases) {
    const auto writer = LineWriter::Open(c.path);
    ASSERT_FALSE(writer.ok());
    EXPECT_EQ(writer.error().code, ErrorCode::kBadInput);
    EXPECT_EQ(writer.error().message, c.path.string() + c.message);
  }
}

TEST_F(LineWriterTest, ReportsAFullDevice) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no full device here";
  auto writer = LineWriter::Open("/dev/full");
  ASSERT_TRUE(writer.ok());
  const auto outcome = writer.value().Write("a\n", -1, {});
  EXPECT_EQ(outcome.done, 0U);
  EXPECT_EQ(outcome.error, ENOSPC);
}

}  // namespace
}  // namespace deepedge
