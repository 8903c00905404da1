#include "deepedge/formats/paddle_version.h"

#include <fmt/format.h>

#include <optional>

#include "deepedge/formats/wire.h"

namespace deepedge {
namespace {

constexpr uint32_t kVersionMessage = 4;  // ProgramDesc.version
constexpr uint32_t kVersionNumber = 1;   // Version.version

// The field that holds the number; nothing when the program has none.
Result<std::optional<WireField>> FindVersion(const Path& program) {
  DE_TRY(BoundedFile file, BoundedFile::Open(program));
  WireScanner fields(file, 0, file.size());
  std::optional<WireField> number;
  while (const auto field = fields.Next()) {
    if (field->number != kVersionMessage || field->type != WireType::kLength) continue;
    WireScanner inner(file, field->offset, field->offset + field->length);
    while (const auto candidate = inner.Next()) {
      if (candidate->number == kVersionNumber && candidate->type == WireType::kVarint) number = candidate;
    }
  }
  if (fields.broken()) {
    return Error{ErrorCode::kBadInput, fmt::format("{}: the Paddle program is damaged", program.string())};
  }
  return number;
}

Status Link(const Path& target, const Path& link) {
  std::error_code ec;
  std::filesystem::create_symlink(std::filesystem::absolute(target, ec), link, ec);
  if (ec) return Error{ErrorCode::kExhausted, fmt::format("{}: cannot be created: {}", link.string(), ec.message())};
  return {};
}

}  // namespace

Result<int64_t> ReadPaddleVersion(const Path& program) {
  DE_TRY(const auto number, FindVersion(program));
  return number ? static_cast<int64_t>(number->value) : 0;
}

Result<ModelFiles> RewritePaddleVersion(const ModelFiles& files, const Path& folder) {
  DE_TRY(const auto number, FindVersion(files.graph));
  constexpr int64_t kMaxProgram = int64_t{1} << 29;  // a program holds no weights
  DE_TRY(std::string program, ReadFile(files.graph, kMaxProgram));
  if (number) {
    if (number->offset + number->length > static_cast<int64_t>(program.size())) {
      return Error{ErrorCode::kBadInput, fmt::format("{}: changed while it was read", files.graph.string())};
    }
    // Zero in as many bytes as before, so that no length in front of it changes.
    const auto offset = static_cast<size_t>(number->offset);
    const auto length = static_cast<size_t>(number->length);
    for (size_t i = 0; i < length; ++i) program[offset + i] = static_cast<char>(i + 1 < length ? 0x80 : 0);
  }
  ModelFiles rewritten{
      .format = files.format, .graph = folder / "model.pdmodel", .weights = folder / "model.pdiparams"};
  DE_TRY_STATUS(WriteFileAtomically(rewritten.graph, program));
  if (files.weights.empty()) {
    rewritten.weights.clear();
  } else {
    DE_TRY_STATUS(Link(files.weights, rewritten.weights));
  }
  return rewritten;
}

}  // namespace deepedge
