#include "deepedge/app/event_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

#include "deepedge/events/event_json.h"

namespace deepedge {
namespace {

using testing::HasSubstr;
using Json = nlohmann::json;

std::string WordsOf(const Event& event) { return EventWords(Json::parse(ToJsonLine(event))); }

const auto kLabels = std::make_shared<const std::vector<std::string>>(std::vector<std::string>{"person", "car"});

TEST(EventWords, SaysWhatHappenedToAnObject) {
  const SceneEvent scene{.stream = "gate",
                         .place = "yard",
                         .track = 7,
                         .label = "person",
                         .score = 0.914F,
                         .direction = "in",
                         .dwell_s = 12.34};
  const auto with = [&](SceneEventKind kind) {
    SceneEvent event = scene;
    event.kind = kind;
    return WordsOf(event);
  };
  EXPECT_EQ(with(SceneEventKind::kZoneEntered), "person 7 entered yard (0.91)");
  EXPECT_EQ(with(SceneEventKind::kZoneLeft), "person 7 left yard after 12.3 s (0.91)");
  EXPECT_EQ(with(SceneEventKind::kDwell), "person 7 has been in yard for 12.3 s (0.91)");
  EXPECT_EQ(with(SceneEventKind::kLineCrossed), "person 7 crossed yard, in (0.91)");
  const TrackEvent track{.stream = "gate", .track = 7, .label = "car", .score = 0.5F, .age_s = 300};
  EXPECT_EQ(WordsOf(track), "car 7 appeared (0.50)");
  TrackEvent ended = track;
  ended.ended = true;
  EXPECT_EQ(WordsOf(ended), "car 7 is gone after 5 min (0.50)");
  ended.age_s = 3 * 3600;
  EXPECT_EQ(WordsOf(ended), "car 7 is gone after 3 h (0.50)");
}

TEST(EventWords, SaysHowStreamsAndCountsChanged) {
  EXPECT_EQ(WordsOf(StreamUpEvent{.stream = "gate", .codec = "h264", .width = 1920, .height = 1080}),
            "gate is up: h264, 1920x1080");
  EXPECT_EQ(WordsOf(StreamDownEvent{.stream = "gate", .reason = "timeout", .retry_in_us = 4'000'000}),
            "gate is down: timeout, next attempt in 4 s");
  EXPECT_EQ(WordsOf(StreamDownEvent{.stream = "barn", .reason = "end of file"}), "barn is down: end of file");
  EXPECT_EQ(WordsOf(CountEvent{.zone = "yard", .counts = {{"car", 1}, {"dog", 0}, {"person", 2}}}),
            "1 car, 2 person in yard");
  EXPECT_EQ(WordsOf(CountEvent{.counts = {{"car", 0}}}), "nothing in the picture");
}

TEST(EventWords, SaysWhatAModelSaw) {
  ResultEvent event{.stream = "gate", .model = "yolox", .task = "detection", .labels = kLabels};
  EXPECT_EQ(WordsOf(event), "yolox: nothing");
  event.result.objects = {{.label = 0, .score = 0.91F}, {.label = 1, .score = 0.8F}};
  EXPECT_EQ(WordsOf(event), "yolox: person 0.91, car 0.80");
  event.notes = {{.track = 7, .answers = {{"age", "adult", 0.7F, 0}, {"face", "anna", 0.66F, 0}}}, {}};
  EXPECT_EQ(WordsOf(event), "yolox: person 7 0.91 > age: adult 0.70 > face: anna 0.66, car 0.80");
  event.notes.clear();
  event.result.objects.assign(20, {.label = 0, .score = 0.5F});
  EXPECT_THAT(WordsOf(event), HasSubstr("person 0.50, 12 more"));

  const auto person = std::make_shared<const ParentObject>(
      ParentObject{.model = "yolox", .label = "person", .score = 0.88F, .track = 7});
  const auto face = std::make_shared<const ParentObject>(
      ParentObject{.model = "faces", .label = "face", .score = 0.97F, .parent = person});
  ResultEvent child{.stream = "gate", .model = "recogniser", .task = "embedding", .parent = face};
  child.result.embedding = {1, 2, 3};
  EXPECT_EQ(WordsOf(child), "person 7 0.88 > face 0.97 > recogniser: embedding of 3 numbers");
  child.identity = "anna";
  child.similarity = 0.71F;
  EXPECT_EQ(WordsOf(child), "person 7 0.88 > face 0.97 > recogniser: anna 0.71");

  ResultEvent values{.model = "age", .task = "regression"};
  values.result.values = {{.name = "age", .value = 31.4F, .unit = "years"}};
  EXPECT_EQ(WordsOf(values), "age: age 31.4 years");
}

TEST(EventWords, MakesTextOfWhateverItIsGiven) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({})", "{}"},
      {R"({"type":"state","x":1})", R"({"type":"state","x":1})"},
      {R"({"type":7})", R"({"type":7})"},
      {R"({"type":"dwell"})", "object has been in  for 0 s (0.00)"},
      {R"({"type":"dwell","label":7,"track":"x","score":[]})", "object has been in  for 0 s (0.00)"},
      {R"({"type":"track_started","track":1e300,"label":"a"})", "a 1000000000000000 appeared (0.00)"},
      {R"({"type":"counts","counts":[1,"a"]})", "1 0 in the picture"},
      {R"({"type":"result","objects":{"a":1},"classes":[1,null,[]],"parent":[1]})",
       "object 0.00 > : object 0.00, object 0.00, object 0.00"},
  };
  for (const auto& [json, words] : cases) EXPECT_EQ(EventWords(Json::parse(json)), words) << json;
}

