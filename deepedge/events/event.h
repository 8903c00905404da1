// Events: what leaves the box. Plain data, turned into one JSON object a line by event_json.h.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "deepedge/model/inference_result.h"

namespace deepedge {

// The frame that an event is about, and its times.
struct Moment {
  int64_t frame = 0;
  int64_t pts_us = 0;
  int64_t captured_us = 0;   // Unix epoch
  int64_t available_us = 0;  // Unix epoch
};

// What a model further down a cascade has said of an object that was passed on to it.
struct ChildAnswer {
  std::string model;
  std::string label;  // its best class or object, or who it is, by the gallery
  float score = 0;
  int64_t pts_us = 0;  // of the frame that it looked at, which may be an earlier one of the same track
};

// What is known of an object beyond what its own model says.
struct ObjectNote {
  int64_t track = 0;  // 0: none
  std::vector<ChildAnswer> answers;
};

// The object that a result of a cascade is about.
struct ParentObject {
  std::string model;
  std::string label;
  float score = 0;
  Box box;  // fractions of the source picture, like all boxes
  int64_t track = 0;
  std::shared_ptr<const ParentObject> parent;  // of the object itself, further up
};

// Every event has an id, set by the EventBus: unique over all runs of all boxes, so that a receiver can tell an event
// that comes a second time.
struct ResultEvent {
  std::string stream;
  std::string model;
  int64_t frame = 0;
  int64_t pts_us = 0;
  int64_t captured_us = 0;   // Unix epoch
  int64_t available_us = 0;  // Unix epoch
  std::string task;          // the card's: which parts of `result` are written
  InferenceResult result;
  std::shared_ptr<const std::vector<std::string>> labels;
  std::string variant;  // "fp32@416x416"
  int64_t plan = 0;
  std::vector<ObjectNote> notes = {};               // one for each object, or none at all
  std::shared_ptr<const ParentObject> parent = {};  // of a cascade: what was looked at; not set: the whole picture
  std::string identity = {};                        // of an embedding: who it is, by the gallery; empty: nobody known
  float similarity = 0;                             // with `identity`: its cosine
  std::string id = {};
};

// An object was seen for the first time, or is given up.
struct TrackEvent {
  bool ended = false;
  std::string stream;
  std::string model;
  Moment moment;
  int64_t track = 0;
  std::string label;
  float score = 0;   // the best so far
  Box box;           // the last
  double age_s = 0;  // from the first to the last time it was seen, in media time
  std::shared_ptr<const std::vector<uint8_t>> picture = {};  // JPEG of the object; may be missing
  std::string id = {};
};

enum class SceneEventKind { kZoneEntered, kZoneLeft, kDwell, kLineCrossed };

// Something happened at a zone or a line of the stream.
struct SceneEvent {
  SceneEventKind kind = SceneEventKind::kZoneEntered;
  std::string stream;
  std::string model;
  Moment moment;
  std::string place;  // name of the zone or line
  int64_t track = 0;
  std::string label;
  float score = 0;
  Box box;
  std::string direction;                                     // kLineCrossed: "in" or "out"
  double dwell_s = 0;                                        // kZoneLeft, kDwell: how long it has been inside
  std::shared_ptr<const std::vector<uint8_t>> picture = {};  // JPEG of the object; may be missing
  std::string id = {};
};

// How many objects of each label there are, whenever that changes.
struct CountEvent {
  std::string stream;
  std::string model;
  Moment moment;
  std::string zone;  // empty: in the whole picture
  std::map<std::string, int> counts;
  std::string id = {};
};

struct StreamUpEvent {
  std::string stream;
  int64_t at_us = 0;
  std::string codec;
  int width = 0;
  int height = 0;
  std::string id = {};
};

struct StreamDownEvent {
  std::string stream;
  int64_t at_us = 0;
  std::string reason;
  int64_t retry_in_us = -1;  // -1: not tried again (end of a file, stopped)
  std::string id = {};
};

using Event = std::variant<ResultEvent, TrackEvent, SceneEvent, CountEvent, StreamUpEvent, StreamDownEvent>;

// "result", "track_started", ... as in the JSON form.
std::string_view TypeOf(const Event& event);
const std::string& StreamOf(const Event& event);
const std::string& IdOf(const Event& event);
// When it was known, microseconds since the Unix epoch.
int64_t TimeOf(const Event& event);
// The JPEG that belongs to it, or null.
std::shared_ptr<const std::vector<uint8_t>> PictureOf(const Event& event);

// All that TypeOf may return.
extern const std::vector<std::string> kEventTypes;

}  // namespace deepedge
