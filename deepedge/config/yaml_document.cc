#include "deepedge/config/yaml_document.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <sstream>

#include "deepedge/base/utf8.h"

namespace deepedge {
namespace {

using nlohmann::json;

constexpr size_t kMaxDepth = 32;
constexpr size_t kMaxProblems = 50;

// A mistake in the text, on its way out of the YAML library.
struct Mistake {
  int line = 0;
  std::string message;
};

// Builds the JSON value from the library's events. Refusing aliases here is what keeps a small file a small value.
class Builder final : public YAML::EventHandler {
 public:
  json TakeJson() { return std::move(json_); }
  SourceMap::Node TakeLines() { return std::move(lines_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0) throw Mistake{mark.line + 1, "a second document ('---'); one file holds one"};
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    RefuseAnchor(mark, anchor);
    if (AtKey()) throw Mistake{mark.line + 1, "a key without a name"};
    Place(mark, nullptr);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override { RefuseAnchor(mark, anchor); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    RefuseAnchor(mark, anchor);
    if (AtKey()) {
      StartKey(mark, value);
    } else if (tag == "?" || tag.empty()) {
      Place(mark, ReadPlainScalar(value));
    } else if (tag == "!") {  // quoted
      Place(mark, value);
    } else {
      throw Mistake{mark.line + 1, fmt::format("the tag {}; tags are not used here", Quote(tag))};
    }
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    Open(mark, tag, anchor, json::array());
  }
  void OnSequenceEnd() override { open_.pop_back(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    Open(mark, tag, anchor, json::object());
  }
  void OnMapEnd() override { open_.pop_back(); }

 private:
  // A table or list that is being filled. Both pointers stay valid: only the innermost one grows.
  struct Container {
    json* value;
    SourceMap::Node* lines;
    std::optional<std::string> key;  // of the table's entry whose value comes next
  };

  bool AtKey() const { return !open_.empty() && open_.back().value->is_object() && !open_.back().key; }

  static void RefuseAnchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor) {
      throw Mistake{mark.line + 1, "anchors (&name) and aliases (*name) are not used here; write the value out"};
    }
  }

  void StartKey(const YAML::Mark& mark, const std::string& key) {
    Container& table = open_.back();
    const auto [entry, is_new] = table.lines->keys.try_emplace(key);
    if (!is_new) {
      throw Mistake{mark.line + 1,
                    fmt::format("the key {} was already written in line {}", Quote(key), entry->second.line)};
    }
    entry->second.line = mark.line + 1;
    table.key = key;
  }

  // Puts a value where the next one belongs.
  Container Place(const YAML::Mark& mark, json value) {
    if (open_.empty()) {
      json_ = std::move(value);
      lines_.line = mark.line + 1;
      return {&json_, &lines_, {}};
    }
    Container& parent = open_.back();
    if (parent.value->is_array()) {
      parent.value->push_back(std::move(value));
      parent.lines->items.push_back({.line = mark.line + 1});
      return {&parent.value->back(), &parent.lines->items.back(), {}};
    }
    const std::string key = *std::exchange(parent.key, std::nullopt);
    json& placed = (*parent.value)[key] = std::move(value);
    return {&placed, &parent.lines->keys.find(key)->second, {}};
  }

  void Open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, json empty) {
    RefuseAnchor(mark, anchor);
    if (!tag.empty() && tag != "?") {
      throw Mistake{mark.line + 1, fmt::format("the tag {}; tags are not used here", Quote(tag))};
    }
    if (AtKey()) throw Mistake{mark.line + 1, "a key has to be text, not a list or a table"};
    if (open_.size() >= kMaxDepth) throw Mistake{mark.line + 1, fmt::format("nested deeper than {} levels", kMaxDepth)};
    open_.push_back(Place(mark, std::move(empty)));
  }

  json json_;
  SourceMap::Node lines_;
  std::vector<Container> open_;
  int documents_ = 0;
};

int LineAt(std::string_view text, size_t position) {
  return 1 + static_cast<int>(std::ranges::count(text.substr(0, position), '\n'));
}

// What the library would accept or misread: it takes byte 4 for the end of the file, and tabs for blanks here and
// there.
std::optional<Mistake> CheckText(std::string_view text) {
  if (const size_t at = FindInvalidUtf8(text); at != std::string_view::npos) {
    return Mistake{LineAt(text, at), fmt::format("byte 0x{:02x} is not UTF-8 text", static_cast<uint8_t>(text[at]))};
  }
  bool only_blanks = true;  // so far in this line
  bool tab = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n') {
      only_blanks = true;
      tab = false;
    } else if (c == '\t') {
      tab = tab || only_blanks;
    } else if ((c >= 0 && c < 0x20 && c != '\r') || c == 0x7F) {
      return Mistake{LineAt(text, i), fmt::format("control character 0x{:02x} in the text", c)};
    } else if (c != ' ' && c != '\r') {
      if (only_blanks && tab && c != '#') return Mistake{LineAt(text, i), "indented with a tab; use blanks"};
      only_blanks = false;
    }
  }
  return std::nullopt;
}

std::vector<std::string> SplitPointer(std::string_view pointer) {
  std::vector<std::string> tokens;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    const std::string_view token = pointer.substr(0, pointer.find('/'));
    std::string& key = tokens.emplace_back();
    for (size_t i = 0; i < token.size(); ++i) {
      if (token[i] == '~' && i + 1 < token.size()) {
        key += token[++i] == '1' ? '/' : '~';
      } else {
        key += token[i];
      }
    }
    pointer.remove_prefix(token.size());
  }
  return tokens;
}

