#include "deepedge/profiler/store/json_fields.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "deepedge/base/utf8.h"

namespace deepedge {
namespace {

using Json = nlohmann::json;

// What stands there, for messages: short, whatever it is.
std::string Shown(const Json& json) {
  if (json.is_object()) return "an object";
  if (json.is_array()) return "a list";
  if (json.is_string()) return Quote(json.get_ref<const std::string&>());
  return json.dump();
}

// A whole number in 64 bits, also where it is written as "12.0".
std::optional<int64_t> WholeNumber(const Json& json) {
  constexpr double kLargestExact = 9007199254740992.0;  // 2^53
  if (json.is_number_unsigned()) {
    const auto value = json.get<uint64_t>();
    return value <= INT64_MAX ? std::optional(static_cast<int64_t>(value)) : std::nullopt;
  }
  if (json.is_number_integer()) return json.get<int64_t>();
  if (!json.is_number_float()) return std::nullopt;
  const auto value = json.get<double>();
  if (std::abs(value) > kLargestExact || value != std::trunc(value)) return std::nullopt;
  return static_cast<int64_t>(value);
}

}  // namespace

bool IsStorableText(std::string_view text) {
  return text.find('\0') == std::string_view::npos && FindInvalidUtf8(text) == std::string_view::npos;
}

JsonFields::JsonFields(const Json& json, std::string where, std::optional<Error>& error)
    : json_(json), where_(std::move(where)), error_(error) {
  if (!json.is_object() && !error_) {
    error_ = Error{ErrorCode::kBadInput,
                   fmt::format("{}{} is not an object", where_.empty() ? "" : where_ + ": ", Shown(json))};
  }
}

std::string JsonFields::NameOf(std::string_view key) const {
  return where_.empty() ? std::string(key) : fmt::format("{}.{}", where_, key);
}

void JsonFields::Fail(std::string_view key, std::string_view what) {
  if (!error_) error_ = Error{ErrorCode::kBadInput, fmt::format("{}: {}", NameOf(key), what)};
}

const Json* JsonFields::Find(const char* key, bool needed) {
  if (error_) return nullptr;
  const auto found = json_.find(key);
  if (found != json_.end()) return &*found;
  if (needed) Fail(key, "missing");
  return nullptr;
}

void JsonFields::Integer(const char* key, int64_t& into, IntegerRule rule) {
  const Json* json = Find(key, rule.needed);
  if (json == nullptr) return;
  const auto value = WholeNumber(*json);
  if (!value) return Fail(key, fmt::format("{} is not a whole number", Shown(*json)));
  if (*value < rule.least || *value > rule.most) {
    return Fail(key, fmt::format("{} is not within {} and {}", *value, rule.least, rule.most));
  }
  into = *value;
}

void JsonFields::Integer(const char* key, int& into, IntegerRule rule) {
  int64_t value = into;
  rule.least = std::max<int64_t>(rule.least, INT32_MIN);
  rule.most = std::min<int64_t>(rule.most, INT32_MAX);
  Integer(key, value, rule);
  if (!error_) into = static_cast<int>(value);
}

void JsonFields::Number(const char* key, double& into, NumberRule rule) {
  const Json* json = Find(key, rule.needed);
  if (json == nullptr) return;
  if (!json->is_number()) return Fail(key, fmt::format("{} is not a number", Shown(*json)));
  const auto value = json->get<double>();
  if (!(value >= rule.least && value <= rule.most)) {
    return Fail(key, fmt::format("{} is not within {} and {}", value, rule.least, rule.most));
  }
  into = value;
}

void JsonFields::Text(const char* key, std::string& into, TextRule rule) {
  const Json* json = Find(key, rule.needed);
  if (json == nullptr) return;
  if (!json->is_string()) return Fail(key, fmt::format("{} is not a text", Shown(*json)));
  const auto& text = json->get_ref<const std::string&>();
  if (text.size() < rule.least) return Fail(key, "empty");
  if (text.size() > rule.most) return Fail(key, fmt::format("longer than {} bytes", rule.most));
  if (rule.plain ? !IsPlainText(text) : !IsStorableText(text)) {
    return Fail(key, fmt::format("{} has characters that may not stand there", Quote(text)));
  }
  into = text;
}

void JsonFields::Flag(const char* key, bool& into) {
  const Json* json = Find(key, false);
  if (json == nullptr) return;
  if (!json->is_boolean()) return Fail(key, fmt::format("{} is neither true nor false", Shown(*json)));
  into = json->get<bool>();
}

const Json* JsonFields::Object(const char* key, bool needed) {
  const Json* json = Find(key, needed);
  if (json == nullptr || json->is_object()) return json;
  Fail(key, fmt::format("{} is not an object", Shown(*json)));
  return nullptr;
}

const Json* JsonFields::List(const char* key, size_t most, bool needed) {
  const Json* json = Find(key, needed);
  if (json == nullptr) return nullptr;
  if (!json->is_array()) {
    Fail(key, fmt::format("{} is not a list", Shown(*json)));
    return nullptr;
  }
  if (json->size() > most) {
    Fail(key, fmt::format("more than {} items", most));
    return nullptr;
  }
  return json;
}

Result<Json> ParseJson(std::string_view text) {
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& error) {
    return Error{ErrorCode::kBadInput, fmt::format("not JSON at byte {}", error.byte)};
  } catch (const Json::exception& error) {  // a number that no double holds
    return Error{ErrorCode::kBadInput, fmt::format("not JSON: {}", error.what())};
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::kExhausted, "JSON that is too large for the memory"};
  }
}

}  // namespace deepedge
