// SyntheticScene: pictures that a video codec finds about as hard as those of a camera: a textured background, things
// that move across it by fractions of a pixel, and the noise of a sensor. Two scenes of one seed are the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "deepedge/media/picture.h"

namespace deepedge {

enum class CameraMotion { kStill, kPanning };

class SyntheticScene {
 public:
  // Sizes are even and at least 64.
  SyntheticScene(int width, int height, CameraMotion motion, uint32_t seed = 1);

  // kYuv420p; the pixels stay until the next call.
  PictureView Draw(int index);

 private:
  // One plane of texture, larger than the picture, so that it can be moved under it.
  struct Texture {
    int width = 0;
    int height = 0;
    std::vector<uint8_t> pixels;
  };
  struct Thing {
    double x = 0;  // left and top at picture 0, and pixels per picture
    double y = 0;
    double step_x = 0;
    double step_y = 0;
    int width = 0;
    int height = 0;
    int from_x = 0;  // of the texture that it shows
    int from_y = 0;
  };
  struct Area {
    double x = 0;
    double y = 0;
    int width = 0;
    int height = 0;
  };

  static Texture MakeTexture(int width, int height, double contrast, uint32_t seed);
  // Paints `area` of plane `at` (halved for chroma) with the texture from (from_x, from_y) on.
  void Paint(size_t at, const Area& area, double from_x, double from_y);
  void AddNoise(int index);

  int width_;
  int height_;
  CameraMotion motion_;
  std::vector<Texture> textures_;             // of Y, U, V
  std::vector<std::vector<uint8_t>> planes_;  // of the picture
  std::vector<Thing> things_;
  std::vector<int8_t> noise_;
};

}  // namespace deepedge
