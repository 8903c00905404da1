#include "deepedge/events/mqtt/topics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "deepedge/base/utf8.h"
#include "deepedge/events/event.h"

namespace deepedge {
namespace {

using Json = nlohmann::json;

constexpr size_t kLongestLevel = 200;
constexpr size_t kMostCounts = 10'000;
constexpr size_t kMostTracks = 4096;
constexpr size_t kMostStreams = 1024;
constexpr double kMicrosPerSecond = 1e6;

std::string Text(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

double Number(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number() ? found->get<double>() : 0;
}

// The whole number nearest to it that a double holds exactly; what a file of events claims may be anything.
int64_t Whole(double number) {
  constexpr double kExact = 9e15;
  return std::isfinite(number) ? std::llround(std::clamp(number, -kExact, kExact)) : 0;
}

int WholeInt(double number) {
  return static_cast<int>(
      std::clamp<int64_t>(Whole(number), std::numeric_limits<int>::min(), std::numeric_limits<int>::max()));
}

std::string Dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

bool IsControl(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  constexpr unsigned char kLastC1 = 0x9F;
  if (character.size() == 1) return first < 0x20 || first == 0x7F;
  return character.size() == 2 && first == 0xC2 && static_cast<unsigned char>(character[1]) <= kLastC1;
}

// Of the run that an event's id names: what stands before its number.
std::string_view RunOf(std::string_view id) { return id.substr(0, id.rfind('-')); }

std::string KeyOf(const StoredEvent& event, const Json& json) {
  return fmt::format("{}-{}-{}-{}", RunOf(event.id), Text(json, "stream"), Text(json, "model"),
                     Whole(Number(json, "track")));
}

}  // namespace

std::string TopicLevel(std::string_view name) {
  constexpr std::string_view kSpecial = "/+#%";
  std::string level;
  while (!name.empty() && level.size() < kLongestLevel) {
    const size_t length = Utf8CharacterLength(name);
    const std::string_view character = name.substr(0, std::max<size_t>(length, 1));
    if (length == 0 || IsControl(character) || kSpecial.find(character[0]) != std::string_view::npos) {
      for (const char byte : character) level += fmt::format("%{:02X}", static_cast<unsigned char>(byte));
    } else {
      level += character;
    }
    name.remove_prefix(character.size());
  }
  return level.empty() ? "%" : level;
}

std::string LabelLevel(std::string_view label) {
  std::string level = TopicLevel(label);
  if (level == "status" || std::ranges::find(kEventTypes, level) != kEventTypes.end()) level += '_';
  return level;
}

std::string AvailableTopic(const std::string& prefix) { return prefix + "/available"; }
std::string StatusTopic(const std::string& prefix, std::string_view stream) {
  return prefix + "/" + TopicLevel(stream) + "/status";
}
std::string CountTopic(const std::string& prefix, std::string_view stream_or_zone, std::string_view label) {
  return prefix + "/" + TopicLevel(stream_or_zone) + "/" + LabelLevel(label);
}
std::string SnapshotTopic(const std::string& prefix, std::string_view stream, std::string_view label) {
  return CountTopic(prefix, stream, label) + "/snapshot";
}

std::vector<MqttMessage> CountBoard::Update(const std::string& prefix, const Json& event) {
  const auto counts = event.find("counts");
  if (counts == event.end() || !counts->is_object()) return {};
  const std::string zone = Text(event, "zone");
  const Counter counter{Text(event, "stream"), Text(event, "model")};
  const std::string& name = zone.empty() ? counter.stream : zone;
  std::map<std::string, int> now;
  for (const auto& [label, count] : counts->items()) now[label] = count.is_number() ? WholeInt(count.get<double>()) : 0;
  for (const auto& [place, by_counter] : counts_) {
    const bool is_here = place.is_zone == !zone.empty() && place.name == name && by_counter.contains(counter);
    if (is_here) now.emplace(place.label, 0);  // it was there, and is not named any more
  }
  std::vector<MqttMessage> messages;
  for (const auto& [label, count] : now) {
    const Place place{!zone.empty(), name, label};
    const bool is_known = counts_.contains(place) && counts_[place].contains(counter);
    int total = count;
    if (is_known || size_ < kMostCounts) {
      size_ += is_known ? 0 : 1;
      counts_[place][counter] = count;
      total = Total(place);
    }
    messages.push_back({CountTopic(prefix, name, label), std::to_string(total), true});
  }
  return messages;
}

int CountBoard::Total(const Place& place) const {
  std::map<std::string, int> by_stream;
  for (const auto& [counter, count] : counts_.at(place)) {
    int& most = by_stream[counter.stream];
    most = std::max(most, count);
  }
  int total = 0;
  for (const auto& [stream, most] : by_stream) total += most;
  return total;
}

std::vector<MqttMessage> TopicMapper::Messages(const StoredEvent& event) {
  std::vector<MqttMessage> messages;
  messages.push_back({prefix_ + "/events", event.json, false});
  messages.push_back({prefix_ + "/" + TopicLevel(event.stream) + "/" + TopicLevel(event.type), event.json, false});
  const Json json = Json::parse(event.json, nullptr, false);
  if (!json.is_object()) return messages;
  if (event.type == "counts") {
    for (MqttMessage& message : board_.Update(prefix_, json)) messages.push_back(std::move(message));
  }
  AddStatus(event, json, messages);
  FollowZones(event, json);
  if (event.type == "track_started" || event.type == "track_ended") AddTrack(event, json, messages);
  if (!event.picture.empty()) {
    messages.push_back({SnapshotTopic(prefix_, event.stream, Text(json, "label")), event.picture, true});
  }
  return messages;
}

void TopicMapper::AddStatus(const StoredEvent& event, const Json& json, std::vector<MqttMessage>& messages) {
  if (event.type == "stream_down") messages.push_back({StatusTopic(prefix_, event.stream), "offline", true});
  if (event.type != "stream_up") return;
  messages.push_back({StatusTopic(prefix_, event.stream), "online", true});
  if (!sizes_.contains(event.stream) && sizes_.size() >= kMostStreams) return;
  sizes_[event.stream] = {WholeInt(Number(json, "width")), WholeInt(Number(json, "height"))};
}

void TopicMapper::FollowZones(const StoredEvent& event, const Json& json) {
  if (event.type != "zone_entered" && event.type != "zone_left") return;
  const std::string zone = Text(json, "zone");
  Track& track = TrackOf(KeyOf(event, json));
  if (event.type == "zone_left") {
    track.zones.erase(zone);
  } else {
    track.zones.insert(zone);
  }
  if (std::ranges::find(track.entered, zone) == track.entered.end()) track.entered.push_back(zone);
}

TopicMapper::Track& TopicMapper::TrackOf(const TrackKey& key) {
  const auto found = tracks_.find(key);
  if (found != tracks_.end()) return found->second;
  if (tracks_.size() >= kMostTracks) tracks_.erase(tracks_.begin());  // of the oldest run, or at least some
  return tracks_[key];
}

void TopicMapper::AddTrack(const StoredEvent& event, const Json& json, std::vector<MqttMessage>& messages) {
  const bool is_end = event.type == "track_ended";
  const std::string key = KeyOf(event, json);
  Track& track = TrackOf(key);
  if (!is_end || track.start_s == 0) {
    track.start_s = Number(json, "captured_us") / kMicrosPerSecond - Number(json, "age_s");
  }
  const Json after = FrigateObject(event, json, track);
  Json message;
  message["type"] = is_end ? "end" : "new";
  message["before"] = track.last.empty() || !is_end ? after : Json::parse(track.last, nullptr, false);
  message["after"] = after;
  messages.push_back({prefix_ + "/tracks", Dump(message), false});
  track.last = Dump(after);
  if (is_end) tracks_.erase(key);
}

// Times are seconds since the Unix epoch. Boxes are in pixels where the size of the stream is known, else fractions.
Json TopicMapper::FrigateObject(const StoredEvent& event, const Json& json, const Track& track) const {
  const double seen_s = Number(json, "captured_us") / kMicrosPerSecond;
  Json object;
  object["id"] = KeyOf(event, json);
  object["camera"] = Text(json, "stream");
  object["label"] = Text(json, "label");
  object["score"] = Number(json, "score");
  object["top_score"] = Number(json, "score");
  object["false_positive"] = false;
  object["frame_time"] = seen_s;
  object["start_time"] = track.start_s;
  object["end_time"] = event.type == "track_ended" ? Json(seen_s) : Json(nullptr);
  object["current_zones"] = track.zones;
  object["entered_zones"] = track.entered;
  object["has_snapshot"] = !event.picture.empty();
  object["has_clip"] = false;
  object["box"] = Json::array();
  constexpr size_t kCorners = 4;
  const auto box = json.find("box");
  const bool is_box = box != json.end() && box->is_array() && box->size() == kCorners &&
                      std::ranges::all_of(*box, [](const Json& corner) { return corner.is_number(); });
  if (!is_box) return object;
  object["box"] = *box;
  const auto size = sizes_.find(event.stream);
  if (size == sizes_.end() || size->second.width <= 0) return object;
  for (size_t i = 0; i < kCorners; ++i) {
    const int side = i % 2 == 0 ? size->second.width : size->second.height;
    Json& corner = object["box"][i];
    corner = Whole(corner.get<double>() * side);
  }
  return object;
}

}  // namespace deepedge
