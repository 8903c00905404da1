#include "deepedge/formats/wire.h"

#include <algorithm>

namespace deepedge {

WireScanner::WireScanner(BoundedFile& file, int64_t begin, int64_t end)
    : file_(file), position_(begin), end_(std::min(end, file.size())) {}

std::optional<uint64_t> WireScanner::ReadVarint() {
  constexpr size_t kMaxVarint = 10;
  const size_t left = static_cast<size_t>(std::min<int64_t>(end_ - position_, kMaxVarint));
  const std::string_view bytes = file_.ReadAt(position_, left);
  uint64_t value = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<uint8_t>(bytes[i]);
    value |= static_cast<uint64_t>(byte & 0x7F) << (7 * i);
    if ((byte & 0x80) == 0) {
      position_ += static_cast<int64_t>(i + 1);
      return value;
    }
  }
  return std::nullopt;
}

std::optional<WireField> WireScanner::Next() {
  if (broken_ || position_ >= end_) return std::nullopt;
  broken_ = true;  // until this field turns out to be whole
  const int64_t begin = position_;
  const auto tag = ReadVarint();
  constexpr uint64_t kMaxFieldNumber = (1U << 29) - 1;
  if (!tag || (*tag >> 3) == 0 || (*tag >> 3) > kMaxFieldNumber) return std::nullopt;
  WireField field;
  field.begin = begin;
  field.number = static_cast<uint32_t>(*tag >> 3);
  switch (*tag & 7) {
    case 0: {
      const int64_t start = position_;
      const auto value = ReadVarint();
      if (!value) return std::nullopt;
      field = {field.number, WireType::kVarint, *value, begin, start, position_ - start};
      broken_ = false;
      return field;
    }
    case 1:
      field.type = WireType::kFixed64;
      field.length = 8;
      break;
    case 2: {
      const auto length = ReadVarint();
      if (!length || *length > static_cast<uint64_t>(INT64_MAX / 2)) return std::nullopt;
      field.type = WireType::kLength;
      field.length = static_cast<int64_t>(*length);
      break;
    }
    case 5:
      field.type = WireType::kFixed32;
      field.length = 4;
      break;
    default: return std::nullopt;  // groups: used by no model format
  }
  field.offset = position_;
  if (field.length > end_ - position_) {
    missing_ = field.length - (end_ - position_);
    position_ = end_;
    return field;
  }
  position_ += field.length;
  broken_ = false;
  return field;
}

std::optional<std::string> PrintableText(BoundedFile& file, const WireField& field, size_t max_length) {
  if (field.type != WireType::kLength || field.length > static_cast<int64_t>(max_length)) return std::nullopt;
  const std::string_view text = file.ReadAt(field.offset, static_cast<size_t>(field.length));
  if (text.size() != static_cast<size_t>(field.length)) return std::nullopt;
  if (!std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7F; })) return std::nullopt;
  return std::string(text);
}

}  // namespace deepedge
