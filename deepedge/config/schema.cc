#include "deepedge/config/schema.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <numeric>

#include "deepedge/base/log.h"
#include "deepedge/base/utf8.h"

namespace deepedge {
namespace {

using nlohmann::json;

std::string Found(const json& value) {
  switch (value.type()) {
    case json::value_t::object: return "a table";
    case json::value_t::array: return "a list";
    case json::value_t::string: return "text " + Quote(RedactUrl(value.get_ref<const std::string&>()));
    case json::value_t::boolean: return value.get<bool>() ? "true" : "false";
    case json::value_t::number_integer:
    case json::value_t::number_unsigned:
    case json::value_t::number_float: return "the number " + value.dump();
    case json::value_t::null:
    case json::value_t::binary:
    case json::value_t::discarded: break;
  }
  return "nothing";
}

// Walks a value along its schema and collects what does not fit.
class Checker {
 public:
  std::vector<Problem> TakeProblems() { return std::move(problems_); }

  void Check(const Schema& schema, const FieldInfo& info, const json& value, const std::string& at) {
    if (value.is_null()) return Report(at, "has no value; write one or remove the key");
    switch (schema.kind) {
      case Schema::Kind::kBoolean:
        if (!value.is_boolean()) Expected("true or false", value, at);
        return;
      case Schema::Kind::kInteger:
        if (!value.is_number_integer()) return Expected("a whole number", value, at);
        return CheckRange(info.min ? info.min : schema.min, info.max ? info.max : schema.max, value, at);
      case Schema::Kind::kNumber:
        if (!value.is_number()) return Expected("a number", value, at);
        return CheckRange(info.min, info.max, value, at);
      case Schema::Kind::kText: return CheckText(info.text, value, at);
      case Schema::Kind::kChoice: return CheckChoice(schema.choices, value, at);
      case Schema::Kind::kList: return CheckList(schema, info, value, at);
      case Schema::Kind::kNames: return CheckNames(schema, info, value, at);
      case Schema::Kind::kTable: return CheckTable(schema, value, at);
    }
  }

 private:
  void Report(const std::string& at, std::string message) { problems_.push_back({at, std::move(message)}); }

  void Expected(std::string_view what, const json& value, const std::string& at) {
    const bool wants_quotes = what == "text" && (value.is_number() || value.is_boolean());
    Report(at, fmt::format("expected {}, found {}{}", what, Found(value), wants_quotes ? "; put it in quotes" : ""));
  }

  void CheckRange(std::optional<double> min, std::optional<double> max, const json& value, const std::string& at) {
    const auto number = value.get<double>();
    if ((!min || number >= *min) && (!max || number <= *max)) return;
    const std::string allowed = !max   ? fmt::format("{} or more", *min)
                                : !min ? fmt::format("{} or less", *max)
                                       : fmt::format("{} to {}", *min, *max);
    Report(at, fmt::format("{} is out of range; allowed: {}", value.dump(), allowed));
  }

  void CheckText(const TextRule* rule, const json& value, const std::string& at) {
    if (!value.is_string()) return Expected("text", value, at);
    const auto& text = value.get_ref<const std::string&>();
    if (rule != nullptr && !rule->matches(text)) {
      Report(at, fmt::format("{} is not allowed; allowed: {}", Quote(RedactUrl(text)), rule->says));
    }
  }

  void CheckChoice(const std::vector<std::string>& choices, const json& value, const std::string& at) {
    const std::string allowed = fmt::format("{}", fmt::join(choices, ", "));
    if (!value.is_string()) return Expected("one of " + allowed, value, at);
    if (!std::ranges::count(choices, value.get_ref<const std::string&>())) {
      Report(at, fmt::format("{} is not allowed; allowed: {}", Quote(value.get_ref<const std::string&>()), allowed));
    }
  }

  void CheckCount(const FieldInfo& info, size_t count, const std::string& at) {
    if (count < info.min_entries) {
      Report(at, fmt::format("has {} entries; at least {} needed", count, info.min_entries));
    }
  }

  void CheckList(const Schema& schema, const FieldInfo& info, const json& value, const std::string& at) {
    if (!value.is_array()) return Expected("a list", value, at);
    if (schema.count && value.size() != *schema.count) {
      Report(at, fmt::format("has {} entries; {} needed", value.size(), *schema.count));
    }
    CheckCount(info, value.size(), at);
    const FieldInfo item_info{.min = info.min, .max = info.max, .text = info.text};
    if (value.empty()) return;
    const Schema item = ItemOf(schema);
    for (size_t i = 0; i < value.size(); ++i) Check(item, item_info, value[i], PointerTo(at, i));
  }

