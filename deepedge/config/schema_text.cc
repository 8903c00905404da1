// The texts that are made from a schema: YAML, JSON Schema, the reference page.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "deepedge/config/schema.h"

namespace deepedge {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

// --- YAML -----------------------------------------------------------------------------------------------------------

// Text without quotes where that cannot be read as anything else.
std::string ScalarToYaml(const json& value) {
  if (value.is_number_float()) return fmt::format("{}", value.get<double>());
  if (!value.is_string()) return value.dump();
  const auto& text = value.get_ref<const std::string&>();
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '.' || c == '/';
  };
  const bool starts_plain = !text.empty() && text[0] != '-' && text[0] != '.';
  if (starts_plain && std::ranges::all_of(text, is_plain) && ReadPlainScalar(text).is_string()) return text;
  std::string quoted = value.dump(-1, ' ', false, json::error_handler_t::replace);
  for (size_t at = 0; (at = quoted.find('\x7F', at)) != std::string::npos;) quoted.replace(at, 1, "\\x7F");
  return quoted;
}

bool IsInline(const json& value) {
  if (value.empty() || !value.is_structured()) return true;
  return value.is_array() && std::ranges::none_of(value, [](const json& item) { return item.is_structured(); });
}

std::string InlineToYaml(const json& value) {
  if (value.is_object()) return "{}";
  if (!value.is_array()) return ScalarToYaml(value);
  std::vector<std::string> items;
  for (const json& item : value) items.push_back(ScalarToYaml(item));
  return fmt::format("[{}]", fmt::join(items, ", "));
}

void AppendYaml(const Schema& schema, const json& value, size_t indent, std::string& out);

// What follows "key:" or "-": on the same line, or below it and further in.
void AppendValue(const Schema& schema, const json& value, size_t indent, std::string& out) {
  if (IsInline(value)) {
    out += " " + InlineToYaml(value) + "\n";
  } else {
    out += "\n";
    AppendYaml(schema, value, indent + 2, out);
  }
}

void AppendYaml(const Schema& schema, const json& value, size_t indent, std::string& out) {
  const std::string blanks(indent, ' ');
  if (value.is_array()) {
    for (const json& item : value) {
      if (IsInline(item)) {
        out += blanks + "- " + InlineToYaml(item) + "\n";
        continue;
      }
      // The first line of the item moves behind the dash.
      std::string block;
      AppendYaml(ItemOf(schema), item, indent + 2, block);
      block[indent] = '-';
      out += block;
    }
  } else if (schema.kind == Schema::Kind::kTable) {
    for (const SchemaField& field : schema.fields) {
      const auto entry = value.find(field.key);
      if (entry == value.end() || entry->is_null()) continue;
      out += blanks + field.key + ":";
      AppendValue(field.schema, *entry, indent, out);
    }
  } else {
    for (const auto& [name, item] : value.items()) {
      out += blanks + ScalarToYaml(name) + ":";
      AppendValue(schema.item[0], item, indent, out);
    }
  }
}

// --- JSON Schema ----------------------------------------------------------------------------------------------------

void AddRange(std::optional<double> min, std::optional<double> max, ordered_json& node) {
  const auto number = [](double value) {
    return value == static_cast<double>(static_cast<int64_t>(value)) ? ordered_json(static_cast<int64_t>(value))
                                                                     : ordered_json(value);
  };
  if (min) node["minimum"] = number(*min);
  if (max) node["maximum"] = number(*max);
}

// `item_at`: where in the file the items of the list around it stand, for lists that hold them again.
ordered_json SchemaNode(const Schema& schema, const FieldInfo& info, const std::string& at = "#",
                        const std::string& item_at = "#") {
  ordered_json node;
  if (*info.help != '\0') node["description"] = info.help;
  switch (schema.kind) {
    case Schema::Kind::kBoolean: node["type"] = "boolean"; break;
    case Schema::Kind::kInteger:
      node["type"] = "integer";
      AddRange(info.min ? info.min : schema.min, info.max ? info.max : schema.max, node);
      break;
    case Schema::Kind::kNumber:
      node["type"] = "number";
      AddRange(info.min, info.max, node);
      break;
    case Schema::Kind::kText:
      node["type"] = "string";
      if (info.text != nullptr) node["pattern"] = info.text->pattern;
      break;
    case Schema::Kind::kChoice:
      node["type"] = "string";
      node["enum"] = schema.choices;
      break;
    case Schema::Kind::kList: {
      node["type"] = "array";
      if (info.min_entries > 0) node["minItems"] = info.min_entries;
      if (schema.count) node["minItems"] = node["maxItems"] = *schema.count;
      if (schema.again != nullptr) {
        node["items"] = {{"$ref", item_at}};
      } else {
        node["items"] = SchemaNode(schema.item[0], {.min = info.min, .max = info.max, .text = info.text}, at + "/items",
                                   at + "/items");
      }
      break;
    }
    case Schema::Kind::kNames:
      node["type"] = "object";
      if (info.min_entries > 0) node["minProperties"] = info.min_entries;
      if (info.text != nullptr) node["propertyNames"] = {{"pattern", info.text->pattern}};
      node["additionalProperties"] = SchemaNode(schema.item[0], {}, at + "/additionalProperties", item_at);
      break;
    case Schema::Kind::kTable: {
      node["type"] = "object";
      node["additionalProperties"] = false;
      ordered_json required = ordered_json::array();
      ordered_json properties = ordered_json::object();
      for (const SchemaField& field : schema.fields) {
        if (field.info.required) required.push_back(field.key);
        ordered_json& property = properties[field.key] =
            SchemaNode(field.schema, field.info, at + "/properties/" + field.key, item_at);
        if (!field.fallback.is_null() && !field.fallback.is_object()) property["default"] = field.fallback;
      }
      if (!required.empty()) node["required"] = std::move(required);
      node["properties"] = std::move(properties);
      break;
    }
  }
  return node;
}

