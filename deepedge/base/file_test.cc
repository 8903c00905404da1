#include "deepedge/base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace deepedge {
namespace {

TEST(File, WritesAndReadsBack) {
  auto folder = TemporaryFolder::Create("de_file_test");
  ASSERT_TRUE(folder.ok());
  const Path path = folder.value().path() / "a.txt";
  ASSERT_TRUE(WriteFileAtomically(path, "abc").ok());
  EXPECT_EQ(ReadFile(path).value(), "abc");
  EXPECT_EQ(ReadFilePrefix(path, 2).value(), "ab");
  EXPECT_EQ(ReadFilePrefix(path, 10).value(), "abc");
  EXPECT_EQ(Sha256OfFile(path).value(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(File, NamesWhatIsWrong) {
  auto folder = TemporaryFolder::Create("de_file_test");
  ASSERT_TRUE(folder.ok());
  const auto missing = ReadFile(folder.value().path() / "none");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_NE(missing.error().message.find("none: no such file"), std::string::npos);
  const auto is_folder = ReadFile(folder.value().path());
  ASSERT_FALSE(is_folder.ok());
  EXPECT_NE(is_folder.error().message.find("is a folder"), std::string::npos);
  ASSERT_TRUE(WriteFileAtomically(folder.value().path() / "big", "12345").ok());
  EXPECT_FALSE(ReadFile(folder.value().path() / "big", 4).ok());
}

TEST(File, TellsMissingFromOutOfReach) {
  auto folder = TemporaryFolder::Create("de_file_test");
  ASSERT_TRUE(folder.ok());
  const Path loop = folder.value().path() / "loop";
  std::filesystem::create_symlink(loop, loop);
  const auto looped = ReadFile(loop);
  ASSERT_FALSE(looped.ok());
  EXPECT_EQ(looped.error().code, ErrorCode::kBadInput);
  EXPECT_THAT(looped.error().message, testing::HasSubstr("symbolic links"));

  if (geteuid() == 0) return;  // may enter every folder
  const Path closed = folder.value().path() / "closed";
  std::filesystem::create_directory(closed);
  ASSERT_TRUE(WriteFileAtomically(closed / "a", "x").ok());
  std::filesystem::permissions(closed, std::filesystem::perms::none);
  const auto forbidden = ReadFile(closed / "a");
  std::filesystem::permissions(closed, std::filesystem::perms::owner_all);
  ASSERT_FALSE(forbidden.ok());
  EXPECT_EQ(forbidden.error().code, ErrorCode::kBadInput);
  EXPECT_THAT(forbidden.error().message, testing::HasSubstr("ermission denied"));
}

TEST(File, RefusesAPipeWithoutWaiting) {
  auto folder = TemporaryFolder::Create("de_file_test");
  ASSERT_TRUE(folder.ok());
  const Path pipe = folder.value().path() / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  for (const auto& read : {ReadFile(pipe), ReadFilePrefix(pipe, 4), Sha256OfFile(pipe)}) {
    ASSERT_FALSE(read.ok());
    EXPECT_EQ(read.error().code, ErrorCode::kBadInput);
    EXPECT_THAT(read.error().message, testing::HasSubstr("pipe: is not a regular file"));
  }
}

TEST(File, ReportsAFullDisk) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no full device here";
  EXPECT_FALSE(WriteFileAtomically("/dev/full/x", "a").ok());
}

TEST(File, RemovesTemporaryFolder) {
  Path path;
  {
    auto folder = TemporaryFolder::Create("de_file_test");
    ASSERT_TRUE(folder.ok());
    path = folder.value().path();
    ASSERT_TRUE(WriteFileAtomically(path / "x", "y").ok());
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace deepedge
