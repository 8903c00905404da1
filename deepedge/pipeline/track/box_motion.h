// How a box that was measured in one frame is shown at another time: late results are moved on to now, and between two
// results the boxes go with their objects. Always from the measured box (the anchor), never from a filter's state: at
// the time of measurement the shown box is the detector's own. One interface, so that a mover which asks the codec's
// motion vectors or the optical flow of the frames between can take the place of the velocity.
#pragma once

#include <optional>

#include "deepedge/pipeline/track/track.h"

namespace deepedge {

// Implementations are pure and may be called from several threads.
class BoxMover {
 public:
  virtual ~BoxMover() = default;

  // `anchor`, measured at `from_s`, as it is expected at `to_s` (before or after). Not cut: may lie partly or wholly
  // outside of the picture. Finite whatever the times are.
  virtual Box Move(const Track& track, const Box& anchor, double from_s, double to_s) const = 0;
};

// The box stays where it was measured.
class HoldMover final : public BoxMover {
 public:
  Box Move(const Track& track, const Box& anchor, double from_s, double to_s) const override;
};

// anchor + gain x velocity x time. The time counts up to 5 s: a velocity says nothing of what is after that. The box
// shrinks to half its sides at most and grows to twice.
class VelocityMover final : public BoxMover {
 public:
  Box Move(const Track& track, const Box& anchor, double from_s, double to_s) const override;
};

// The part of a moved box that lies in the picture; nothing where that is less than 35 % of its area, for an object
// that has left.
std::optional<Box> CutToPicture(const Box& moved);

}  // namespace deepedge
