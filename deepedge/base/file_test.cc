#include "deepedge/base/file.h"

#include <gtest/gtest.h>

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
