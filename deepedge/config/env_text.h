// EnvText: text of a settings file in which ${NAME} stands for a variable of the environment, so that passwords need
// not be in the file. It keeps what the user wrote beside what it means: `text` is printed, compared and logged,
// `value` is used and never printed.
//
// Thread rule: a value.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "deepedge/base/result.h"
#include "deepedge/config/fields.h"

namespace deepedge {

// Looks a variable up.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

// The variables this process was started with.
Environment ProcessEnvironment();

struct EnvText {
  std::string text;   // as written
  std::string value;  // with the variables put in

  EnvText() = default;
  // Text without variables, as from the command line.
  EnvText(std::string literal) : text(literal), value(std::move(literal)) {}  // NOLINT(google-explicit-constructor)
  EnvText(const char* literal) : EnvText(std::string(literal)) {}             // NOLINT(google-explicit-constructor)

  friend bool operator==(const EnvText&, const EnvText&) = default;
};

// `text` with every ${NAME} replaced; "$${" stands for "${". In the user and password part of an address the
// characters that would end that part are percent-encoded. Errors: kBadInput naming the variable that is not set, or
// the place that is not well formed; never a value.
Result<std::string> ExpandEnvironment(std::string_view text, const Environment& environment);

template <>
struct FieldType<EnvText> {
  static Schema Describe() { return {.kind = Schema::Kind::kText}; }
  static bool Read(const nlohmann::json& json, EnvText& value) {
    if (!json.is_string()) return false;
    value = json.get_ref<const std::string&>();
    return true;
  }
  static nlohmann::json Write(const EnvText& value) { return value.text; }
};

}  // namespace deepedge
