// EdgeConfig: what the user wants, as `edge.yaml` says it. Reading it either gives a configuration that is
// whole and consistent, or says everything that is wrong with it, with file, line, path and what is allowed.
//
//   DE_TRY(EdgeConfig config, LoadEdgeConfig("edge.yaml"));
//   for (const UnsupportedOption& option : NotYetSupported(config)) ...   // refuse or warn
//
// A configuration can also be built in code (`deepedge run --source ...`): fill the fields, then call CheckEdgeConfig.
// Thread rule: values and pure functions; Load reads the file, the environment and which files exist.
#pragma once

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "deepedge/base/file.h"
#include "deepedge/base/result.h"
#include "deepedge/config/env_text.h"
#include "deepedge/config/fields.h"

namespace deepedge {

// Names of streams and models: they are part of events, addresses and file names.
extern const TextRule kNameRule;
extern const TextRule kSha256Rule;
extern const TextRule kVariantRule;
extern const TextRule kListenRule;
extern const TextRule kNotEmptyRule;
extern const TextRule kTimeOfDayRule;
extern const TextRule kTopicRule;
extern const TextRule kEventTypeRule;
extern const TextRule kPictureTypeRule;

struct ModelConfig {
  EnvText source;  // value: a path (relative ones resolved against the file's folder), a name in the repository, an URL
  std::optional<std::string> sha256;
  std::optional<std::string> variant;

  static void Fields(auto&& field) {
    field("source", &ModelConfig::source,
          {.help = "A path (relative to this file's folder), a name in the model repository, or an URL with `sha256`: "
                   "it is downloaded into the repository on first use",
           .required = true,
           .text = &kNotEmptyRule});
    field("sha256", &ModelConfig::sha256, {.help = "Hash that the file must have", .text = &kSha256Rule});
    field("variant", &ModelConfig::variant,
          {.help = "The form of the model to run, one that `deepedge model quantize` or `reshape` made for it, such as "
                   "`int8@416x256`",
           .text = &kVariantRule,
           .unset = "the model's own"});
  }
};

enum class Weekday { kMonday, kTuesday, kWednesday, kThursday, kFriday, kSaturday, kSunday };

constexpr auto NamesOf(Weekday) {
  return std::array{EnumName{Weekday::kMonday, "mon"},    EnumName{Weekday::kTuesday, "tue"},
                    EnumName{Weekday::kWednesday, "wed"}, EnumName{Weekday::kThursday, "thu"},
                    EnumName{Weekday::kFriday, "fri"},    EnumName{Weekday::kSaturday, "sat"},
                    EnumName{Weekday::kSunday, "sun"}};
}

struct ScheduleConfig {
  std::string from = "00:00";
  std::string to = "24:00";
  std::vector<Weekday> days;

  static void Fields(auto&& field) {
    field("from", &ScheduleConfig::from, {.help = "Local time from which on", .text = &kTimeOfDayRule});
    field("to", &ScheduleConfig::to,
          {.help = "Local time until which; before `from`: until that time of the next day", .text = &kTimeOfDayRule});
    field("days", &ScheduleConfig::days, {.help = "On these days only, that of `from`", .unset = "every day"});
  }
};

struct GateConfig {
  std::optional<std::string> label;
  double min_score = 0;
  double max_score = 1;
  double min_size = 0;
  double max_size = 1;
  int min_pixels = 0;
  std::optional<std::string> zone;
  double min_age_s = 0;
  int every = 1;
  bool first = false;
  std::optional<ScheduleConfig> schedule;

