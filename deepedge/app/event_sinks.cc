#include "deepedge/app/event_sinks.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <utility>

#include "deepedge/base/log.h"
#include "deepedge/base/state_folder.h"
#include "deepedge/base/url.h"
#include "deepedge/events/mqtt/mqtt_courier.h"
#include "deepedge/events/ndjson_sink.h"
#include "deepedge/events/snapshot_sink.h"
#include "deepedge/events/webhook/webhook_courier.h"

namespace deepedge {
namespace {

std::string HostName() {
  char name[256] = {};
  return gethostname(name, sizeof(name) - 1) == 0 && name[0] != '\0' ? name : "box";
}

Result<std::unique_ptr<Courier>> MakeMqtt(const MqttConfig& config, const Clock& clock) {
  const auto parsed = ParseBrokerAddress(config.broker.value);
  if (!parsed.ok()) return parsed.error().Wrap("events.mqtt.broker");
  const BrokerAddress& address = parsed.value();
  MqttCourier::Options options;
  options.broker = {.host = address.host,
                    .port = address.port,
                    .user = config.user ? config.user->value : "",
                    .password = config.password ? config.password->value : "",
                    .client_id = config.client_id.value_or(fmt::format("{}-{}", config.topic, HostName()))};
  if (address.tls) {
    options.broker.tls = MqttTls{.ca_file = config.ca_file.value_or(""),
                                 .certificate = config.cert_file.value_or(""),
                                 .key = config.key_file.value_or(""),
                                 .insecure = config.insecure};
  }
  options.prefix = config.topic;
  options.home_assistant = {.discovery_prefix = config.discovery,
                            .node_id = IdPart(options.broker.client_id),
                            .device_name = fmt::format("DeepEdge {}", HostName()),
                            .version = DEEPEDGE_VERSION};
  DE_TRY(auto courier, MqttCourier::Create(std::move(options), clock));
  return std::unique_ptr<Courier>(std::move(courier));
}

Result<std::unique_ptr<Courier>> MakeWebhook(const WebhookConfig& config, const Clock& clock) {
  WebhookCourier::Options options{.url = config.url.value,
                                  .headers = {},
                                  .timeout = Duration(static_cast<int64_t>(config.timeout_s * 1e6)),
                                  .ca_file = config.ca_file.value_or(""),
                                  .pictures = config.pictures};
  for (const auto& [name, value] : config.headers) options.headers.emplace(name, value.value);
  DE_TRY(auto courier, WebhookCourier::Create(std::move(options), clock));
  return std::unique_ptr<Courier>(std::move(courier));
}

}  // namespace

Result<BrokerAddress> ParseBrokerAddress(const std::string& address) {
  const Error wrong{ErrorCode::kBadInput, fmt::format("'{}' is no address of a broker, such as tcp://127.0.0.1:1883 or "
                                                      "mqtts://broker.lan:8883",
                                                      RedactUrl(address))};
  // A user and a password have options of their own.
  const UrlParts parts = SplitUrl(address);
  BrokerAddress broker;
  if (parts.scheme == "mqtts" || parts.scheme == "ssl" || parts.scheme == "tls") {
    broker.tls = true;
    broker.port = 8883;
  } else if (parts.scheme != "tcp" && parts.scheme != "mqtt") {
    return wrong;
  }
  std::string_view rest = parts.rest;
  while (!rest.empty() && rest.back() == '/') rest.remove_suffix(1);
  if (parts.has_user || rest.empty() || rest.find_first_of("/?#@ ") != std::string_view::npos) return wrong;
  // The colons of an IPv6 address stand in brackets.
  const size_t bracket = rest.rfind(']');
  const size_t colon = rest.rfind(':');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    const std::string_view digits = rest.substr(colon + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), broker.port);
    if (error != std::errc() || end != digits.data() + digits.size() || broker.port < 1 || broker.port > 65535) {
      return wrong;
    }
    rest = rest.substr(0, colon);
  }
  if (rest.size() > 2 && rest.front() == '[' && rest.back() == ']') rest = rest.substr(1, rest.size() - 2);
  if (rest.empty()) return wrong;
  broker.host = rest;
  return broker;
}

