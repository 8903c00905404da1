#include "deepedge/formats/tflite_quantization.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>

#include "deepedge/formats/bounded_file.h"
#include "deepedge/formats/little_endian.h"

namespace deepedge {
namespace {

constexpr int64_t kMostTensors = 1'000'000;
constexpr int64_t kMostSubgraphs = 1000;

// Numbers of the fields in TFLite's tables.
constexpr int kModelSubgraphs = 2;
constexpr int kSubgraphTensors = 0;
constexpr int kSubgraphOutputs = 2;
constexpr int kTensorShape = 0;
constexpr int kTensorName = 3;
constexpr int kTensorQuantization = 4;
constexpr int kQuantizationScales = 2;
constexpr int kQuantizationZeros = 3;
constexpr int kQuantizationAxis = 6;

// Looks into FlatBuffers: every place is an offset in the file, and what lies outside of it is not there.
class TableReader {
 public:
  explicit TableReader(BoundedFile& file) : file_(file) {}

  std::optional<int64_t> Number(int64_t at, size_t bytes) {
    if (at < 0 || at > file_.size()) return std::nullopt;
    const std::string_view text = file_.ReadAt(at, bytes);
    if (text.size() < bytes) return std::nullopt;
    return static_cast<int64_t>(LittleEndian(text));
  }

  // The table or vector that the offset at a place leads to.
  std::optional<int64_t> Follow(int64_t at) {
    const auto offset = Number(at, 4);
    if (!offset || *offset == 0 || at + *offset >= file_.size()) return std::nullopt;
    return at + *offset;
  }

  // Where a table holds a field; nothing when it is left out.
  std::optional<int64_t> Field(int64_t table, int field) {
    const auto back = Number(table, 4);
    if (!back) return std::nullopt;
    const int64_t list = table - static_cast<int32_t>(static_cast<uint32_t>(*back));
    const auto size = Number(list, 2);
    const int64_t entry = 4 + 2 * field;
    if (!size || entry + 2 > *size) return std::nullopt;
    const auto offset = Number(list + entry, 2);
    if (!offset || *offset == 0) return std::nullopt;
    return table + *offset;
  }

  std::optional<int64_t> FollowField(int64_t table, int field) {
    const auto at = Field(table, field);
    return at ? Follow(*at) : std::nullopt;
  }

  // A string that a field leads to; empty when it is left out or too long.
  std::string Text(int64_t table, int field) {
    const auto text = FollowField(table, field);
    const int64_t length = text ? Number(*text, 4).value_or(0) : 0;
    if (length < 1 || length > static_cast<int64_t>(BoundedFile::kMaxRead)) return {};
    return std::string(file_.ReadAt(*text + 4, static_cast<size_t>(length)));
  }

  // How many entries a vector has that a field leads to; 0 when it is left out.
  int64_t Count(int64_t table, int field) {
    const auto vector = FollowField(table, field);
    return vector ? Number(*vector, 4).value_or(0) : 0;
  }

