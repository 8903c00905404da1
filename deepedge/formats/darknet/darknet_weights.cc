#include "deepedge/formats/darknet/darknet_weights.h"

#include <fmt/format.h>

#include <bit>

#include "deepedge/formats/bounded_file.h"
#include "deepedge/formats/little_endian.h"

namespace deepedge {
namespace {

constexpr int64_t kFloat = 4;
static_assert(std::endian::native == std::endian::little && sizeof(float) == kFloat);

}  // namespace

Result<DarknetWeights> DarknetWeights::Open(const Path& path, int64_t count) {
  DE_TRY(BoundedFile file, BoundedFile::Open(path));
  constexpr int64_t kShortHeader = 16;  // version as three numbers, pictures in 32 bits
  constexpr int64_t kLongHeader = 20;   // the same in 64 bits
  const std::string head(file.ReadAt(0, kLongHeader));
  if (head.size() < kShortHeader) {
    return Error{ErrorCode::kBadInput, fmt::format("{}: too short for weights of a Darknet network", path.string())};
  }
  const int64_t major = static_cast<int32_t>(Little32(head, 0));
  const int64_t minor = static_cast<int32_t>(Little32(head, 4));
  constexpr int64_t kTransposed = 1000;  // is added to a version number
  const bool transposed = major > kTransposed || minor > kTransposed;
  int64_t header = 10 * major + minor >= 2 ? kLongHeader : kShortHeader;
  // Whether transposed weights count their pictures in 64 bits differs between versions; the length tells.
  if (transposed && file.size() == kShortHeader + count * kFloat) header = kShortHeader;
  const int64_t needed = header + count * kFloat;
  if (file.size() != needed) {
    return Error{
        ErrorCode::kBadInput,
        fmt::format("{}: holds {} bytes, but the network needs {} ({} weights): {}", path.string(), file.size(), needed,
                    count, file.size() < needed ? "cut off, or of another network" : "of another network")};
  }
  std::ifstream stream(path, std::ios::binary);
  stream.seekg(header);
  if (!stream) return Error{ErrorCode::kBadInput, fmt::format("{}: cannot be read", path.string())};
  return DarknetWeights(path, std::move(stream), count, transposed);
}

Result<std::vector<float>> DarknetWeights::Read(int64_t count) {
  std::vector<float> numbers;
  if (count < 0 || count > left_) {
    return Error{ErrorCode::kBadInput, fmt::format("{}: holds fewer weights than are needed", path_.string())};
  }
  numbers.resize(static_cast<size_t>(count));
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the file holds them as they lie in memory
  file_.read(reinterpret_cast<char*>(numbers.data()), count * kFloat);
  if (!file_) return Error{ErrorCode::kBadInput, fmt::format("{}: cannot be read", path_.string())};
  left_ -= count;
  return numbers;
}

}  // namespace deepedge
