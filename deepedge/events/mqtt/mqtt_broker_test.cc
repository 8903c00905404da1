// MqttCourier with a real broker on the loopback interface; skipped where mosquitto is not installed.
#include <gtest/gtest.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <set>

#include "deepedge/events/event_json.h"
#include "deepedge/events/mqtt/broker_for_test.h"
#include "deepedge/events/mqtt/mqtt_courier.h"
#include "deepedge/events/outbox/outbox.h"

namespace deepedge {
namespace {

using std::chrono::milliseconds;

StoredEvent Stored(const Event& event) {
  StoredEvent stored;
  stored.id = IdOf(event);
  stored.type = TypeOf(event);
  stored.stream = StreamOf(event);
  stored.json = ToJsonLine(event);
  if (const auto picture = PictureOf(event)) stored.picture.assign(picture->begin(), picture->end());
  return stored;
}

class MqttBrokerTest : public testing::Test {
 protected:
  void SetUp() override {
    if (BrokerProgram().empty()) GTEST_SKIP() << "mosquitto is not installed";
  }
  static MqttCourier::Options Options(const Broker& broker) {
    return {.broker = {.host = "127.0.0.1", .port = broker.port()},
            .connect_timeout = std::chrono::seconds(5),
            .acknowledge_timeout = std::chrono::seconds(5),
            .backoff = {milliseconds(50), milliseconds(200)}};
  }
  std::unique_ptr<MqttCourier> Make(const MqttCourier::Options& options) {
    return MqttCourier::Create(options, clock_).value();
  }
  static Result<Delivery> DeliverOne(MqttCourier& courier) {
    return courier.Deliver(std::vector{Stored(StreamUpEvent{.stream = "gate", .id = "run-1"})}, {});
  }

