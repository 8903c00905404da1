#include "deepedge/events/mqtt/home_assistant.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "deepedge/events/event_json.h"

namespace deepedge {
namespace {

using Json = nlohmann::json;

// What Home Assistant's documentation says of each component (MQTT discovery, binary_sensor.mqtt, sensor.mqtt,
// image.mqtt): the keys that must be there, and those that may.
struct Schema {
  std::set<std::string> required;
  std::set<std::string> allowed;
  std::set<std::string> device_classes;
};

// Discovery wants `origin`, and `unique_id` beside `device`.
const std::set<std::string> kRequiredEverywhere{"device", "origin", "unique_id", "availability_topic"};
const std::set<std::string> kAllowedEverywhere{"availability",
                                               "availability_mode",
                                               "availability_template",
                                               "availability_topic",
                                               "device",
                                               "enabled_by_default",
                                               "encoding",
                                               "entity_category",
                                               "entity_picture",
                                               "icon",
                                               "json_attributes_template",
                                               "json_attributes_topic",
                                               "name",
                                               "origin",
                                               "payload_available",
                                               "payload_not_available",
                                               "qos",
                                               "unique_id"};
const std::map<std::string, Schema> kSchemas{
    {"binary_sensor",
     {{"state_topic"},
      {"device_class", "expire_after", "force_update", "off_delay", "payload_off", "payload_on", "state_topic",
       "value_template"},
      {"battery", "connectivity", "motion", "occupancy", "presence", "problem", "running"}}},
    {"sensor",
     {{"state_topic"},
      {"device_class", "expire_after", "force_update", "last_reset_value_template", "options", "state_class",
       "state_topic", "suggested_display_precision", "unit_of_measurement", "value_template"},
      {}}},
    {"image", {{"image_topic"}, {"content_type", "image_encoding", "image_topic", "url_template", "url_topic"}, {}}},
};
const std::set<std::string> kDeviceKeys{"configuration_url", "connections", "hw_version",     "identifiers",
                                        "manufacturer",      "model",       "model_id",       "name",
                                        "serial_number",     "sw_version",  "suggested_area", "via_device"};
const std::set<std::string> kOriginKeys{"name", "sw_version", "support_url"};

void CheckKeys(const Json& object, const std::set<std::string>& allowed, const std::string& what) {
  for (const auto& [key, value] : object.items()) EXPECT_TRUE(allowed.contains(key)) << what << ": " << key;
}

void CheckConfig(const MqttMessage& message) {
  SCOPED_TRACE(message.topic + " " + message.payload);
  EXPECT_TRUE(message.retain);
  const std::regex form("homeassistant/([a-z_]+)/([a-zA-Z0-9_-]+)/([a-zA-Z0-9_-]+)/config");
  std::smatch parts;
  ASSERT_TRUE(std::regex_match(message.topic, parts, form));
  const auto schema = kSchemas.find(parts[1]);
  ASSERT_NE(schema, kSchemas.end()) << "no component of Home Assistant's";
  const Json config = Json::parse(message.payload);

  for (const auto* keys : {&kRequiredEverywhere, &schema->second.required}) {
    for (const std::string& key : *keys) EXPECT_TRUE(config.contains(key)) << key;
  }
  std::set<std::string> allowed = schema->second.allowed;
  allowed.insert(kAllowedEverywhere.begin(), kAllowedEverywhere.end());
  CheckKeys(config, allowed, "entity");
  CheckKeys(config["device"], kDeviceKeys, "device");
  CheckKeys(config["origin"], kOriginKeys, "origin");
  EXPECT_TRUE(config["origin"].contains("name"));
  EXPECT_FALSE(config["device"]["identifiers"].empty()) << "identifiers or connections are needed";
  EXPECT_FALSE(config.contains("availability")) << "not together with availability_topic";
  if (config.contains("device_class")) {
    EXPECT_TRUE(schema->second.device_classes.contains(config["device_class"].get<std::string>()));
  }
  if (config.contains("state_class")) {
    EXPECT_EQ(config["state_class"], "measurement");
  }
  if (config.contains("entity_category")) {
    EXPECT_EQ(config["entity_category"], "diagnostic");
  }
  for (const char* topic : {"state_topic", "image_topic", "availability_topic"}) {
    if (!config.contains(topic)) continue;
    EXPECT_EQ(config[topic].get<std::string>().find_first_of("+#"), std::string::npos) << "no wildcards";
  }
}

const HomeAssistantOptions kOptions{.node_id = "box-1", .device_name = "Box 1", .version = "0.1.0"};
const char* const kNames[] = {"gate", "traffic light", "", "a/b+#", "\xFF\xFE", "\xC3\xBC", "{{ x }}", "\"\\\n"};

TEST(HomeAssistant, ConfigurationsKeepTheSchemaWhateverTheNames) {
  for (const std::string name : kNames) {
    CheckConfig(OccupancyConfig(kOptions, "deepedge", name, name));
    CheckConfig(CountConfig(kOptions, "deepedge", name, name));
    CheckConfig(SnapshotConfig(kOptions, "deepedge", name, name));
    CheckConfig(ConnectivityConfig(kOptions, "deepedge", name));
  }
}

TEST(HomeAssistant, NamesWhatIsPublished) {
  const MqttMessage occupancy = OccupancyConfig(kOptions, "edge", "gate", "person");
  EXPECT_EQ(occupancy.topic, "homeassistant/binary_sensor/box-1/gate-person-occupancy/config");
  const Json config = Json::parse(occupancy.payload);
  EXPECT_EQ(config["state_topic"], "edge/gate/person");
  EXPECT_EQ(config["availability_topic"], "edge/available");
  EXPECT_EQ(config["unique_id"], "box-1-gate-person-occupancy");
  EXPECT_EQ(config["device_class"], "occupancy");
  EXPECT_EQ(config["device"]["sw_version"], "0.1.0");
  EXPECT_EQ(Json::parse(SnapshotConfig(kOptions, "edge", "gate", "person").payload)["image_topic"],
            "edge/gate/person/snapshot");
  EXPECT_EQ(Json::parse(ConnectivityConfig(kOptions, "edge", "gate").payload)["state_topic"], "edge/gate/status");
  EXPECT_EQ(BirthTopic(kOptions), "homeassistant/status");
}

TEST(HomeAssistant, IdsTellNamesApart) {
  EXPECT_EQ(IdPart("gate_2"), "gate_2");
  const char* const names[] = {"a b", "a_b", "a-b", "a/b", "", "_"};
  std::set<std::string> ids;
  for (const char* name : names) ids.insert(IdPart(name));
  EXPECT_EQ(ids.size(), std::size(names));
  EXPECT_LT(IdPart(std::string(1000, 'x')).size(), 100U);
  std::set<std::string> topics;
  topics.insert(CountConfig(kOptions, "p", "a_b", "c").topic);
  topics.insert(CountConfig(kOptions, "p", "a", "b_c").topic);
  EXPECT_EQ(topics.size(), 2U);
}

StoredEvent Stored(const Event& event) {
  StoredEvent stored;
  stored.type = TypeOf(event);
  stored.stream = StreamOf(event);
  stored.json = ToJsonLine(event);
  if (const auto picture = PictureOf(event)) stored.picture.assign(picture->begin(), picture->end());
  return stored;
}

TEST(HomeAssistantEntities, AnnouncesEachOnceWhenFirstSeen) {
  HomeAssistantEntities entities(kOptions, "deepedge");
  const auto picture = std::make_shared<std::vector<uint8_t>>(3);
  struct Case {
    const char* what;
    Event event;
    size_t expected;
  };
  const Case cases[] = {
      {"a stream: connectivity", StreamUpEvent{.stream = "gate"}, 1},
      {"again", StreamDownEvent{.stream = "gate"}, 0},
      {"two labels: occupancy and count each", CountEvent{.stream = "gate", .counts = {{"car", 1}, {"person", 0}}}, 4},
      {"one more", CountEvent{.stream = "gate", .counts = {{"dog", 1}, {"person", 0}}}, 2},
      {"in a zone", CountEvent{.stream = "gate", .zone = "z", .counts = {{"cat", 1}}}, 0},
      {"a track without a picture", TrackEvent{.stream = "gate", .label = "car"}, 0},
      {"with one: image", TrackEvent{.stream = "gate", .label = "car", .picture = picture}, 1},
      {"a result", ResultEvent{.stream = "gate"}, 0},
  };
  size_t all = 0;
  for (const Case& c : cases) {
    const auto added = entities.NewIn(Stored(c.event));
    EXPECT_EQ(added.size(), c.expected) << c.what;
    for (const MqttMessage& config : added) CheckConfig(config);
    all += added.size();
  }
  EXPECT_EQ(entities.All().size(), all);
}

TEST(HomeAssistantEntities, AreBoundedAndCanBeTurnedOff) {
  HomeAssistantEntities entities(kOptions, "deepedge");
  for (int i = 0; i < 3000; ++i) entities.NewIn(Stored(StreamUpEvent{.stream = std::to_string(i)}));
  EXPECT_EQ(entities.All().size(), 2000U);
  HomeAssistantEntities off({.discovery_prefix = ""}, "deepedge");
  EXPECT_TRUE(off.NewIn(Stored(StreamUpEvent{.stream = "gate"})).empty());
}

}  // namespace
}  // namespace deepedge
