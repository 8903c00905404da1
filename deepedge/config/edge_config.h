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

struct GateConfig {
  std::optional<std::string> label;
  double min_score = 0;

  static void Fields(auto&& field) {
    field("label", &GateConfig::label, {.help = "Objects of this label only", .unset = "all labels"});
    field("min_score", &GateConfig::min_score, {.help = "Objects with at least this score only", .min = 0, .max = 1});
  }
};

struct CascadeConfig {
  GateConfig when;
  std::string model;

  static void Fields(auto&& field) {
    field("when", &CascadeConfig::when, {.help = "Which objects are passed on", .unset = "all objects"});
    field("model", &CascadeConfig::model,
          {.help = "The model that runs on the crop of each such object, a name from `models`", .required = true});
  }
};

struct TaskConfig {
  std::string model;
  double importance = 1;
  std::optional<double> min_rate;
  std::optional<double> max_rate;
  std::optional<double> deadline_ms;
  std::vector<std::string> labels;
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
    field("then", &TaskConfig::then,
          {.help = "Cascades: models that run on what this one has found", .support = Support::kRefused});
  }
};

struct StreamConfig {
  EnvText source;  // value: an address, or a path with relative ones resolved against the file's folder
  std::optional<EnvText> substream;
  double start_s = 0;
  double speed = 1;
  bool loop = false;
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

  static void Fields(auto&& field) {
    field("broker", &MqttConfig::broker,
          {.help = "Address of the broker, such as `tcp://127.0.0.1:1883`; `${NAME}` as in a stream's source",
           .required = true,
           .text = &kNotEmptyRule});
  }
};

struct EventsConfig {
  std::optional<std::string> file;  // relative ones resolved against the file's folder; "-": standard output
  bool states = false;
  std::optional<MqttConfig> mqtt;

  static void Fields(auto&& field) {
    field(
        "file", &EventsConfig::file,
        {.help =
             "Where events are written, one JSON object a line, behind what is there already; `-` is standard output, "
             "a relative path starts from this file's folder",
         .text = &kNotEmptyRule,
         .unset = "nowhere"});
    field("states", &EventsConfig::states,
          {.help = "Also write `state` events: objects moved to every source frame", .support = Support::kRefused});
    field("mqtt", &EventsConfig::mqtt, {.help = "Also publish events over MQTT", .support = Support::kRefused});
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
    field("state_dir", &EdgeConfig::state_dir,
          {.help = "Folder for what is kept between runs, such as profiles; a relative path starts from this file's "
                   "folder",
           .text = &kNotEmptyRule,
           .support = Support::kIgnored});
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
