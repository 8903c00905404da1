#include "deepedge/config/edge_config.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace deepedge {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::optional<std::string> TestEnvironment(const std::string& name) {
  if (name == "GATE_PASSWORD") return "s3cret";
  if (name == "ODD_PASSWORD") return "a/b@c %2F";
  if (name == "EMPTY") return "";
  return std::nullopt;
}

Result<EdgeConfig> Parse(std::string_view text) {
  return ParseEdgeConfig(text, "edge.yaml", "/etc/farm", TestEnvironment);
}

EdgeConfig ParseGood(std::string_view text) {
  auto config = Parse(text);
  EXPECT_TRUE(config.ok()) << config.error().message;
  return config.value();
}

std::string ErrorOf(std::string_view text) {
  const auto config = Parse(text);
  return config.ok() ? "" : config.error().message;
}

// A file that uses every part of the configuration.
constexpr const char* kFull = R"(models:
  person:  { source: models/yolox_nano }
  face:    { source: models/face_cntk }
streams:
  gate:
    source: rtsp://user:${GATE_PASSWORD}@10.0.0.7/main
    substream: rtsp://10.0.0.7/sub
    tasks:
      - model: person
        importance: 3
        min_rate: 1
        max_rate: 30
        deadline_ms: 500
        labels: [person, car]
        then:
          - { when: { label: person, min_score: 0.5 }, model: face }
objective: fair
limits: { cores: 2, memory_mb: 4096, reserve: 0.2, devices: [CPU] }
events: { file: events.ndjson, mqtt: { broker: "tcp://127.0.0.1:1883" } }
api: { listen: "127.0.0.1:8090" }
state_dir: /var/lib/deepedge
)";

constexpr const char* kSmall = R"(models: { person: { source: yolox_nano } }
streams: { barn: { source: barn.mp4, tasks: [ { model: person } ] } }
)";

TEST(EdgeConfig, ReadsEverythingTheDesignNames) {
  const EdgeConfig config = ParseGood(kFull);
  EXPECT_EQ(config.models.at("person").source.value, "/etc/farm/models/yolox_nano");
  const StreamConfig& gate = config.streams.at("gate");
  EXPECT_EQ(gate.source.value, "rtsp://user:s3cret@10.0.0.7/main");
  EXPECT_EQ(gate.source.text, "rtsp://user:${GATE_PASSWORD}@10.0.0.7/main");
  EXPECT_EQ(gate.substream->value, "rtsp://10.0.0.7/sub");
  const TaskConfig& task = gate.tasks.at(0);
  EXPECT_EQ(task.model, "person");
  EXPECT_EQ(task.importance, 3);
  EXPECT_EQ(task.MinRate(), 1);
  EXPECT_EQ(task.max_rate, 30);
  EXPECT_EQ(task.deadline_ms, 500);
  EXPECT_THAT(task.labels, ElementsAre("person", "car"));
  EXPECT_EQ(task.then.at(0).when.label, "person");
  EXPECT_EQ(task.then.at(0).when.min_score, 0.5);
  EXPECT_EQ(task.then.at(0).model, "face");
  EXPECT_EQ(config.objective, Objective::kFair);
  EXPECT_EQ(config.limits.cores, 2);
  EXPECT_EQ(config.limits.memory_mb, 4096);
  EXPECT_EQ(config.limits.reserve, 0.2);
  EXPECT_EQ(config.events.file, "/etc/farm/events.ndjson");
  EXPECT_EQ(config.events.mqtt->broker.value, "tcp://127.0.0.1:1883");
  EXPECT_EQ(config.api->listen, "127.0.0.1:8090");
  EXPECT_EQ(config.state_dir, "/var/lib/deepedge");
}

TEST(EdgeConfig, TakesTheAddressesOfTheDesignWithoutQuotes) {
  EXPECT_TRUE(Parse("models: { m: { source: m } }\nstreams: { s: { source: a, tasks: [ { model: m } ] } }\n"
                    "events: { mqtt: { broker: tcp://127.0.0.1:1883 } }\napi: { listen: 127.0.0.1:8090 }\n")
                  .ok());
}

