// Gate: which objects a cascade passes on. Pure: what an object is and when, against what the operator asked for.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>

#include "deepedge/media/geometry.h"

namespace deepedge {

// A moment on the wall's clock.
struct LocalTime {
  int weekday = 0;  // 0: Monday
  int minute = 0;   // of the day
};

// The local time of a moment, by the zone of the system. `epoch_us`: microseconds since the Unix epoch.
LocalTime ToLocalTime(int64_t epoch_us);

// From one time of the day until another; over midnight where the second is not later. The days are those of the start.
struct Schedule {
  int from_minute = 0;
  int to_minute = 24 * 60;
  std::array<bool, 7> days{true, true, true, true, true, true, true};  // from Monday

  bool IsOpenAt(const LocalTime& time) const;
};

struct GateRule {
  std::optional<int> label;  // not set: all
  double min_score = 0;
  double max_score = 1;
  double min_size = 0;  // of the box's longer side, as a share of the picture's side along it
  double max_size = 1;
  int min_pixels = 0;       // of the box's shorter side
  std::optional<int> zone;  // number of a zone of the stream
  double min_age_s = 0;     // of the track
  std::optional<Schedule> schedule;
};

// What is known of one object of a frame.
struct GateObject {
  int label = 0;
  float score = 0;
  Box box;
  double track_age_s = 0;
  std::span<const int> zones;  // that it is in
};

struct PictureSize {
  int width = 0;
  int height = 0;
};

// Does the rule let the object through? How often it is asked about one object is AnswerBook's.
bool IsOpen(const GateRule& rule, const GateObject& object, const PictureSize& picture, const LocalTime& now);

}  // namespace deepedge
