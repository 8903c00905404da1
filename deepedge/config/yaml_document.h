// YamlDocument: a YAML file as JSON, with the line of everything in it, so that whoever reads it can say where a
// mistake is. The YAML itself is gone after reading; nothing else in the program sees it.
//
//   DE_TRY(YamlDocument document, LoadYaml("edge.yaml"));
//   document.json()["streams"];
//   document.Where("/streams/gate/tasks/0/max_rate");   // "edge.yaml:12: streams.gate.tasks[0].max_rate"
//
// The language is YAML without its traps. Only `true` and `false` are booleans; numbers are decimal, without leading
// zeros; what is in quotes is text. Refused, with file and line: a key written twice, anchors and aliases, tags, more
// than one document, tabs as indentation, nesting deeper than 32, bytes that are not UTF-8. An empty file is an empty
// table.
//
// Thread rule: a value.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "deepedge/base/file.h"
#include "deepedge/base/result.h"

namespace deepedge {

// Where the parts of a document stand in its file. `pointer` is a JSON pointer (RFC 6901): "/streams/gate/tasks/0".
class SourceMap {
 public:
  struct Node {
    int line = 0;  // of a key; of an item of a list
    std::map<std::string, Node, std::less<>> keys;
    std::vector<Node> items;
  };

  // Of something that was not read from a file: Where() then gives the path alone.
  SourceMap() = default;
  SourceMap(std::string name, Node root) : name_(std::move(name)), root_(std::move(root)) {}

  const std::string& name() const { return name_; }
  // The line of what `pointer` names or, where there is no such thing, of what would hold it. 1 is the first; 0: none.
  int LineOf(std::string_view pointer) const;
  // "edge.yaml:12: streams.gate.tasks[0].max_rate": how a message about that place begins.
  std::string Where(std::string_view pointer) const;

 private:
  std::string name_;
  Node root_;
};

// One thing that is wrong with a document.
struct Problem {
  std::string pointer;
  std::string message;
};

// kBadInput with one line for each problem, in the order of the file; after 50 it only counts them. `problems` must not
// be empty.
Error ToError(const SourceMap& source, const std::vector<Problem>& problems);

class YamlDocument {
 public:
  YamlDocument(nlohmann::json json, SourceMap source) : json_(std::move(json)), source_(std::move(source)) {}

  const nlohmann::json& json() const { return json_; }
  const SourceMap& source() const { return source_; }
  int LineOf(std::string_view pointer) const { return source_.LineOf(pointer); }
  std::string Where(std::string_view pointer) const { return source_.Where(pointer); }

 private:
  nlohmann::json json_;
  SourceMap source_;
};

constexpr int64_t kMaxYamlBytes = int64_t{1} << 20;

// Errors: kNotFound; kBadInput with file and line, also for a file over kMaxYamlBytes.
Result<YamlDocument> LoadYaml(const Path& path);

// `name` stands for the file in messages.
Result<YamlDocument> ParseYaml(std::string_view text, std::string name);

// `pointer` + "/" + `key`, escaped.
std::string PointerTo(std::string_view pointer, std::string_view key);
std::string PointerTo(std::string_view pointer, size_t index);

// What a plain scalar means: null, a boolean, a number or text. Pure.
nlohmann::json ReadPlainScalar(std::string_view text);

}  // namespace deepedge