  static void Fields(auto&& field) {
    field("label", &GateConfig::label, {.help = "Objects of this label only", .unset = "all labels"});
    field("min_score", &GateConfig::min_score, {.help = "Objects with at least this score only", .min = 0, .max = 1});
    field("max_score", &GateConfig::max_score,
          {.help = "Objects with at most this score only: those that the model is unsure of", .min = 0, .max = 1});
    field(
        "min_size", &GateConfig::min_size,
        {.help = "Objects whose box is at least this large: its longer side as a share of the picture's side along it",
         .min = 0,
         .max = 1});
    field("max_size", &GateConfig::max_size, {.help = "Objects that are at most this large", .min = 0, .max = 1});
    field("min_pixels", &GateConfig::min_pixels,
          {.help = "Objects whose shorter side has at least so many pixels", .min = 0, .max = 100000});
    field("zone", &GateConfig::zone, {.help = "Objects in this zone of the stream only", .unset = "everywhere"});
    field("min_age_s", &GateConfig::min_age_s,
          {.help = "Objects whose track is at least so many seconds old", .min = 0, .max = 86400});
    field("every", &GateConfig::every,
          {.help = "Of those that pass, every so many; counted for each track by itself", .min = 1, .max = 1000000});
    field("first", &GateConfig::first, {.help = "Each track only until it has been answered once"});
    field("schedule", &GateConfig::schedule, {.help = "When the gate may open", .unset = "always"});
  }
};

// What of the picture a model of a cascade sees.
enum class CropShape { kGrown, kTight };

constexpr auto NamesOf(CropShape) {
  return std::array{EnumName{CropShape::kGrown, "grown"}, EnumName{CropShape::kTight, "tight"}};
}

struct CropConfig {
  double margin = 0;
  CropShape shape = CropShape::kGrown;
  std::optional<bool> align;

  static void Fields(auto&& field) {
    field("margin", &CropConfig::margin,
          {.help = "Added on each side, as a share of the box's side", .min = -0.4, .max = 5});
    field(
        "shape", &CropConfig::shape,
        {.help =
             "`grown`: the box is made wider or higher until it has the shape of the model's input; `tight`: it stays "
             "as it is, and the model's own rule fits it in"});
    field("align", &CropConfig::align,
          {.help = "Turn and scale a face so that its five points lie where face recognisers are trained to have them",
           .unset = "where the object has five points and the model gives an embedding"});
  }
};

struct CascadeConfig {
  GateConfig when;
  std::string model;
  CropConfig crop;
  double answer_s = 5;
  double unsure_below = 0;
  int max_objects = 16;
  bool report = true;
  Again<CascadeConfig> then;

  static void Fields(auto&& field) {
    field("when", &CascadeConfig::when, {.help = "Which objects are passed on", .unset = "all objects"});
    field("model", &CascadeConfig::model,
          {.help = "The model that runs on the crop of each such object, a name from `models`", .required = true});
    field("crop", &CascadeConfig::crop, {.help = "What of the picture it sees", .unset = "see below"});
    field("answer_s", &CascadeConfig::answer_s,
          {.help =
               "How long an answer about a track holds: so long the model is not asked about it again; 0: it is asked "
               "whenever the gate opens",
           .min = 0,
           .max = 86400});
    field("unsure_below", &CascadeConfig::unsure_below,
          {.help = "Answers with a smaller score do not hold", .min = 0, .max = 1});
    field("max_objects", &CascadeConfig::max_objects,
          {.help = "Most objects of one frame that are passed on, the best scores first", .min = 1, .max = 256});
    field("report", &CascadeConfig::report,
          {.help = "Its results become events; `false` where only what follows from them matters"});
    field("then", &CascadeConfig::then, {.help = "Models that run on what this one has found"});
  }
};

// A point of the picture: x, y as fractions of it, from the top left.
using PointConfig = std::array<double, 2>;

struct ZoneConfig {
  std::vector<PointConfig> polygon;
  std::vector<std::string> labels;
  std::optional<double> dwell_s;