TEST(EdgeConfig, HasTheDefaultsOfTheDesign) {
  const EdgeConfig config = ParseGood(kSmall);
  const TaskConfig& task = config.streams.at("barn").tasks.at(0);
  EXPECT_EQ(task.importance, 1);
  EXPECT_EQ(task.MinRate(), 0.2);
  EXPECT_FALSE(task.max_rate);
  EXPECT_FALSE(task.deadline_ms);
  EXPECT_TRUE(task.labels.empty());
  EXPECT_EQ(config.objective, Objective::kAccuracy);
  EXPECT_FALSE(config.limits.cores);
  EXPECT_EQ(config.limits.reserve, 0.1);
  EXPECT_THAT(config.limits.devices, ElementsAre("CPU"));
  EXPECT_FALSE(config.events.file);
  EXPECT_FALSE(config.api);
  EXPECT_TRUE(NotYetSupported(config).empty());
}

TEST(EdgeConfig, LetsTheDefaultMinimumGiveWay) {
  EXPECT_EQ(TaskConfig{.max_rate = 0.1}.MinRate(), 0.1);
  EXPECT_EQ((TaskConfig{.min_rate = 0.2, .max_rate = 0.1}.MinRate()), 0.2);
}

TEST(EdgeConfig, ResolvesPathsAgainstTheFilesFolder) {
  auto folder = TemporaryFolder::Create("de_config_test");
  ASSERT_TRUE(folder.ok());
  const Path root = folder.value().path();
  ASSERT_TRUE(WriteFileAtomically(root / "net.onnx", "x").ok());
  ASSERT_TRUE(WriteFileAtomically(root / "edge.yaml", R"(models:
  here: { source: net.onnx }
  named: { source: yolox_nano }
  path: { source: sub/net.onnx }
  above: { source: ../net.onnx }
  absolute: { source: /opt/net.onnx }
streams:
  a: { source: clips/a.mp4, tasks: [ { model: here } ] }
  b: { source: /dev/video0, tasks: [ { model: here } ] }
events: { file: "-" }
state_dir: state
)")
                  .ok());
  const auto loaded = LoadEdgeConfig(root / "edge.yaml", TestEnvironment);
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  const EdgeConfig& config = loaded.value();
  EXPECT_EQ(config.models.at("here").source.value, (root / "net.onnx").string());
  EXPECT_EQ(config.models.at("named").source.value, "yolox_nano");
  EXPECT_EQ(config.models.at("path").source.value, (root / "sub/net.onnx").string());
  EXPECT_EQ(config.models.at("above").source.value, (root.parent_path() / "net.onnx").string());
  EXPECT_EQ(config.models.at("absolute").source.value, "/opt/net.onnx");
  EXPECT_EQ(config.streams.at("a").source.value, (root / "clips/a.mp4").string());
  EXPECT_EQ(config.streams.at("b").source.value, "/dev/video0");
  EXPECT_EQ(config.events.file, "-");
  EXPECT_EQ(config.state_dir, (root / "state").string());
}

std::string WithTask(std::string_view task) {
  return fmt::format(
      "models: {{ person: {{ source: m }}, face: {{ source: m }} }}\n"
      "streams:\n  gate:\n    source: a.mp4\n    tasks:\n      - {}\n",
      task);
}

