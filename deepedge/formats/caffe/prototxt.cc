#include "deepedge/formats/caffe/prototxt.h"

#include <fmt/format.h>

#include <cctype>

namespace deepedge {
namespace {

constexpr int kMaxDepth = 16;
constexpr size_t kMaxName = 100;  // of a field
constexpr size_t kMaxText = size_t{4} << 20;

bool IsWordCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '-' || c == '+';
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<TextMessage> Parse() {
    TextMessage message;
    DE_TRY_STATUS(ParseFields(message, '\0', 0));
    return message;
  }

 private:
  Error Fail(std::string_view what) const { return {ErrorCode::kBadInput, fmt::format("line {}: {}", line_, what)}; }

  char Peek() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#') {
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
      } else if (std::isspace(static_cast<unsigned char>(c)) != 0) {
        line_ += c == '\n' ? 1 : 0;
        ++at_;
      } else {
        return c;
      }
    }
    return '\0';
  }

  std::string_view Word() {
    const size_t begin = at_;
    while (at_ < text_.size() && IsWordCharacter(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  // Fields up to `end`, which is taken; '\0' is the end of the text.
  Status ParseFields(TextMessage& message, char end, int depth) {
    if (depth > kMaxDepth) return Fail("more than 16 messages inside one another");
    while (true) {
      const char c = Peek();
      if (c == end) {
        if (end == '\0' && at_ < text_.size()) return Fail("a zero byte");
        ++at_;
        return {};
      }
      if (c == '\0') return Fail(fmt::format("the text ends where '{}' is missing", end));
      if (c == ',' || c == ';') {
        ++at_;
        continue;
      }
      TextField field{.name = std::string(Word()), .line = line_};
      if (field.name.empty()) return Fail(fmt::format("expected the name of a field, found {}", Shown(c)));
      // Each number of a list has a copy of the name.
      if (field.name.size() > kMaxName) return Fail("the name of a field is longer than any");
      DE_TRY_STATUS(ParseField(message, std::move(field), depth));
    }
  }

  Status ParseField(TextMessage& message, TextField field, int depth) {
    char c = Peek();
    const bool colon = c == ':';
    if (colon) {
      ++at_;
      c = Peek();
    }
    if (c == '[' && colon) return ParseList(message, field, depth);
    if (c != '{' && c != '<' && !colon) {
      return Fail(fmt::format("expected ':' or '{{' after '{}', found {}", field.name, Shown(c)));
    }
    DE_TRY_STATUS(ParseValue(field, depth));
    message.fields.push_back(std::move(field));
    return {};
  }

  // "dim: [1, 3]" is short for one field for each value.
  Status ParseList(TextMessage& message, const TextField& field, int depth) {
    ++at_;
    while (Peek() != ']') {
      TextField element = field;
      DE_TRY_STATUS(ParseValue(element, depth));
      message.fields.push_back(std::move(element));
      if (Peek() == ',') {
        ++at_;
      } else if (Peek() != ']') {
        return Fail(fmt::format("expected ',' or ']' in the list of '{}', found {}", field.name, Shown(Peek())));
      }
    }
    ++at_;
    return {};
  }

  Status ParseValue(TextField& field, int depth) {
    const char c = Peek();
    if (c == '{' || c == '<') {
      ++at_;
      field.is_message = true;
      return ParseFields(field.message, c == '{' ? '}' : '>', depth + 1);
    }
    if (c == '"' || c == '\'') {
      while (Peek() == '"' || Peek() == '\'') DE_TRY_STATUS(ParseString(field.value));
      return {};
    }
    field.value = std::string(Word());
    if (field.value.empty()) return Fail(fmt::format("expected a value of '{}', found {}", field.name, Shown(c)));
    return {};
  }

  // Appends what stands between quotes; escapes that names and paths need are known, others keep their backslash.
  Status ParseString(std::string& value) {
    const char quote = text_[at_++];
    while (at_ < text_.size() && text_[at_] != quote) {
      char c = text_[at_++];
      if (c == '\n') return Fail("a string that does not end in its line");
      if (c == '\\' && at_ < text_.size() && (text_[at_] == '\\' || text_[at_] == '"' || text_[at_] == '\'')) {
        c = text_[at_++];
      }
      value += c;
    }
    if (at_ == text_.size()) return Fail("the text ends inside a string");
    ++at_;
    return {};
  }

  static std::string Shown(char c) {
    if (c == '\0') return "the end of the text";
    return c >= 0x20 && c < 0x7F ? fmt::format("'{}'", c) : fmt::format("byte 0x{:02x}", static_cast<unsigned char>(c));
  }

  std::string_view text_;
  size_t at_ = 0;
  int line_ = 1;
};

}  // namespace

Result<TextMessage> ParsePrototxt(std::string_view text) {
  if (text.size() > kMaxText) return Error{ErrorCode::kBadInput, "longer than any network's description (4 MB)"};
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return Parser(text).Parse();
}

}  // namespace deepedge