  static void Fields(auto&& field) {
    field("polygon", &ZoneConfig::polygon,
          {.help = "Its corners in order, each [x, y] as fractions of the picture from the top left",
           .required = true,
           .min = 0,
           .max = 1,
           .min_entries = 3});
    field("labels", &ZoneConfig::labels,
          {.help = "Objects of these labels only", .text = &kNotEmptyRule, .unset = "all labels"});
    field("dwell_s", &ZoneConfig::dwell_s,
          {.help = "An event when an object has been inside for so many seconds",
           .min = 0.1,
           .max = 86400,
           .unset = "none"});
  }
};

struct LineConfig {
  PointConfig from{};
  PointConfig to{};
  std::vector<std::string> labels;

  static void Fields(auto&& field) {
    field("from", &LineConfig::from,
          {.help = "One end, [x, y] as fractions of the picture", .required = true, .min = 0, .max = 1});
    field("to", &LineConfig::to,
          {.help = "The other end. Crossing it from the left of this direction to its right is `in`",
           .required = true,
           .min = 0,
           .max = 1});
    field("labels", &LineConfig::labels,
          {.help = "Objects of these labels only", .text = &kNotEmptyRule, .unset = "all labels"});
  }
};

struct TaskConfig {
  std::string model;
  double importance = 1;
  std::optional<double> min_rate;
  std::optional<double> max_rate;
  std::optional<double> deadline_ms;
  std::vector<std::string> labels;
  bool track = true;
  std::optional<std::string> reid;
  bool report = true;
  std::vector<CascadeConfig> then;

  // The minimum rate that holds: nobody asked for the default, so it gives way to a smaller maximum.
  double MinRate() const { return min_rate.value_or(std::min(0.2, max_rate.value_or(0.2))); }

  static void Fields(auto&& field) {
    field("model", &TaskConfig::model, {.help = "A name from `models`", .required = true});
    field("importance", &TaskConfig::importance,
          {.help = "Weight of this task against the others when the box is too small",
           .min = 0.001,
           .max = 1000,
           .support = Support::kIgnored});
    field("min_rate", &TaskConfig::min_rate,
          {.help = "Results a second that it must always get",
           .min = 0.001,
           .max = 1000,
           .unset = "`0.2`, or `max_rate` where that is less",
           .support = Support::kIgnored});
    field("max_rate", &TaskConfig::max_rate,
          {.help = "Results a second that are enough", .min = 0.001, .max = 1000, .unset = "the stream's own rate"});
    field("deadline_ms", &TaskConfig::deadline_ms,
          {.help = "Longest useful time from capture to result. A frame that is older when its turn comes is dropped "
                   "(`too_late`), but not with `--pace fast`",
           .min = 1,
           .max = 600000,
           .unset = "none: nothing is dropped, and frames are sorted as with 500"});
    field("labels", &TaskConfig::labels,
          {.help = "Report objects and classes of these labels only", .text = &kNotEmptyRule, .unset = "all labels"});
    field("track", &TaskConfig::track,
          {.help = "Follow objects from frame to frame: they get a number, and zones, lines and counts become events"});
    field(
        "reid", &TaskConfig::reid,
        {.help = "A model from `models` that gives embeddings of the objects: by them a track is found again that was "
                 "lost, and two that cross are told apart. It runs on every object of every result",
         .unset = "none: tracks go by place and movement"});
    field("report", &TaskConfig::report,
          {.help = "Its results become events; `false` where only what follows from them matters"});
    field("then", &TaskConfig::then, {.help = "Cascades: models that run on what this one has found"});
  }
};

struct StreamConfig {
  EnvText source;  // value: an address, or a path with relative ones resolved against the file's folder
  std::optional<EnvText> substream;
  double start_s = 0;
  double speed = 1;
  bool loop = false;
  std::map<std::string, ZoneConfig> zones;
  std::map<std::string, LineConfig> lines;
  std::vector<TaskConfig> tasks;