  void CheckNames(const Schema& schema, const FieldInfo& info, const json& value, const std::string& at) {
    if (!value.is_object()) return Expected("a table of names", value, at);
    CheckCount(info, value.size(), at);
    for (const auto& [name, item] : value.items()) {
      const std::string item_at = PointerTo(at, name);
      if (info.text != nullptr && !info.text->matches(name)) {
        Report(item_at, fmt::format("the name is not allowed; allowed: {}", info.text->says));
      }
      Check(schema.item[0], {}, item, item_at);
    }
  }

  void CheckTable(const Schema& schema, const json& value, const std::string& at) {
    if (!value.is_object()) return Expected("a table", value, at);
    std::vector<std::string> allowed;
    for (const SchemaField& field : schema.fields) {
      allowed.push_back(field.key);
      const auto entry = value.find(field.key);
      if (entry != value.end()) {
        Check(field.schema, field.info, *entry, PointerTo(at, field.key));
      } else if (field.info.required) {
        Report(PointerTo(at, field.key), "is missing");
      }
    }
    for (const auto& [key, ignored] : value.items()) {
      if (std::ranges::count(allowed, key)) continue;
      const std::string nearest = NearestName(key, allowed);
      Report(PointerTo(at, key), nearest.empty() ? fmt::format("unknown key; allowed: {}", fmt::join(allowed, ", "))
                                                 : fmt::format("unknown key; did you mean {}?", nearest));
    }
  }

  std::vector<Problem> problems_;
};

void CollectUnsupported(const Schema& schema, const json& value, const std::string& at,
                        std::vector<UnsupportedField>& found) {
  for (const SchemaField& field : schema.fields) {
    const auto entry = value.find(field.key);
    if (entry == value.end()) continue;
    const std::string entry_at = PointerTo(at, field.key);
    if (field.info.support == Support::kFull) {
      CollectUnsupported(field.schema, *entry, entry_at, found);
    } else if (*entry != field.fallback) {
      found.push_back({entry_at, field.info.support});
    }
  }
  const bool holds_items = schema.kind == Schema::Kind::kList || schema.kind == Schema::Kind::kNames;
  if (!holds_items || value.empty()) return;
  const Schema each = ItemOf(schema);
  if (value.is_array()) {
    for (size_t i = 0; i < value.size(); ++i) CollectUnsupported(each, value[i], PointerTo(at, i), found);
  } else if (value.is_object()) {
    for (const auto& [name, item] : value.items()) CollectUnsupported(each, item, PointerTo(at, name), found);
  }
}

void CollectChanges(const json& before, const json& after, const std::string& at, std::vector<std::string>& changed) {
  if (before == after) return;
  if (before.is_object() && after.is_object()) {
    for (const auto& [key, value] : before.items()) {
      const auto other = after.find(key);
      if (other == after.end()) {
        changed.push_back(PointerTo(at, key));
      } else {
        CollectChanges(value, *other, PointerTo(at, key), changed);
      }
    }
    for (const auto& [key, value] : after.items()) {
      if (!before.contains(key)) changed.push_back(PointerTo(at, key));
    }
  } else if (before.is_array() && after.is_array() && before.size() == after.size()) {
    for (size_t i = 0; i < before.size(); ++i) CollectChanges(before[i], after[i], PointerTo(at, i), changed);
  } else {
    changed.push_back(at);
  }
}

// How many letters have to be changed, added, removed or swapped with their neighbour.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> older(b.size() + 1);
  std::vector<size_t> last(b.size() + 1);
  std::vector<size_t> row(b.size() + 1);
  std::iota(last.begin(), last.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], older[j - 2] + 1);
    }
    std::swap(older, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

Schema ItemOf(const Schema& schema) { return schema.again != nullptr ? schema.again() : schema.item[0]; }

std::vector<Problem> CheckAgainst(const Schema& schema, const json& value) {
  Checker checker;
  checker.Check(schema, {}, value, "");
  return checker.TakeProblems();
}

std::vector<UnsupportedField> FindUnsupported(const Schema& schema, const json& value) {
  std::vector<UnsupportedField> found;
  CollectUnsupported(schema, value, "", found);
  return found;
}

std::vector<std::string> ChangedPointers(const json& before, const json& after) {
  std::vector<std::string> changed;
  CollectChanges(before, after, "", changed);
  return changed;
}

double ToShortDouble(float value) {
  std::array<char, 32> digits{};
  const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  double result = 0;
  std::from_chars(digits.data(), written.ptr, result);
  return result;
}

std::string NearestName(std::string_view name, const std::vector<std::string>& allowed) {
  constexpr size_t kLongestName = 64;
  if (name.size() > kLongestName) return "";
  std::string nearest;
  size_t best = std::max<size_t>(1, name.size() / 3) + 1;
  for (const std::string& candidate : allowed) {
    const bool is_short_form = name.size() > 3 && candidate.starts_with(name);  // "deadline" for "deadline_ms"
    const size_t distance = is_short_form ? 1 : EditDistance(name, candidate);
    if (distance < best) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

}  // namespace deepedge
