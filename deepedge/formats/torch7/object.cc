#include "deepedge/formats/torch7/object.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <openvino/core/type/float16.hpp>
#include <optional>

namespace deepedge::torch7 {
namespace {

Error Bad(std::string what) { return {ErrorCode::kBadInput, std::move(what)}; }
Error Unsupported(std::string what) { return {ErrorCode::kUnsupported, std::move(what)}; }

enum class NumberType { kHalf, kFloat, kDouble, kByte, kChar, kShort, kInt, kLong };

struct TypeName {
  std::string_view name;
  NumberType type;
};
constexpr TypeName kTypes[] = {
    {"Float", NumberType::kFloat},   {"Double", NumberType::kDouble},     {"Half", NumberType::kHalf},
    {"Cuda", NumberType::kFloat},    {"CudaDouble", NumberType::kDouble}, {"CudaHalf", NumberType::kHalf},
    {"Long", NumberType::kLong},     {"CudaLong", NumberType::kLong},     {"Int", NumberType::kInt},
    {"CudaInt", NumberType::kInt},   {"Short", NumberType::kShort},       {"CudaShort", NumberType::kShort},
    {"Byte", NumberType::kByte},     {"CudaByte", NumberType::kByte},     {"Char", NumberType::kChar},
    {"CudaChar", NumberType::kChar},
};

// The numbers of a class "torch.<type><suffix>".
std::optional<NumberType> TypeOf(std::string_view class_name, std::string_view suffix) {
  if (!class_name.starts_with("torch.") || !class_name.ends_with(suffix)) return std::nullopt;
  const std::string_view name = class_name.substr(6, class_name.size() - 6 - suffix.size());
  for (const TypeName& type : kTypes) {
    if (type.name == name) return type.type;
  }
  return std::nullopt;
}

size_t BytesOf(NumberType type, size_t long_bytes) {
  switch (type) {
    case NumberType::kByte:
    case NumberType::kChar: return 1;
    case NumberType::kHalf:
    case NumberType::kShort: return 2;
    case NumberType::kFloat:
    case NumberType::kInt: return 4;
    case NumberType::kDouble: return 8;
    case NumberType::kLong: return long_bytes;
  }
  return 8;
}

template <typename T>
float Load(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  return static_cast<float>(value);
}

float LoadNumber(const char* at, NumberType type, size_t long_bytes) {
  switch (type) {
    case NumberType::kHalf: return Load<ov::float16>(at);
    case NumberType::kFloat: return Load<float>(at);
    case NumberType::kDouble: return Load<double>(at);
    case NumberType::kByte: return Load<uint8_t>(at);
    case NumberType::kChar: return Load<int8_t>(at);
    case NumberType::kShort: return Load<int16_t>(at);
    case NumberType::kInt: return Load<int32_t>(at);
    case NumberType::kLong: return long_bytes == 8 ? Load<int64_t>(at) : Load<int32_t>(at);
  }
  return 0;
}

}  // namespace

// Reads the file once; nesting costs stack and is bounded.
class Parser {
 public:
  Parser(std::string_view bytes, size_t long_bytes) : rest_(bytes), size_(bytes.size()) {
    file_.long_bytes_ = long_bytes;
  }

  Result<File> Run() {
    DE_TRY(file_.root_, ReadValue(0));
    return std::move(file_);
  }
  bool at_end() const { return rest_.empty(); }

 private:
  static constexpr int kMaxDepth = 200;

  Result<std::string_view> Take(uint64_t count) {
    if (count > rest_.size()) return Bad(fmt::format("is cut off or broken at byte {}", size_ - rest_.size()));
    const std::string_view taken = rest_.substr(0, static_cast<size_t>(count));
    rest_.remove_prefix(static_cast<size_t>(count));
    return taken;
  }
  template <typename T>
  Result<T> Number() {
    DE_TRY(const std::string_view bytes, Take(sizeof(T)));
    T value{};
    std::memcpy(&value, bytes.data(), sizeof(T));
    return value;
  }
  Result<int64_t> Long() {
    if (file_.long_bytes_ == 8) return Number<int64_t>();
    DE_TRY(const int32_t value, Number<int32_t>());
    return int64_t{value};
  }
  Result<std::string_view> Text() {
    DE_TRY(const int32_t length, Number<int32_t>());
    return Take(length < 0 ? UINT64_MAX : static_cast<uint64_t>(length));
  }

  Result<Value> ReadValue(int depth);
  Result<Value> ReadShared(Kind kind, int depth);
  Status ReadTable(size_t item, int depth);
  Status ReadObject(size_t item, int depth);
  Status ReadTensor(size_t item, int depth);
  Status ReadStorage(size_t item, NumberType type);
  Status SkipFunction(int depth);