  static void Fields(auto&& field) {
    field(
        "source", &StreamConfig::source,
        {.help = "`rtsp://`, `http(s)://`, `/dev/videoN` or a file (relative to this file's folder); `${NAME}` stands "
                 "for a variable of the environment",
         .required = true,
         .text = &kNotEmptyRule});
    field("substream", &StreamConfig::substream,
          {.help = "A cheaper picture of the same scene", .text = &kNotEmptyRule, .support = Support::kIgnored});
    field("start_s", &StreamConfig::start_s, {.help = "A file starts this many seconds into it", .min = 0, .max = 1e6});
    field("speed", &StreamConfig::speed,
          {.help = "A file runs this much faster than it was recorded", .min = 0.001, .max = 1000});
    field("loop", &StreamConfig::loop, {.help = "A file starts again at its end"});
    field("zones", &StreamConfig::zones,
          {.help = "Parts of the picture that matter, for events and gates", .text = &kNameRule});
    field("lines", &StreamConfig::lines, {.help = "Lines whose crossing is an event", .text = &kNameRule});
    field("tasks", &StreamConfig::tasks,
          {.help = "Which models look at this stream", .required = true, .min_entries = 1});
  }
};

enum class Objective { kAccuracy, kFair, kProportional, kThroughput, kLatency };

constexpr auto NamesOf(Objective) {
  return std::array{EnumName{Objective::kAccuracy, "accuracy"}, EnumName{Objective::kFair, "fair"},
                    EnumName{Objective::kProportional, "proportional"}, EnumName{Objective::kThroughput, "throughput"},
                    EnumName{Objective::kLatency, "latency"}};
}

struct LimitsConfig {
  std::optional<int> cores;
  std::optional<int> memory_mb;
  double reserve = 0.1;
  std::vector<std::string> devices{"CPU"};

  static void Fields(auto&& field) {
    field("cores", &LimitsConfig::cores,
          {.help = "Cores to compute on", .min = 1, .max = 1024, .unset = "all that the process may use"});
    field("memory_mb", &LimitsConfig::memory_mb,
          {.help = "Memory for models and frames",
           .min = 64,
           .max = 1 << 24,
           .unset = "what is free",
           .support = Support::kIgnored});
    field(
        "reserve", &LimitsConfig::reserve,
        {.help = "Share of the computing power that is kept free", .min = 0, .max = 0.9, .support = Support::kIgnored});
    field("devices", &LimitsConfig::devices,
          {.help = "Devices of the engine that may be used; only `CPU` in this version",
           .min_entries = 1,
           .text = &kNotEmptyRule});
  }
};

struct MqttConfig {
  EnvText broker;
  std::optional<EnvText> user;
  std::optional<EnvText> password;
  std::string topic = "deepedge";
  std::string discovery = "homeassistant";
  std::optional<std::string> client_id;
  std::optional<std::string> ca_file;
  std::optional<std::string> cert_file;
  std::optional<std::string> key_file;
  bool insecure = false;
  std::vector<std::string> types;

  static void Fields(auto&& field) {
    field(
        "broker", &MqttConfig::broker,
        {.help =
             "Address of the broker, such as `tcp://127.0.0.1:1883`, `mqtts://broker.lan:8883` with TLS; `${NAME}` as "
             "in a stream's source",
         .required = true,
         .text = &kNotEmptyRule});
    field("user", &MqttConfig::user, {.help = "Name to log in with", .text = &kNotEmptyRule, .unset = "none"});
    field("password", &MqttConfig::password,
          {.help = "Password to log in with, best as `${NAME}` of the environment",
           .text = &kNotEmptyRule,
           .unset = "none"});
    field("topic", &MqttConfig::topic, {.help = "What all topics begin with", .text = &kTopicRule});
    field("discovery", &MqttConfig::discovery,
          {.help = "What the topics begin with by which Home Assistant finds devices; empty text: none are published"});
    field("client_id", &MqttConfig::client_id,
          {.help = "Name of this box at the broker",
           .text = &kNotEmptyRule,
           .unset = "after the topic and the host's name"});
    field(
        "ca_file", &MqttConfig::ca_file,
        {.help = "Certificates that the broker's is checked against", .text = &kNotEmptyRule, .unset = "the system's"});
    field("cert_file", &MqttConfig::cert_file,
          {.help = "This box's own certificate", .text = &kNotEmptyRule, .unset = "none"});
    field("key_file", &MqttConfig::key_file, {.help = "The key to it", .text = &kNotEmptyRule, .unset = "none"});
    field(
        "insecure", &MqttConfig::insecure,
        {.help = "With TLS: take any certificate from anybody. For tests only: who is in between reads the password"});
    field("types", &MqttConfig::types, {.help = "Types of events to publish", .text = &kEventTypeRule, .unset = "all"});
  }
};

struct WebhookConfig {
  EnvText url;
  std::map<std::string, EnvText> headers;
  double timeout_s = 10;
  std::optional<std::string> ca_file;
  std::vector<std::string> types;
  bool pictures = false;

