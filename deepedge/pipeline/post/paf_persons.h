// Persons from heat maps of points and part affinity fields (OpenPose): points are peaks, two points belong together
// where the field between them points from one to the other. Pure. Private to pipeline/post.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "deepedge/model/model_card.h"

namespace deepedge {

struct Peak {
  float x = 0;  // in cells, a whole number at a cell's middle
  float y = 0;
  float score = 0;
};

// value(channel, x, y) of a map of columns x rows cells.
struct MapChannels {
  size_t columns = 0;
  size_t rows = 0;
  std::function<float(size_t channel, size_t x, size_t y)> value;
};

// Where between the cells the top of a peak at (x, y) lies, by a parabola through its neighbours.
Peak RefinePeak(const MapChannels& map, size_t channel, size_t x, size_t y);

// The cells that no neighbour exceeds and that reach `threshold`, at most 60, best first.
std::vector<Peak> FindPeaks(const MapChannels& map, size_t channel, float threshold);

// One entry per point: a peak or nothing. At most 100 persons.
using PersonPoints = std::vector<std::optional<Peak>>;
std::vector<PersonPoints> FindPersons(const MapChannels& heat, const MapChannels& fields, size_t points,
                                      std::span<const Limb> limbs, float threshold);

// The limbs of the 18 points of OpenPose's COCO model: nose, neck, right shoulder, elbow, wrist, left ..., right hip,
// knee, ankle, left ..., right eye, left eye, right ear, left ear.
std::span<const Limb> OpenPoseLimbs();

}  // namespace deepedge
