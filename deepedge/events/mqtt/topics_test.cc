#include "deepedge/events/mqtt/topics.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "deepedge/events/event.h"
#include "deepedge/events/event_json.h"

namespace deepedge {
namespace {

using Json = nlohmann::json;

// As the outbox holds it.
StoredEvent Stored(const Event& event) {
  StoredEvent stored;
  stored.id = IdOf(event);
  stored.type = TypeOf(event);
  stored.stream = StreamOf(event);
  stored.json = ToJsonLine(event);
  if (const auto picture = PictureOf(event)) stored.picture.assign(picture->begin(), picture->end());
  return stored;
}

// Without the two topics that every event has.
std::vector<MqttMessage> Special(TopicMapper& mapper, const Event& event) {
  auto messages = mapper.Messages(Stored(event));
  messages.erase(messages.begin(), messages.begin() + 2);
  return messages;
}

TEST(TopicLevel, EscapesWhatHasAMeaningInTopics) {
  struct Case {
    std::string name;
    std::string expected;
  };
  const Case cases[] = {
      {"gate", "gate"},
      {"traffic light", "traffic light"},
      {"K\xC3\xBC"
       "che",
       "K\xC3\xBC"
       "che"},
      {"a/b", "a%2Fb"},
      {"+", "%2B"},
      {"#", "%23"},
      {"100%", "100%25"},
      {"", "%"},
      {std::string("a\0b", 3), "a%00b"},
      {"tab\t", "tab%09"},
      {"\x7F", "%7F"},
      {"\xC2\x85", "%C2%85"},
      {"\xFFx", "%FFx"},
      {"\xC3", "%C3"},
      {"$SYS", "$SYS"},
      {std::string(300, 'x'), std::string(200, 'x')},
  };
  for (const Case& c : cases) EXPECT_EQ(TopicLevel(c.name), c.expected);
}

TEST(LabelLevel, StaysClearOfTypes) {
  EXPECT_EQ(LabelLevel("person"), "person");
  EXPECT_EQ(LabelLevel("result"), "result_");
  EXPECT_EQ(LabelLevel("status"), "status_");
  EXPECT_EQ(LabelLevel("a/b"), "a%2Fb");
}

TEST(TopicMapper, PublishesEveryEventTwice) {
  TopicMapper mapper("edge/1");
  const StoredEvent event = Stored(ResultEvent{.stream = "ga/te", .model = "m", .id = "run-1"});
  const std::vector<MqttMessage> expected{{"edge/1/events", event.json, false},
                                          {"edge/1/ga%2Fte/result", event.json, false}};
  EXPECT_EQ(mapper.Messages(event), expected);
}

TEST(TopicMapper, PublishesWhatIsNoJsonAllTheSame) {
  TopicMapper mapper("p");
  EXPECT_EQ(mapper.Messages({.type = "counts", .stream = "s", .json = "{broken"}).size(), 2U);
  EXPECT_EQ(mapper.Messages({.type = "track_ended", .stream = "s", .json = "{\"box\":\"?\",\"track\":\"x\"}"}).size(),
            3U);
  EXPECT_EQ(mapper.Messages({.type = "counts", .stream = "s", .json = "{\"counts\":{\"a\":\"many\"}}"}).size(), 3U);
}

TEST(TopicMapper, KeepsTheStateOfStreams) {
  TopicMapper mapper("p");
  const std::vector<MqttMessage> up{{"p/gate/status", "online", true}};
  const std::vector<MqttMessage> down{{"p/gate/status", "offline", true}};
  EXPECT_EQ(Special(mapper, StreamUpEvent{.stream = "gate"}), up);
  EXPECT_EQ(Special(mapper, StreamDownEvent{.stream = "gate"}), down);
}

TEST(TopicMapper, CountsByStreamAndByZone) {
  struct Case {
    const char* what;
    CountEvent event;
    std::vector<MqttMessage> expected;
  };
  const Case cases[] = {
      {"a stream",
       {.stream = "gate", .model = "m", .counts = {{"car", 1}, {"person", 2}}},
       {{"p/gate/car", "1", true}, {"p/gate/person", "2", true}}},
      {"what is not named any more is at zero",
       {.stream = "gate", .model = "m", .counts = {{"person", 1}}},
       {{"p/gate/car", "0", true}, {"p/gate/person", "1", true}}},
      {"another model sees more of the same",
       {.stream = "gate", .model = "n", .counts = {{"person", 4}}},
       {{"p/gate/person", "4", true}}},
      {"the larger number holds",
       {.stream = "gate", .model = "m", .counts = {{"person", 2}}},
       {{"p/gate/car", "0", true}, {"p/gate/person", "4", true}}},
      {"a zone",
       {.stream = "gate", .model = "m", .zone = "door", .counts = {{"person", 2}}},
       {{"p/door/person", "2", true}}},
      {"the same zone of another stream is added",
       {.stream = "yard", .model = "m", .zone = "door", .counts = {{"person", 3}}},
       {{"p/door/person", "5", true}}},
      {"none", {.stream = "yard", .model = "m", .zone = "door", .counts = {}}, {{"p/door/person", "2", true}}},
      {"a stream called like the zone is something else",
       {.stream = "door", .model = "m", .counts = {{"person", 9}}},
       {{"p/door/person", "9", true}}},
  };
  TopicMapper mapper("p");
  for (const Case& c : cases) EXPECT_EQ(Special(mapper, c.event), c.expected) << c.what;
}

TEST(TopicMapper, PublishesPictures) {
  TopicMapper mapper("p");
  const auto picture = std::make_shared<std::vector<uint8_t>>(std::vector<uint8_t>{0xFF, 0xD8, 0});
  const auto messages = Special(mapper, SceneEvent{.stream = "gate", .label = "person", .picture = picture});
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0], (MqttMessage{"p/gate/person/snapshot", std::string("\xFF\xD8\0", 3), true}));
}

