#include "deepedge/events/mqtt/mqtt_courier.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>

#include "deepedge/base/log.h"
#include "deepedge/base/mutex.h"
#include "deepedge/base/utf8.h"

namespace deepedge {
namespace {

constexpr size_t kMostStates = 4096;  // retained counts and states that are said again
constexpr size_t kLongestState = 64;  // bytes; pictures are not among them
constexpr int kMostTimes = 5;         // that a connection may end with the same event on its way

// What may stand in front of all topics.
Status CheckPrefix(const std::string& prefix, std::string_view what) {
  if (prefix.empty() || prefix.front() == '/' || prefix.back() == '/' || prefix.front() == '$' ||
      prefix.find_first_of("+#") != std::string::npos || !IsPlainText(prefix)) {
    return Error{ErrorCode::kBadInput,
                 fmt::format("mqtt: {} {}: may not be empty, begin or end with '/', begin with '$' or have '+' or '#'",
                             what, Quote(prefix))};
  }
  return {};
}

Status CheckNodeId(const std::string& id) {
  const bool is_good = !id.empty() && std::ranges::all_of(id, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
  if (is_good) return {};
  return Error{ErrorCode::kBadInput,
               fmt::format("mqtt: Home Assistant's node id {}: letters, digits, '_' and '-' are possible", Quote(id))};
}

}  // namespace

class MqttCourier::Impl {
 public:
  Impl(const Options& options, const Clock& clock)
      : clock_(clock),
        tell_every_(options.tell_every),
        prefix_(options.prefix),
        birth_topic_(BirthTopic(options.home_assistant)),
        mapper_(options.prefix),
        entities_(options.home_assistant, options.prefix) {}

  Status Connect(const Options& options, const Clock& clock) {
    MqttConnection::Options connection{.broker = options.broker,
                                       .will = {AvailableTopic(prefix_), "offline", true},
                                       .subscribe = {},
                                       .window = options.window,
                                       .connect_timeout = options.connect_timeout,
                                       .acknowledge_timeout = options.acknowledge_timeout,
                                       .backoff = options.backoff,
                                       .seed = options.seed};
    if (!options.home_assistant.discovery_prefix.empty()) connection.subscribe.push_back(birth_topic_);
    DE_TRY(connection_,
           MqttConnection::Create(std::move(connection),
                                  {.on_connected = [this] { return Everything(); },
                                   .on_message = [this](std::string_view topic,
                                                        std::string_view payload) { return Answer(topic, payload); }},
                                  clock));
    return {};
  }

  Result<Delivery> Deliver(std::span<const StoredEvent> events, const std::stop_token& stop) DE_EXCLUDES(mutex_) {
    if (events.empty()) return Delivery{};
    DE_TRY_STATUS(connection_->WaitUntilConnected(stop));
    // A broker that ends the connection for what it will not take would be sent the same for ever.
    const bool is_suspect = unacknowledged_.id == events[0].id && unacknowledged_.times >= kMostTimes;
    StoredEvent without_picture;
    if (is_suspect) {
      LogWarning("events: mqtt: the broker has ended the connection {} times with event {} on its way: {}",
                 unacknowledged_.times, events[0].id,
                 events[0].picture.empty() ? "it is given up" : "it goes without its picture");
      if (events[0].picture.empty()) {
        unacknowledged_ = {};
        return Delivery{.arrived = 1, .refused = 1};
      }
      without_picture = events[0];
      without_picture.picture.clear();
      events = std::span(&without_picture, 1);
    }
    std::vector<MqttMessage> messages;
    std::vector<size_t> ends;  // of each event's messages
    for (const StoredEvent& event : events) {
      AppendMessages(event, messages);
      ends.push_back(messages.size());
    }
    const MqttConnection::Published published = connection_->Publish(messages, stop);
    Delivery delivery;
    size_t begin = 0;
    for (const size_t end : ends) {
      if (end > published.acknowledged) break;
      ++delivery.arrived;
      const bool is_refused =
          std::ranges::any_of(published.refused, [&](size_t refused) { return refused >= begin && refused < end; });
      delivery.refused += is_refused ? 1 : 0;
      begin = end;
    }
    if (delivery.arrived > 0) unacknowledged_ = {};
    if (delivery.arrived == 0 && !published.status.ok()) {
      Suspect(events[0]);
      return published.status.error();
    }
    return delivery;
  }

