// Result<T> and Status: how functions report failures that are expected.
//
//   Result<Model> LoadModel(const Path& p) {
//     DE_TRY(auto bytes, ReadFile(p));            // returns the error to our caller
//     if (bytes.empty()) return Error{ErrorCode::kBadInput, "model 'x': file is empty"};
//     return Model{...};
//   }
//
// An Error says what was tried and where, in words a user can act on. Both types are [[nodiscard]]; to drop an error on
// purpose write `.Ignore("reason")`, so that it can be searched for. Thread rule: values, like std::string.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "deepedge/base/check.h"

namespace deepedge {

enum class ErrorCode {
  kBadInput,     // the user's file, option or configuration is wrong; exit code 2
  kNotFound,     // something named does not exist; exit code 2
  kUnavailable,  // a camera, broker or device does not answer now; may work later
  kEndOfStream,  // a source has ended in the ordinary way
  kExhausted,    // memory, disk or another resource ran out
  kCancelled,    // stopped on request
  kUnsupported,  // understood, but this build or box cannot do it
  kInternal,     // a library failed in a way that it should not
};

std::string_view ToString(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;

  // The same error with what was tried in front: "open stream 'gate': " + message.
  Error Wrap(std::string_view what_was_tried) const { return {code, std::string(what_was_tried) + ": " + message}; }
};

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor): return Error{...}
  static Status Ok() { return {}; }

  bool ok() const { return !error_.has_value(); }
  const Error& error() const {
    DE_CHECK(error_.has_value());
    return *error_;
  }
  void Ignore(std::string_view /*reason*/) const {}

 private:
  std::optional<Error> error_;
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::in_place_index<0>, std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : value_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return value_.index() == 0; }
  const Error& error() const {
    DE_CHECK(!ok());
    return std::get<1>(value_);
  }
  T& value() & {
    DE_CHECK(ok());
    return std::get<0>(value_);
  }
  const T& value() const& {
    DE_CHECK(ok());
    return std::get<0>(value_);
  }
  T&& value() && {
    DE_CHECK(ok());
    return std::get<0>(std::move(value_));
  }
  Status status() const { return ok() ? Status() : Status(error()); }
  void Ignore(std::string_view /*reason*/) const {}

 private:
  std::variant<T, Error> value_;
};

#define DE_CONCAT_INNER(a, b) a##b
#define DE_CONCAT(a, b) DE_CONCAT_INNER(a, b)

// DE_TRY(declaration, expression): evaluates a Result and either initialises the declaration with its value or returns
// its error from the enclosing function.
#define DE_TRY(declaration, ...) DE_TRY_IMPL(DE_CONCAT(de_result_, __LINE__), declaration, __VA_ARGS__)
#define DE_TRY_IMPL(result, declaration, ...) \
  auto result = (__VA_ARGS__);                \
  if (!result.ok()) return result.error();    \
  declaration = std::move(result).value()

// DE_TRY_STATUS(expression): evaluates a Status and returns its error from the enclosing function, if any.
#define DE_TRY_STATUS(...)                                                                \
  do {                                                                                    \
    if (const auto& de_status = (__VA_ARGS__); !de_status.ok()) return de_status.error(); \
  } while (false)

}  // namespace deepedge