bool IsIndex(std::string_view token) {
  return !token.empty() && token.size() < 9 && std::ranges::all_of(token, [](char c) { return c >= '0' && c <= '9'; });
}

const SourceMap::Node* Child(const SourceMap::Node& node, const std::string& token) {
  if (const auto entry = node.keys.find(token); entry != node.keys.end()) return &entry->second;
  if (!node.items.empty() && IsIndex(token)) {
    const size_t index = std::stoul(token);
    if (index < node.items.size()) return &node.items[index];
  }
  return nullptr;
}

// Names as they are, anything that could spoil a terminal or a line in quotes.
std::string KeyForMessage(const std::string& key) {
  const std::string quoted = Quote(key);
  return quoted.size() == key.size() + 2 && !key.empty() ? key : quoted;
}

}  // namespace

int SourceMap::LineOf(std::string_view pointer) const {
  const Node* node = &root_;
  for (const std::string& token : SplitPointer(pointer)) {
    const Node* child = Child(*node, token);
    if (child == nullptr) break;
    node = child;
  }
  return node->line;
}

std::string SourceMap::Where(std::string_view pointer) const {
  std::string path;
  const Node* node = &root_;
  for (const std::string& token : SplitPointer(pointer)) {
    const bool is_item = IsIndex(token) && (node == nullptr || node->keys.empty());
    if (is_item) {
      path += fmt::format("[{}]", token);
    } else {
      path += (path.empty() ? "" : ".") + KeyForMessage(token);
    }
    node = node == nullptr ? nullptr : Child(*node, token);
  }
  if (name_.empty()) return path;
  const int line = std::max(LineOf(pointer), 1);
  return path.empty() ? fmt::format("{}:{}", name_, line) : fmt::format("{}:{}: {}", name_, line, path);
}

Error ToError(const SourceMap& source, const std::vector<Problem>& problems) {
  DE_CHECK(!problems.empty());
  std::vector<std::pair<int, size_t>> order;  // line, position in `problems`
  for (size_t i = 0; i < problems.size(); ++i) order.emplace_back(source.LineOf(problems[i].pointer), i);
  std::ranges::sort(order);
  std::string text;
  for (size_t i = 0; i < std::min(order.size(), kMaxProblems); ++i) {
    const Problem& problem = problems[order[i].second];
    const std::string where = source.Where(problem.pointer);
    text += (i == 0 ? "" : "\n") + where + (where.empty() ? "" : ": ") + problem.message;
  }
  if (problems.size() > kMaxProblems) text += fmt::format("\nand {} more", problems.size() - kMaxProblems);
  return Error{ErrorCode::kBadInput, std::move(text)};
}

Result<YamlDocument> LoadYaml(const Path& path) {
  DE_TRY(const std::string text, ReadFile(path, kMaxYamlBytes));
  return ParseYaml(text, path.string());
}

Result<YamlDocument> ParseYaml(std::string_view text, std::string name) {
  const auto fail = [&](const Mistake& mistake) {
    return Error{ErrorCode::kBadInput, fmt::format("{}:{}: {}", name, mistake.line, mistake.message)};
  };
  if (text.size() > static_cast<size_t>(kMaxYamlBytes)) {
    return Error{ErrorCode::kBadInput,
                 fmt::format("{}: {} bytes, more than the {} allowed here", name, text.size(), kMaxYamlBytes)};
  }
  if (const auto mistake = CheckText(text)) return fail(*mistake);
  // The library takes the end of the file for the end of an open quoted text, but not a document's end mark.
  const std::string marked = fmt::format("{}{}...\n", text, text.empty() || text.ends_with('\n') ? "" : "\n");
  Builder builder;
  try {
    std::istringstream stream(marked);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Mistake& mistake) {
    return fail(mistake);
  } catch (const YAML::Exception& e) {
    if (e.msg == YAML::ErrorMsg::DOC_IN_SCALAR) return fail({e.mark.line + 1, "a text in quotes does not end"});
    return fail({e.mark.line + 1, fmt::format("not valid YAML: {} (column {})", e.msg, e.mark.column + 1)});
  } catch (const std::exception& e) {
    return Error{ErrorCode::kInternal, fmt::format("{}: the YAML library failed: {}", name, e.what())};
  }
  json value = builder.TakeJson();
  if (value.is_null()) value = json::object();
  return YamlDocument(std::move(value), SourceMap(std::move(name), builder.TakeLines()));
}

std::string PointerTo(std::string_view pointer, std::string_view key) {
  std::string result(pointer);
  result += '/';
  for (const char c : key) {
    if (c == '~') {
      result += "~0";
    } else if (c == '/') {
      result += "~1";
    } else {
      result += c;
    }
  }
  return result;
}

std::string PointerTo(std::string_view pointer, size_t index) { return fmt::format("{}/{}", pointer, index); }

json ReadPlainScalar(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  if (text.empty() || text == "~" || text == "null") return nullptr;
  std::string_view digits = text;
  if (digits.front() == '+' || digits.front() == '-') digits.remove_prefix(1);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const bool number_start = !digits.empty() && (is_digit(digits[0]) || (digits[0] == '.' && digits.size() > 1));
  const bool leading_zero = digits.size() > 1 && digits[0] == '0' && is_digit(digits[1]);
  if (!number_start || leading_zero) return text;
  const std::string_view number = text.front() == '+' ? digits : text;
  const char* const end = number.data() + number.size();
  int64_t integer = 0;
  if (const auto [stop, error] = std::from_chars(number.data(), end, integer); stop == end && error == std::errc()) {
    return integer;
  }
  double real = 0;
  if (const auto [stop, error] = std::from_chars(number.data(), end, real); stop == end && error == std::errc()) {
    return real;
  }
  return text;
}

}  // namespace deepedge