TEST(EdgeConfig, SaysExactlyWhatIsWrong) {
  const struct {
    std::string text;
    std::string message;
  } cases[] = {
      {"", "edge.yaml:1: models: is missing\nedge.yaml:1: streams: is missing"},
      {"models: {}\nstreams: {}",
       "edge.yaml:1: models: has 0 entries; at least 1 needed\nedge.yaml:2: streams: has 0 entries; at least 1 needed"},
      {WithTask("model: person\n        max_rat: 3"),
       "edge.yaml:7: streams.gate.tasks[0].max_rat: unknown key; did you mean max_rate?"},
      {WithTask("model: persn"),
       "edge.yaml:6: streams.gate.tasks[0].model: 'persn' is not declared in models; allowed: face, person"},
      {WithTask("importance: 2"), "edge.yaml:6: streams.gate.tasks[0].model: is missing"},
      {WithTask("model: person\n        min_rate: 5\n        max_rate: 2"),
       "edge.yaml:7: streams.gate.tasks[0].min_rate: 5 is more than max_rate; allowed: up to 2"},
      {WithTask("model: person\n        max_rate: 0"),
       "edge.yaml:7: streams.gate.tasks[0].max_rate: 0 is out of range; allowed: 0.001 to 1000"},
      {WithTask("model: person\n        max_rate: '3'"),
       "edge.yaml:7: streams.gate.tasks[0].max_rate: expected a number, found text '3'"},
      {WithTask("model: person\n        labels: person"),
       "edge.yaml:7: streams.gate.tasks[0].labels: expected a list, found text 'person'"},
      {WithTask("model: person\n        labels: [true]"),
       "edge.yaml:7: streams.gate.tasks[0].labels[0]: expected text, found true; put it in quotes"},
      {WithTask("model: person\n      - model: person"),
       "edge.yaml:7: streams.gate.tasks[1].model: 'person' is already a task of this stream"},
      {WithTask("model: person\n        then: [ { model: nobody } ]"),
       "edge.yaml:7: streams.gate.tasks[0].then[0].model: 'nobody' is not declared in models; allowed: face, person"},
      {WithTask("model: person\n        then: [ { model: person } ]"),
       "edge.yaml:7: streams.gate.tasks[0].then[0].model: the cascade of 'person' leads back to itself"},
      {WithTask("model: person\n        then: [ { model: face } ]\n      - model: face\n        then: [ { model: "
                "person } ]"),
       "edge.yaml:7: streams.gate.tasks[0].then[0].model: the cascade of 'person' leads back to itself\n"
       "edge.yaml:9: streams.gate.tasks[1].then[0].model: the cascade of 'face' leads back to itself"},
      {WithTask("model: person\n        then: [ { model: face, then: [ { model: person } ] } ]"),
       "edge.yaml:7: streams.gate.tasks[0].then[0].then[0].model: the cascade of 'person' leads back to itself"},
      {WithTask("model: person\n        then: [ { model: face, then: [ { modl: person } ] } ]"),
       "edge.yaml:7: streams.gate.tasks[0].then[0].then[0].model: is missing\n"
       "edge.yaml:7: streams.gate.tasks[0].then[0].then[0].modl: unknown key; did you mean model?"},
      {WithTask("model: person\n        then: [ { model: face, when: { zone: yard } } ]"),
       "edge.yaml:7: streams.gate.tasks[0].then[0].when.zone: 'yard' is no zone of this stream; it has none"},
      {WithTask("model: person\n        track: false\n        then: [ { model: face, when: { first: true } } ]"),
       "edge.yaml:8: streams.gate.tasks[0].then[0].when.first: needs the task's objects to be tracked, see `track`"},
      {WithTask("model: person\n        then: [ { model: face, when: { min_score: 2 } } ]"),
       "edge.yaml:7: streams.gate.tasks[0].then[0].when.min_score: 2 is out of range; allowed: 0 to 1"},
      {std::string(kSmall) + "objective: fastest",
       "edge.yaml:3: objective: 'fastest' is not allowed; allowed: accuracy, fair, proportional, throughput, latency"},
      {std::string(kSmall) + "limits: { cores: 0, devices: [] }",
       "edge.yaml:3: limits.cores: 0 is out of range; allowed: 1 to 1024\n"
       "edge.yaml:3: limits.devices: has 0 entries; at least 1 needed"},
      {std::string(kSmall) + "api: { listen: localhost }",
       "edge.yaml:3: api.listen: 'localhost' is not allowed; allowed: address:port, such as 127.0.0.1:8090"},
      {std::string(kSmall) + "events:\n", "edge.yaml:3: events: has no value; write one or remove the key"},
      {"models: { m: { source: m } }\nstreams:\n  gate: { source: a, tasks: [] }\n  'a b': { source: b, tasks: [ { "
       "model: m } ] }",
       "edge.yaml:3: streams.gate.tasks: has 0 entries; at least 1 needed\n"
       "edge.yaml:4: streams.a b: the name is not allowed; allowed: 1 to 64 letters, digits, '_', '-' and '.', "
       "starting "
       "with a letter or digit"},
      {"models: { m: { source: m } }\nstreams:\n  gate: { source: a, tasks: [ { model: m } ] }\n  gate: { source: a }",
       "edge.yaml:4: the key 'gate' was already written in line 3"},
      {"models: { m: { source: 'https://a.org/m.onnx' }, n: { source: n, sha256: 12ab } }\n"
       "streams: { s: { source: a, tasks: [ { model: m } ] } }",
       "edge.yaml:1: models.n.sha256: '12ab' is not allowed; allowed: 64 digits and letters a to f\n"
       "edge.yaml:1: models.m.sha256: is missing; an URL needs it"},
      {"model: { m: { source: m } }\nstreams: { s: { source: '${NO_SUCH}', tasks: [ { model: m } ] } }",
       "edge.yaml:1: models: is missing\n"
       "edge.yaml:1: model: unknown key; did you mean models?\n"
       "edge.yaml:2: streams.s.source: the environment variable NO_SUCH is not set"},
      {"models: { m: { source: m } }\nstreams: { s: { source: 'a${b', tasks: [ { model: m } ] } }",
       "edge.yaml:2: streams.s.source: '${' has to be followed by a variable's name and '}'; write '$${' for the text"},
  };
  for (const auto& c : cases) EXPECT_EQ(ErrorOf(c.text), c.message) << c.text;
}

