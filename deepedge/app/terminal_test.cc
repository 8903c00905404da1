#include "deepedge/app/terminal.h"

#include <gtest/gtest.h>

namespace deepedge {
namespace {

TEST(CutToColumns, KeepsCharactersWhole) {
  const struct {
    const char* line;
    size_t columns;
    const char* expected;
  } cases[] = {
      {"", 3, ""},
      {"abc", 0, ""},
      {"abc", 2, "ab"},
      {"abc", 5, "abc"},
      {"\u00e9t\u00e9", 1, "\u00e9"},
      {"\u00e9t\u00e9", 2, "\u00e9t"},
      {"\u00e9t\u00e9", 3, "\u00e9t\u00e9"},
      {"a\xe9z", 2, "a\xe9"},
      {"a\xc3", 5, "a\xc3"},
  };
  for (const auto& c : cases) EXPECT_EQ(CutToColumns(c.line, c.columns), c.expected) << c.line << " " << c.columns;
}

}  // namespace
}  // namespace deepedge
