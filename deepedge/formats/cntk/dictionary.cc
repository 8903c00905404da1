#include "deepedge/formats/cntk/dictionary.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>

#include "deepedge/base/utf8.h"

namespace deepedge::cntk {
namespace {

Error Broken(std::string_view what) { return {ErrorCode::kBadInput, fmt::format("broken: {}", what)}; }

// One field of a message in memory.
struct Field {
  uint32_t number = 0;
  uint32_t type = 0;         // of protobuf: 0 number, 1 eight bytes, 2 content, 5 four bytes
  uint64_t integer = 0;      // of type 0
  std::string_view content;  // of the other types
};

// Walks the fields of a message; Next gives nothing at its end, an error where it is no message.
class Fields {
 public:
  explicit Fields(std::string_view message) : rest_(message) {}

  bool done() const { return rest_.empty(); }

  Result<Field> Next() {
    DE_TRY(const uint64_t tag, Varint());
    Field field{.number = static_cast<uint32_t>(tag >> 3), .type = static_cast<uint32_t>(tag & 7)};
    if (tag >> 32 != 0 || field.number == 0) return Broken("a field without a number");
    switch (field.type) {
      case 0: {
        DE_TRY(field.integer, Varint());
        return field;
      }
      case 1: return Take(field, 8);
      case 2: {
        DE_TRY(const uint64_t length, Varint());
        return Take(field, length);
      }
      case 5: return Take(field, 4);
      default: return Broken(fmt::format("a field of type {}", field.type));
    }
  }

  Result<uint64_t> Varint() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<uint8_t>(rest_.front());
      rest_.remove_prefix(1);
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    return Broken(rest_.empty() ? "ends inside a number" : "a number of more than 64 bits");
  }

 private:
  Result<Field> Take(Field field, uint64_t length) {
    if (length > rest_.size()) return Broken(fmt::format("{} bytes are missing", length - rest_.size()));
    field.content = rest_.substr(0, static_cast<size_t>(length));
    rest_.remove_prefix(static_cast<size_t>(length));
    return field;
  }

  std::string_view rest_;
};

template <typename T>
T Little(std::string_view bytes) {
  static_assert(std::endian::native == std::endian::little);
  T value{};
  if (bytes.size() == sizeof(T)) std::memcpy(&value, bytes.data(), sizeof(T));
  return value;
}

// The number of the field of DictionaryValue that holds a value of this type.
uint32_t FieldOf(ValueType type) { return type == ValueType::kNone ? 0 : static_cast<uint32_t>(type) + 2; }

Result<Value> ParseValue(std::string_view message) {
  Value value;
  Fields fields(message);
  std::optional<Field> content;
  while (!fields.done()) {
    DE_TRY(const Field field, fields.Next());
    if (field.number == 2 && field.type == 0) {
      if (field.integer > static_cast<uint64_t>(ValueType::kArray)) {
        return Broken(fmt::format("a value of type {}", field.integer));
      }
      value.type = static_cast<ValueType>(field.integer);
    }
    if (field.number > 2) content = field;
  }
  // A field that holds zero or nothing is left out.
  if (!content || value.type == ValueType::kNone) return value;
  if (content->number != FieldOf(value.type)) {
    return Broken(fmt::format("a value of type {} in field {}", static_cast<int>(value.type), content->number));
  }
  switch (value.type) {
    case ValueType::kNone: break;
    case ValueType::kBool: value.integer = content->integer != 0 ? 1 : 0; break;
    case ValueType::kInt: value.integer = static_cast<int32_t>(content->integer); break;
    case ValueType::kSize: value.integer = static_cast<int64_t>(content->integer); break;
    case ValueType::kFloat: value.real = static_cast<double>(Little<float>(content->content)); break;
    case ValueType::kDouble: value.real = Little<double>(content->content); break;
    case ValueType::kString:
    case ValueType::kShape:
    case ValueType::kAxis:
    case ValueType::kVector:
    case ValueType::kDictionary:
    case ValueType::kArray: value.content = content->content; break;
  }
  return value;
}

Error Missing(std::string_view key, std::string_view wanted) {
  return {ErrorCode::kBadInput, fmt::format("has no '{}' that is {}", key, wanted)};
}

// Names come into messages and reports: they are text in one line.
bool IsName(std::string_view text) {
  const bool control =
      std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
  return !control && FindInvalidUtf8(text) == std::string_view::npos;
}

bool IsInteger(const Value& value) {
  return value.type == ValueType::kBool || value.type == ValueType::kInt || value.type == ValueType::kSize;
}

}  // namespace

