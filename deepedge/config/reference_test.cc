#include "deepedge/config/reference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <regex>
#include <set>
#include <sstream>

#include "deepedge/config/edge_config.h"

namespace deepedge {
namespace {

using nlohmann::json;

const Path kSourceFolder = DEEPEDGE_SOURCE_FOLDER;

// Compares a page with its file in docs/, or writes it there when asked to.
void ExpectCurrent(const Path& file, const std::string& page) {
  const Path path = kSourceFolder / "docs" / file;
  if (std::getenv("DEEPEDGE_WRITE_DOCS") != nullptr) {
    const Status written = WriteFileAtomically(path, page);
    ASSERT_TRUE(written.ok()) << written.error().message;
  }
  const auto current = ReadFile(path);
  ASSERT_TRUE(current.ok()) << current.error().message;
  EXPECT_TRUE(current.value() == page)
      << path << " does not say what Fields() says. Write it anew with\n"
      << "  DEEPEDGE_WRITE_DOCS=1 build/dev/bin/config_test --gtest_filter='Reference.*'";
}

TEST(Reference, ConfigurationPageIsCurrent) { ExpectCurrent("configuration.md", ConfigurationPage()); }

TEST(Reference, JsonSchemaIsCurrent) { ExpectCurrent("edge.schema.json", ConfigurationJsonSchema()); }

// The example file, as it is and with the options that are left out put in.
std::string ExampleText(bool with_options_left_out) {
  std::istringstream text(ReadFile(kSourceFolder / "deepedge.example.yaml").value());
  std::string result;
  for (std::string line; std::getline(text, line);) {
    const size_t mark = line.find_first_not_of(' ');
    const bool is_option = mark != std::string::npos && line[mark] == '#' && mark + 1 < line.size() &&
                           (line[mark + 1] != ' ' || line.substr(mark).starts_with("#  "));
    if (with_options_left_out && is_option) line.erase(mark, 1);
    result += line + "\n";
  }
  return result;
}

std::optional<std::string> AnyVariable(const std::string& /*name*/) { return "x"; }

EdgeConfig ParseExample(const std::string& text) {
  auto config = ParseEdgeConfig(text, "deepedge.example.yaml", kSourceFolder, AnyVariable);
  EXPECT_TRUE(config.ok()) << config.error().message;
  return config.ok() ? std::move(config).value() : EdgeConfig{};
}

// Calls visit(field, its value, pointer, pointer with '*' for names and indices) for every field that `value` has.
template <typename Visit>
void VisitFields(const Schema& schema, const json& value, const std::string& at, const std::string& kind, Visit visit) {
  for (const SchemaField& field : schema.fields) {
    const auto entry = value.find(field.key);
    if (entry == value.end()) continue;
    visit(field, *entry, PointerTo(at, field.key), PointerTo(kind, field.key));
    VisitFields(field.schema, *entry, PointerTo(at, field.key), PointerTo(kind, field.key), visit);
  }
  if (schema.item.empty() || !value.is_structured()) return;
  for (const auto& [key, item] : value.items()) {
    VisitFields(schema.item[0], item, PointerTo(at, key), PointerTo(kind, "*"), visit);
  }
}

void CollectKinds(const Schema& schema, const std::string& kind, std::set<std::string>& kinds) {
  for (const SchemaField& field : schema.fields) {
    kinds.insert(PointerTo(kind, field.key));
    CollectKinds(field.schema, PointerTo(kind, field.key), kinds);
  }
  if (!schema.item.empty()) CollectKinds(schema.item[0], PointerTo(kind, "*"), kinds);
}

TEST(Example, CanBeRun) {
  for (const UnsupportedOption& option : NotYetSupported(ParseExample(ExampleText(false)))) {
    EXPECT_NE(option.support, Support::kRefused) << option.message;
  }
}

TEST(Example, ShowsEveryOption) {
  const std::string text = ExampleText(true);
  ParseExample(text);
  const auto document = ParseYaml(text, "deepedge.example.yaml");
  ASSERT_TRUE(document.ok()) << document.error().message;
  const Schema schema = SchemaOf<EdgeConfig>();
  std::set<std::string> expected;
  std::set<std::string> shown;
  CollectKinds(schema, "", expected);
  VisitFields(
      schema, document.value().json(), "", "",
      [&](const SchemaField&, const json&, const std::string&, const std::string& kind) { shown.insert(kind); });
  EXPECT_EQ(shown, expected);
}

TEST(Example, CallsDefaultWhatIsDefault) {
  const std::string text = ExampleText(false);
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  const auto document = ParseYaml(text, "deepedge.example.yaml");
  ASSERT_TRUE(document.ok());
  int claims = 0;
  VisitFields(SchemaOf<EdgeConfig>(), document.value().json(), "", "",
              [&](const SchemaField& field, const json& value, const std::string& at, const std::string&) {
                const std::string& line = lines.at(static_cast<size_t>(document.value().LineOf(at)) - 1);
                if (line.find("# default") == std::string::npos) return;
                ++claims;
                EXPECT_EQ(value, field.fallback) << line;
              });
  EXPECT_EQ(claims, std::ranges::count_if(
                        lines, [](const std::string& line) { return line.find("# default") != std::string::npos; }));
  EXPECT_GT(claims, 0);
}

TEST(TextRules, AgreeWithTheirPatterns) {
  const TextRule* rules[] = {&kNameRule,      &kSha256Rule, &kListenRule,    &kNotEmptyRule,
                             &kTimeOfDayRule, &kTopicRule,  &kEventTypeRule, &kPictureTypeRule};
  const std::string texts[] = {"",
                               "a",
                               "gate-1",
                               "a.b_c",
                               "-a",
                               ".a",
                               "a b",
                               "a/b",
                               "T\xC3\xBCr",
                               std::string(64, 'a'),
                               std::string(64, '0'),
                               std::string(63, '0'),
                               std::string(65, 'a'),
                               std::string(64, 'g'),
                               std::string(64, 'A'),
                               "127.0.0.1:8090",
                               "[::1]:80",
                               ":80",
                               "host:",
                               "host:123456",
                               "ho st:80",
                               "http://h:80",
                               "host:8a",
                               "00:00",
                               "23:59",
                               "24:00",
                               "24:01",
                               "12:60",
                               "1:00",
                               "site/box",
                               "/site",
                               "site/",
                               "site/+",
                               "result",
                               "results",
                               "zone_left",
                               "a\nb"};
  for (const TextRule* rule : rules) {
    // Pattern and code say the same, but for a port number, whose size the pattern cannot tell.
    for (const std::string& text : texts) {
      EXPECT_EQ(rule->matches(text), std::regex_search(text, std::regex(rule->pattern))) << rule->says << ": " << text;
    }
  }
  EXPECT_FALSE(kListenRule.matches("host:65536"));
}

}  // namespace
}  // namespace deepedge
