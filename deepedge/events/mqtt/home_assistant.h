// Home Assistant's MQTT discovery: messages that make entities appear there without anybody writing configuration.
//
//   for each label of a stream    binary_sensor "occupancy", sensor "count"
//   for each label with pictures  image
//   for each stream               binary_sensor "connectivity"
//
// All belong to one device, the box, and are unavailable while it is. Configurations are retained, at
// <discovery prefix>/<component>/<node id>/<object id>/config. Pure; owned by one thread.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "deepedge/events/mqtt/topics.h"

namespace deepedge {

struct HomeAssistantOptions {
  std::string discovery_prefix = "homeassistant";  // empty: no discovery
  std::string node_id = "deepedge";                // of this box, the same in every run; differs from box to box
  std::string device_name = "DeepEdge";
  std::string version;  // of the program; may be empty
};

// A name as part of an id: letters, digits and underscores; other characters become underscores, and then a hash tells
// apart what would look alike.
std::string IdPart(std::string_view name);

// Where Home Assistant says "online" when it has started and wants to be told everything again.
std::string BirthTopic(const HomeAssistantOptions& options);

MqttMessage OccupancyConfig(const HomeAssistantOptions& options, const std::string& prefix, const std::string& stream,
                            const std::string& label);
MqttMessage CountConfig(const HomeAssistantOptions& options, const std::string& prefix, const std::string& stream,
                        const std::string& label);
MqttMessage SnapshotConfig(const HomeAssistantOptions& options, const std::string& prefix, const std::string& stream,
                           const std::string& label);
MqttMessage ConnectivityConfig(const HomeAssistantOptions& options, const std::string& prefix,
                               const std::string& stream);

// The entities that events have shown so far, at most 2,000.
class HomeAssistantEntities {
 public:
  HomeAssistantEntities(HomeAssistantOptions options, std::string prefix)
      : options_(std::move(options)), prefix_(std::move(prefix)) {}

  // Configurations of entities that `event` is the first to show.
  std::vector<MqttMessage> NewIn(const StoredEvent& event);
  // Of all that are known.
  std::vector<MqttMessage> All() const;

 private:
  void Add(MqttMessage config, std::vector<MqttMessage>& added);

  const HomeAssistantOptions options_;
  const std::string prefix_;
  std::map<std::string, std::string> configs_;  // payload by topic
};

}  // namespace deepedge
