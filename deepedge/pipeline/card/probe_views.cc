#include "deepedge/pipeline/card/probe_views.h"

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <utility>

namespace deepedge {
namespace {

constexpr size_t kMostPictures = 4;

}  // namespace

RgbPicture MirrorOf(const RgbPicture& picture) {
  RgbPicture mirror = picture;
  const auto width = static_cast<size_t>(picture.width);
  for (size_t y = 0; y < static_cast<size_t>(picture.height); ++y) {
    for (size_t x = 0; x < width; ++x) {
      std::memcpy(&mirror.pixels[(y * width + x) * 3], &picture.pixels[(y * width + width - 1 - x) * 3], 3);
    }
  }
  return mirror;
}

RgbPicture NoiseOf(const RgbPicture& picture) {
  constexpr size_t kBlock = 8;
  RgbPicture noise = picture;
  const auto width = static_cast<size_t>(picture.width);
  const auto height = static_cast<size_t>(picture.height);
  uint32_t state = 12345;
  for (size_t y = 0; y < height; y += kBlock) {
    for (size_t x = 0; x < width; x += kBlock) {
      state = state * 1664525U + 1013904223U;
      const size_t from_x = (state >> 8) % width;
      state = state * 1664525U + 1013904223U;
      const size_t from_y = (state >> 8) % height;
      for (size_t dy = 0; dy < kBlock && y + dy < height; ++dy) {
        for (size_t dx = 0; dx < kBlock && x + dx < width; ++dx) {
          std::memcpy(&noise.pixels[((y + dy) * width + x + dx) * 3], &picture.pixels[(from_y * width + from_x) * 3],
                      3);
        }
      }
    }
  }
  return noise;
}

RgbPicture CropOf(const RgbPicture& picture, double x1, double y1, double x2, double y2) {
  const int left = static_cast<int>(x1 * picture.width);
  const int top = static_cast<int>(y1 * picture.height);
  RgbPicture crop{.width = std::max(1, static_cast<int>(x2 * picture.width) - left),
                  .height = std::max(1, static_cast<int>(y2 * picture.height) - top),
                  .pixels = {}};
  const auto row_bytes = static_cast<size_t>(crop.width) * 3;
  crop.pixels.resize(row_bytes * static_cast<size_t>(crop.height));
  for (int y = 0; y < crop.height; ++y) {
    const size_t from =
        (static_cast<size_t>(top + y) * static_cast<size_t>(picture.width) + static_cast<size_t>(left)) * 3;
    std::memcpy(&crop.pixels[static_cast<size_t>(y) * row_bytes], &picture.pixels[from], row_bytes);
  }
  return crop;
}

bool SeesParts(OutputDecoderKind kind) {
  return kind == OutputDecoderKind::kClassification || kind == OutputDecoderKind::kEmbedding;
}

std::vector<RgbPicture> PartsOf(const std::vector<RgbPicture>& pictures, const ModelCard& card) {
  std::vector<RgbPicture> parts;
  for (size_t i = 0; i < pictures.size() && i < kMostPictures; ++i) {
    if (pictures[i].width < 8 || pictures[i].height < 8) continue;
    parts.push_back(pictures[i]);
    if (!SeesParts(card.output.kind)) continue;
    for (const auto& [x, y] :
         std::initializer_list<std::pair<double, double>>{{0, 0}, {0.5, 0}, {0, 0.5}, {0.5, 0.5}, {0.25, 0.25}}) {
      parts.push_back(CropOf(pictures[i], x, y, x + 0.5, y + 0.5));
    }
  }
  return parts;
}

}  // namespace deepedge
