// Track: what is known of one object that is followed over time. Plain data, filled by Tracker, read by whoever shows
// boxes, asks a child model, or watches zones. Times are media times in seconds, boxes fractions of the picture.
#pragma once

#include <cstdint>

#include "deepedge/media/geometry.h"

namespace deepedge {

// How fast a box moves and grows, in fractions of the picture a second.
struct BoxVelocity {
  float x = 0;  // of the centre
  float y = 0;
  float width = 0;
  float height = 0;
};

struct Track {
  int64_t id = 0;  // from 1, never given twice by one Tracker; 0: no track
  int label = 0;   // the label that most of its boxes had, weighted by score
  double first_s = 0;
  double last_s = 0;  // when it was last measured
  int hits = 0;       // boxes measured so far, weak ones included
  int misses = 0;     // results in a row, up to now, that did not show it
  float score = 0;    // of the last box
  float best_score = 0;
  Box box;  // the last measured box: the anchor from which a shown box is moved
  BoxVelocity velocity;
  // By how much the velocities of this task have proved right lately, 0 to 1: what to multiply a shift with.
  float position_gain = 0;
  float size_gain = 0;
  bool revived = false;  // its id was given back by its embedding after it had ended

  double Age() const { return last_s - first_s; }

  // A track is reported with its first strong box: waiting for a second one would cost 2 s at a result every 2 s. Who
  // would rather not hear of an object that was seen once asks for this.
  bool Confirmed() const { return hits >= 2; }

  // The anchor moved to another time by VelocityMover (box_motion.h), cut to the picture.
  Box BoxAt(double time_s) const;
};

}  // namespace deepedge
