// SceneWatch: what the tracked objects of one task do among its zones and lines, as plain events.
//
//   DE_TRY(const std::unique_ptr<SceneWatch> watch, SceneWatch::Create(rules));
//   for (const SceneChange& change : watch->Update({.time_s = 12.4, .objects = objects, .ended = ended}).events) ...
//
// One state for each track and zone; what counts is one point of the box, its feet unless the rules say otherwise:
//
//               point inside the polygon
//     outside ---------------------------> inside --(stays dwell_s)--> inside, dwell said
//        ^        zone entered              |
//        '----------------------------------'   beyond the margin for settle_s, or the track ended
//                   zone left, after so many seconds
//
// Debounce. A box jitters by some hundredths of its size, so a point on the border would enter and leave with every
// result. Leaving therefore needs a distance and a time: the point is farther outside than a margin, a quarter of
// the box's size (square root of its area), at least 0.005 and at most 0.05 of the picture, and the track was not
// within the margin for settle_s. The time counts from when it was last within, so that at low rates, where results are
// farther apart than settle_s, the first result outside is enough. Entering needs neither: a track within the margin
// that has not been inside stays outside. A line is crossed when the point was farther than the margin on one side and
// is now farther than the margin on the other, and the way between, taken as straight, goes through the line, not past
// its ends.
//
// A track that is missing from a frame stays where it was until it is named among the ended ones (the Tracker says
// which those are), or was not seen for 60 s; then it leaves its zones and all counts. Times inside count up to when it
// was last seen inside. Its label may change; events and counts carry the newest.
//
// Counts are of live tracks, by label, of the whole picture and of each zone. Who wants to hear only of what was seen
// more than once passes only confirmed tracks.
//
// Bounds: 1000 tracks; more are passed over and counted. Objects without a track or with a box that is not finite are
// passed over. Time that goes back by up to 0.5 s or is not a number counts as no time; further back, all tracks leave.
//
// Pure apart from its own state: no clock, lock or I/O. Thread-compatible.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "deepedge/base/result.h"
#include "deepedge/pipeline/track/zones.h"

namespace deepedge {

struct SceneObject {
  int64_t track = 0;
  int label = 0;
  float score = 0;
  Box box;
};

struct SceneFrame {
  double time_s = 0;  // media time
  // Best first: of several with the same track (twins, see tracker.h) the first counts. Pass the track's label, which
  // flickers less than the object's.
  std::span<const SceneObject> objects;
  std::span<const int64_t> ended = {};  // tracks that have ended with this frame
};

enum class SceneChangeKind { kZoneEntered, kZoneLeft, kDwell, kLineCrossed };
enum class CrossDirection { kIn, kOut };  // zones.h says which is which

struct SceneChange {
  SceneChangeKind kind = SceneChangeKind::kZoneEntered;
  double time_s = 0;  // of the frame that showed it
  size_t place = 0;   // index of the zone or line in the rules
  int64_t track = 0;
  int label = 0;
  float score = 0;
  Box box;                                         // the last one seen
  double seconds = 0;                              // zone left, dwell: inside for so long
  CrossDirection direction = CrossDirection::kIn;  // line crossed
};

inline constexpr size_t kWholePicture = std::numeric_limits<size_t>::max();

struct LabelCount {
  int label = 0;
  int count = 0;
  friend bool operator==(const LabelCount&, const LabelCount&) = default;
};

// All counts of a place of which one has changed; a label that is not there any more is named once more, with 0.
struct SceneCounts {
  size_t zone = kWholePicture;     // or an index in the rules
  std::vector<LabelCount> labels;  // by label
};

struct SceneReport {
  std::vector<SceneChange> events;  // in the order of the objects; those of ended tracks last
  std::vector<SceneCounts> counts;
};

struct SceneWatchOptions {
  double settle_s = 0.5;
};

class SceneWatch {
 public:
  // Errors: what CheckRules says.
  static Result<std::unique_ptr<SceneWatch>> Create(SceneRules rules, const SceneWatchOptions& options = {});

  SceneReport Update(const SceneFrame& frame);

  const SceneRules& rules() const { return rules_; }
  int64_t passed_over() const { return passed_over_; }  // objects that came while 1000 tracks lived

 private:
  struct InZone {
    bool inside = false;
    bool dwelt = false;
    double entered_s = 0;
    double last_inside_s = 0;
  };
  struct State {
    SceneObject object;
    double seen_s = 0;
    int64_t update = 0;                         // in which it was last seen
    std::vector<InZone> zones;                  // parallel to the rules
    std::vector<std::optional<Point>> settled;  // of each line: where it last was beyond the margin
  };
  using Counts = std::map<int, int>;

  SceneWatch(SceneRules rules, const SceneWatchOptions& options);
  void AdvanceTime(double time_s, SceneReport* report);
  void WatchZones(State& state, SceneReport* report) const;
  void WatchLines(State& state, SceneReport* report) const;
  void Leave(std::map<int64_t, State>::iterator at, SceneReport* report);
  void LeaveStale(SceneReport* report);
  void Count(SceneReport* report);
  SceneChange EventOf(const State& state, SceneChangeKind kind, size_t place) const;

  SceneRules rules_;
  SceneWatchOptions options_;
  std::map<int64_t, State> states_;
  Counts picture_counts_;
  std::vector<Counts> zone_counts_;
  std::optional<double> now_s_;
  int64_t update_ = 0;
  int64_t passed_over_ = 0;
};

}  // namespace deepedge