 private:
  // Only what is large: brokers limit the size of messages, and a connection may end for many other reasons.
  void Suspect(const StoredEvent& event) {
    constexpr size_t kLarge = 10'000;  // bytes
    if (event.json.size() + event.picture.size() < kLarge) return;
    if (unacknowledged_.id != event.id) unacknowledged_ = {.id = event.id};
    ++unacknowledged_.times;
  }

  void AppendMessages(const StoredEvent& event, std::vector<MqttMessage>& messages) DE_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    for (MqttMessage& config : entities_.NewIn(event)) messages.push_back(std::move(config));
    for (MqttMessage& message : MessagesOf(event)) {
      if (message.retain && message.payload.size() <= kLongestState &&
          (states_.size() < kMostStates || states_.contains(message.topic))) {
        states_[message.topic] = message.payload;
      }
      messages.push_back(std::move(message));
    }
  }

  // Nothing for an event that is none: a file of events may hold anything.
  std::vector<MqttMessage> MessagesOf(const StoredEvent& event) DE_REQUIRES(mutex_) {
    try {
      return mapper_.Messages(event);
    } catch (const std::exception& what) {
      LogWarning("events: mqtt: event {} cannot be read: {}", event.id, what.what());
      return {};
    }
  }

  // That we are there, what there is, and how it is.
  std::vector<MqttMessage> Everything() DE_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    told_ = clock_.Now();
    std::vector<MqttMessage> messages = entities_.All();
    for (const auto& [topic, payload] : states_) messages.push_back({topic, payload, true});
    messages.push_back({AvailableTopic(prefix_), "online", true});
    return messages;
  }

  std::vector<MqttMessage> Answer(std::string_view topic, std::string_view payload) DE_EXCLUDES(mutex_) {
    if (topic != birth_topic_ || payload != "online") return {};
    {
      // All of it is retained, so who comes soon after finds it at the broker. Asking often costs nothing.
      MutexLock lock(mutex_);
      if (clock_.Now() - told_ < tell_every_) return {};
    }
    return Everything();
  }

  const Clock& clock_;
  const Duration tell_every_;
  const std::string prefix_;
  const std::string birth_topic_;

  // Of the thread that delivers: the event that was first on its way when the connection ended, and how often.
  struct Unacknowledged {
    std::string id;
    int times = 0;
  };
  Unacknowledged unacknowledged_;

  Mutex mutex_;
  TopicMapper mapper_ DE_GUARDED_BY(mutex_);
  HomeAssistantEntities entities_ DE_GUARDED_BY(mutex_);
  std::map<std::string, std::string> states_ DE_GUARDED_BY(mutex_);  // last retained payload by topic
  Time told_ DE_GUARDED_BY(mutex_);                                  // when everything was said last

  std::unique_ptr<MqttConnection> connection_;  // last: its thread uses the rest
};

Result<std::unique_ptr<MqttCourier>> MqttCourier::Create(Options options, const Clock& clock) {
  DE_TRY_STATUS(CheckPrefix(options.prefix, "prefix"));
  if (!options.home_assistant.discovery_prefix.empty()) {
    DE_TRY_STATUS(CheckPrefix(options.home_assistant.discovery_prefix, "Home Assistant's discovery prefix"));
    DE_TRY_STATUS(CheckNodeId(options.home_assistant.node_id));
  }
  auto impl = std::make_unique<Impl>(options, clock);
  DE_TRY_STATUS(impl->Connect(options, clock));
  return std::unique_ptr<MqttCourier>(new MqttCourier(std::move(impl)));
}

MqttCourier::MqttCourier(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
MqttCourier::~MqttCourier() = default;
Result<Delivery> MqttCourier::Deliver(std::span<const StoredEvent> events, std::stop_token stop) {
  return impl_->Deliver(events, stop);
}

}  // namespace deepedge
