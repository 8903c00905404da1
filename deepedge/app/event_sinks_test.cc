#include "deepedge/app/event_sinks.h"

#include <gtest/gtest.h>

#include "deepedge/base/state_folder.h"

namespace deepedge {
namespace {

TEST(BrokerAddress, FollowsTheTable) {
  struct Case {
    const char* address;
    const char* host;  // empty: none
    int port;
    bool tls;
  };
  const Case cases[] = {
      {"tcp://127.0.0.1:1883", "127.0.0.1", 1883, false},
      {"mqtt://broker.lan", "broker.lan", 1883, false},
      {"mqtts://broker.lan/", "broker.lan", 8883, true},
      {"ssl://broker.lan:8884", "broker.lan", 8884, true},
      {"tcp://[::1]:1884", "::1", 1884, false},
      {"tcp://[::1]", "::1", 1883, false},
      {"broker.lan:1883", "", 0, false},
      {"http://broker.lan", "", 0, false},
      {"tcp://", "", 0, false},
      {"tcp://broker.lan:0", "", 0, false},
      {"tcp://broker.lan:65536", "", 0, false},
      {"tcp://broker.lan:18x", "", 0, false},
      {"tcp://user:secret@broker.lan", "", 0, false},
      {"tcp://broker.lan/topic", "", 0, false},
  };
  for (const Case& one : cases) {
    const auto parsed = ParseBrokerAddress(one.address);
    EXPECT_EQ(parsed.ok(), *one.host != '\0') << one.address;
    if (!parsed.ok()) {
      EXPECT_EQ(parsed.error().message.find("secret"), std::string::npos);
      continue;
    }
    EXPECT_EQ(parsed.value().host, one.host);
    EXPECT_EQ(parsed.value().port, one.port) << one.address;
    EXPECT_EQ(parsed.value().tls, one.tls) << one.address;
  }
}

TEST(CheckEvents, NamesTheOptionAndNoPassword) {
  EventsConfig config;
  config.mqtt.emplace().broker.value = "tcp://edge:secret@broker.lan";
  EXPECT_EQ(CheckEvents(config).error().message.find("events.mqtt.broker: '"), 0u);
  EXPECT_EQ(CheckEvents(config).error().message.find("secret"), std::string::npos);
  config.mqtt->broker.value = "tcp://broker.lan";
  EXPECT_TRUE(CheckEvents(config).ok());
  config.webhook.emplace().url.value = "ftp://edge:secret@hooks.lan/";
  EXPECT_EQ(CheckEvents(config).error().message.find("events.webhook.url: "), 0u);
  EXPECT_EQ(CheckEvents(config).error().message.find("secret"), std::string::npos);
  config.webhook->url.value = "https://hooks.lan/";
  EXPECT_TRUE(CheckEvents(config).ok());
}

TEST(EventSinks, MakesWhatIsAskedFor) {
  const RealClock clock;
  const auto folder = TemporaryFolder::Create("de_sinks_test").value();
  EventsConfig config;
  EventSinks none = NoEventSinks(clock);
  const Status none_made = AddEventSinks(config, folder.path() / "state", clock, none);
  ASSERT_TRUE(none_made.ok());
  EXPECT_TRUE(none.bus->CountsOfSinks().empty());
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "state")) << "nothing is kept, so nothing is made";

  config.file = (folder.path() / "events.ndjson").string();
  config.outbox = OutboxConfig();
  config.snapshots = SnapshotsConfig();
  config.snapshots->folder = (folder.path() / "pictures").string();
  EventSinks all = NoEventSinks(clock);
  const Status all_made = AddEventSinks(config, folder.path() / "state", clock, all);
  ASSERT_TRUE(all_made.ok()) << all_made.error().message;
  EXPECT_EQ(all.bus->CountsOfSinks().size(), 3U);
  EXPECT_NE(all.outbox, nullptr);
  all.bus->Publish(StreamUpEvent{.stream = "gate"});
  EXPECT_TRUE(all.bus->Close().ok());
  EXPECT_TRUE(std::filesystem::exists(EventsFileIn(folder.path() / "state")));
}

TEST(EventTypes, AreThoseThatTheConfigurationKnows) {
  std::string names;
  for (const std::string& type : kEventTypes) {
    EXPECT_TRUE(kEventTypeRule.matches(type)) << type;
    names += (names.empty() ? "" : ", ") + type;
  }
  EXPECT_EQ(names, kEventTypeRule.says);
}

TEST(EventSinks, NamesTheOptionThatIsWrong) {
  const RealClock clock;
  const auto folder = TemporaryFolder::Create("de_sinks_test").value();
  EventsConfig config;
  config.mqtt = MqttConfig();
  config.mqtt->broker = std::string("http://broker");
  EventSinks sinks = NoEventSinks(clock);
  const Status made = AddEventSinks(config, folder.path(), clock, sinks);
  ASSERT_FALSE(made.ok());
  EXPECT_NE(made.error().message.find("events.mqtt.broker"), std::string::npos) << made.error().message;
}

}  // namespace
}  // namespace deepedge
