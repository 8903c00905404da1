// Fields(): an option is declared once, as a struct member with its default and one line that gives its key, what is
// allowed and what it is for. Loading, checking, printing, comparing and the reference page come from that line.
//
//   struct LimitsConfig {
//     std::optional<int> cores;
//     double reserve = 0.1;
//
//     static void Fields(auto&& field) {
//       field("cores", &LimitsConfig::cores, {.help = "Cores to use", .min = 1, .max = 1024, .unset = "all"});
//       field("reserve", &LimitsConfig::reserve, {.help = "Share of each core kept free", .min = 0, .max = 0.9});
//     }
//   };
//
//   DE_TRY(YamlDocument document, LoadYaml("limits.yaml"));
//   DE_TRY(LimitsConfig limits, LoadFields<LimitsConfig>(document));   // or all that is wrong, with lines
//   PrintFields(limits);                                               // YAML
//   ChangedFields(limits, others);                                     // {"/cores"}
//   ToMarkdown(SchemaOf<LimitsConfig>());                              // schema.h has the rest
//
// A member may be a bool, a number, text, an enum, a struct with Fields(), and std::optional, std::vector, std::array
// and std::map<std::string, ..> of these; an Again<T> is a list of the struct T that it lies in. An enum names its
// values by a function beside it:
//
//   constexpr auto NamesOf(Objective) { return std::array{EnumName{Objective::kFair, "fair"}, ...}; }
//
// Another type takes part through a specialisation of FieldType: Describe (its schema), Read (from JSON; false and the
// value unchanged when that is of the wrong type, which CheckAgainst has reported) and Write (null: leave it out).
#pragma once

#include <array>
#include <concepts>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "deepedge/config/schema.h"

namespace deepedge {

// An enum's value and how it is written.
template <typename E>
struct EnumName {
  E value;
  const char* name;
};

// Stands for the function that T::Fields calls, where only its existence is asked for.
struct FieldProbe {
  template <typename Owner, typename Member>
  void operator()(std::string_view key, Member Owner::* member, const FieldInfo& info) const;
};

template <typename T>
concept HasFields = requires(FieldProbe probe) { T::Fields(probe); };

template <typename T>
concept HasNames = std::is_enum_v<T> && requires(T value) { NamesOf(value); };

template <typename T>
struct FieldType;

template <>
struct FieldType<bool> {
  static Schema Describe() { return {.kind = Schema::Kind::kBoolean}; }
  static bool Read(const nlohmann::json& json, bool& value) {
    if (!json.is_boolean()) return false;
    value = json.get<bool>();
    return true;
  }
  static nlohmann::json Write(bool value) { return value; }
};

template <std::integral T>
struct FieldType<T> {
  // JSON numbers are exact up to 2^53.
  static constexpr double kMin =
      sizeof(T) < 8 ? static_cast<double>(std::numeric_limits<T>::min()) : (std::is_signed_v<T> ? -0x1p53 : 0);
  static constexpr double kMax = sizeof(T) < 8 ? static_cast<double>(std::numeric_limits<T>::max()) : 0x1p53;

