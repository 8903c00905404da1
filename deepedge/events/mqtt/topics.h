// Which MQTT messages an event becomes. docs/mqtt.md has the table for users.
//
//   <prefix>/events                     every event, the same JSON object as everywhere
//   <prefix>/<stream>/<type>            the same, by stream and type
//   <prefix>/<stream>/<label>           how many there are; retained
//   <prefix>/<zone>/<label>             how many are in the zone, of all streams that have it; retained
//   <prefix>/<stream>/<label>/snapshot  JPEG of the last one; retained
//   <prefix>/<stream>/status            online, offline; retained
//   <prefix>/tracks                     objects that come and go, in the form that Frigate's users know
//   <prefix>/available                  online, offline: this program; retained, the last will
//
// Nothing here waits or sends. Threads: owned by one.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "deepedge/events/courier.h"

namespace deepedge {

struct MqttMessage {
  std::string topic;
  std::string payload;
  bool retain = false;

  friend bool operator==(const MqttMessage&, const MqttMessage&) = default;
};

// A name as one level of a topic: what has a meaning there ('/', '+', '#', '%'), control characters and bytes that are
// not UTF-8 become %XX; an empty name "%". Long names are cut (at 200 bytes).
std::string TopicLevel(std::string_view name);
// A label as the level behind a stream, where types and "status" stand as well: one that is called like these gets an
// underscore behind.
std::string LabelLevel(std::string_view label);

std::string AvailableTopic(const std::string& prefix);
std::string StatusTopic(const std::string& prefix, std::string_view stream);
std::string CountTopic(const std::string& prefix, std::string_view stream_or_zone, std::string_view label);
std::string SnapshotTopic(const std::string& prefix, std::string_view stream, std::string_view label);

// Counts as they were last reported: models on one stream may count the same label (the larger number holds), and zones
// of several streams may share a name (the sum holds). Bounded: what comes when it holds 10,000 numbers is not kept and
// stands for itself.
class CountBoard {
 public:
  // Of an event of type "counts". Labels that a model no longer names are at zero.
  std::vector<MqttMessage> Update(const std::string& prefix, const nlohmann::json& event);

 private:
  struct Place {
    bool is_zone = false;
    std::string name;
    std::string label;
    friend auto operator<=>(const Place&, const Place&) = default;
  };
  struct Counter {
    std::string stream;
    std::string model;
    friend auto operator<=>(const Counter&, const Counter&) = default;
  };
  int Total(const Place& place) const;

  std::map<Place, std::map<Counter, int>> counts_;
  size_t size_ = 0;
};

class TopicMapper {
 public:
  explicit TopicMapper(std::string prefix) : prefix_(std::move(prefix)) {}

  // In the order in which they are to be sent. The same event may come again.
  std::vector<MqttMessage> Messages(const StoredEvent& event);

 private:
  struct Size {
    int width = 0;
    int height = 0;
  };
  struct Track {
    double start_s = 0;
    std::set<std::string> zones;       // it is in now
    std::vector<std::string> entered;  // so far, in order
    std::string last;                  // as it was last sent: Frigate's "before"
  };
  using TrackKey = std::string;

  void AddStatus(const StoredEvent& event, const nlohmann::json& json, std::vector<MqttMessage>& messages);
  void AddTrack(const StoredEvent& event, const nlohmann::json& json, std::vector<MqttMessage>& messages);
  void FollowZones(const StoredEvent& event, const nlohmann::json& json);
  nlohmann::json FrigateObject(const StoredEvent& event, const nlohmann::json& json, const Track& track) const;
  Track& TrackOf(const TrackKey& key);

  const std::string prefix_;
  CountBoard board_;
  std::map<std::string, Size> sizes_;  // of streams, for boxes in pixels
  std::map<TrackKey, Track> tracks_;   // that are in view; bounded
};

}  // namespace deepedge