  RealClock clock_;
};

TEST_F(MqttBrokerTest, DeliversToAllTopicsAndSaysThatItIsThere) {
  const Broker broker;
  Subscriber subscriber(broker.port());
  {
    const auto courier = Make(Options(broker));
    const auto picture = std::make_shared<std::vector<uint8_t>>(100'000, uint8_t{7});
    const std::vector<StoredEvent> events{
        Stored(StreamUpEvent{.stream = "gate", .id = "run-1"}),
        Stored(CountEvent{.stream = "gate", .counts = {{"person", 2}}, .id = "run-2"}),
        Stored(TrackEvent{.ended = true, .stream = "gate", .label = "person", .picture = picture, .id = "run-3"})};
    const Result<Delivery> delivery = courier->Deliver(events, {});
    ASSERT_TRUE(delivery.ok()) << delivery.error().message;
    EXPECT_EQ(delivery.value().arrived, 3U);
    EXPECT_TRUE(WaitUntil([&] { return !subscriber.On("deepedge/gate/person/snapshot").empty(); }));
    EXPECT_EQ(subscriber.On("deepedge/events").size(), 3U);
    EXPECT_EQ(subscriber.Last("deepedge/gate/counts"), events[1].json);
    EXPECT_EQ(subscriber.Last("deepedge/gate/person"), "2");
    EXPECT_EQ(subscriber.Last("deepedge/gate/status"), "online");
    EXPECT_EQ(subscriber.Last("deepedge/gate/person/snapshot").size(), 100'000U);
    EXPECT_EQ(subscriber.On("deepedge/tracks").size(), 1U);
    EXPECT_EQ(subscriber.On("homeassistant/sensor/deepedge/gate-person-count/config").size(), 1U);
    EXPECT_EQ(subscriber.Last("deepedge/available"), "online");
  }
  EXPECT_TRUE(WaitUntil([&] { return subscriber.Last("deepedge/available") == "offline"; }));

  Subscriber late(broker.port());
  EXPECT_TRUE(WaitUntil([&] { return late.Last("deepedge/gate/person/snapshot").size() == 100'000; }));
  for (const char* topic : {"deepedge/gate/person", "deepedge/gate/status", "deepedge/available",
                            "homeassistant/image/deepedge/gate-person-snapshot/config"}) {
    EXPECT_TRUE(WaitUntil([&] { return late.On(topic).size() == 1; })) << topic << " is retained";
  }
  EXPECT_TRUE(late.On("deepedge/events").empty());
}

TEST_F(MqttBrokerTest, HomeAssistantIsToldEverythingAgainWhenItStarts) {
  const Broker broker;
  Subscriber subscriber(broker.port());
  MqttCourier::Options options = Options(broker);
  options.tell_every = Duration(0);
  const auto courier = Make(options);
  ASSERT_TRUE(DeliverOne(*courier).ok());
  const std::string config = "homeassistant/binary_sensor/deepedge/gate-connectivity/config";
  EXPECT_TRUE(WaitUntil([&] { return subscriber.On(config).size() == 1; }));
  subscriber.Publish("homeassistant/status", "offline");
  subscriber.Publish("homeassistant/status", "online");
  EXPECT_TRUE(WaitUntil([&] { return subscriber.On(config).size() == 2; }));
  EXPECT_TRUE(WaitUntil([&] { return subscriber.On("deepedge/gate/status").size() == 2; }));
}

TEST_F(MqttBrokerTest, WhoAsksAgainAndAgainIsNotAnswered) {
  const Broker broker;
  Subscriber subscriber(broker.port());
  MqttCourier::Options options = Options(broker);
  options.tell_every = std::chrono::hours(1);
  const auto courier = Make(options);
  ASSERT_TRUE(DeliverOne(*courier).ok());
  for (int i = 0; i < 100; ++i) subscriber.Publish("homeassistant/status", "online");
  subscriber.Publish("last", "word");
  EXPECT_TRUE(WaitUntil([&] { return subscriber.On("last").size() == 1; }));
  ASSERT_TRUE(DeliverOne(*courier).ok());
  EXPECT_EQ(subscriber.On("homeassistant/binary_sensor/deepedge/gate-connectivity/config").size(), 1U);
}

TEST_F(MqttBrokerTest, APictureThatTheBrokerWillNotTakeKeepsNothingBack) {
  const Broker broker("allow_anonymous true\nmax_packet_size 20000\n");
  Subscriber subscriber(broker.port());
  const auto courier = Make(Options(broker));
  const auto picture = std::make_shared<std::vector<uint8_t>>(100'000, uint8_t{7});
  std::vector<StoredEvent> events{
      Stored(TrackEvent{.stream = "gate", .label = "person", .picture = picture, .id = "run-1"}),
      Stored(StreamUpEvent{.stream = "gate", .id = "run-2"})};
  const auto deliver = [&] {
    const Result<Delivery> delivery = courier->Deliver(events, {});
    if (delivery.ok())
      events.erase(events.begin(), events.begin() + static_cast<std::ptrdiff_t>(delivery.value().arrived));
    return events.empty();
  };
  EXPECT_TRUE(WaitUntil(deliver));
  EXPECT_TRUE(WaitUntil([&] { return subscriber.On("deepedge/gate/stream_up").size() == 1; }));
  EXPECT_GE(subscriber.On("deepedge/gate/track_started").size(), 1U);
  EXPECT_TRUE(subscriber.On("deepedge/gate/person/snapshot").empty());
}

TEST_F(MqttBrokerTest, NobodyThereIsSaid) {
  Broker broker;
  broker.Kill();
  const auto courier = Make(Options(broker));
  EXPECT_EQ(DeliverOne(*courier).status().error().message,
            "broker 127.0.0.1:" + std::to_string(broker.port()) + ": Connection refused");
  broker.Start();
  EXPECT_TRUE(WaitUntil([&] { return DeliverOne(*courier).ok(); }));
}

TEST_F(MqttBrokerTest, AWrongPasswordIsSaidWithoutThePassword) {
  const TemporaryFolder folder = TemporaryFolder::Create("de_mqtt").value();
  const std::string passwords = folder.path() / "passwords";
  if (std::system(("mosquitto_passwd -b -c " + passwords + " edge right").c_str()) != 0) {
    GTEST_SKIP() << "mosquitto_passwd is not installed";
  }
  const Broker broker("allow_anonymous false\npassword_file " + passwords + "\n");
  MqttCourier::Options options = Options(broker);
  options.broker.user = "edge";
  options.broker.password = "Wr0ngOne";
  const std::string name = "broker 127.0.0.1:" + std::to_string(broker.port());
  EXPECT_EQ(DeliverOne(*Make(options)).status().error().message,
            name + ": refuses the login of user 'edge': wrong user name or password, or not allowed");
  options.broker.user.clear();
  EXPECT_EQ(DeliverOne(*Make(options)).status().error().message, name + ": wants a user name and password");
  options.broker.user = "edge";
  options.broker.password = "right";
  EXPECT_TRUE(DeliverOne(*Make(options)).ok());
}

TEST_F(MqttBrokerTest, TlsWithAnAuthorityOfOnesOwn) {
  const TemporaryFolder folder = TemporaryFolder::Create("de_mqtt").value();
  const std::string at = folder.path();
  const std::string script =
      "cd " + at +
      " && exec >/dev/null 2>&1 && "
      "openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -days 2 -subj /CN=ca && "
      "for who in server client; do "
      "openssl req -newkey rsa:2048 -nodes -keyout $who.key -out $who.csr -subj /CN=$who && "
      "echo subjectAltName=IP:127.0.0.1 > san && "
      "openssl x509 -req -in $who.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile san -out $who.crt "
      "|| exit 1; done";
  if (std::system(("bash -c '" + script + "'").c_str()) != 0) GTEST_SKIP() << "openssl is not installed";
  const std::string server =
      "cafile " + at + "/ca.crt\ncertfile " + at + "/server.crt\nkeyfile " + at + "/server.key\n";
  const Broker broker("allow_anonymous true\n" + server);
  MqttCourier::Options options = Options(broker);
  const std::string name = "broker 127.0.0.1:" + std::to_string(broker.port());

  options.broker.tls = MqttTls{.ca_file = at + "/ca.crt"};
  EXPECT_TRUE(DeliverOne(*Make(options)).ok());
  options.broker.tls = MqttTls{};
  const std::string untrusted = DeliverOne(*Make(options)).status().error().message;
  EXPECT_TRUE(untrusted.starts_with(name)) << untrusted;
  EXPECT_NE(untrusted.find("certificate verify failed"), std::string::npos) << untrusted;
  options.broker.tls->insecure = true;
  EXPECT_TRUE(DeliverOne(*Make(options)).ok());
  options.broker.tls = std::nullopt;
  EXPECT_FALSE(DeliverOne(*Make(options)).ok()) << "plain text to a TLS port";

  const Broker strict("allow_anonymous true\nrequire_certificate true\n" + server);
  options = Options(strict);
  options.broker.tls = MqttTls{.ca_file = at + "/ca.crt"};
  EXPECT_FALSE(DeliverOne(*Make(options)).ok()) << "it wants a client certificate";
  options.broker.tls->certificate = at + "/client.crt";
  EXPECT_NE(MqttCourier::Create(options, clock_).status().error().message.find("go together"), std::string::npos);
  options.broker.tls->key = at + "/client.key";
  EXPECT_TRUE(DeliverOne(*Make(options)).ok());
}

TEST_F(MqttBrokerTest, OptionsThatCannotWorkAreRefused) {
  const auto message = [&](auto change) {
    MqttCourier::Options options{.broker = {.host = "127.0.0.1"}};
    change(options);
    const auto courier = MqttCourier::Create(options, clock_);
    return courier.ok() ? "" : courier.status().error().message;
  };
  EXPECT_EQ(message([](auto& o) { o.broker.host = ""; }), "mqtt: no broker is named");
  EXPECT_EQ(message([](auto& o) { o.broker.port = 70000; }), "mqtt: port 70000: 1 to 65535 are possible");
  EXPECT_NE(message([](auto& o) { o.prefix = "a/#"; }).find("mqtt: prefix 'a/#'"), std::string::npos);
  EXPECT_NE(message([](auto& o) { o.home_assistant.node_id = "a b"; }).find("node id 'a b'"), std::string::npos);
  EXPECT_EQ(message([](auto& o) { o.broker.tls = MqttTls{.ca_file = "/no/ca.crt"}; }),
            "mqtt: authority's certificate: /no/ca.crt: no such file");
}

TEST_F(MqttBrokerTest, ABrokerThatDoesNotAcknowledgeIsGivenUpAndAskedAgain) {
  const Broker broker;
  MqttCourier::Options options = Options(broker);
  options.acknowledge_timeout = milliseconds(200);
  const auto courier = Make(options);
  ASSERT_TRUE(DeliverOne(*courier).ok());
  broker.Freeze();
  EXPECT_EQ(DeliverOne(*courier).status().error().message,
            "broker 127.0.0.1:" + std::to_string(broker.port()) + ": does not acknowledge");
  broker.Thaw();
  EXPECT_TRUE(WaitUntil([&] { return DeliverOne(*courier).ok(); }));
}

TEST_F(MqttBrokerTest, AStopInterruptsWaitingForAFrozenBroker) {
  const Broker broker;
  auto courier = Make(Options(broker));
  ASSERT_TRUE(DeliverOne(*courier).ok());
  broker.Freeze();
  std::stop_source stop;
  const std::jthread stopper([&] {
    std::this_thread::sleep_for(milliseconds(100));
    stop.request_stop();
  });
  const Time before = clock_.Now();
  EXPECT_FALSE(
      courier->Deliver(std::vector{Stored(StreamUpEvent{.stream = "gate", .id = "run-2"})}, stop.get_token()).ok());
  courier.reset();
  EXPECT_LT(clock_.Now() - before, milliseconds(1500));
}

// A courier that waits until the test's own subscriber listens again: what is published before nobody would see.
class GatedCourier final : public Courier {
 public:
  GatedCourier(std::unique_ptr<Courier> courier, const std::atomic<bool>& is_open)
      : courier_(std::move(courier)), is_open_(is_open) {}
  std::string_view name() const override { return courier_->name(); }
  Result<Delivery> Deliver(std::span<const StoredEvent> events, std::stop_token stop) override {
    if (!is_open_) return Error{ErrorCode::kUnavailable, "the test's subscriber is not there"};
    return courier_->Deliver(events, stop);
  }

 private:
  std::unique_ptr<Courier> courier_;
  const std::atomic<bool>& is_open_;
};

TEST_F(MqttBrokerTest, KilledAndRestartedUnderLoadEveryEventArrives) {
  constexpr int kEvents = 3000;
  const TemporaryFolder folder = TemporaryFolder::Create("de_mqtt").value();
  Broker broker;
  Subscriber subscriber(broker.port());
  std::atomic<bool> is_open = true;
  auto outbox = Outbox::Create({.file = folder.path() / "outbox.db",
                                .max_age = Duration(0),
                                .backoff = {milliseconds(20), milliseconds(200)}},
                               clock_)
                    .value();
  outbox->AddCourier(std::make_unique<GatedCourier>(Make(Options(broker)), is_open), {});
  std::jthread publisher([&] {
    for (int i = 0; i < kEvents; ++i) {
      outbox->Publish(StreamUpEvent{.stream = "gate", .at_us = i, .id = "run-" + std::to_string(i)});
      std::this_thread::sleep_for(milliseconds(1));
    }
  });
  for (int round = 0; round < 2; ++round) {
    EXPECT_TRUE(WaitUntil([&] { return outbox->couriers().at(0).delivered > 500 * (round + 1); }));
    broker.Kill();
    is_open = false;
    std::this_thread::sleep_for(milliseconds(300));
    broker.Start();
    EXPECT_TRUE(WaitUntil([&] { return subscriber.IsReady(); }));
    is_open = true;
  }
  publisher.join();
  EXPECT_TRUE(WaitUntil([&] { return outbox->couriers().at(0).delivered == kEvents; }))
      << outbox->couriers().at(0).delivered << " delivered; " << outbox->couriers().at(0).last_error;
  EXPECT_TRUE(outbox->Close().ok());
  outbox.reset();
  EXPECT_TRUE(WaitUntil([&] { return subscriber.Last("deepedge/available") == "offline"; }));

  std::set<std::string> ids;
  const auto messages = subscriber.On("deepedge/events");
  for (const auto& message : messages) {
    ids.insert(nlohmann::json::parse(message.payload)["id"].get<std::string>());
  }
  EXPECT_EQ(ids.size(), size_t{kEvents}) << "every event";
  EXPECT_LT(messages.size(), size_t{kEvents + 2 * 256 + 1}) << "at most what was on its way comes twice";
  RecordProperty("messages", static_cast<int>(messages.size()));
}

TEST_F(MqttBrokerTest, TheLastWillSaysThatAKilledBoxIsGone) {
  const Broker broker;
  const MqttCourier::Options options = Options(broker);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto courier = Make(options);
    DeliverOne(*courier).Ignore("the parent looks");
    pause();
    _exit(0);
  }
  Subscriber subscriber(broker.port());
  EXPECT_TRUE(WaitUntil([&] { return subscriber.Last("deepedge/available") == "online"; }));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_TRUE(WaitUntil([&] { return subscriber.Last("deepedge/available") == "offline"; }));
}

}  // namespace
}  // namespace deepedge
