#include "deepedge/pipeline/track/box_motion.h"

#include <algorithm>
#include <cmath>

namespace deepedge {
namespace {

constexpr double kLongestMove = 5.0;    // seconds
constexpr float kLeastVisible = 0.35F;  // of the area

// By how much a side has grown after so many seconds.
float Growth(float side, float speed, float seconds) { return std::clamp(speed * seconds, -side / 2, side); }

}  // namespace

Box HoldMover::Move(const Track& /*track*/, const Box& anchor, double /*from_s*/, double /*to_s*/) const {
  return anchor;
}

Box VelocityMover::Move(const Track& track, const Box& anchor, double from_s, double to_s) const {
  const double time = to_s - from_s;
  if (!std::isfinite(time)) return anchor;
  const auto seconds = static_cast<float>(std::clamp(time, -kLongestMove, kLongestMove));
  const float move = track.position_gain * seconds;
  const float x = track.velocity.x * move;
  const float y = track.velocity.y * move;
  const float wider = Growth(anchor.x2 - anchor.x1, track.velocity.width, track.size_gain * seconds) / 2;
  const float higher = Growth(anchor.y2 - anchor.y1, track.velocity.height, track.size_gain * seconds) / 2;
  return {anchor.x1 + x - wider, anchor.y1 + y - higher, anchor.x2 + x + wider, anchor.y2 + y + higher};
}

std::optional<Box> CutToPicture(const Box& moved) {
  const Box inside = Clip(moved);
  if (!(inside.Area() > 0) || inside.Area() < kLeastVisible * moved.Area()) return std::nullopt;
  return inside;
}

Box Track::BoxAt(double time_s) const { return Clip(VelocityMover().Move(*this, box, last_s, time_s)); }

}  // namespace deepedge
