#include "deepedge/events/rotate_files.h"

#include <gtest/gtest.h>

#include <map>

namespace deepedge {
namespace {

// Name to content.
using Files = std::map<std::string, std::string>;

TEST(RotateFiles, MovesNumbersUpToTheFirstFreeOne) {
  const struct {
    int keep;
    Files before;
    Files after;
  } cases[] = {
      {5, {{"e", "0"}}, {{"e.1", "0"}}},
      {5, {{"e", "0"}, {"e.1", "1"}}, {{"e.1", "0"}, {"e.2", "1"}}},
      {2, {{"e", "0"}, {"e.1", "1"}, {"e.2", "2"}}, {{"e.1", "0"}, {"e.2", "1"}}},
      {1, {{"e", "0"}, {"e.1", "1"}}, {{"e.1", "0"}}},
      {5, {{"e", "0"}, {"e.2", "2"}}, {{"e.1", "0"}, {"e.2", "2"}}},  // what an attempt left that failed half-way
      {5, {{"e", "0"}, {"e.1", "1"}, {"e.3", "3"}}, {{"e.1", "0"}, {"e.2", "1"}, {"e.3", "3"}}},
  };
  for (const auto& c : cases) {
    const auto folder = TemporaryFolder::Create("de_rotate_test").value();
    for (const auto& [name, content] : c.before) ASSERT_TRUE(WriteFileAtomically(folder.path() / name, content).ok());
    EXPECT_TRUE(RotateFiles(folder.path() / "e", c.keep).ok());
    Files after;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
      after[entry.path().filename()] = ReadFile(entry.path()).value();
    }
    EXPECT_EQ(after, c.after);
  }
}

TEST(RotateFiles, SaysWhatCannotBeRenamed) {
  const auto folder = TemporaryFolder::Create("de_rotate_test").value();
  const Path file = folder.path() / "e";
  EXPECT_EQ(RotateFiles(file, 3).error().message,
            file.string() + ": cannot be renamed to e.1: No such file or directory");
}

}  // namespace
}  // namespace deepedge