  static Schema Describe() { return {.kind = Schema::Kind::kInteger, .min = kMin, .max = kMax}; }
  static bool Read(const nlohmann::json& json, T& value) {
    if (!json.is_number_integer()) return false;
    const auto number = json.get<double>();
    if (number < kMin || number > kMax) return false;
    value = static_cast<T>(number);
    return true;
  }
  static nlohmann::json Write(T value) { return value; }
};

template <std::floating_point T>
struct FieldType<T> {
  static Schema Describe() { return {.kind = Schema::Kind::kNumber}; }
  static bool Read(const nlohmann::json& json, T& value) {
    if (!json.is_number()) return false;
    value = json.get<T>();
    return true;
  }
  static nlohmann::json Write(T value) {
    if constexpr (std::same_as<T, float>) return ToShortDouble(value);
    return value;
  }
};

template <>
struct FieldType<std::string> {
  static Schema Describe() { return {.kind = Schema::Kind::kText}; }
  static bool Read(const nlohmann::json& json, std::string& value) {
    if (!json.is_string()) return false;
    value = json.get_ref<const std::string&>();
    return true;
  }
  static nlohmann::json Write(const std::string& value) { return value; }
};

template <HasNames T>
struct FieldType<T> {
  static Schema Describe() {
    Schema schema{.kind = Schema::Kind::kChoice};
    for (const auto& entry : NamesOf(T{})) schema.choices.emplace_back(entry.name);
    return schema;
  }
  static bool Read(const nlohmann::json& json, T& value) {
    for (const auto& entry : NamesOf(T{})) {
      if (json != entry.name) continue;
      value = entry.value;
      return true;
    }
    return false;
  }
  static nlohmann::json Write(T value) {
    for (const auto& entry : NamesOf(T{})) {
      if (entry.value == value) return entry.name;
    }
    return nullptr;
  }
};

template <typename T>
struct FieldType<std::optional<T>> {
  static Schema Describe() { return FieldType<T>::Describe(); }
  static bool Read(const nlohmann::json& json, std::optional<T>& value) {
    T inner{};
    if (!FieldType<T>::Read(json, inner)) return false;
    value = std::move(inner);
    return true;
  }
  static nlohmann::json Write(const std::optional<T>& value) {
    return value ? FieldType<T>::Write(*value) : nlohmann::json();
  }
};

template <typename T>
struct FieldType<std::vector<T>> {
  static Schema Describe() { return {.kind = Schema::Kind::kList, .item = {FieldType<T>::Describe()}}; }
  static bool Read(const nlohmann::json& json, std::vector<T>& value) {
    if (!json.is_array()) return false;
    value.clear();
    for (const auto& item : json) {
      T read{};
      FieldType<T>::Read(item, read);  // one of the wrong type keeps its place, so that indices stay right
      value.push_back(std::move(read));
    }
    return true;
  }
  static nlohmann::json Write(const std::vector<T>& value) {
    nlohmann::json json = nlohmann::json::array();
    for (const T& item : value) json.push_back(FieldType<T>::Write(item));
    return json;
  }
};

// A list of the struct that it is a member of.
template <typename T>
struct Again {
  std::vector<T> list;
};

template <typename T>
struct FieldType<Again<T>> {
  static Schema Describe() {
    return {.kind = Schema::Kind::kList, .again = [] { return FieldType<T>::Describe(); }};
  }
  static bool Read(const nlohmann::json& json, Again<T>& value) {
    return FieldType<std::vector<T>>::Read(json, value.list);
  }
  static nlohmann::json Write(const Again<T>& value) { return FieldType<std::vector<T>>::Write(value.list); }
};

template <typename T, size_t N>
struct FieldType<std::array<T, N>> {
  static Schema Describe() { return {.kind = Schema::Kind::kList, .count = N, .item = {FieldType<T>::Describe()}}; }
  static bool Read(const nlohmann::json& json, std::array<T, N>& value) {
    if (!json.is_array() || json.size() != N) return false;
    for (size_t i = 0; i < N; ++i) FieldType<T>::Read(json[i], value[i]);
    return true;
  }
  static nlohmann::json Write(const std::array<T, N>& value) {
    nlohmann::json json = nlohmann::json::array();
    for (const T& item : value) json.push_back(FieldType<T>::Write(item));
    return json;
  }
};

template <typename T>
struct FieldType<std::map<std::string, T>> {
  static Schema Describe() { return {.kind = Schema::Kind::kNames, .item = {FieldType<T>::Describe()}}; }
  static bool Read(const nlohmann::json& json, std::map<std::string, T>& value) {
    if (!json.is_object()) return false;
    value.clear();
    for (const auto& [name, item] : json.items()) FieldType<T>::Read(item, value[name]);
    return true;
  }
  static nlohmann::json Write(const std::map<std::string, T>& value) {
    nlohmann::json json = nlohmann::json::object();
    for (const auto& [name, item] : value) json[name] = FieldType<T>::Write(item);
    return json;
  }
};

template <HasFields T>
struct FieldType<T> {
  static Schema Describe() {
    Schema schema{.kind = Schema::Kind::kTable};
    const T defaults{};
    T::Fields([&]<typename Member>(std::string_view key, Member T::* member, const FieldInfo& info) {
      schema.fields.push_back({.key = std::string(key),
                               .info = info,
                               .schema = FieldType<Member>::Describe(),
                               .fallback = info.required ? nullptr : FieldType<Member>::Write(defaults.*member)});
    });
    return schema;
  }
  static bool Read(const nlohmann::json& json, T& value) {
    if (!json.is_object()) return false;
    T::Fields([&]<typename Member>(std::string_view key, Member T::* member, const FieldInfo& /*info*/) {
      if (const auto found = json.find(key); found != json.end()) FieldType<Member>::Read(*found, value.*member);
    });
    return true;
  }
  static nlohmann::json Write(const T& value) {
    nlohmann::json json = nlohmann::json::object();
    T::Fields([&]<typename Member>(std::string_view key, Member T::* member, const FieldInfo& /*info*/) {
      nlohmann::json part = FieldType<Member>::Write(value.*member);
      if (!part.is_null()) json[std::string(key)] = std::move(part);
    });
    return json;
  }
};

template <HasFields T>
Schema SchemaOf() {
  return FieldType<T>::Describe();
}

// What could be read, and in `problems` all that is wrong; for callers that have checks of their own to add.
template <HasFields T>
T ReadFields(const nlohmann::json& json, std::vector<Problem>& problems) {
  for (Problem& problem : CheckAgainst(SchemaOf<T>(), json)) problems.push_back(std::move(problem));
  T value;
  FieldType<T>::Read(json, value);
  return value;
}

// Errors: kBadInput with a line for each problem.
template <HasFields T>
Result<T> LoadFields(const YamlDocument& document) {
  std::vector<Problem> problems;
  T value = ReadFields<T>(document.json(), problems);
  if (!problems.empty()) return ToError(document.source(), problems);
  return value;
}

template <HasFields T>
nlohmann::json FieldsToJson(const T& value) {
  return FieldType<T>::Write(value);
}

template <HasFields T>
std::string PrintFields(const T& value) {
  return ToYaml(SchemaOf<T>(), FieldsToJson(value));
}

template <HasFields T>
std::vector<std::string> ChangedFields(const T& before, const T& after) {
  return ChangedPointers(FieldsToJson(before), FieldsToJson(after));
}

}  // namespace deepedge
