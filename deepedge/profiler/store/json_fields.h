// JsonFields: reads the fields of a JSON object that came from elsewhere. Keeps the first thing that is wrong and names
// its field, so that a caller reads all fields in a row and asks once:
//
//   std::optional<Error> error;
//   JsonFields fields(json, "costs[3]", error);
//   fields.Integer("probes", cost.probes, {.most = 1'000'000});      // stays as it was where the field is missing
//   fields.Text("layers", cost.layers, {.most = 4096, .needed = true});
//   if (error) return *error;                                         // "costs[3].probes: 1.5 is not a whole number"
//
// Unknown fields do not matter. Threads: a value of one thread.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "deepedge/base/result.h"

namespace deepedge {

struct IntegerRule {
  int64_t least = 0;
  int64_t most = INT64_MAX;
  bool needed = false;
};
struct NumberRule {
  double least = 0;
  double most = 1e300;
  bool needed = false;
};
struct TextRule {
  size_t least = 0;  // bytes
  size_t most = 4096;
  bool needed = false;
  bool plain = true;  // valid UTF-8 in one line; else any valid UTF-8 without a zero
};

// A text that may be stored: valid UTF-8 without a zero, which would end it for others.
bool IsStorableText(std::string_view text);

class JsonFields {
 public:
  // `where` is the name of `json` itself, empty for the outermost. `json` and `error` must outlive this.
  JsonFields(const nlohmann::json& json, std::string where, std::optional<Error>& error);

  void Integer(const char* key, int64_t& into, IntegerRule rule);
  void Integer(const char* key, int& into, IntegerRule rule);
  void Number(const char* key, double& into, NumberRule rule);
  void Text(const char* key, std::string& into, TextRule rule);
  void Flag(const char* key, bool& into);
  // Null where there is none, which is an error if it is needed.
  const nlohmann::json* Object(const char* key, bool needed);
  // Null where there is none, or too many items.
  const nlohmann::json* List(const char* key, size_t most, bool needed);

  std::string NameOf(std::string_view key) const;  // with what it lies in
  void Fail(std::string_view key, std::string_view what);

 private:
  const nlohmann::json* Find(const char* key, bool needed);

  const nlohmann::json& json_;
  std::string where_;
  std::optional<Error>& error_;
};

// One JSON value. Errors: kBadInput, with the place in the text.
Result<nlohmann::json> ParseJson(std::string_view text);

}  // namespace deepedge