  static void Fields(auto&& field) {
    field("url", &WebhookConfig::url,
          {.help = "Address that events are posted to as JSON; `${NAME}` as in a stream's source",
           .required = true,
           .text = &kNotEmptyRule});
    field("headers", &WebhookConfig::headers, {.help = "Headers of each request, such as `Authorization`"});
    field("timeout_s", &WebhookConfig::timeout_s,
          {.help = "Seconds that one request may take", .min = 0.1, .max = 300});
    field(
        "ca_file", &WebhookConfig::ca_file,
        {.help = "Certificates that the server's is checked against", .text = &kNotEmptyRule, .unset = "the system's"});
    field("types", &WebhookConfig::types, {.help = "Types of events to post", .text = &kEventTypeRule, .unset = "all"});
    field("pictures", &WebhookConfig::pictures, {.help = "Send snapshots too, in base64 as `picture`"});
  }
};

struct OutboxConfig {
  double max_age_h = 168;
  int max_mb = 1024;

  static void Fields(auto&& field) {
    field("max_age_h", &OutboxConfig::max_age_h, {.help = "Hours that an event is kept", .min = 0.01, .max = 87600});
    field("max_mb", &OutboxConfig::max_mb,
          {.help = "Space that events may take; the oldest go first", .min = 1, .max = 1 << 20});
  }
};

struct SnapshotsConfig {
  std::vector<std::string> types{"track_started", "zone_entered", "line_crossed", "dwell"};
  int quality = 80;
  double margin = 0.1;
  std::optional<std::string> folder;

  static void Fields(auto&& field) {
    field("types", &SnapshotsConfig::types, {.help = "Types of events that get a picture", .text = &kPictureTypeRule});
    field("quality", &SnapshotsConfig::quality, {.help = "Of the JPEG", .min = 1, .max = 100});
    field("margin", &SnapshotsConfig::margin, {.help = "Around the object, as a share of its box", .min = 0, .max = 5});
    field("folder", &SnapshotsConfig::folder,
          {.help = "Where pictures are also written as files, named by the event's id",
           .text = &kNotEmptyRule,
           .unset = "nowhere"});
  }
};

struct EventsConfig {
  std::optional<std::string> file;  // relative ones resolved against the file's folder; "-": standard output
  std::optional<double> rotate_mb;
  int rotate_keep = 5;
  bool states = false;
  std::optional<MqttConfig> mqtt;
  std::optional<WebhookConfig> webhook;
  std::optional<OutboxConfig> outbox;
  std::optional<SnapshotsConfig> snapshots;

