#include "deepedge/config/edge_config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>

#include "deepedge/base/log.h"
#include "deepedge/base/text.h"
#include "deepedge/base/utf8.h"

namespace deepedge {
namespace {

bool IsLetterOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

bool IsName(std::string_view text) {
  return !text.empty() && text.size() <= 64 && IsLetterOrDigit(text[0]) &&
         std::ranges::all_of(text, [](char c) { return IsLetterOrDigit(c) || c == '_' || c == '.' || c == '-'; });
}

// A number of one to five digits that does not begin with 0.
bool IsSide(std::string_view text) {
  return !text.empty() && text.size() <= 5 && text.front() != '0' &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool IsVariant(std::string_view text) {
  const size_t at = text.find('@');
  if (at == std::string_view::npos) return false;
  const std::string_view precision = text.substr(0, at);
  const std::string_view size = text.substr(at + 1);
  const size_t by = size.find('x');
  return (precision == "fp32" || precision == "bf16" || precision == "int8") && by != std::string_view::npos &&
         IsSide(size.substr(0, by)) && IsSide(size.substr(by + 1));
}

bool IsHostAndPort(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  if (std::ranges::any_of(text, [](char c) { return c <= ' ' || c == '/'; })) return false;
  int port = 0;
  const std::string_view digits = text.substr(colon + 1);
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return error == std::errc() && stop == digits.data() + digits.size() && digits.size() <= 5 && port >= 0 &&
         port <= 65535;
}

bool IsTimeOfDay(std::string_view text) {
  const auto digit = [&](size_t i) { return text[i] >= '0' && text[i] <= '9'; };
  if (text.size() != 5 || text[2] != ':' || !digit(0) || !digit(1) || !digit(3) || !digit(4)) return false;
  const int minutes = ((text[0] - '0') * 10 + text[1] - '0') * 60 + (text[3] - '0') * 10 + text[4] - '0';
  return text[3] <= '5' && minutes <= 24 * 60;
}

bool IsTopic(std::string_view text) {
  return !text.empty() && text.size() <= 256 && text.front() != '/' && text.back() != '/' && IsPlainText(text) &&
         text.find_first_of("+# ") == std::string_view::npos;
}

bool IsEventType(std::string_view text) {
  static constexpr std::array<std::string_view, 10> kTypes{"result",    "track_started", "track_ended",  "zone_entered",
                                                           "zone_left", "dwell",         "line_crossed", "counts",
                                                           "stream_up", "stream_down"};
  return std::ranges::count(kTypes, text) > 0;
}

bool IsPictureType(std::string_view text) {
  static constexpr std::array<std::string_view, 5> kTypes{"track_started", "zone_entered", "zone_left", "dwell",
                                                          "line_crossed"};
  return std::ranges::count(kTypes, text) > 0;
}

bool IsAddress(std::string_view source) { return source.find("://") != std::string_view::npos; }

std::string ResolvePath(const std::string& path, const Path& folder) {
  return (folder / path).lexically_normal().string();
}

// Puts the environment into the texts that may name it and resolves relative paths.
class Resolver {
 public:
  Resolver(const Path& folder, const Environment& environment, std::vector<Problem>& problems)
      : folder_(folder), environment_(environment), problems_(problems) {}

  void Resolve(EdgeConfig& config) {
    for (auto& [name, model] : config.models) {
      Expand(model.source, PointerTo(PointerTo("/models", name), "source"));
      ResolveModel(model.source.value);
    }
    for (auto& [name, stream] : config.streams) {
      const std::string at = PointerTo("/streams", name);
      Expand(stream.source, PointerTo(at, "source"));
      ResolveFile(stream.source.value);
      if (!stream.substream) continue;
      Expand(*stream.substream, PointerTo(at, "substream"));
      ResolveFile(stream.substream->value);
    }
    ResolveEvents(config.events);
    if (config.state_dir) ResolveFile(*config.state_dir);
  }

 private:
  void ResolveEvents(EventsConfig& events) {
    if (events.file && *events.file != "-") ResolveFile(*events.file);
    if (events.mqtt) {
      MqttConfig& mqtt = *events.mqtt;
      Expand(mqtt.broker, "/events/mqtt/broker");
      if (mqtt.user) Expand(*mqtt.user, "/events/mqtt/user");
      if (mqtt.password) Expand(*mqtt.password, "/events/mqtt/password");
      for (auto* const file : {&mqtt.ca_file, &mqtt.cert_file, &mqtt.key_file}) {
        if (*file) ResolveFile(**file);
      }
    }
    if (events.webhook) {
      Expand(events.webhook->url, "/events/webhook/url");
      for (auto& [name, value] : events.webhook->headers) {
        Expand(value, PointerTo("/events/webhook/headers", name));
      }
      if (events.webhook->ca_file) ResolveFile(*events.webhook->ca_file);
    }
    if (events.snapshots && events.snapshots->folder) ResolveFile(*events.snapshots->folder);
  }

  void Expand(EnvText& text, const std::string& at) {
    auto expanded = ExpandEnvironment(text.text, environment_);
    if (expanded.ok()) {
      text.value = std::move(expanded).value();
    } else {
      problems_.push_back({at, expanded.error().message});
    }
  }

  void ResolveFile(std::string& source) {
    if (!source.empty() && !IsAddress(source)) source = ResolvePath(source, folder_);
  }

  // A word without '/' is a file or folder beside the configuration if there is one, else a name in the repository.
  void ResolveModel(std::string& source) {
    std::error_code ec;
    if (source.find('/') != std::string::npos || std::filesystem::exists(folder_ / source, ec)) ResolveFile(source);
  }

  const Path& folder_;
  const Environment& environment_;
  std::vector<Problem>& problems_;
};

// Cross checks of one stream's tasks.
class StreamChecker {
 public:
  StreamChecker(const EdgeConfig& config, std::string name, const StreamConfig& stream, std::vector<Problem>& problems)
      : config_(config),
        name_(std::move(name)),
        at_(PointerTo(PointerTo("/streams", name_), "tasks")),
        stream_(stream),
        problems_(problems) {}

  void Check() {
    std::set<std::string> seen;
    for (size_t i = 0; i < stream_.tasks.size(); ++i) {
      const TaskConfig& task = stream_.tasks[i];
      const std::string at = PointerTo(at_, i);
      if (!task.model.empty() && !seen.insert(task.model).second) {
        Report(PointerTo(at, "model"), fmt::format("{} is already a task of this stream", Quote(task.model)));
      }
      CheckModel(task.model, PointerTo(at, "model"));
      if (task.max_rate && task.MinRate() > *task.max_rate) {
        Report(PointerTo(at, "min_rate"),
               fmt::format("{} is more than max_rate; allowed: up to {}", task.MinRate(), *task.max_rate));
      }
      if (task.reid) CheckModel(*task.reid, PointerTo(at, "reid"));
      CheckCascades(task.then, {task.model}, PointerTo(at, "then"), task.track);
      for (size_t j = 0; j < task.then.size(); ++j) {
        if (task.then[j].model != task.model && LeadsTo(task.then[j].model, task.model)) {
          ReportCircle(task.model, PointerTo(PointerTo(PointerTo(at, "then"), j), "model"));
        }
      }
    }
    for (const auto& [name, zone] : stream_.zones) {
      if (zone.polygon.size() >= 3 && !HasArea(zone.polygon)) {
        Report(PointerTo(PointerTo(PointerTo("/streams", name_), "zones"), name) + "/polygon",
               "its corners lie on one line; a zone needs an area");
      }
    }
    for (const auto& [name, line] : stream_.lines) {
      if (line.from == line.to) {
        Report(PointerTo(PointerTo(PointerTo("/streams", name_), "lines"), name) + "/to",
               "is the same point as `from`");
      }
    }
  }

 private:
  void Report(std::string at, std::string message) { problems_.push_back({std::move(at), std::move(message)}); }

  void CheckModel(const std::string& model, const std::string& at) {
    if (model.empty() || config_.models.contains(model)) return;  // a missing one was reported already
    std::vector<std::string> names;
    for (const auto& [name, ignored] : config_.models) names.push_back(name);
    Report(at, fmt::format("{} is not declared in models; allowed: {}", Quote(model), fmt::join(names, ", ")));
  }

  static bool HasArea(const std::vector<PointConfig>& polygon) {
    constexpr double kLeast = 1e-6;  // of the picture: less than a pixel
    for (size_t i = 1; i + 1 < polygon.size(); ++i) {
      const double cross = (polygon[i][0] - polygon[0][0]) * (polygon[i + 1][1] - polygon[0][1]) -
                           (polygon[i + 1][0] - polygon[0][0]) * (polygon[i][1] - polygon[0][1]);
      if (std::abs(cross) > kLeast) return true;
    }
    return false;
  }

  void ReportCircle(const std::string& model, std::string at) {
    Report(std::move(at), fmt::format("the cascade of {} leads back to itself", Quote(model)));
  }

  // `above`: the models from the task's down to the one whose results are passed on.
  void CheckCascades(const std::vector<CascadeConfig>& then, const std::vector<std::string>& above,
                     const std::string& at, bool tracked) {
    for (size_t i = 0; i < then.size(); ++i) {
      const CascadeConfig& cascade = then[i];
      const std::string here = PointerTo(at, i);
      CheckModel(cascade.model, PointerTo(here, "model"));
      if (std::ranges::count(above, cascade.model) > 0) ReportCircle(cascade.model, PointerTo(here, "model"));
      CheckGate(cascade.when, PointerTo(here, "when"), tracked);
      std::vector<std::string> path = above;
      path.push_back(cascade.model);
      CheckCascades(cascade.then.list, path, PointerTo(here, "then"), tracked);
    }
  }

  void CheckGate(const GateConfig& gate, const std::string& at, bool tracked) {
    if (gate.min_score > gate.max_score && gate.min_score <= 1) {  // others have been reported
      Report(PointerTo(at, "max_score"), fmt::format("{} is less than min_score, {}", gate.max_score, gate.min_score));
    }
    if (gate.min_size > gate.max_size && gate.min_size <= 1) {
      Report(PointerTo(at, "max_size"), fmt::format("{} is less than min_size, {}", gate.max_size, gate.min_size));
    }
    if (gate.zone && !stream_.zones.contains(*gate.zone)) {
      std::vector<std::string> names;
      for (const auto& [name, ignored] : stream_.zones) names.push_back(name);
      Report(PointerTo(at, "zone"),
             names.empty()
                 ? fmt::format("{} is no zone of this stream; it has none", Quote(*gate.zone))
                 : fmt::format("{} is no zone of this stream; allowed: {}", Quote(*gate.zone), fmt::join(names, ", ")));
    }
    if (!tracked && gate.first) Report(PointerTo(at, "first"), "needs the task's objects to be tracked, see `track`");
    if (!tracked && gate.min_age_s > 0) {
      Report(PointerTo(at, "min_age_s"), "needs the task's objects to be tracked, see `track`");
    }
  }

  // Whether the cascades of this stream pass objects on from one model to the other.
  bool LeadsTo(const std::string& from, const std::string& to) const {
    std::set<std::string> reached{from};
    std::vector<std::string> next{from};
    while (!next.empty()) {
      const std::string model = std::move(next.back());
      next.pop_back();
      if (model == to) return true;
      for (const TaskConfig& task : stream_.tasks) {
        if (task.model != model) continue;
        for (const CascadeConfig& cascade : task.then) {
          if (reached.insert(cascade.model).second) next.push_back(cascade.model);
        }
      }
    }
    return false;
  }

  const EdgeConfig& config_;
  const std::string name_;
  const std::string at_;
  const StreamConfig& stream_;
  std::vector<Problem>& problems_;
};

Result<EdgeConfig> FromDocument(const YamlDocument& document, const Path& folder, const Environment& environment) {
  std::vector<Problem> problems;
  EdgeConfig config = ReadFields<EdgeConfig>(document.json(), problems);
  config.source = document.source();
  Resolver(folder, environment, problems).Resolve(config);
  // Without a good list of models every use of one would look wrong.
  if (!config.models.empty()) {
    for (Problem& problem : CheckEdgeConfig(config)) problems.push_back(std::move(problem));
  }
  if (!problems.empty()) return ToError(document.source(), problems);
  return config;
}

}  // namespace

const TextRule kNameRule{"1 to 64 letters, digits, '_', '-' and '.', starting with a letter or digit",
                         "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$", IsName};
const TextRule kSha256Rule{"64 digits and letters a to f", "^[0-9a-f]{64}$", IsSha256};
const TextRule kVariantRule{"precision and size, such as int8@416x256",
                            "^(fp32|bf16|int8)@[1-9][0-9]{0,4}x[1-9][0-9]{0,4}$", IsVariant};
const TextRule kListenRule{"address:port, such as 127.0.0.1:8090", "^[^/\\s]+:[0-9]{1,5}$", IsHostAndPort};
const TextRule kTimeOfDayRule{"hours and minutes, 00:00 to 24:00", "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$",
                              IsTimeOfDay};
const TextRule kTopicRule{"a topic without blanks, + and #, and without / at its ends",
                          "^[^+#/\\s]([^+#\\s]*[^+#/\\s])?$", IsTopic};
const TextRule kEventTypeRule{
    "result, track_started, track_ended, zone_entered, zone_left, dwell, line_crossed, counts, stream_up, stream_down",
    "^(result|track_started|track_ended|zone_entered|zone_left|dwell|line_crossed|counts|stream_up|stream_down)$",
    IsEventType};
const TextRule kPictureTypeRule{"track_started, zone_entered, zone_left, dwell, line_crossed",
                                "^(track_started|zone_entered|zone_left|dwell|line_crossed)$", IsPictureType};
const TextRule kNotEmptyRule{"at least one character", "^[\\s\\S]+$",
                             [](std::string_view text) { return !text.empty(); }};

Result<EdgeConfig> LoadEdgeConfig(const Path& path, const Environment& environment) {
  DE_TRY(const YamlDocument document, LoadYaml(path));
  return FromDocument(document, path.parent_path(), environment);
}

Result<EdgeConfig> ParseEdgeConfig(std::string_view text, std::string name, const Path& folder,
                                   const Environment& environment) {
  DE_TRY(const YamlDocument document, ParseYaml(text, std::move(name)));
  return FromDocument(document, folder, environment);
}

std::vector<Problem> CheckEdgeConfig(const EdgeConfig& config) {
  std::vector<Problem> problems;
  for (const auto& [name, model] : config.models) {
    if (IsAddress(model.source.text) && !model.sha256) {
      problems.push_back({PointerTo(PointerTo("/models", name), "sha256"), "is missing; an URL needs it"});
    }
  }
  for (const auto& [name, stream] : config.streams) {
    StreamChecker(config, name, stream, problems).Check();
    for (const auto& [zone, ignored] : stream.zones) {
      if (!config.events.mqtt || !config.streams.contains(zone)) continue;
      problems.push_back({PointerTo(PointerTo(PointerTo("/streams", name), "zones"), zone),
                          "has the name of a stream; over MQTT their counts would share one topic"});
    }
  }
  return problems;
}

std::vector<UnsupportedOption> NotYetSupported(const EdgeConfig& config) {
  std::vector<UnsupportedOption> options;
  for (const auto& [pointer, support] : FindUnsupported(SchemaOf<EdgeConfig>(), FieldsToJson(config))) {
    const char* const what = support == Support::kRefused ? "not supported yet" : "has no effect yet";
    options.push_back({support, fmt::format("{}: {}", config.source.Where(pointer), what)});
  }
  for (size_t i = 0; i < config.limits.devices.size(); ++i) {
    const std::string& device = config.limits.devices[i];
    if (device == "CPU") continue;
    options.push_back(
        {Support::kRefused, fmt::format("{}: {} is not supported yet; only CPU in this version",
                                        config.source.Where(PointerTo("/limits/devices", i)), Quote(device))});
  }
  return options;
}

std::string DescribeConfig(const EdgeConfig& config) {
  const auto count = [](size_t number, std::string_view what) {
    return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
  };
  size_t tasks = 0;
  std::string lines;
  for (const auto& [name, stream] : config.streams) {
    tasks += stream.tasks.size();
    std::vector<std::string> models;
    for (const TaskConfig& task : stream.tasks) models.push_back(task.model);
    lines += fmt::format("  {}: {}: {}\n", name, RedactUrl(stream.source.text), fmt::join(models, ", "));
  }
  return fmt::format("{}, {}, {}\n{}", count(config.streams.size(), "stream"), count(tasks, "task"),
                     count(config.models.size(), "model"), lines);
}

}  // namespace deepedge
