#include "deepedge/formats/wire_pieces.h"

#include <fmt/format.h>

#include <bit>
#include <fstream>

#include "deepedge/base/check.h"

namespace deepedge {

std::string WireVarint(uint64_t value) {
  std::string bytes;
  while (value >= 0x80) {
    bytes += static_cast<char>((value & 0x7F) | 0x80);
    value >>= 7;
  }
  bytes += static_cast<char>(value);
  return bytes;
}

std::string WireNumber(uint32_t field, uint64_t value) { return WireVarint(uint64_t{field} << 3) + WireVarint(value); }

std::string WireFloat(uint32_t field, float value) {
  std::string bytes = WireVarint(uint64_t{field} << 3 | 5);
  const auto bits = std::bit_cast<uint32_t>(value);
  for (int i = 0; i < 4; ++i) bytes += static_cast<char>(bits >> (8 * i));
  return bytes;
}

std::string WireBytes(uint32_t field, std::string_view content) {
  return WireVarint(uint64_t{field} << 3 | 2) + WireVarint(content.size()) + std::string(content);
}

void WirePieces::Append(const Piece& piece) {
  const bool range = piece.bytes.empty();
  size_ += range ? piece.end - piece.begin : static_cast<int64_t>(piece.bytes.size());
  Piece* last = pieces_.empty() ? nullptr : &pieces_.back();
  if (last != nullptr && !range && !last->bytes.empty()) {
    last->bytes += piece.bytes;
  } else if (last != nullptr && range && last->bytes.empty() && last->end == piece.begin) {
    last->end = piece.end;
  } else {
    pieces_.push_back(piece);
  }
}

void WirePieces::Copy(int64_t begin, int64_t end) {
  DE_CHECK(begin >= 0 && begin <= end);
  if (begin < end) Append({begin, end, {}});
}

void WirePieces::Add(std::string_view bytes) {
  if (!bytes.empty()) Append({0, 0, std::string(bytes)});
}

void WirePieces::AddMessage(uint32_t field, const WirePieces& message) {
  Add(WireVarint(uint64_t{field} << 3 | 2) + WireVarint(static_cast<uint64_t>(message.size())));
  for (const Piece& piece : message.pieces_) Append(piece);
}

Status WirePieces::Write(const Path& source, const Path& target) const {
  std::ifstream in(source, std::ios::binary);
  std::ofstream out(target, std::ios::binary | std::ios::trunc);
  std::string buffer(1 << 16, '\0');
  for (const Piece& piece : pieces_) {
    out.write(piece.bytes.data(), static_cast<std::streamsize>(piece.bytes.size()));
    in.seekg(piece.begin);
    for (int64_t left = piece.end - piece.begin; left > 0;) {
      const auto count = static_cast<std::streamsize>(std::min<int64_t>(left, static_cast<int64_t>(buffer.size())));
      if (!in.read(buffer.data(), count)) {
        return Error{ErrorCode::kBadInput, fmt::format("{}: is shorter than it says", source.string())};
      }
      out.write(buffer.data(), count);
      left -= count;
    }
  }
  out.close();
  if (!out) return Error{ErrorCode::kExhausted, fmt::format("{}: cannot be written", target.string())};
  return {};
}

Status WireNumbers(BoundedFile& file, const Path& path, const WireField& field, size_t most,
                   std::vector<int64_t>& numbers) {
  const auto damaged = [&] {
    return Error{ErrorCode::kBadInput,
                 fmt::format("{}: the list of numbers at byte {} is damaged, or too long", path.string(), field.begin)};
  };
  if (field.type == WireType::kVarint && numbers.size() < most) {
    numbers.push_back(static_cast<int64_t>(field.value));
    return {};
  }
  constexpr int64_t kMaxVarint = 10;
  if (field.type != WireType::kLength || field.length > kMaxVarint * static_cast<int64_t>(most)) return damaged();
  DE_TRY(const std::string bytes, WireText(file, path, field, field.length));
  uint64_t value = 0;
  int shift = 0;
  for (const char c : bytes) {
    if (shift > 63 || numbers.size() == most) return damaged();
    value |= static_cast<uint64_t>(static_cast<uint8_t>(c) & 0x7F) << shift;
    shift += 7;
    if ((static_cast<uint8_t>(c) & 0x80) != 0) continue;
    numbers.push_back(static_cast<int64_t>(value));
    value = 0;
    shift = 0;
  }
  return {};
}

Result<std::string> WireText(BoundedFile& file, const Path& path, const WireField& field, int64_t most) {
  if (field.type != WireType::kLength || field.length > most || field.end() > file.size()) {
    return Error{ErrorCode::kBadInput,
                 fmt::format("{}: field {} at byte {} is damaged", path.string(), field.number, field.begin)};
  }
  std::string text;
  text.reserve(static_cast<size_t>(field.length));
  while (static_cast<int64_t>(text.size()) < field.length) {
    const auto left = static_cast<size_t>(field.length) - text.size();
    const std::string_view bytes =
        file.ReadAt(field.offset + static_cast<int64_t>(text.size()), std::min(left, BoundedFile::kMaxRead));
    if (bytes.empty()) return Error{ErrorCode::kBadInput, fmt::format("{}: cannot be read", path.string())};
    text += bytes;
  }
  return text;
}

}  // namespace deepedge
