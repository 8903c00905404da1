#include "deepedge/events/mqtt/mqtt_courier.h"

#include <fmt/format.h>

#include <algorithm>

#include "deepedge/base/mutex.h"
#include "deepedge/base/utf8.h"

namespace deepedge {
namespace {

constexpr size_t kMostStates = 4096;  // retained counts and states that are said again
constexpr size_t kLongestState = 64;  // bytes; pictures are not among them

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
  explicit Impl(const Options& options)
      : prefix_(options.prefix),
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
    DE_TRY_STATUS(connection_->WaitUntilConnected(stop));
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
    if (delivery.arrived == 0 && !published.status.ok()) return published.status.error();
    return delivery;
  }

 private:
  void AppendMessages(const StoredEvent& event, std::vector<MqttMessage>& messages) DE_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    for (MqttMessage& config : entities_.NewIn(event)) messages.push_back(std::move(config));
    for (MqttMessage& message : mapper_.Messages(event)) {
      if (message.retain && message.payload.size() <= kLongestState &&
          (states_.size() < kMostStates || states_.contains(message.topic))) {
        states_[message.topic] = message.payload;
      }
      messages.push_back(std::move(message));
    }
  }

  // That we are there, what there is, and how it is.
  std::vector<MqttMessage> Everything() DE_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    std::vector<MqttMessage> messages = entities_.All();
    for (const auto& [topic, payload] : states_) messages.push_back({topic, payload, true});
    messages.push_back({AvailableTopic(prefix_), "online", true});
    return messages;
  }

  std::vector<MqttMessage> Answer(std::string_view topic, std::string_view payload) DE_EXCLUDES(mutex_) {
    if (topic != birth_topic_ || payload != "online") return {};
    return Everything();
  }

  const std::string prefix_;
  const std::string birth_topic_;

  Mutex mutex_;
  TopicMapper mapper_ DE_GUARDED_BY(mutex_);
  HomeAssistantEntities entities_ DE_GUARDED_BY(mutex_);
  std::map<std::string, std::string> states_ DE_GUARDED_BY(mutex_);  // last retained payload by topic

  std::unique_ptr<MqttConnection> connection_;  // last: its thread uses the rest
};

Result<std::unique_ptr<MqttCourier>> MqttCourier::Create(Options options, const Clock& clock) {
  DE_TRY_STATUS(CheckPrefix(options.prefix, "prefix"));
  if (!options.home_assistant.discovery_prefix.empty()) {
    DE_TRY_STATUS(CheckPrefix(options.home_assistant.discovery_prefix, "Home Assistant's discovery prefix"));
    DE_TRY_STATUS(CheckNodeId(options.home_assistant.node_id));
  }
  auto impl = std::make_unique<Impl>(options);
  DE_TRY_STATUS(impl->Connect(options, clock));
  return std::unique_ptr<MqttCourier>(new MqttCourier(std::move(impl)));
}

MqttCourier::MqttCourier(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
MqttCourier::~MqttCourier() = default;
Result<Delivery> MqttCourier::Deliver(std::span<const StoredEvent> events, std::stop_token stop) {
  return impl_->Deliver(events, stop);
}

}  // namespace deepedge
