// Writes Torch7 files. For tests only.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace deepedge::torch7 {

// Writes values, each table and object under a new number; a number written again names what it stood for.
class Writer {
 public:
  explicit Writer(size_t long_bytes = 8) : long_bytes_(long_bytes) {}

  template <typename T>
  static std::string Raw(T value) {
    std::string bytes(sizeof(T), '\0');
    std::memcpy(bytes.data(), &value, sizeof(T));
    return bytes;
  }
  static std::string Bare(const std::string& text) { return Raw(static_cast<int32_t>(text.size())) + text; }
  std::string Long(int64_t value) const { return long_bytes_ == 8 ? Raw(value) : Raw(static_cast<int32_t>(value)); }
  static std::string Nil() { return Raw(int32_t{0}); }
  static std::string Number(double value) { return Raw(int32_t{1}) + Raw(value); }
  static std::string Text(const std::string& value) { return Raw(int32_t{2}) + Bare(value); }
  static std::string Bool(bool value) { return Raw(int32_t{5}) + Raw(int32_t{value}); }
  static std::string Again(int32_t tag, int32_t number) { return Raw(tag) + Raw(number); }

  using Fields = std::vector<std::pair<std::string, std::string>>;

  std::string Table(const std::vector<std::pair<std::string, std::string>>& pairs) {
    std::string bytes = Raw(int32_t{3}) + Raw(next_++) + Raw(static_cast<int32_t>(pairs.size()));
    for (const auto& [key, value] : pairs) bytes += key + value;
    return bytes;
  }
  std::string List(const std::vector<std::string>& items) {
    std::vector<std::pair<std::string, std::string>> pairs;
    for (size_t i = 0; i < items.size(); ++i) pairs.emplace_back(Number(static_cast<double>(i + 1)), items[i]);
    return Table(pairs);
  }
  std::string Object(const std::string& class_name, const std::string& content) {
    return Raw(int32_t{4}) + Raw(next_++) + Bare("V 1") + Bare(class_name) + content;
  }
  // A module; the fields' values are written already.
  std::string Module(const std::string& class_name, const Fields& fields = {}) {
    std::vector<std::pair<std::string, std::string>> pairs;
    for (const auto& [key, value] : fields) pairs.emplace_back(Text(key), value);
    return Object(class_name, Table(pairs));
  }
  std::string Container(const std::string& class_name, const std::vector<std::string>& modules, Fields fields = {}) {
    fields.emplace_back("modules", List(modules));
    return Module(class_name, fields);
  }
  template <typename T>
  std::string Storage(const std::string& type, const std::vector<T>& values) {
    std::string content = Long(static_cast<int64_t>(values.size()));
    for (const T& value : values) content += Raw(value);
    return Object("torch." + type + "Storage", content);
  }
  std::string LongStorage(const std::vector<int64_t>& values) {
    std::string content = Long(static_cast<int64_t>(values.size()));
    for (const int64_t value : values) content += Long(value);
    return Object("torch.LongStorage", content);
  }
  std::string TensorOf(const std::string& type, const std::vector<int64_t>& size, const std::vector<int64_t>& stride,
                       int64_t offset, const std::string& storage) {
    std::string content = Raw(static_cast<int32_t>(size.size()));
    for (const int64_t n : size) content += Long(n);
    for (const int64_t n : stride) content += Long(n);
    return Object("torch." + type + "Tensor", content + Long(offset) + storage);
  }
  // Floats in a row.
  std::string Tensor(const std::vector<int64_t>& size, const std::vector<float>& values) {
    std::vector<int64_t> stride(size.size(), 1);
    for (size_t i = size.size(); i-- > 1;) stride[i - 1] = stride[i] * size[i];
    return TensorOf("Float", size, stride, 1, Storage("Float", values));
  }

 private:
  size_t long_bytes_;
  int32_t next_ = 1;
};

}  // namespace deepedge::torch7
