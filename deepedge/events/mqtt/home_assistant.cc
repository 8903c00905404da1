#include "deepedge/events/mqtt/home_assistant.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace deepedge {
namespace {

using Json = nlohmann::json;

constexpr size_t kMostEntities = 2000;

std::string Dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

// FNV-1a: short, and the same in every run.
uint32_t Hash(std::string_view text) {
  uint32_t hash = 2166136261U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return hash;
}

// What every entity has: its name and id, the device it belongs to, who says so, and when it is available.
MqttMessage Config(const HomeAssistantOptions& options, const std::string& prefix, std::string_view component,
                   const std::string& object_id, const std::string& name, Json entity) {
  Json origin{{"name", "DeepEdge"}};
  Json device{{"identifiers", Json::array({options.node_id})},
              {"name", options.device_name},
              {"manufacturer", "DeepEdge"},
              {"model", "DeepEdge"}};
  if (!options.version.empty()) origin["sw_version"] = device["sw_version"] = options.version;
  entity["name"] = name;
  entity["unique_id"] = options.node_id + "-" + object_id;
  entity["availability_topic"] = AvailableTopic(prefix);
  entity["payload_available"] = "online";
  entity["payload_not_available"] = "offline";
  entity["device"] = std::move(device);
  entity["origin"] = std::move(origin);
  return {fmt::format("{}/{}/{}/{}/config", options.discovery_prefix, component, options.node_id, object_id),
          Dump(entity), true};
}

}  // namespace

std::string IdPart(std::string_view name) {
  constexpr size_t kLongest = 64;
  std::string part;
  bool is_changed = name.empty() || name.size() > kLongest;
  for (const char c : name.substr(0, kLongest)) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    part += is_plain ? c : '_';
    is_changed |= !is_plain;
  }
  if (is_changed) part += fmt::format("_{:08x}", Hash(name));
  return part;
}

std::string BirthTopic(const HomeAssistantOptions& options) { return options.discovery_prefix + "/status"; }

MqttMessage OccupancyConfig(const HomeAssistantOptions& options, const std::string& prefix, const std::string& stream,
                            const std::string& label) {
  return Config(options, prefix, "binary_sensor", IdPart(stream) + "-" + IdPart(label) + "-occupancy",
                stream + " " + label + " occupancy",
                {{"state_topic", CountTopic(prefix, stream, label)},
                 {"value_template", "{{ 'ON' if value | int(0) > 0 else 'OFF' }}"},
                 {"payload_on", "ON"},
                 {"payload_off", "OFF"},
                 {"device_class", "occupancy"}});
}

MqttMessage CountConfig(const HomeAssistantOptions& options, const std::string& prefix, const std::string& stream,
                        const std::string& label) {
  return Config(options, prefix, "sensor", IdPart(stream) + "-" + IdPart(label) + "-count",
                stream + " " + label + " count",
                {{"state_topic", CountTopic(prefix, stream, label)},
                 {"state_class", "measurement"},
                 {"unit_of_measurement", "objects"}});
}

MqttMessage SnapshotConfig(const HomeAssistantOptions& options, const std::string& prefix, const std::string& stream,
                           const std::string& label) {
  return Config(options, prefix, "image", IdPart(stream) + "-" + IdPart(label) + "-snapshot", stream + " " + label,
                {{"image_topic", SnapshotTopic(prefix, stream, label)}, {"content_type", "image/jpeg"}});
}

MqttMessage ConnectivityConfig(const HomeAssistantOptions& options, const std::string& prefix,
                               const std::string& stream) {
  return Config(options, prefix, "binary_sensor", IdPart(stream) + "-connectivity", stream + " connection",
                {{"state_topic", StatusTopic(prefix, stream)},
                 {"payload_on", "online"},
                 {"payload_off", "offline"},
                 {"device_class", "connectivity"},
                 {"entity_category", "diagnostic"}});
}

std::vector<MqttMessage> HomeAssistantEntities::NewIn(const StoredEvent& event) {
  std::vector<MqttMessage> added;
  const bool is_about_stream = event.type == "stream_up" || event.type == "stream_down";
  if (options_.discovery_prefix.empty()) return added;
  if (!is_about_stream && event.type != "counts" && event.picture.empty()) return added;
  const Json json = Json::parse(event.json, nullptr, false);
  if (!json.is_object()) return added;
  if (is_about_stream) Add(ConnectivityConfig(options_, prefix_, event.stream), added);
  const auto counts = json.find("counts");
  if (counts != json.end() && counts->is_object() && !json.contains("zone")) {
    for (const auto& [label, count] : counts->items()) {
      Add(OccupancyConfig(options_, prefix_, event.stream, label), added);
      Add(CountConfig(options_, prefix_, event.stream, label), added);
    }
  }
  const auto label = json.find("label");
  if (!event.picture.empty() && label != json.end() && label->is_string()) {
    Add(SnapshotConfig(options_, prefix_, event.stream, label->get<std::string>()), added);
  }
  return added;
}

void HomeAssistantEntities::Add(MqttMessage config, std::vector<MqttMessage>& added) {
  if (configs_.size() >= kMostEntities || !configs_.emplace(config.topic, config.payload).second) return;
  added.push_back(std::move(config));
}

std::vector<MqttMessage> HomeAssistantEntities::All() const {
  std::vector<MqttMessage> all;
  all.reserve(configs_.size());
  for (const auto& [topic, payload] : configs_) all.push_back({topic, payload, true});
  return all;
}

}  // namespace deepedge