  static void Fields(auto&& field) {
    field(
        "file", &EventsConfig::file,
        {.help =
             "Where events are written, one JSON object a line, behind what is there already; `-` is standard output, "
             "a relative path starts from this file's folder",
         .text = &kNotEmptyRule,
         .unset = "nowhere"});
    field("rotate_mb", &EventsConfig::rotate_mb,
          {.help = "The file is put aside as `FILE.1` when it has this size, `FILE.1` as `FILE.2` and so on",
           .min = 0.1,
           .max = 1 << 20,
           .unset = "never"});
    field("rotate_keep", &EventsConfig::rotate_keep,
          {.help = "How many files that were put aside are kept", .min = 1, .max = 1000});
    field("states", &EventsConfig::states,
          {.help = "Also write `state` events: objects moved to every source frame", .support = Support::kRefused});
    field("mqtt", &EventsConfig::mqtt, {.help = "Also publish events over MQTT"});
    field("webhook", &EventsConfig::webhook, {.help = "Also post events to a web server"});
    field("outbox", &EventsConfig::outbox,
          {.help = "Keep events in `state_dir` for `deepedge events`, and until broker and web server have them",
           .unset = "with `mqtt` or `webhook`: as below; else none are kept"});
    field("snapshots", &EventsConfig::snapshots, {.help = "Pictures of objects beside their events", .unset = "none"});
  }
};

struct ApiConfig {
  std::string listen;

  static void Fields(auto&& field) {
    field("listen", &ApiConfig::listen,
          {.help = "Address and port of the HTTP interface", .required = true, .text = &kListenRule});
  }
};

struct EdgeConfig {
  std::map<std::string, ModelConfig> models;
  std::map<std::string, StreamConfig> streams;
  Objective objective = Objective::kAccuracy;
  LimitsConfig limits;
  EventsConfig events;
  std::optional<ApiConfig> api;
  std::optional<std::string> state_dir;  // relative ones resolved against the file's folder

  // Where it was read from, for messages; not a setting.
  SourceMap source;

  static void Fields(auto&& field) {
    field("models", &EdgeConfig::models,
          {.help = "The models that tasks name", .required = true, .min_entries = 1, .text = &kNameRule});
    field("streams", &EdgeConfig::streams,
          {.help = "The cameras and files to look at", .required = true, .min_entries = 1, .text = &kNameRule});
    field("objective", &EdgeConfig::objective,
          {.help = "What to make best when not everything fits", .support = Support::kIgnored});
    field("limits", &EdgeConfig::limits, {.help = "What of this box may be used", .unset = "see below"});
    field("events", &EdgeConfig::events, {.help = "Where results go", .unset = "see below"});
    field("api", &EdgeConfig::api, {.help = "HTTP interface", .support = Support::kRefused});
    field(
        "state_dir", &EdgeConfig::state_dir,
        {.help = "Folder for what is kept between runs: events, the gallery of faces; a relative path starts from this "
                 "file's folder",
         .text = &kNotEmptyRule,
         .unset = "`$XDG_STATE_HOME/deepedge`, `~/.local/state/deepedge`"});
  }
};

// Errors: kNotFound; kBadInput with one line for each thing that is wrong.
Result<EdgeConfig> LoadEdgeConfig(const Path& path, const Environment& environment = ProcessEnvironment());

// The same of a text. `name` stands for the file in messages; relative paths start from `folder`.
Result<EdgeConfig> ParseEdgeConfig(std::string_view text, std::string name, const Path& folder,
                                   const Environment& environment);

// What the parts have to agree on: tasks and cascades name models that exist, no cascade leads back to itself, a stream
// names a model once, min_rate <= max_rate, an URL of a model has its sha256. Pure.
std::vector<Problem> CheckEdgeConfig(const EdgeConfig& config);

// One option that this version cannot do yet.
struct UnsupportedOption {
  Support support = Support::kIgnored;  // kIgnored: warn and go on; kRefused: start nothing
  std::string message;                  // "edge.yaml:14: streams.gate.tasks[0].then: not supported yet"
};
std::vector<UnsupportedOption> NotYetSupported(const EdgeConfig& config);

// A few lines for people, each with its line break: the counts, then each stream with its source (without password) and
// its models.
std::string DescribeConfig(const EdgeConfig& config);

}  // namespace deepedge