TEST(TopicMapper, TellsTracksAsFrigateDoes) {
  TopicMapper mapper("p");
  mapper.Messages(Stored(StreamUpEvent{.stream = "gate", .width = 1000, .height = 500}));
  const auto started = Special(mapper, TrackEvent{.stream = "gate",
                                                  .model = "yolo",
                                                  .moment = {.captured_us = 12'500'000},
                                                  .track = 7,
                                                  .label = "person",
                                                  .score = 0.5F,
                                                  .box = {0.1F, 0.2F, 0.5F, 1},
                                                  .id = "run-1"});
  ASSERT_EQ(started.size(), 1U);
  EXPECT_EQ(started[0].topic, "p/tracks");
  EXPECT_FALSE(started[0].retain);
  const Json begun = Json::parse(started[0].payload);
  EXPECT_EQ(begun["type"], "new");
  const Json expected = Json::parse(R"({"id":"run-gate-yolo-7","camera":"gate","label":"person","score":0.5,
    "top_score":0.5,"false_positive":false,"frame_time":12.5,"start_time":12.5,"end_time":null,"current_zones":[],
    "entered_zones":[],"has_snapshot":false,"has_clip":false,"box":[100,100,500,500]})");
  EXPECT_EQ(begun["after"], expected);
  EXPECT_EQ(begun["before"], expected);

  const SceneEvent zone{.stream = "gate", .model = "yolo", .place = "yard", .track = 7, .id = "run-2"};
  mapper.Messages(Stored(zone));
  SceneEvent left = zone;
  left.kind = SceneEventKind::kZoneLeft;
  mapper.Messages(Stored(left));
  SceneEvent door = zone;
  door.place = "door";
  mapper.Messages(Stored(door));

  const TrackEvent end{.ended = true,
                       .stream = "gate",
                       .model = "yolo",
                       .moment = {.captured_us = 20'000'000},
                       .track = 7,
                       .label = "person",
                       .score = 0.75F,
                       .box = {0, 0, 1, 1},
                       .age_s = 7.5,
                       .id = "run-5"};
  const Json over = Json::parse(Special(mapper, end).at(0).payload);
  EXPECT_EQ(over["type"], "end");
  EXPECT_EQ(over["before"], expected);
  EXPECT_EQ(over["after"]["id"], "run-gate-yolo-7") << "the same as at the start";
  EXPECT_EQ(over["after"]["start_time"], 12.5);
  EXPECT_EQ(over["after"]["end_time"], 20.0);
  EXPECT_EQ(over["after"]["top_score"], 0.75);
  EXPECT_EQ(over["after"]["current_zones"], Json::array({"door"}));
  EXPECT_EQ(over["after"]["entered_zones"], Json::array({"yard", "door"}));
}

TEST(TopicMapper, TellsTheEndOfATrackItHasNotSeenStart) {
  TopicMapper mapper("p");
  const TrackEvent end{.ended = true,
                       .stream = "gate",
                       .moment = {.captured_us = 20'000'000},
                       .track = 7,
                       .box = {0, 0, 0.5F, 1},
                       .age_s = 8,
                       .id = "run-5"};
  const Json over = Json::parse(Special(mapper, end).at(0).payload);
  EXPECT_EQ(over["after"]["start_time"], 12.0);
  EXPECT_EQ(over["after"]["box"], Json::array({0, 0, 0.5, 1})) << "fractions: the size of the stream is not known";
  EXPECT_EQ(over["before"], over["after"]);
}

TEST(TopicMapper, RemembersABoundedNumberOfTracks) {
  TopicMapper mapper("p");
  for (int i = 0; i < 20'000; ++i) {
    EXPECT_EQ(Special(mapper, TrackEvent{.stream = "s", .track = i, .id = "run-1"}).size(), 1U);
  }
}

TEST(TopicMapper, SurvivesWhateverAFileOfEventsHolds) {
  const char* const texts[] = {
      R"({"type":"track_started","stream":"gate","box":{"a":1,"b":2,"c":3,"d":4},"track":1e300})",
      R"({"type":"track_started","stream":"gate","box":[1,2,"x",4]})",
      R"({"type":"track_started","stream":"gate","box":[1e300,-1e300,1,1],"captured_us":-1e308})",
      R"({"type":"counts","stream":"gate","counts":{"person":1e300,"car":-5,"bus":"x"}})",
      R"({"type":"stream_up","stream":"gate","width":1e300,"height":-1e300})",
      R"([[[[]]]])",
      "no json",
  };
  TopicMapper mapper("deepedge");
  for (const char* const type : {"stream_up", "track_started", "track_ended", "counts", "zone_entered", "result"}) {
    for (const char* const text : texts) {
      StoredEvent event{.id = "run-1", .type = type, .stream = "gate", .json = text};
      EXPECT_GE(mapper.Messages(event).size(), 2U) << text;
    }
  }
}

}  // namespace
}  // namespace deepedge