Status CheckEvents(const EventsConfig& config, const SourceMap* file) {
  const SourceMap nowhere;
  const SourceMap& map = file != nullptr ? *file : nowhere;
  if (config.mqtt) {
    const auto address = ParseBrokerAddress(config.mqtt->broker.value);
    if (!address.ok()) return address.error().Wrap(map.Where("/events/mqtt/broker"));
    const bool wants_tls =
        config.mqtt->ca_file || config.mqtt->cert_file || config.mqtt->key_file || config.mqtt->insecure;
    if (wants_tls && !address.value().tls) {
      return Error{ErrorCode::kBadInput,
                   "ca_file, cert_file, key_file and insecure are for a broker with TLS, mqtts://"}
          .Wrap(map.Where("/events/mqtt/broker"));
    }
  }
  if (config.webhook) {
    const Status address = WebhookCourier::CheckAddress(config.webhook->url.value);
    if (!address.ok()) return address.error().Wrap(map.Where("/events/webhook/url"));
  }
  return {};
}

EventSinks NoEventSinks(const Clock& clock) { return {.bus = std::make_unique<EventBus>(NewIdPrefix(clock))}; }

Status AddEventSinks(const EventsConfig& config, const Path& state_folder, const Clock& clock, EventSinks& sinks) {
  constexpr double kMegabyte = 1e6;
  if (config.file) {
    DE_TRY(auto file,
           NdjsonSink::Create({.path = *config.file,
                               .rotate_bytes = static_cast<int64_t>(config.rotate_mb.value_or(0) * kMegabyte),
                               .rotate_keep = config.rotate_keep},
                              clock));
    sinks.bus->Add(*config.file == "-" ? "standard output" : *config.file, std::move(file));
  }
  if (config.snapshots && config.snapshots->folder) {
    DE_TRY(auto snapshots, SnapshotSink::Create({.folder = *config.snapshots->folder}, clock));
    sinks.bus->Add("snapshots", std::move(snapshots));
  }
  if (!config.outbox && !config.mqtt && !config.webhook) return {};

  std::error_code cannot;
  std::filesystem::create_directories(state_folder, cannot);
  if (cannot) {
    return Error{ErrorCode::kBadInput,
                 fmt::format("state_dir: {}: cannot be made: {}", state_folder.string(), cannot.message())};
  }
  const OutboxConfig kept = config.outbox.value_or(OutboxConfig());
  DE_TRY(auto outbox, Outbox::Create({.file = EventsFileIn(state_folder),
                                      .max_age = Duration(static_cast<int64_t>(kept.max_age_h * 3600e6)),
                                      .max_bytes = static_cast<int64_t>(kept.max_mb * kMegabyte)},
                                     clock));
  if (config.mqtt) {
    DE_TRY(auto mqtt, MakeMqtt(*config.mqtt, clock));
    outbox->AddCourier(std::move(mqtt), config.mqtt->types);
  }
  if (config.webhook) {
    DE_TRY(auto webhook, MakeWebhook(*config.webhook, clock));
    outbox->AddCourier(std::move(webhook), config.webhook->types);
  }
  sinks.outbox = outbox.get();
  sinks.bus->Add("outbox", std::move(outbox));
  return {};
}

SinkCounts OverallCounts(const EventBus& bus) {
  SinkCounts overall;
  bool first = true;
  for (const EventBus::NamedCounts& sink : bus.CountsOfSinks()) {
    overall.accepted = std::max(overall.accepted, sink.counts.accepted);
    overall.lost = std::max(overall.lost, sink.counts.lost);
    overall.delivered = first ? sink.counts.delivered : std::min(overall.delivered, sink.counts.delivered);
    first = false;
  }
  return overall;
}

EventReport ReportOf(const EventSinks& sinks) {
  EventReport report{.overall = OverallCounts(*sinks.bus), .sinks = sinks.bus->CountsOfSinks(), .couriers = {}};
  if (sinks.outbox != nullptr) report.couriers = sinks.outbox->couriers();
  return report;
}

}  // namespace deepedge
