#include "deepedge/formats/caffe/prototxt.h"

#include <gtest/gtest.h>

namespace deepedge {
namespace {

TEST(Prototxt, ReadsFieldsOfEveryForm) {
  const auto parsed = ParsePrototxt(
      "# a comment\n"
      "name: 'it' \"s\"  ; number: -1.5e3,\n"
      "shape { dim: [ 1, 3 ] dim: 5 }\n"
      "old: < a: TRUE >  # another\n"
      "path: \"a\\\\b\\\"c\"");
  ASSERT_TRUE(parsed.ok()) << parsed.error().message;
  const auto& fields = parsed.value().fields;
  ASSERT_EQ(fields.size(), 5U);
  EXPECT_EQ(fields[0].value, "its");
  EXPECT_EQ(fields[1].value, "-1.5e3");
  ASSERT_EQ(fields[2].message.fields.size(), 3U);
  EXPECT_EQ(fields[2].message.fields[1].value, "3");
  EXPECT_EQ(fields[2].message.fields[2].value, "5");
  EXPECT_EQ(fields[3].message.fields[0].value, "TRUE");
  EXPECT_EQ(fields[3].line, 4);
  EXPECT_EQ(fields[4].value, "a\\b\"c");
}

TEST(Prototxt, SaysWhereTextIsWrong) {
  const std::pair<std::string, std::string> cases[] = {
      {"a: 1\nb {", "line 2: the text ends where '}' is missing"},
      {"a: ", "expected a value of 'a', found the end of the text"},
      {"a 1", "expected ':' or '{' after 'a'"},
      {"{", "expected the name of a field, found '{'"},
      {"a: [1 2]", "expected ',' or ']' in the list of 'a'"},
      {"a: 'b", "the text ends inside a string"},
      {"a: 'b\nc'", "a string that does not end in its line"},
      {std::string("a: 1\0", 5), "a zero byte"},
      {"a { b > }", "expected ':' or '{' after 'b', found '>'"},
      {"}", "found '}'"},
  };
  for (const auto& [text, message] : cases) {
    const auto parsed = ParsePrototxt(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_NE(parsed.error().message.find(message), std::string::npos) << parsed.error().message;
  }
}

TEST(Prototxt, BoundsDepthAndLength) {
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "a{";
  EXPECT_NE(ParsePrototxt(deep).error().message.find("more than 16"), std::string::npos);
  EXPECT_FALSE(ParsePrototxt(std::string((4 << 20) + 1, ' ')).ok());
}

}  // namespace
}  // namespace deepedge