Result<Dictionary> Dictionary::Parse(std::string_view content) {
  Dictionary dictionary;
  Fields fields(content);
  while (!fields.done()) {
    DE_TRY(const Field field, fields.Next());
    if (field.number != 2 || field.type != 2) continue;  // 1 is the version
    Fields entry(field.content);
    std::string_view key;
    std::string_view value;
    while (!entry.done()) {
      DE_TRY(const Field part, entry.Next());
      if (part.number == 1) key = part.content;
      if (part.number == 2) value = part.content;
    }
    DE_TRY(dictionary.entries_[key], ParseValue(value));
  }
  return dictionary;
}

const Value* Dictionary::Find(std::string_view key) const {
  const auto it = entries_.find(key);
  return it == entries_.end() ? nullptr : &it->second;
}

Result<std::string> Dictionary::Text(std::string_view key) const {
  const Value* value = Find(key);
  if (value == nullptr || value->type != ValueType::kString || !IsName(value->content)) return Missing(key, "a text");
  return std::string(value->content);
}

Result<std::string> Dictionary::TextOr(std::string_view key, std::string otherwise) const {
  if (Find(key) == nullptr) return otherwise;
  return Text(key);
}

Result<int64_t> Dictionary::Integer(std::string_view key) const {
  const Value* value = Find(key);
  if (value == nullptr || !IsInteger(*value)) return Missing(key, "a whole number");
  return value->integer;
}

Result<int64_t> Dictionary::IntegerOr(std::string_view key, int64_t otherwise) const {
  if (Find(key) == nullptr) return otherwise;
  return Integer(key);
}

Result<double> Dictionary::RealOr(std::string_view key, double otherwise) const {
  const Value* value = Find(key);
  if (value == nullptr) return otherwise;
  if (IsInteger(*value)) return static_cast<double>(value->integer);
  if (value->type != ValueType::kFloat && value->type != ValueType::kDouble) return Missing(key, "a number");
  return value->real;
}

Result<std::vector<Value>> Dictionary::Vector(std::string_view key) const {
  const Value* value = Find(key);
  if (value == nullptr || value->type != ValueType::kVector) return Missing(key, "a list");
  return ParseVector(value->content);
}

Result<std::vector<std::string>> Dictionary::Texts(std::string_view key) const {
  DE_TRY(const auto values, Vector(key));
  std::vector<std::string> texts;
  for (const Value& value : values) {
    if (value.type != ValueType::kString || !IsName(value.content)) return Missing(key, "a list of texts");
    texts.emplace_back(value.content);
  }
  return texts;
}

Result<std::vector<int64_t>> Dictionary::Integers(std::string_view key) const {
  const Value* value = Find(key);
  if (value == nullptr || value->type == ValueType::kNone) return std::vector<int64_t>{};
  if (value->type == ValueType::kShape) return ParseShape(value->content);
  if (IsInteger(*value)) return std::vector{value->integer};
  DE_TRY(const auto values, Vector(key));
  if (values.size() > kMaxRank) return Broken(fmt::format("{} numbers under '{}'", values.size(), key));
  std::vector<int64_t> integers;
  for (const Value& item : values) {
    if (!IsInteger(item)) return Missing(key, "a list of whole numbers");
    integers.push_back(item.integer);
  }
  return integers;
}

