// WireScanner walks the fields of a protobuf message without knowing its schema: numbers, types and where contents lie,
// never the contents themselves. Model files are told apart by the fields they have.
//
//   WireScanner scanner(file, 0, file.size());
//   while (auto field = scanner.Next()) ...
//   if (scanner.broken()) ...                  // what follows is no protobuf, or the file ends too early
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "deepedge/formats/bounded_file.h"

namespace deepedge {

enum class WireType { kVarint = 0, kFixed64 = 1, kLength = 2, kFixed32 = 5 };

struct WireField {
  uint32_t number = 0;
  WireType type = WireType::kVarint;
  uint64_t value = 0;  // kVarint: the number
  int64_t begin = 0;   // of the whole field, its number included, in the file
  int64_t offset = 0;  // of the content in the file
  int64_t length = 0;  // of the content; may reach past the end of a truncated message

  int64_t end() const { return offset + length; }
};

// Thread-compatible. Borrows the file.
class WireScanner {
 public:
  // The message lies in [begin, end) of the file.
  WireScanner(BoundedFile& file, int64_t begin, int64_t end);

  // The next field; nothing at the end of the message or when it is broken. A field whose content reaches past the end
  // is still given; the scanner is broken after it.
  std::optional<WireField> Next();

  bool broken() const { return broken_; }
  // Broken because the content of the last field reaches past the end: how far, in bytes.
  int64_t missing_bytes() const { return missing_; }

 private:
  std::optional<uint64_t> ReadVarint();

  BoundedFile& file_;
  int64_t position_;
  int64_t end_;
  bool broken_ = false;
  int64_t missing_ = 0;
};

// The content of a length-delimited field when it is a short text of printable ASCII, else nothing.
std::optional<std::string> PrintableText(BoundedFile& file, const WireField& field, size_t max_length = 256);

}  // namespace deepedge
