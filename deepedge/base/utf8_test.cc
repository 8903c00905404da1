#include "deepedge/base/utf8.h"

#include <gtest/gtest.h>

namespace deepedge {
namespace {

TEST(Utf8, TellsTextFromBytes) {
  const struct {
    std::string_view text;
    size_t invalid_at;
  } cases[] = {
      {"", std::string_view::npos},
      {"gate", std::string_view::npos},
      {"T\xC3\xBCr \xE2\x82\xAC \xF0\x9F\x9A\xAA", std::string_view::npos},
      {"\xC3", 0},              // cut off
      {"ab\xFFzz", 2},          // never a first byte
      {"a\x80", 1},             // continuation without a start
      {"\xC0\xAF", 0},          // overlong
      {"\xE0\x80\xAF", 0},      // overlong
      {"\xED\xA0\x80", 0},      // surrogate
      {"\xF4\x90\x80\x80", 0},  // over U+10FFFF
      {"\xF0\x9F\x9A", 0},      // cut off
  };
  for (const auto& c : cases) EXPECT_EQ(FindInvalidUtf8(c.text), c.invalid_at) << c.text;
}

TEST(Utf8, QuotesWhatTheUserWroteSafely) {
  EXPECT_EQ(Quote("T\xC3\xBCr"), "'T\xC3\xBCr'");
  EXPECT_EQ(Quote("a\x1b[31m\n\xFF"), "'a\\x1b[31m\\x0a\\xff'");
  EXPECT_EQ(Quote(std::string(1000, 'x')), "'" + std::string(60, 'x') + "...'");
}

TEST(Utf8, ReadsOtherBytesAsLatin1) {
  EXPECT_EQ(ToUtf8("caf\xE9 \xA9"), "caf\xC3\xA9 \xC2\xA9");
  EXPECT_EQ(ToUtf8("caf\xC3\xA9"), "caf\xC3\xA9");
  EXPECT_EQ(ToUtf8("\xEF\xBB\xBFgate"), "gate");
  EXPECT_EQ(ToUtf8("\xFF\xC3\xA9"), "\xC3\xBF\xC3\x83\xC2\xA9");
}

TEST(Utf8, PlainTextHasNoControlCharacters) {
  for (const std::string_view good : {"", "gate", "caf\xC3\xA9", "\xC2\xA0"}) EXPECT_TRUE(IsPlainText(good)) << good;
  for (const std::string_view bad : {"a\x01", "\x7F", "a\n", "\t", "caf\xE9", "\xC2\x80", "\xC2\x9F"}) {
    EXPECT_FALSE(IsPlainText(bad)) << bad;
  }
}

}  // namespace
}  // namespace deepedge
