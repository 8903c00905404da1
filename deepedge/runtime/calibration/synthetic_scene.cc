#include "deepedge/runtime/calibration/synthetic_scene.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "deepedge/base/check.h"

namespace deepedge {
namespace {

constexpr int kThings = 6;
constexpr int kMargin = 128;        // of the texture around the picture
constexpr int kNoiseLength = 8191;  // a prime: rows do not repeat one another
constexpr double kPanX = 0.7;       // pixels a picture
constexpr double kPanY = 0.25;

// Random values at points `period` apart, bilinear between them, added to `sum`.
void AddOctave(std::vector<float>& sum, int width, int height, int period, double amplitude, std::mt19937& random) {
  const int columns = width / period + 2;
  std::vector<float> grid(static_cast<size_t>(columns) * static_cast<size_t>(height / period + 2));
  std::uniform_real_distribution<double> value(-amplitude, amplitude);
  for (float& point : grid) point = static_cast<float>(value(random));
  for (int y = 0; y < height; ++y) {
    const float part_y = static_cast<float>(y % period) / static_cast<float>(period);
    const float* const upper = grid.data() + static_cast<ptrdiff_t>(y / period) * columns;
    const float* const lower = upper + columns;
    float* const out = sum.data() + static_cast<ptrdiff_t>(y) * width;
    for (int x = 0; x < width; ++x) {
      const int cell = x / period;
      const float part_x = static_cast<float>(x % period) / static_cast<float>(period);
      const float a = upper[cell] + (upper[cell + 1] - upper[cell]) * part_x;
      const float b = lower[cell] + (lower[cell + 1] - lower[cell]) * part_x;
      out[x] += a + (b - a) * part_y;
    }
  }
}

}  // namespace

SyntheticScene::Texture SyntheticScene::MakeTexture(int width, int height, double contrast, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<float> sum(static_cast<size_t>(width) * static_cast<size_t>(height), 120.0F);
  // Amplitudes fall with the frequency, as those of natural pictures do.
  double amplitude = contrast;
  for (int period = 96; period >= 3; period /= 2) {
    AddOctave(sum, width, height, period, amplitude, random);
    amplitude *= 0.6;
  }
  Texture texture{.width = width, .height = height};
  texture.pixels.reserve(sum.size());
  for (const float value : sum) texture.pixels.push_back(static_cast<uint8_t>(std::clamp(value, 16.0F, 235.0F)));
  return texture;
}

SyntheticScene::SyntheticScene(int width, int height, CameraMotion motion, uint32_t seed)
    : width_(width), height_(height), motion_(motion) {
  DE_CHECK(width >= 64 && height >= 64 && width % 2 == 0 && height % 2 == 0);
  std::mt19937 random(seed);
  for (const int shift : {0, 1, 1}) {
    textures_.push_back(MakeTexture((width + kMargin) >> shift, (height + kMargin) >> shift, shift == 0 ? 45 : 15,
                                    static_cast<uint32_t>(random())));
    planes_.emplace_back(static_cast<size_t>(width >> shift) * static_cast<size_t>(height >> shift));
  }
  std::uniform_real_distribution<double> part(0, 1);
  for (int i = 0; i < kThings; ++i) {
    Thing thing{.width = static_cast<int>(width * (0.05 + 0.08 * part(random))),
                .height = static_cast<int>(height * (0.1 + 0.2 * part(random)))};
    thing.x = part(random) * (width - thing.width);
    thing.y = part(random) * (height - thing.height);
    thing.step_x = (part(random) - 0.5) * width / 80;
    thing.step_y = (part(random) - 0.5) * height / 160;
    thing.from_x = static_cast<int>(part(random) * (width - thing.width));
    thing.from_y = static_cast<int>(part(random) * (height - thing.height));
    things_.push_back(thing);
  }
  std::normal_distribution<double> normal(0, 1.5);
  for (int i = 0; i < kNoiseLength; ++i) noise_.push_back(static_cast<int8_t>(std::lround(normal(random))));
}

void SyntheticScene::Paint(size_t at, const Area& area, double from_x, double from_y) {
  const Texture& texture = textures_[at];
  const int shift = at == 0 ? 0 : 1;
  const int width = width_ >> shift;
  const int height = height_ >> shift;
  const double scale = shift == 0 ? 1 : 0.5;
  const int left = static_cast<int>(std::floor(area.x * scale));
  const int top = static_cast<int>(std::floor(area.y * scale));
  // Where the area starts between two pixels, so does its texture.
  const double u = std::max(0.0, from_x * scale - (area.x * scale - left) + 1);
  const double v = std::max(0.0, from_y * scale - (area.y * scale - top) + 1);
  const int u0 = static_cast<int>(u);
  const int v0 = static_cast<int>(v);
  const int part_x = static_cast<int>((u - u0) * 16);
  const int part_y = static_cast<int>((v - v0) * 16);
  const int x_end = std::min({left + (area.width >> shift), width, left + texture.width - u0 - 1});
  const int y_end = std::min({top + (area.height >> shift), height, top + texture.height - v0 - 1});
  for (int y = std::max(top, 0); y < y_end; ++y) {
    const uint8_t* const upper =
        texture.pixels.data() + static_cast<ptrdiff_t>(v0 + y - top) * texture.width + u0 - left;
    const uint8_t* const lower = upper + texture.width;
    uint8_t* const out = planes_[at].data() + static_cast<ptrdiff_t>(y) * width;
    for (int x = std::max(left, 0); x < x_end; ++x) {
      const int a = upper[x] * (16 - part_x) + upper[x + 1] * part_x;
      const int b = lower[x] * (16 - part_x) + lower[x + 1] * part_x;
      out[x] = static_cast<uint8_t>((a * (16 - part_y) + b * part_y + 128) >> 8);
    }
  }
}

void SyntheticScene::AddNoise(int index) {
  size_t at = static_cast<size_t>(index) * 2654435761U % kNoiseLength;
  for (uint8_t& pixel : planes_[0]) {
    pixel = static_cast<uint8_t>(std::clamp(pixel + noise_[at], 0, 255));
    if (++at == kNoiseLength) at = 0;
  }
}

PictureView SyntheticScene::Draw(int index) {
  // To and fro within the margin, so that long clips move, too.
  const double path = std::fmod(index * kPanX, 2.0 * (kMargin - 8));
  const double pan = motion_ == CameraMotion::kStill ? 0 : std::min(path, 2.0 * (kMargin - 8) - path);
  for (size_t at = 0; at < 3; ++at) {
    Paint(at, {.width = width_, .height = height_}, pan, pan * kPanY / kPanX);
    for (const Thing& thing : things_) {
      const double x = std::fmod(thing.x + thing.step_x * index + 100.0 * width_, width_);
      const double y = std::fmod(thing.y + thing.step_y * index + 100.0 * height_, height_);
      Paint(at, {.x = x, .y = y, .width = thing.width, .height = thing.height}, thing.from_x, thing.from_y);
    }
  }
  AddNoise(index);
  return {.format = PixelFormat::kYuv420p,
          .width = width_,
          .height = height_,
          .planes = {planes_[0].data(), planes_[1].data(), planes_[2].data()},
          .strides = {width_, width_ / 2, width_ / 2}};
}

}  // namespace deepedge