// --- Markdown -------------------------------------------------------------------------------------------------------

std::string RangeForReader(std::optional<double> min, std::optional<double> max) {
  if (min && max) return fmt::format(", {} to {}", *min, *max);
  if (min) return fmt::format(", {} or more", *min);
  if (max) return fmt::format(", {} or less", *max);
  return "";
}

// What may stand behind the key, in words.
std::string ValueForReader(const Schema& schema, const FieldInfo& info) {
  const std::string rule = info.text != nullptr ? fmt::format(" ({})", info.text->says) : "";
  const std::string least = info.min_entries > 0 ? fmt::format(", at least {}", info.min_entries) : "";
  switch (schema.kind) {
    case Schema::Kind::kBoolean: return "`true` or `false`";
    case Schema::Kind::kInteger: return "whole number" + RangeForReader(info.min, info.max);
    case Schema::Kind::kNumber: return "number" + RangeForReader(info.min, info.max);
    case Schema::Kind::kText: return "text" + rule;
    case Schema::Kind::kChoice: return fmt::format("`{}`", fmt::join(schema.choices, "`, `"));
    case Schema::Kind::kList: {
      if (schema.again != nullptr) return "list of tables like this one";
      const FieldInfo item_info{.min = info.min, .max = info.max, .text = info.text};
      const std::string item =
          schema.item[0].kind == Schema::Kind::kTable ? "tables, see below" : ValueForReader(schema.item[0], item_info);
      return "list of " + item + least;
    }
    case Schema::Kind::kNames: {
      return "table of names" + rule + least + ", see below";
    }
    case Schema::Kind::kTable: return "table, see below";
  }
  return "";
}

std::string DefaultForReader(const SchemaField& field) {
  if (field.info.required) return "required";
  if (*field.info.unset != '\0') return field.info.unset;
  if (field.fallback.is_null() || field.fallback.is_object() || field.fallback.empty()) return "none";
  return fmt::format("`{}`", InlineToYaml(field.fallback));
}

std::string_view SupportForReader(Support support) {
  switch (support) {
    case Support::kFull: return "";
    case Support::kIgnored: return " *Has no effect yet (a warning says so).*";
    case Support::kRefused: return " *Not supported yet: `deepedge run` refuses it.*";
  }
  return "";
}

void AppendTables(const Schema& schema, const std::string& path, std::string& out) {
  if (schema.again != nullptr) return;
  if (schema.kind == Schema::Kind::kList || schema.kind == Schema::Kind::kNames) {
    return AppendTables(schema.item[0], path + (schema.kind == Schema::Kind::kList ? "[]" : ".NAME"), out);
  }
  if (schema.kind != Schema::Kind::kTable) return;
  out += path.empty() ? "\n## The file\n" : fmt::format("\n## `{}`\n", path);
  out += "\n| key | value | default | meaning |\n|---|---|---|---|\n";
  for (const SchemaField& field : schema.fields) {
    out += fmt::format("| `{}` | {} | {} | {}.{} |\n", field.key, ValueForReader(field.schema, field.info),
                       DefaultForReader(field), field.info.help, SupportForReader(field.info.support));
  }
  for (const SchemaField& field : schema.fields) {
    AppendTables(field.schema, path.empty() ? field.key : path + "." + field.key, out);
  }
}

}  // namespace

std::string ToYaml(const Schema& schema, const json& value) {
  if (IsInline(value)) return InlineToYaml(value) + "\n";
  std::string out;
  AppendYaml(schema, value, 0, out);
  return out;
}

std::string ToJsonSchema(const Schema& schema, std::string_view title) {
  ordered_json root;
  root["$schema"] = "http://json-schema.org/draft-07/schema#";
  root["title"] = title;
  root.update(SchemaNode(schema, {}));
  return root.dump(2) + "\n";
}

std::string ToMarkdown(const Schema& schema) {
  std::string out;
  AppendTables(schema, "", out);
  return out;
}

}  // namespace deepedge