TEST(EdgeConfig, RefusesWhatIsNoConfiguration) {
  for (const std::string& text :
       {std::string("\x7F"
                    "ELF\x02\x01\x01\0\0",
                    9),
        std::string("- a\n- b"), std::string("text"), std::string(2'000'000, 'x'), std::string(300, '{'),
        std::string("\xFF\xFE"
                    "a\0",
                    4)}) {
    const auto config = Parse(text);
    ASSERT_FALSE(config.ok());
    EXPECT_EQ(config.error().code, ErrorCode::kBadInput);
    EXPECT_THAT(config.error().message, testing::StartsWith("edge.yaml:"));
    EXPECT_LT(config.error().message.size(), 300U);
  }
}

TEST(EdgeConfig, SurvivesAFileFullOfMistakes) {
  std::string text = std::string(kSmall) + "limits: { devices: [";
  while (text.size() < 100'000) text += "1,";
  const std::string error = ErrorOf(text + "] }");
  EXPECT_LT(error.size(), 10'000U);
  EXPECT_THAT(error, HasSubstr(" more"));
  text = kSmall;
  for (int i = 0; text.size() < 100'000; ++i) text += fmt::format("k{}:\n", i);
  EXPECT_LT(ErrorOf(text).size(), 10'000U);
}

TEST(EdgeConfig, NeverPrintsSecrets) {
  const EdgeConfig config = ParseGood(kFull);
  EXPECT_THAT(PrintFields(config), Not(HasSubstr("s3cret")));
  EXPECT_THAT(DescribeConfig(config), Not(HasSubstr("s3cret")));
  EXPECT_THAT(ErrorOf(std::string(kFull) + "objectiv: 3\n"), Not(HasSubstr("s3cret")));
}

TEST(EdgeConfig, PrintsWhatLoadsBack) {
  const EdgeConfig config = ParseGood(kFull);
  const EdgeConfig again = ParseGood(PrintFields(config));
  EXPECT_TRUE(ChangedFields(config, again).empty());
}

TEST(EdgeConfig, TellsWhatChanged) {
  const EdgeConfig before = ParseGood(kFull);
  EdgeConfig after = before;
  after.streams["barn"].source = std::string("barn.mp4");
  after.streams["gate"].tasks[0].max_rate = 10;
  EXPECT_THAT(ChangedFields(before, after), ElementsAre("/streams/gate/tasks/0/max_rate", "/streams/barn"));
}

TEST(EdgeConfig, ReadsCascadesOfAnyDepth) {
  const EdgeConfig config = ParseGood(
      "models: { person: { source: p.onnx }, face: { source: f.onnx }, mood: { source: m.onnx } }\n"
      "streams:\n"
      "  gate:\n"
      "    source: gate.mp4\n"
      "    zones: { yard: { polygon: [[0, 0.5], [1, 0.5], [1, 1]], dwell_s: 30 } }\n"
      "    lines: { door: { from: [0.2, 0], to: [0.2, 1] } }\n"
      "    tasks:\n"
      "      - model: person\n"
      "        then:\n"
      "          - when: { label: person, zone: yard, schedule: { from: '22:00', to: '06:00', days: [sat, sun] } }\n"
      "            model: face\n"
      "            crop: { margin: 0.2, shape: tight }\n"
      "            then: [ { model: mood, answer_s: 1, unsure_below: 0.6, then: [] } ]\n");
  const CascadeConfig& face = config.streams.at("gate").tasks.at(0).then.at(0);
  EXPECT_EQ(face.model, "face");
  EXPECT_EQ(face.when.schedule->days, (std::vector{Weekday::kSaturday, Weekday::kSunday}));
  EXPECT_EQ(face.crop.shape, CropShape::kTight);
  const CascadeConfig& mood = face.then.list.at(0);
  EXPECT_EQ(mood.model, "mood");
  EXPECT_EQ(mood.unsure_below, 0.6);
  EXPECT_EQ(config.streams.at("gate").zones.at("yard").dwell_s, 30);
  EXPECT_TRUE(NotYetSupported(config).empty());
  EXPECT_THAT(ParseYaml(PrintFields(config), "printed").value().json(), FieldsToJson(config));
}

TEST(EdgeConfig, SaysWhatItCannotDoYet) {
  std::vector<std::string> refused;
  std::vector<std::string> ignored;
  for (const UnsupportedOption& option : NotYetSupported(ParseGood(kFull))) {
    (option.support == Support::kRefused ? refused : ignored).push_back(option.message);
  }
  EXPECT_THAT(refused, ElementsAre("edge.yaml:20: api: not supported yet"));
  EXPECT_THAT(ignored, ElementsAre("edge.yaml:7: streams.gate.substream: has no effect yet",
                                   "edge.yaml:10: streams.gate.tasks[0].importance: has no effect yet",
                                   "edge.yaml:11: streams.gate.tasks[0].min_rate: has no effect yet",
                                   "edge.yaml:17: objective: has no effect yet",
                                   "edge.yaml:18: limits.memory_mb: has no effect yet",
                                   "edge.yaml:18: limits.reserve: has no effect yet"));
}

TEST(EdgeConfig, RefusesDevicesOtherThanTheProcessor) {
  const auto options = NotYetSupported(ParseGood(std::string(kSmall) + "limits: { devices: [CPU, GPU] }\n"));
  ASSERT_EQ(options.size(), 1U);
  EXPECT_EQ(options[0].support, Support::kRefused);
  EXPECT_EQ(options[0].message, "edge.yaml:3: limits.devices[1]: 'GPU' is not supported yet; only CPU in this version");
}

TEST(EdgeConfig, DescribesItselfInAFewLines) {
  EXPECT_EQ(DescribeConfig(ParseGood(kFull)), "1 stream, 1 task, 2 models\n  gate: rtsp://***@10.0.0.7/main: person\n");
}

TEST(EdgeConfig, CanBeBuiltInCode) {
  EdgeConfig config;
  config.models["person"].source = "yolox_nano";
  config.streams["barn"].source = "barn.mp4";
  config.streams["barn"].tasks.push_back({.model = "face"});
  const auto problems = CheckEdgeConfig(config);
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(ToError(config.source, problems).message,
            "streams.barn.tasks[0].model: 'face' is not declared in models; allowed: person");
}

TEST(ExpandEnvironment, PutsVariablesIn) {
  const struct {
    const char* text;
    const char* expected;
  } cases[] = {
      {"barn.mp4", "barn.mp4"},
      {"${GATE_PASSWORD}", "s3cret"},
      {"a${EMPTY}b${GATE_PASSWORD}c", "abs3cretc"},
      {"cost$5 $x $${x}", "cost$5 $x ${x}"},
      // What would end the user part of an address is encoded there, and only there.
      {"rtsp://u:${ODD_PASSWORD}@h/main", "rtsp://u:a%2Fb%40c%20%2F@h/main"},
      {"rtsp://u:#/?${ODD_PASSWORD}@h/main", "rtsp://u:#/?a%2Fb%40c%20%2F@h/main"},
      {"rtsp://h/main?p=${ODD_PASSWORD}", "rtsp://h/main?p=a/b@c %2F"},
      {"/data/${ODD_PASSWORD}", "/data/a/b@c %2F"},
  };
  for (const auto& c : cases) EXPECT_EQ(ExpandEnvironment(c.text, TestEnvironment).value(), c.expected) << c.text;
  for (const char* text : {"${", "${}", "${a b}", "${1A}", "a${B", "${NOT_SET}"}) {
    EXPECT_FALSE(ExpandEnvironment(text, TestEnvironment).ok()) << text;
  }
}

}  // namespace
}  // namespace deepedge
