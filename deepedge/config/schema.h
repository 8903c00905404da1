// Schema: what a settings file may hold, as data. It is made from the Fields() of the structs (fields.h), never by
// hand, and everything that only looks at settings works on it: checking a file, printing one, the JSON Schema for
// editors, the reference page, what has changed between two.
//
// Thread rule: values and pure functions.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "deepedge/config/yaml_document.h"

namespace deepedge {

// A form that text must have. The pattern is for the JSON Schema; `matches` decides.
struct TextRule {
  const char* says = "";     // "letters, digits, _ . -": follows "allowed: "
  const char* pattern = "";  // ECMA 262, anchored
  bool (*matches)(std::string_view) = nullptr;
};

// Whether this version does what a field asks for.
enum class Support {
  kFull,
  kIgnored,  // understood, has no effect yet: the result is the same, only not as good
  kRefused,  // the user would not get what was asked for, so nothing may be started with it
};

// What Fields() says about a field beside its key and its type.
struct FieldInfo {
  const char* help = "";
  bool required = false;
  std::optional<double> min;       // of a number, and of the numbers in a list
  std::optional<double> max;       // likewise
  size_t min_entries = 0;          // of a list or a table of names
  const TextRule* text = nullptr;  // of text, and of the texts in a list; for tables of names, of the names
  const char* unset = "";          // what holds without it, where no value can say that: "the stream's own rate"
  Support support = Support::kFull;
};

struct SchemaField;

struct Schema {
  enum class Kind {
    kBoolean,
    kInteger,
    kNumber,
    kText,
    kChoice,
    kList,   // of `item`
    kNames,  // a table with names of the user's choice, each with an `item`
    kTable,  // of `fields`
  };
  Kind kind = Kind::kTable;
  std::optional<double> min;  // kInteger: what the type can hold
  std::optional<double> max;
  std::optional<size_t> count;       // kList: exactly so many
  std::vector<std::string> choices;  // kChoice
  std::vector<Schema> item;          // kList, kNames: one
  // kList without `item`: makes it. For a list that lies in its own items, such as what follows what follows a task.
  Schema (*again)() = nullptr;
  std::vector<SchemaField> fields;  // kTable
};

// What a list or a table of names holds.
Schema ItemOf(const Schema& schema);

struct SchemaField {
  std::string key;
  FieldInfo info;
  Schema schema;
  nlohmann::json fallback;  // the default; null: none
};

// Everything in `value` that `schema` does not allow.
std::vector<Problem> CheckAgainst(const Schema& schema, const nlohmann::json& value);

// Where `value` asks for what this version does not do: other than the default in a field without full support.
struct UnsupportedField {
  std::string pointer;
  Support support = Support::kIgnored;
};
std::vector<UnsupportedField> FindUnsupported(const Schema& schema, const nlohmann::json& value);

// Pointers to what differs between two values, as deep as both have the same tables; what only one of them has is one
// pointer. In the order of the keys; lists of different length differ as a whole.
std::vector<std::string> ChangedPointers(const nlohmann::json& before, const nlohmann::json& after);

// The double with the fewest digits that is this float: 0.1F as 0.1, not as 0.10000000149011612.
double ToShortDouble(float value);

// The entry of `allowed` that was probably meant, or "" when none is near.
std::string NearestName(std::string_view name, const std::vector<std::string>& allowed);

// The value as YAML, tables in the order of the schema; ParseYaml gives the same value back.
std::string ToYaml(const Schema& schema, const nlohmann::json& value);

// JSON Schema, draft 7, ends with a line break.
std::string ToJsonSchema(const Schema& schema, std::string_view title);

// Reference in Markdown: one table of keys for each table of the schema.
std::string ToMarkdown(const Schema& schema);

}  // namespace deepedge