 private:
  BoundedFile& file_;
};

std::optional<int64_t> WrongAxis(TableReader& tables, int64_t tensor) {
  const auto quantization = tables.FollowField(tensor, kTensorQuantization);
  if (!quantization || tables.Count(*quantization, kQuantizationScales) < 2) return std::nullopt;
  const auto place = tables.Field(*quantization, kQuantizationAxis);
  const int64_t dimensions = tables.Count(tensor, kTensorShape);
  if (!place || dimensions != 1) return std::nullopt;
  const auto axis = tables.Number(*place, 4);
  return axis && *axis >= dimensions ? place : std::nullopt;
}

}  // namespace

Result<std::vector<int64_t>> FindWrongTfliteAxes(const Path& model) {
  DE_TRY(BoundedFile file, BoundedFile::Open(model));
  TableReader tables(file);
  std::vector<int64_t> places;
  const auto root = tables.Follow(0);
  const auto subgraphs = root ? tables.FollowField(*root, kModelSubgraphs) : std::nullopt;
  if (!subgraphs) return places;
  int64_t seen = 0;
  const int64_t count = tables.Number(*subgraphs, 4).value_or(0);
  for (int64_t i = 0; i < std::min(count, kMostSubgraphs); ++i) {
    const auto subgraph = tables.Follow(*subgraphs + 4 + 4 * i);
    const auto tensors = subgraph ? tables.FollowField(*subgraph, kSubgraphTensors) : std::nullopt;
    if (!tensors) break;
    const int64_t length = tables.Number(*tensors, 4).value_or(0);
    for (int64_t t = 0; t < length && seen < kMostTensors; ++t, ++seen) {
      const auto tensor = tables.Follow(*tensors + 4 + 4 * t);
      if (!tensor) break;
      if (const auto place = WrongAxis(tables, *tensor)) places.push_back(*place);
    }
  }
  return places;
}

Status RewriteTfliteAxes(const Path& model, const std::vector<int64_t>& places, const Path& copy) {
  constexpr int64_t kMost = int64_t{1} << 31;  // TFLite's own limit
  DE_TRY(std::string content, ReadFile(model, kMost));
  for (const int64_t place : places) {
    if (place < 0 || place + 4 > static_cast<int64_t>(content.size())) {
      return Error{ErrorCode::kBadInput, fmt::format("{}: changed while it was read", model.string())};
    }
    content.replace(static_cast<size_t>(place), 4, 4, '\0');
  }
  return WriteFileAtomically(copy, content);
}

namespace {

std::optional<TfliteScale> ScaleOf(TableReader& tables, int64_t tensor) {
  const auto quantization = tables.FollowField(tensor, kTensorQuantization);
  if (!quantization || tables.Count(*quantization, kQuantizationScales) != 1) return std::nullopt;
  TfliteScale scale{.name = tables.Text(tensor, kTensorName)};
  const auto scales = tables.FollowField(*quantization, kQuantizationScales);
  const auto bits = tables.Number(*scales + 4, 4);
  if (!bits || scale.name.empty()) return std::nullopt;
  scale.scale = std::bit_cast<float>(static_cast<uint32_t>(*bits));
  if (!std::isfinite(scale.scale) || scale.scale <= 0) return std::nullopt;
  if (tables.Count(*quantization, kQuantizationZeros) == 1) {
    const auto zeros = tables.FollowField(*quantization, kQuantizationZeros);
    const auto low = tables.Number(*zeros + 4, 4);  // of 64 bits; it is a byte's
    if (!low) return std::nullopt;
    scale.zero = static_cast<int32_t>(static_cast<uint32_t>(*low));
  }
  return scale;
}

}  // namespace

Result<std::vector<TfliteScale>> ReadTfliteOutputScales(const Path& model) {
  constexpr int64_t kMostOutputs = 1000;
  DE_TRY(BoundedFile file, BoundedFile::Open(model));
  TableReader tables(file);
  std::vector<TfliteScale> scales;
  const auto root = tables.Follow(0);
  const auto subgraphs = root ? tables.FollowField(*root, kModelSubgraphs) : std::nullopt;
  const auto subgraph = subgraphs ? tables.Follow(*subgraphs + 4) : std::nullopt;
  const auto tensors = subgraph ? tables.FollowField(*subgraph, kSubgraphTensors) : std::nullopt;
  const auto outputs = subgraph ? tables.FollowField(*subgraph, kSubgraphOutputs) : std::nullopt;
  if (!tensors || !outputs) return scales;
  const int64_t length = tables.Number(*tensors, 4).value_or(0);
  const int64_t count = std::min(tables.Number(*outputs, 4).value_or(0), kMostOutputs);
  for (int64_t i = 0; i < count; ++i) {
    const auto index = tables.Number(*outputs + 4 + 4 * i, 4);
    if (!index || *index >= length) continue;
    const auto tensor = tables.Follow(*tensors + 4 + 4 * *index);
    if (!tensor) continue;
    if (auto scale = ScaleOf(tables, *tensor)) scales.push_back(*std::move(scale));
  }
  return scales;
}

}  // namespace deepedge
