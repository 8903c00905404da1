// A street that is simulated: people (and whatever else) who walk on known paths, seen by a detector that jitters,
// misses, scores low what is half hidden and sometimes sees what is not there. Same seed, same detections. For tests
// and benchmarks of trackers, which can be compared with the truth.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <vector>

#include "deepedge/pipeline/track/tracker.h"

namespace deepedge {

struct Walker {
  int label = 0;
  double from_s = 0;  // there from this time
  double to_s = 1e9;  // to this
  double x = 0;       // centre at from_s
  double y = 0.5;
  double speed_x = 0;  // a second
  double speed_y = 0;
  double width = 0.06;
  double height = 0.2;
};

struct DetectorFaults {
  double jitter = 0.02;    // sigma in sizes
  double missed = 0;       // share of boxes
  double weak = 0;         // share of boxes that score 0.25
  double false_boxes = 0;  // a frame
  int other_label = -1;    // what is seen instead, in a share `flicker` of the boxes
  double flicker = 0;
  bool occlusion = true;  // of two that overlap, the one that is higher in the picture (farther) is weak or hidden
};

struct SeenFrame {
  std::vector<DetectedObject> objects;  // best first
  std::vector<int> walkers;             // parallel to the objects: who it is; -1: nobody
  std::vector<bool> apart;              // parallel: overlaps nobody's box by an IoU over 0.2
};

Box BoxOf(const Walker& walker, double time_s);
SeenFrame See(const std::vector<Walker>& walkers, const DetectorFaults& faults, double time_s, std::mt19937& random);

// Follows who had which number. Only boxes that lie apart from others count: while two overlap nobody can tell which
// box is whose, and what matters is whether each goes on with its own number afterwards.
struct Score {
  int64_t boxes = 0;
  int64_t switches = 0;  // a walker's number is another than at their last box
  int64_t untracked = 0;
  std::map<int, int64_t> last;  // number of each walker

  void Add(const SeenFrame& frame, const std::vector<int64_t>& tracks, float threshold);
};

// `interval_s` of each frame is what `interval(time)` says.
template <typename Interval>
Score Follow(Tracker& tracker, const std::vector<Walker>& walkers, const DetectorFaults& faults, double until_s,
             const Interval& interval, unsigned seed = 1) {
  std::mt19937 random(seed);
  Score score;
  for (double time = 0; time < until_s; time += interval(time)) {
    const SeenFrame frame = See(walkers, faults, time, random);
    score.Add(frame, tracker.Update({.time_s = time, .objects = frame.objects, .threshold = 0.4F}).tracks, 0.4F);
  }
  return score;
}

// People who walk to and fro across the picture at several depths, about `count` at any time.
std::vector<Walker> Crowd(int count, double until_s, unsigned seed);

}  // namespace deepedge
