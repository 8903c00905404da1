#include "deepedge/formats/paddle_parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <set>

#include "deepedge/formats/little_endian.h"
#include "deepedge/formats/wire_pieces.h"

namespace deepedge {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxParameters = 100'000;

// VarType.Type of what carries no numbers of a file.
constexpr uint64_t kFeedList = 9;
constexpr uint64_t kFetchList = 10;
constexpr uint64_t kRaw = 17;

// The name of a variable whose numbers lie in a file; nothing for others.
Result<std::optional<std::string>> ReadVariable(BoundedFile& file, const Path& program, const WireField& field) {
  std::string name;
  uint64_t type = 0;
  bool persistable = false;
  WireScanner parts(file, field.offset, field.end());
  while (const auto part = parts.Next()) {
    if (part->number == 1) {
      DE_TRY(name, WireText(file, program, *part, 1024));
    }
    if (part->number == 2 && part->type == WireType::kLength) {
      WireScanner inner(file, part->offset, part->end());
      while (const auto candidate = inner.Next()) {
        if (candidate->number == 1 && candidate->type == WireType::kVarint) type = candidate->value;
      }
    }
    if (part->number == 3 && part->type == WireType::kVarint) persistable = part->value != 0;
  }
  const bool other = type == kFeedList || type == kFetchList || type == kRaw;
  if (!persistable || other || name.empty()) return std::optional<std::string>();
  return std::optional(std::move(name));
}

// Bytes of one number of VarType.Type; 0 for other types.
int64_t SizeOfType(uint64_t type) {
  switch (type) {
    case 0:             // bool
    case 20:            // uint8
    case 21: return 1;  // int8
    case 1:             // int16
    case 4:             // float16
    case 22: return 2;  // bfloat16
    case 2:             // int32
    case 5: return 4;   // float32
    case 3:             // int64
    case 6: return 8;   // float64
    default: return 0;
  }
}

// The bytes that a tensor's description promises; nothing when it makes no sense.
std::optional<int64_t> PromisedBytes(BoundedFile& file, int64_t begin, int64_t end) {
  constexpr int64_t kMost = int64_t{1} << 40;
  uint64_t type = 0;
  int64_t count = 1;
  const auto multiply = [&](uint64_t dim) {
    const bool fits = dim <= static_cast<uint64_t>(kMost) && (dim == 0 || count <= kMost / static_cast<int64_t>(dim));
    if (fits) count *= static_cast<int64_t>(dim);
    return fits;
  };
  WireScanner fields(file, begin, end);
  while (const auto field = fields.Next()) {
    if (field->number == 1 && field->type == WireType::kVarint) type = field->value;
    if (field->number != 2) continue;
    if (field->type != WireType::kVarint || !multiply(field->value)) return std::nullopt;
  }
  const int64_t size = SizeOfType(type);
  if (fields.broken() || size == 0) return std::nullopt;
  return count * size;
}

// A version, nesting levels, a version, the length of the tensor's description, the description, the numbers.
Status CheckParameter(const Path& path) {
  const auto wrong = [&](std::string_view what) {
    return Error{ErrorCode::kBadInput, fmt::format("{}: {}", path.string(), what)};
  };
  DE_TRY(BoundedFile file, BoundedFile::Open(path));
  constexpr int64_t kHeader = 20;
  const std::string head(file.ReadAt(0, kHeader));
  if (static_cast<int64_t>(head.size()) < kHeader || LittleEndian(head.substr(0, 4)) != 0)
    return wrong("is no parameter of a Paddle model");
  if (LittleEndian(head.substr(4, 8)) != 0) return wrong("a parameter with nesting levels is not read");
  const auto description = static_cast<int64_t>(LittleEndian(head.substr(16, 4)));
  const auto bytes = PromisedBytes(file, kHeader, kHeader + description);
  if (description > file.size() - kHeader || !bytes) return wrong("is no parameter of a Paddle model");
  const int64_t held = file.size() - kHeader - description;
  if (held != *bytes) return wrong(fmt::format("holds {} bytes of numbers where {} are promised", held, *bytes));
  return {};
}

Status Append(const Path& source, std::ofstream& out, const Path& target) {
  std::ifstream in(source, std::ios::binary);
  out << in.rdbuf();
  if (!in) return Error{ErrorCode::kBadInput, fmt::format("{}: cannot be read", source.string())};
  if (!out) return Error{ErrorCode::kExhausted, fmt::format("{}: cannot be written", target.string())};
  return {};
}

}  // namespace

Result<std::vector<std::string>> PaddleParameterNames(const Path& program) {
  DE_TRY(BoundedFile file, BoundedFile::Open(program));
  std::set<std::string> names;
  WireScanner fields(file, 0, file.size());
  while (const auto block = fields.Next()) {
    if (block->number != 1 || block->type != WireType::kLength) continue;
    WireScanner parts(file, block->offset, block->end());
    while (const auto part = parts.Next()) {
      if (part->number != 3 || part->type != WireType::kLength) continue;
      DE_TRY(const auto name, ReadVariable(file, program, *part));
      if (name) names.insert(*name);
      if (names.size() > kMaxParameters) {
        return Error{ErrorCode::kBadInput,
                     fmt::format("{}: more than {} parameters", program.string(), kMaxParameters)};
      }
    }
  }
  if (fields.broken()) {
    return Error{ErrorCode::kBadInput, fmt::format("{}: the Paddle program is damaged", program.string())};
  }
  return std::vector<std::string>(names.begin(), names.end());
}

Status CombinePaddleParameters(const Path& program, const Path& folder, const Path& target) {
  DE_TRY(const std::vector<std::string> names, PaddleParameterNames(program));
  std::ofstream out(target, std::ios::binary | std::ios::trunc);
  std::set<Path> seen;
  for (const std::string& name : names) {
    const Path relative = Path(name).lexically_normal();
    if (relative.empty() || relative.is_absolute() || *relative.begin() == "..") {
      return Error{ErrorCode::kBadInput,
                   fmt::format("{}: a parameter '{:.100}' outside of its folder", program.string(), name)};
    }
    if (!seen.insert(relative).second) {
      return Error{ErrorCode::kBadInput,
                   fmt::format("{}: a parameter '{:.100}' by a second name", program.string(), name)};
    }
    const Path source = folder / relative;
    std::error_code ec;
    if (!fs::is_regular_file(source, ec)) {
      return Error{ErrorCode::kNotFound, fmt::format("{}: no such file; it holds a parameter of {}", source.string(),
                                                     program.filename().string())};
    }
    DE_TRY_STATUS(CheckParameter(source));
    DE_TRY_STATUS(Append(source, out, target));
  }
  out.close();
  if (!out) return Error{ErrorCode::kExhausted, fmt::format("{}: cannot be written", target.string())};
  return {};
}

}  // namespace deepedge
