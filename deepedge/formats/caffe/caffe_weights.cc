#include "deepedge/formats/caffe/caffe_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>

#include "deepedge/formats/graph/graph_ops.h"
#include "deepedge/formats/wire.h"
#include "deepedge/model/tensor.h"

namespace deepedge {
namespace {

static_assert(std::endian::native == std::endian::little);  // the numbers are copied as they are

constexpr size_t kMaxLayers = 100'000;
constexpr size_t kMaxBlobs = 1024;  // of a layer
constexpr size_t kMaxRank = 32;
constexpr int64_t kMaxName = 1024;

// Fields of the messages, by their numbers in the file.
enum NetField : uint32_t { kNetV1Layer = 2, kNetLayer = 100 };
enum V1LayerField : uint32_t { kV1V0Layer = 1, kV1Name = 4, kV1Blob = 6 };
enum LayerField : uint32_t { kName = 1, kBlob = 7 };
enum BlobField : uint32_t {
  kNum = 1,
  kChannels = 2,
  kHeight = 3,
  kWidth = 4,
  kData = 5,
  kShape = 7,
  kDoubleData = 8,
  kRawType = 10,
  kRawData = 12,
};

enum class NumberType { kFloat, kDouble, kHalf };

int64_t BytesOf(NumberType type) {
  switch (type) {
    case NumberType::kFloat: return 4;
    case NumberType::kDouble: return 8;
    case NumberType::kHalf: return 2;
  }
  return 0;
}

void Append(std::string_view bytes, NumberType type, std::vector<float>& values) {
  const auto width = static_cast<size_t>(BytesOf(type));
  const size_t count = bytes.size() / width;
  const size_t before = values.size();
  values.resize(before + count);
  if (type == NumberType::kFloat) {
    std::memcpy(values.data() + before, bytes.data(), count * width);
    return;
  }
  for (size_t i = 0; i < count; ++i) {
    if (type == NumberType::kDouble) {
      double number = 0;
      std::memcpy(&number, bytes.data() + i * width, width);
      values[before + i] = static_cast<float>(number);
    } else {
      uint16_t number = 0;
      std::memcpy(&number, bytes.data() + i * width, width);
      values[before + i] = HalfToFloat(number);
    }
  }
}

// The field that holds numbers in a blob, packed or one by one, and what they are. `raw` is the type of raw data.
std::optional<NumberType> TypeOf(const WireField& field, NumberType raw) {
  const bool packed = field.type == WireType::kLength;
  if (field.number == kData && (packed || field.type == WireType::kFixed32)) return NumberType::kFloat;
  if (field.number == kDoubleData && (packed || field.type == WireType::kFixed64)) return NumberType::kDouble;
  if (field.number == kRawData && packed) return raw;
  return std::nullopt;
}

// The dimensions of a BlobShape.
Result<std::vector<int64_t>> ReadShape(BoundedFile& file, const WireField& message) {
  std::vector<int64_t> shape;
  const auto add = [&](uint64_t dimension) {
    shape.push_back(dimension > INT64_MAX ? -1 : static_cast<int64_t>(dimension));
    return shape.size() <= kMaxRank;
  };
  const Error error{ErrorCode::kBadInput, "a shape that cannot be read"};
  WireScanner scanner(file, message.offset, message.offset + message.length);
  while (const auto field = scanner.Next()) {
    if (field->number != 1) continue;
    if (field->type == WireType::kVarint) {
      if (!add(field->value)) return error;
    } else if (field->type == WireType::kLength) {
      uint64_t dimension = 0;
      int shift = 0;
      // Few dimensions of at most ten bytes: one read holds them.
      const auto size = static_cast<size_t>(std::clamp<int64_t>(field->length, 0, 10 * kMaxRank));
      for (const char c : file.ReadAt(field->offset, size)) {
        if (shift > 63) return error;
        dimension |= static_cast<uint64_t>(c & 0x7F) << shift;
        shift += 7;
        if ((c & '\x80') != 0) continue;
        if (!add(dimension)) return error;
        dimension = 0;
        shift = 0;
      }
    }
  }
  if (scanner.broken()) return error;
  return shape;
}

// How raw data is to be read; a blob without any has none.
Result<NumberType> RawType(uint64_t type) {
  constexpr uint64_t kDouble = 0;
  constexpr uint64_t kFloat = 1;
  constexpr uint64_t kHalf = 2;
  if (type == kDouble) return NumberType::kDouble;
  if (type == kFloat) return NumberType::kFloat;
  if (type == kHalf) return NumberType::kHalf;
  return Error{ErrorCode::kUnsupported, fmt::format("raw numbers of type {}", type)};
}

struct BlobOutline {
  CaffeBlob blob;
  NumberType raw = NumberType::kFloat;
};

Result<BlobOutline> Outline(BoundedFile& file, int64_t begin, int64_t end) {
  BlobOutline outline{.blob = {.offset = begin, .length = end - begin}};
  std::vector<int64_t> old_shape(4, 0);
  bool has_old_shape = false;
  bool has_raw_type = false;
  WireScanner scanner(file, begin, end);
  while (const auto field = scanner.Next()) {
    if (field->type == WireType::kVarint && field->number >= kNum && field->number <= kWidth) {
      old_shape[field->number - kNum] = field->value > INT32_MAX ? -1 : static_cast<int64_t>(field->value);
      has_old_shape = true;
    } else if (field->type == WireType::kVarint && field->number == kRawType) {
      DE_TRY(outline.raw, RawType(field->value));
      has_raw_type = true;
    } else if (field->type == WireType::kLength && field->number == kShape) {
      DE_TRY(outline.blob.shape, ReadShape(file, *field));
    } else if (const auto type = TypeOf(*field, outline.raw)) {
      if (field->number == kRawData && !has_raw_type) {
        return Error{ErrorCode::kUnsupported, "raw numbers whose type is not told before them"};
      }
      if (field->length % BytesOf(*type) != 0) return Error{ErrorCode::kBadInput, "a fraction of a number"};
      outline.blob.count += field->length / BytesOf(*type);
    }
  }
  if (scanner.broken()) return Error{ErrorCode::kBadInput, "an array that is damaged"};
  if (outline.blob.shape.empty() && has_old_shape) outline.blob.shape = std::move(old_shape);
  return outline;
}

}  // namespace

Result<CaffeWeights> CaffeWeights::Open(const Path& path) {
  DE_TRY(BoundedFile file, BoundedFile::Open(path));
  CaffeWeights weights(path, std::move(file));
  if (const Status status = weights.Index(); !status.ok()) return status.error().Wrap(path.string());
  return weights;
}

Status CaffeWeights::Index() {
  WireScanner scanner(file_, 0, file_.size());
  size_t layers = 0;
  while (const auto field = scanner.Next()) {
    const bool v1 = field->number == kNetV1Layer;
    if (scanner.broken()) break;
    if (field->type != WireType::kLength || (!v1 && field->number != kNetLayer)) continue;
    if (++layers > kMaxLayers) return Error{ErrorCode::kBadInput, "more than 100,000 layers"};
    DE_TRY_STATUS(IndexLayer(field->offset, field->offset + field->length, v1));
  }
  if (scanner.missing_bytes() > 0) {
    return Error{ErrorCode::kBadInput, fmt::format("is cut off: {} bytes are missing", scanner.missing_bytes())};
  }
  if (scanner.broken()) return Error{ErrorCode::kBadInput, "is no caffemodel, or damaged"};
  if (layers == 0) return Error{ErrorCode::kBadInput, "holds no layers"};
  return {};
}

Status CaffeWeights::IndexLayer(int64_t begin, int64_t end, bool v1) {
  std::string name;
  std::vector<CaffeBlob> blobs;
  WireScanner scanner(file_, begin, end);
  while (const auto field = scanner.Next()) {
    if (field->type != WireType::kLength || scanner.broken()) continue;
    if (v1 && field->number == kV1V0Layer) {
      return Error{ErrorCode::kUnsupported, "is written in the first form of Caffe's files (V0), which is not read"};
    }
    if (field->number == (v1 ? uint32_t{kV1Name} : uint32_t{kName})) {
      if (field->length > kMaxName) return Error{ErrorCode::kBadInput, "a layer's name is longer than 1024 bytes"};
      name = std::string(file_.ReadAt(field->offset, static_cast<size_t>(field->length)));
    } else if (field->number == (v1 ? uint32_t{kV1Blob} : uint32_t{kBlob})) {
      if (blobs.size() == kMaxBlobs) return Error{ErrorCode::kBadInput, "a layer with more than 1024 arrays"};
      DE_TRY(CaffeBlob blob, IndexBlob(field->offset, field->offset + field->length));
      blobs.push_back(std::move(blob));
    }
  }
  if (scanner.broken()) return Error{ErrorCode::kBadInput, fmt::format("layer '{}' is damaged", Shown(name))};
  // As Caffe does it, the last of two layers of one name counts.
  if (!blobs.empty()) layers_.insert_or_assign(std::move(name), std::move(blobs));
  return {};
}

Result<CaffeBlob> CaffeWeights::IndexBlob(int64_t begin, int64_t end) {
  DE_TRY(BlobOutline outline, Outline(file_, begin, end));
  return std::move(outline.blob);
}

const std::vector<CaffeBlob>& CaffeWeights::Blobs(std::string_view layer) const {
  static const std::vector<CaffeBlob> kNone;
  const auto found = layers_.find(layer);
  return found == layers_.end() ? kNone : found->second;
}

Result<std::vector<float>> CaffeWeights::Read(const CaffeBlob& blob) {
  read_bytes_ += blob.length;
  if (read_bytes_ > file_.size()) {
    return Error{ErrorCode::kBadInput, "layers of one name use the same numbers again and again"};
  }
  std::vector<float> values;
  values.reserve(static_cast<size_t>(blob.count));  // not more than the file has bytes
  NumberType raw = NumberType::kFloat;
  WireScanner scanner(file_, blob.offset, blob.offset + blob.length);
  while (const auto field = scanner.Next()) {
    if (field->type == WireType::kVarint && field->number == kRawType) {
      DE_TRY(raw, RawType(field->value));
    }
    const auto type = TypeOf(*field, raw);
    if (!type) continue;
    for (int64_t done = 0; done < field->length;) {
      // A multiple of every number's width.
      const int64_t wanted = std::min<int64_t>(field->length - done, BoundedFile::kMaxRead);
      const std::string_view bytes = file_.ReadAt(field->offset + done, static_cast<size_t>(wanted));
      if (std::ssize(bytes) != wanted) {
        return Error{ErrorCode::kBadInput, fmt::format("{}: cannot be read any more", path_.string())};
      }
      Append(bytes, *type, values);
      done += wanted;
    }
  }
  return values;
}

}  // namespace deepedge