  std::string_view rest_;
  size_t size_;
  File file_;
  std::map<int32_t, Value> seen_;
};

Result<Value> Parser::ReadValue(int depth) {
  if (depth > kMaxDepth) return Bad(fmt::format("is nested more than {} deep", kMaxDepth));
  DE_TRY(const int32_t tag, Number<int32_t>());
  Value value;
  switch (tag) {
    case 0: return value;
    case 1: {
      value.kind = Kind::kNumber;
      DE_TRY(value.number, Number<double>());
      return value;
    }
    case 2: {
      value.kind = Kind::kText;
      DE_TRY(value.text, Text());
      return value;
    }
    case 3: return ReadShared(Kind::kTable, depth);
    case 4: return ReadShared(Kind::kObject, depth);
    case 5: {
      value.kind = Kind::kBool;
      DE_TRY(const int32_t set, Number<int32_t>());
      value.number = set != 0 ? 1 : 0;
      return value;
    }
    case 6: {
      value.kind = Kind::kFunction;
      DE_TRY_STATUS(SkipFunction(depth));
      return value;
    }
    case 7:
    case 8: return ReadShared(Kind::kFunction, depth);
    default: return Bad(fmt::format("has a value of type {} at byte {}", tag, size_ - rest_.size() - 4));
  }
}

// A table, object or function, which is written once and named by its number afterwards.
Result<Value> Parser::ReadShared(Kind kind, int depth) {
  DE_TRY(const int32_t number, Number<int32_t>());
  if (const auto it = seen_.find(number); it != seen_.end()) {
    if (it->second.kind == kind) return it->second;
    return Bad(fmt::format("names item {} as something else than it is", number));
  }
  const Value value{.kind = kind, .item = file_.items_.size()};
  seen_[number] = value;  // before its content, which may name it
  if (kind == Kind::kFunction) {
    DE_TRY_STATUS(SkipFunction(depth));
    return value;
  }
  file_.items_.emplace_back();
  file_.items_.back().entries = std::make_shared<std::vector<std::pair<Value, Value>>>();
  DE_TRY_STATUS(kind == Kind::kTable ? ReadTable(value.item, depth) : ReadObject(value.item, depth));
  return value;
}

Status Parser::SkipFunction(int depth) {
  DE_TRY_STATUS(Text().status());  // its code, which is never run
  return ReadValue(depth + 1).status();
}

Status Parser::ReadTable(size_t item, int depth) {
  DE_TRY(const int32_t count, Number<int32_t>());
  // A pair takes at least 8 bytes.
  if (count < 0 || static_cast<size_t>(count) > rest_.size() / 8) return Bad(fmt::format("has a table of {}", count));
  for (int32_t i = 0; i < count; ++i) {
    DE_TRY(const Value key, ReadValue(depth + 1));
    DE_TRY(const Value value, ReadValue(depth + 1));
    file_.items_[item].entries->emplace_back(key, value);
  }
  return {};
}

Status Parser::ReadObject(size_t item, int depth) {
  DE_TRY(std::string_view name, Text());
  if (name.starts_with("V ")) {
    DE_TRY(name, Text());
  }
  // Classes are named in messages.
  const auto plain = [](char c) { return c > 0x20 && c < 0x7F; };
  if (name.size() > 100 || !std::all_of(name.begin(), name.end(), plain)) {
    return Bad(fmt::format("has an object without a class at byte {}", size_ - rest_.size()));
  }
  file_.items_[item].class_name = name;
  if (TypeOf(name, "Tensor")) return ReadTensor(item, depth);
  if (const auto type = TypeOf(name, "Storage")) return ReadStorage(item, *type);
  // Objects of all other classes write their fields as one table.
  DE_TRY(const Value fields, ReadValue(depth + 1));
  if (fields.kind != Kind::kTable)
    return Unsupported(fmt::format("has an object of class '{}', which is not read", name));
  constexpr size_t kMostFields = 1000;
  file_.items_[item].entries = file_.items_[fields.item].entries;
  if (file_.items_[item].entries->size() > kMostFields) {
    return Bad(fmt::format("has an object of class '{}' with {} fields", name, file_.items_[item].entries->size()));
  }
  return {};
}

Status Parser::ReadTensor(size_t item, int depth) {
  DE_TRY(const int32_t rank, Number<int32_t>());
  if (rank < 0 || static_cast<size_t>(rank) > kMaxRank) return Bad(fmt::format("has a tensor of {} axes", rank));
  std::vector<int64_t> numbers;
  for (int32_t i = 0; i < 2 * rank + 1; ++i) {
    DE_TRY(const int64_t number, Long());
    numbers.push_back(number);
  }
  file_.items_[item].size.assign(numbers.begin(), numbers.begin() + rank);
  file_.items_[item].stride.assign(numbers.begin() + rank, numbers.begin() + 2 * rank);
  // Counted from 1. Before its storage: an error where its numbers are wanted.
  file_.items_[item].offset = std::max<int64_t>(numbers.back(), 0) - 1;
  DE_TRY(file_.items_[item].storage, ReadValue(depth + 1));
  return {};
}

Status Parser::ReadStorage(size_t item, NumberType type) {
  DE_TRY(const int64_t count, Long());
  const size_t bytes = BytesOf(type, file_.long_bytes_);
  if (count < 0 || static_cast<uint64_t>(count) > rest_.size() / bytes) {
    return Bad(fmt::format("has {} numbers at byte {}, where the file ends before", count, size_ - rest_.size()));
  }
  file_.items_[item].count = count;
  DE_TRY(file_.items_[item].bytes, Take(static_cast<uint64_t>(count) * bytes));
  return {};
}

const Value* Item::Find(std::string_view key) const {
  const auto it = std::find_if(entries->begin(), entries->end(), [&](const auto& entry) {
    return entry.first.kind == Kind::kText && entry.first.text == key;
  });
  return it == entries->end() ? nullptr : &it->second;
}

const Value* Item::FindIndex(double key) const {
  const auto it = std::find_if(entries->begin(), entries->end(), [&](const auto& entry) {
    return entry.first.kind == Kind::kNumber && entry.first.number == key;
  });
  return it == entries->end() ? nullptr : &it->second;
}

Result<File> File::Parse(std::string_view bytes) {
  auto file = Parser(bytes, 8).Run();
  if (file.ok()) return file;
  // Writers of 32 bits have shorter counts; nothing in the file says so, but read so it makes sense to its last byte.
  Parser narrow_parser(bytes, 4);
  auto narrow = narrow_parser.Run();
  return narrow.ok() && narrow_parser.at_end() ? std::move(narrow) : std::move(file);
}

bool File::IsNumbers(const Value& value) const {
  if (value.kind != Kind::kObject) return false;
  const std::string_view name = At(value).class_name;
  return TypeOf(name, "Tensor") || TypeOf(name, "Storage");
}

std::vector<int64_t> File::SizeOf(const Value& value) const {
  if (!IsNumbers(value)) return {};
  const Item& item = At(value);
  return TypeOf(item.class_name, "Storage") ? std::vector{item.count} : item.size;
}

Result<File::Numbers> File::ReadNumbers(const Value& value) const {
  if (value.kind != Kind::kObject) return Bad("is no tensor");
  const Item& tensor = At(value);
  const bool is_storage = TypeOf(tensor.class_name, "Storage").has_value();
  if (!is_storage && !TypeOf(tensor.class_name, "Tensor")) return Bad("is no tensor");
  Numbers numbers;
  if (!is_storage && tensor.storage.kind == Kind::kNil) return numbers;
  if (!is_storage && tensor.storage.kind != Kind::kObject) return Bad("is a tensor without storage");
  const Item& storage = is_storage ? tensor : At(tensor.storage);
  const auto type = TypeOf(storage.class_name, "Storage");
  if (!type) return Bad("is a tensor without storage");
  numbers.size = is_storage ? std::vector{storage.count} : tensor.size;
  const std::vector<int64_t> stride = is_storage ? std::vector<int64_t>{1} : tensor.stride;
  const int64_t first_place = is_storage ? 0 : tensor.offset;
  int64_t count = numbers.size.empty() ? 0 : 1;
  for (size_t i = 0; i < numbers.size.size(); ++i) {
    const int64_t size = numbers.size[i];
    // Every number of the tensor has its own place, so that a small file holds a small tensor.
    if (size < 0 || (size > 0 && count > storage.count / size) || stride[i] < 0 || stride[i] > storage.count) {
      return Bad(fmt::format("is a tensor that does not fit its storage of {} numbers", storage.count));
    }
    count *= size;
  }
  if (count == 0) return numbers;
  const Error past = Bad(fmt::format("is a tensor that reaches past its storage of {} numbers", storage.count));
  if (first_place < 0 || first_place >= storage.count) return past;
  int64_t last = first_place;  // sizes and strides are below the file's length: no sum of them overflows
  for (size_t i = 0; i < numbers.size.size(); ++i) last += (numbers.size[i] - 1) * stride[i];
  if (last >= storage.count) return past;
  if (*type == NumberType::kFloat && last == first_place + count - 1) {
    // As many numbers as places: they lie in a row, if in their order.
    int64_t expected = 1;
    bool in_order = true;
    for (size_t axis = numbers.size.size(); axis-- > 0;) {
      in_order = in_order && (numbers.size[axis] == 1 || stride[axis] == expected);
      expected *= numbers.size[axis];
    }
    if (in_order) {
      numbers.values.resize(static_cast<size_t>(count));
      const char* first = storage.bytes.data() + static_cast<size_t>(first_place) * sizeof(float);
      std::memcpy(numbers.values.data(), first, static_cast<size_t>(count) * sizeof(float));
      return numbers;
    }
  }
  numbers.values.reserve(static_cast<size_t>(count));
  const size_t bytes = BytesOf(*type, long_bytes_);
  std::vector<int64_t> index(numbers.size.size(), 0);
  int64_t at = first_place;
  for (int64_t i = 0; i < count; ++i) {
    numbers.values.push_back(LoadNumber(storage.bytes.data() + static_cast<size_t>(at) * bytes, *type, long_bytes_));
    for (size_t axis = index.size(); axis-- > 0;) {
      at += stride[axis];
      if (++index[axis] < numbers.size[axis]) break;
      at -= stride[axis] * numbers.size[axis];
      index[axis] = 0;
    }
  }
  return numbers;
}

}  // namespace deepedge::torch7
