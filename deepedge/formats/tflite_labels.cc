#include "deepedge/formats/tflite_labels.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "deepedge/formats/inflate.h"
#include "deepedge/formats/little_endian.h"
#include "deepedge/formats/wire_pieces.h"

namespace deepedge {
namespace {

constexpr int64_t kMaxLabels = 1 << 20;
constexpr int64_t kPlain = 0;  // methods of compression
constexpr int64_t kDeflated = 8;

int64_t Little(std::string_view bytes, size_t offset, size_t count) {
  return static_cast<int64_t>(LittleEndian(bytes.substr(std::min(offset, bytes.size()), count)));
}

struct Entry {
  std::string name;
  int64_t method = 0;
  int64_t packed = 0;  // bytes in the file
  int64_t size = 0;
  int64_t local = 0;  // where its own header lies
};

struct Directory {
  int64_t entries = 0;
  int64_t size = 0;
  int64_t offset = 0;  // in the file
  int64_t shift = 0;   // of all offsets: writers count from the start of the file or of the archive
};

// The record at the very end of an archive that has no comment.
std::optional<Directory> FindDirectory(BoundedFile& file) {
  constexpr int64_t kRecord = 22;
  if (file.size() < kRecord) return std::nullopt;
  const std::string record(file.ReadAt(file.size() - kRecord, kRecord));
  if (!record.starts_with("PK\5\6")) return std::nullopt;
  Directory directory{.entries = Little(record, 10, 2), .size = Little(record, 12, 4)};
  directory.offset = file.size() - kRecord - directory.size;
  directory.shift = directory.offset - Little(record, 16, 4);
  if (directory.offset < 0 || directory.shift < 0) return std::nullopt;
  return directory;
}

std::optional<Entry> ReadEntry(BoundedFile& file, const Directory& directory, int64_t& at) {
  constexpr size_t kHeader = 46;
  const std::string header(file.ReadAt(at, kHeader));
  if (header.size() < kHeader || !header.starts_with("PK\1\2")) return std::nullopt;
  const auto name_length = static_cast<size_t>(Little(header, 28, 2));
  Entry entry{
      .name = {}, .method = Little(header, 10, 2), .packed = Little(header, 20, 4), .size = Little(header, 24, 4)};
  entry.local = Little(header, 42, 4) + directory.shift;
  entry.name = file.ReadAt(at + static_cast<int64_t>(kHeader), std::min(name_length, BoundedFile::kMaxRead));
  at += static_cast<int64_t>(kHeader + name_length) + Little(header, 30, 2) + Little(header, 32, 2);
  return entry;
}

// The file with the highest rank over 0.
Result<std::string> ReadAttached(const Path& path, int (*rank)(std::string_view name)) {
  constexpr int64_t kMaxEntries = 100;
  constexpr int64_t kLocalHeader = 30;
  DE_TRY(BoundedFile file, BoundedFile::Open(path));
  const auto directory = FindDirectory(file);
  if (!directory) return std::string();
  std::optional<Entry> best;
  int64_t at = directory->offset;
  for (int64_t i = 0; i < std::min(directory->entries, kMaxEntries); ++i) {
    auto entry = ReadEntry(file, *directory, at);
    if (!entry) break;
    const bool usable = rank(entry->name) > 0 && entry->size <= kMaxLabels && entry->packed <= kMaxLabels &&
                        (entry->method == kPlain || entry->method == kDeflated);
    if (usable && (!best || rank(entry->name) > rank(best->name))) best = std::move(entry);
  }
  if (!best) return std::string();
  const std::string local(file.ReadAt(best->local, kLocalHeader));
  if (!local.starts_with("PK\3\4")) return std::string();
  WireField content{.type = WireType::kLength};
  content.offset = best->local + kLocalHeader + Little(local, 26, 2) + Little(local, 28, 2);
  content.length = best->method == kPlain ? best->size : best->packed;
  if (content.end() > directory->offset) return std::string();
  DE_TRY(std::string text, WireText(file, path, content, kMaxLabels));
  if (best->method == kPlain) return text;
  return Inflate(text, static_cast<size_t>(best->size)).value_or("");
}

int RankNotes(std::string_view name) { return name == "temp_meta.txt" || name == "metadata.json" ? 1 : 0; }

int RankLabels(std::string_view name) {
  if (!name.ends_with(".txt") || RankNotes(name) > 0) return 0;
  return name.find("label") != std::string_view::npos ? 2 : 1;
}

}  // namespace

Result<std::string> ReadTfliteLabels(const Path& path) { return ReadAttached(path, RankLabels); }

Result<std::string> ReadTfliteNotes(const Path& path) { return ReadAttached(path, RankNotes); }

}  // namespace deepedge