class InUtc : public testing::Test {
 protected:
  void SetUp() override { SetZone("UTC"); }
  void TearDown() override {
    unsetenv("TZ");
    tzset();
  }
  static void SetZone(const char* zone) {
    setenv("TZ", zone, 1);
    tzset();
  }
};

TEST_F(InUtc, EventLineHasTimeStreamAndWords) {
  StoredEvent event{.stream = "gate",
                    .at_us = 1'796'198'400'250'000,
                    .json = ToJsonLine(StreamUpEvent{.stream = "gate", .codec = "h264"})};
  EXPECT_EQ(EventLine(event), "2026-12-02 08:00:00.250  gate        gate is up: h264, 0x0");
  event.json = R"({"type":"stream_down","stream":"gate","reason":"\u001b[2Ja\nb\u0085c)"
               "\xC3\xA4\xE2\x82\xAC"
               R"("})";
  EXPECT_EQ(EventLine(event), "2026-12-02 08:00:00.250  gate        gate is down: ?[2Ja?b?c\xC3\xA4\xE2\x82\xAC");
  event.json = "no JSON\x1B";
  EXPECT_EQ(EventLine(event), "2026-12-02 08:00:00.250  gate        no JSON?");
  event.at_us = -1;
  EXPECT_THAT(EventLine(event), HasSubstr("1969-12-31 23:59:59.999"));
}

TEST_F(InUtc, ParseMomentTakesEveryForm) {
  constexpr int64_t kSecond = 1'000'000;
  constexpr int64_t kNow = 1'796'198'400 * kSecond;  // 2026-12-02T08:00:00Z
  const std::pair<const char*, int64_t> cases[] = {
      {"0", 0},
      {"1796198400", kNow},
      {"10m", kNow - 600 * kSecond},
      {"1.5s", kNow - 1'500'000},
      {"2h", kNow - 7200 * kSecond},
      {"3d", kNow - 3 * 86400 * kSecond},
      {"2026-12-02T08:00:00", kNow},
      {"2026-12-02 08:00:00", kNow},
      {"2026-12-02T08:00:00Z", kNow},
      {"2026-12-02T08:00", kNow},
      {"2026-12-02", kNow - 8 * 3600 * kSecond},
      {"2024-02-29", 1'709'164'800 * kSecond},
  };
  for (const auto& [text, expected] : cases) {
    const auto moment = ParseMoment(text, kNow);
    ASSERT_TRUE(moment.ok()) << text;
    EXPECT_EQ(moment.value(), expected) << text;
  }
  SetZone("XXX-2");  // two hours ahead
  EXPECT_EQ(ParseMoment("2026-12-02T10:00:00", kNow).value(), kNow);
  EXPECT_EQ(ParseMoment("2026-12-02T08:00:00Z", kNow).value(), kNow);
}

TEST_F(InUtc, ParseMomentRefusesTheRest) {
  for (const char* text : {"", "yesterday", "-5", "10x", "10m ago", "2026-13-01", "2026-02-30", "2025-02-29",
                           "2026-00-10", "2026-11-00", "2026-11-25T24:00", "2026-11-25T10:60", "2026-11-25T10",
                           "2026-11-25T10:00:00+01", "2026/11/25", "26-11-25", "99999999999999999999", "d", "-1d"}) {
    const auto moment = ParseMoment(text, 0);
    ASSERT_FALSE(moment.ok()) << text;
    EXPECT_EQ(moment.error().code, ErrorCode::kBadInput);
    EXPECT_THAT(moment.error().message, HasSubstr("is no time; allowed: "));
  }
}

TEST(HasLabel, LooksWhereverALabelStands) {
  const char* with[] = {
      R"({"label":"anna"})",
      R"({"identity":"anna"})",
      R"({"objects":[{"label":"x"},{"label":"anna"}]})",
      R"({"objects":[{"label":"x","answers":[{"label":"anna"}]}]})",
      R"({"classes":[{"label":"anna"}]})",
      R"({"counts":{"anna":2}})",
      R"({"parent":{"label":"x","parent":{"label":"anna"}}})",
  };
  const char* without[] = {R"({})",
                           R"({"label":"ann"})",
                           R"({"counts":{"anna":0}})",
                           R"({"stream":"anna"})",
                           R"([1])",
                           R"({"objects":[1,null,"anna"]})"};
  for (const char* json : with) EXPECT_TRUE(HasLabel(Json::parse(json), "anna")) << json;
  for (const char* json : without) EXPECT_FALSE(HasLabel(Json::parse(json), "anna")) << json;
}

}  // namespace
}  // namespace deepedge