Result<std::vector<Axis>> Dictionary::Axes(std::string_view key) const {
  std::vector<Axis> axes;
  const Value* value = Find(key);
  if (value == nullptr) return axes;
  if (value->type == ValueType::kAxis) {
    DE_TRY(const Axis axis, ParseAxis(value->content));
    axes.push_back(axis);
    return axes;
  }
  DE_TRY(const auto values, Vector(key));
  if (values.size() > kMaxRank) return Broken(fmt::format("{} axes under '{}'", values.size(), key));
  for (const Value& item : values) {
    if (item.type != ValueType::kAxis) return Missing(key, "a list of axes");
    DE_TRY(const Axis axis, ParseAxis(item.content));
    axes.push_back(axis);
  }
  return axes;
}

Result<std::vector<Value>> ParseVector(std::string_view content) {
  std::vector<Value> values;
  Fields fields(content);
  while (!fields.done()) {
    DE_TRY(const Field field, fields.Next());
    if (field.number != 1 || field.type != 2) continue;
    DE_TRY(const Value value, ParseValue(field.content));
    values.push_back(value);
  }
  return values;
}

Result<std::vector<int64_t>> ParseShape(std::string_view content) {
  std::vector<int64_t> dims;
  const auto add = [&dims](uint64_t dim) -> Status {
    if (dims.size() == kMaxRank) return Broken(fmt::format("a shape of more than {} axes", kMaxRank));
    dims.push_back(static_cast<int64_t>(dim));
    return {};
  };
  Fields fields(content);
  while (!fields.done()) {
    DE_TRY(const Field field, fields.Next());
    if (field.number != 1) continue;
    if (field.type == 0) DE_TRY_STATUS(add(field.integer));
    if (field.type != 2) continue;
    Fields packed(field.content);
    while (!packed.done()) {
      DE_TRY(const uint64_t dim, packed.Varint());
      DE_TRY_STATUS(add(dim));
    }
  }
  return dims;
}

Result<Axis> ParseAxis(std::string_view content) {
  Axis axis;
  Fields fields(content);
  while (!fields.done()) {
    DE_TRY(const Field field, fields.Next());
    if (field.number == 1) axis.index = static_cast<int32_t>(field.integer);
    if (field.number == 2) axis.name = field.content;
    if (field.number == 3) axis.ordered = field.integer != 0;
  }
  return axis;
}

Result<Array> ParseArray(std::string_view content) {
  Array array;
  uint64_t type = 0;
  uint64_t storage = 0;
  std::string_view values;
  uint32_t values_field = 0;
  Fields fields(content);
  while (!fields.done()) {
    DE_TRY(const Field field, fields.Next());
    if (field.number == 1) type = field.integer;
    if (field.number == 2) storage = field.integer;
    if (field.number == 3) {
      DE_TRY(array.dims, ParseShape(field.content));
    }
    if (field.number < 4 || field.type != 2) continue;
    values_field = field.number;
    Fields message(field.content);
    while (!message.done()) {
      DE_TRY(const Field part, message.Next());
      if (part.number == 1 && part.type == 2) values = part.content;
    }
  }
  DE_TRY(array.count, CountOf(array.dims));
  if (storage != 0) return Error{ErrorCode::kUnsupported, "its numbers are stored as a sparse matrix"};
  if (type != 1 && type != 2 && type != 4) {
    return Error{ErrorCode::kUnsupported, fmt::format("its numbers are of type {} (1 float, 2 double, 4 half)", type)};
  }
  // Half numbers lie there as floats or as bytes.
  array.type = values_field == 5 ? NumberType::kDouble : values_field == 4 ? NumberType::kFloat : NumberType::kHalf;
  const bool right_field = values_field == (type == 2 ? 5U : 4U) || (type == 4 && values_field == 6);
  const size_t needed = static_cast<size_t>(array.count) * BytesOf(array.type);
  if (!right_field || values.size() != needed) {
    return Broken(fmt::format("{} bytes of numbers where a tensor of {} needs {}", right_field ? values.size() : 0,
                              ToText(array.dims), needed));
  }
  array.bytes = values;
  return array;
}

}  // namespace deepedge::cntk
