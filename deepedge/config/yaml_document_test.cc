#include "deepedge/config/yaml_document.h"

#include <gtest/gtest.h>

namespace deepedge {
namespace {

using nlohmann::json;

std::string ErrorOf(std::string_view text) {
  const auto document = ParseYaml(text, "a.yaml");
  return document.ok() ? "no error: " + document.value().json().dump() : document.error().message;
}

TEST(YamlDocument, ReadsTablesListsAndScalars) {
  const auto document = ParseYaml("a: {b: [1, 2.5, text]}\nc:\n  - d: true\n    e:\n", "a.yaml");
  ASSERT_TRUE(document.ok()) << document.error().message;
  EXPECT_EQ(document.value().json(), json::parse(R"({"a":{"b":[1,2.5,"text"]},"c":[{"d":true,"e":null}]})"));
}

TEST(YamlDocument, HasNoSurprisingScalars) {
  const struct {
    const char* text;
    json expected;
  } cases[] = {
      {"true", true},
      {"false", false},
      {"no", "no"},
      {"yes", "yes"},
      {"on", "on"},
      {"True", "True"},
      {"'true'", "true"},
      {"\"12\"", "12"},
      {"12", 12},
      {"+12", 12},
      {"-3", -3},
      {"0", 0},
      {"010", "010"},
      {"0x1F", "0x1F"},
      {"1_000", "1_000"},
      {"12:30", "12:30"},
      {"1.5", 1.5},
      {".5", 0.5},
      {"1e3", 1000.0},
      {"1e999", "1e999"},
      {"1.2.3", "1.2.3"},
      {".inf", ".inf"},
      {"nan", "nan"},
      {"99999999999999999999", 99999999999999999999.0},
      {"~", nullptr},
      {"null", nullptr},
      {"'null'", "null"},
      {"'it''s'", "it's"},
      {"2024-01-01", "2024-01-01"},
      {"rtsp://u:p@10.0.0.7/a#b", "rtsp://u:p@10.0.0.7/a#b"},
  };
  for (const auto& c : cases) {
    const auto document = ParseYaml(std::string("k: ") + c.text, "a.yaml");
    ASSERT_TRUE(document.ok()) << c.text << ": " << document.error().message;
    EXPECT_EQ(document.value().json()["k"], c.expected) << c.text;
    EXPECT_EQ(document.value().json()["k"].type(), c.expected.type()) << c.text;
  }
}

TEST(YamlDocument, KnowsLinesAndPaths) {
  const auto result =
      ParseYaml("# comment\r\nstreams:\r\n  gate:\n    tasks:\n      - model: a\n\n      - model: b\n", "e.yaml");
  ASSERT_TRUE(result.ok());
  const YamlDocument& document = result.value();
  EXPECT_EQ(document.LineOf("/streams"), 2);
  EXPECT_EQ(document.LineOf("/streams/gate/tasks"), 4);
  EXPECT_EQ(document.LineOf("/streams/gate/tasks/1/model"), 7);
  EXPECT_EQ(document.LineOf("/streams/gate/tasks/1/none"), 7);
  EXPECT_EQ(document.Where("/streams/gate/tasks/1/model"), "e.yaml:7: streams.gate.tasks[1].model");
  EXPECT_EQ(document.Where("/streams/gate/source"), "e.yaml:3: streams.gate.source");
  EXPECT_EQ(document.Where(""), "e.yaml:2");
}

TEST(YamlDocument, EscapesKeysInPointers) {
  const std::string pointer = PointerTo(PointerTo("", "a/b~c"), 3);
  EXPECT_EQ(pointer, "/a~1b~0c/3");
  const auto document = ParseYaml("a/b~c:\n  - 0\n  - 0\n  - 0\n  - 0\n", "a.yaml");
  EXPECT_EQ(document.value().Where(pointer), "a.yaml:5: a/b~c[3]");
  EXPECT_EQ(document.value().json().at(json::json_pointer(pointer)), 0);
}

TEST(YamlDocument, TakesAnEmptyFileForAnEmptyTable) {
  for (const char* text : {"", "\n\n", "# nothing\n", "---\n", "~"}) {
    const auto document = ParseYaml(text, "a.yaml");
    ASSERT_TRUE(document.ok()) << document.error().message;
    EXPECT_EQ(document.value().json(), json::object());
  }
  EXPECT_TRUE(ParseYaml("\xEF\xBB\xBF"
                        "a: 1\n...\n",
                        "a.yaml")
                  .ok());
}

TEST(YamlDocument, NamesFileAndLineOfWhatIsWrong) {
  const struct {
    std::string text;
    const char* message;
  } cases[] = {
      {"a: 1\nb: 2\na: 3\n", "a.yaml:3: the key 'a' was already written in line 1"},
      {"s:\n  gate: {}\n  'gate': {}\n", "a.yaml:3: the key 'gate' was already written in line 2"},
      {"a: &x 1\n", "a.yaml:1: anchors (&name) and aliases (*name) are not used here; write the value out"},
      {"a: 1\nb: *x\n", "a.yaml:2: not valid YAML: the referenced anchor is not defined (column 4)"},
      {"a: &x [*x]\n", "a.yaml:1: anchors (&name) and aliases (*name) are not used here; write the value out"},
      {"a: !!python/object x\n", "a.yaml:1: the tag 'tag:yaml.org,2002:python/object'; tags are not used here"},
      {"a: !x {}\n", "a.yaml:1: the tag '!x'; tags are not used here"},
      {"a: 1\n---\nb: 2\n", "a.yaml:2: a second document ('---'); one file holds one"},
      {"a:\n\tb: 1\n", "a.yaml:2: indented with a tab; use blanks"},
      {"a:\n  \t- 1\n", "a.yaml:2: indented with a tab; use blanks"},
      {"a: [1, 2\n", "a.yaml:2: not valid YAML: end of sequence flow not found (column 1)"},
      {"a: b: c\n", "a.yaml:1: not valid YAML: illegal map value (column 5)"},
      {"a: \"x\n", "a.yaml:2: a text in quotes does not end"},
      {"a: 'x\nb: 1", "a.yaml:3: a text in quotes does not end"},
      {"? [a]\n: 1\n", "a.yaml:1: a key has to be text, not a list or a table"},
      {": 1\n", "a.yaml:1: a key without a name"},
      {"a: 1\nb: \xFF\xFE\n", "a.yaml:2: byte 0xff is not UTF-8 text"},
      {std::string("a: 1\n\0b", 7), "a.yaml:2: control character 0x00 in the text"},
      {"a: 1\n\x04\nb: 2", "a.yaml:2: control character 0x04 in the text"},
      {"\x7F"
       "ELF\x02\x01",
       "a.yaml:1: control character 0x7f in the text"},
      {std::string(40, '[') + std::string(40, ']'), "a.yaml:1: nested deeper than 32 levels"},
  };
  for (const auto& c : cases) EXPECT_EQ(ErrorOf(c.text), c.message) << c.text;
}

TEST(YamlDocument, SurvivesHostileText) {
  const std::string mega(kMaxYamlBytes, ' ');
  std::string dashes;
  for (int i = 0; i < 100000; ++i) dashes += "- ";
  std::string questions;
  for (int i = 0; i < 100000; ++i) questions += "? ";
  std::string list = "a:\n";
  while (list.size() < 200000) list += "- x\n";
  std::string long_key = std::string(500000, 'k') + ": [";
  while (long_key.size() < 700000) long_key += "1,";
  EXPECT_TRUE(ParseYaml(mega, "a.yaml").ok());
  EXPECT_EQ(ErrorOf(mega + " "), "a.yaml: 1048577 bytes, more than the 1048576 allowed here");
  EXPECT_EQ(ErrorOf(std::string(1000000, '[')), "a.yaml:1: a key has to be text, not a list or a table");
  EXPECT_EQ(ErrorOf(std::string(1000000, '{')), "a.yaml:1: a key has to be text, not a list or a table");
  EXPECT_EQ(ErrorOf(dashes), "a.yaml:1: nested deeper than 32 levels");
  EXPECT_EQ(ErrorOf(questions), "a.yaml:1: a key has to be text, not a list or a table");
  EXPECT_TRUE(ParseYaml(list, "a.yaml").ok());
  EXPECT_FALSE(ParseYaml(long_key, "a.yaml").ok());
}

TEST(YamlDocument, ReadsFiles) {
  auto folder = TemporaryFolder::Create("de_yaml_test");
  ASSERT_TRUE(folder.ok());
  const Path path = folder.value().path() / "a.yaml";
  ASSERT_TRUE(WriteFileAtomically(path, "a: 1\na: 2\n").ok());
  EXPECT_EQ(LoadYaml(path).error().message, path.string() + ":2: the key 'a' was already written in line 1");
  EXPECT_EQ(LoadYaml(folder.value().path() / "none").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(LoadYaml("/dev/zero").error().code, ErrorCode::kBadInput);
}

TEST(ToError, ListsProblemsInTheOrderOfTheFile) {
  const auto document = ParseYaml("b: 1\na: 2\n", "a.yaml");
  const Error error = ToError(document.value().source(), {{"/a", "wrong"}, {"/b", "wrong too"}, {"", "all wrong"}});
  EXPECT_EQ(error.code, ErrorCode::kBadInput);
  EXPECT_EQ(error.message, "a.yaml:1: b: wrong too\na.yaml:1: all wrong\na.yaml:2: a: wrong");
  EXPECT_EQ(ToError({}, {{"/streams/gate/tasks/0", "wrong"}}).message, "streams.gate.tasks[0]: wrong");
  const Error many = ToError({}, std::vector<Problem>(60, {"/a", "wrong"}));
  EXPECT_TRUE(many.message.ends_with("a: wrong\nand 10 more")) << many.message;
}

}  // namespace
}  // namespace deepedge
