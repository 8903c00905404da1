#include "deepedge/events/event_json.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <random>

namespace deepedge {
namespace {

using nlohmann::json;

ResultEvent PersonEvent() {
  return {.stream = "gate",
          .model = "person",
          .frame = 812,
          .pts_us = 27066666,
          .captured_us = 1795430400123456,
          .available_us = 1795430400164656,
          .task = "detection",
          .result = {.objects = {{.label = 0, .score = 0.91F, .box = {0.12F, 0.33F, 0.21F, 0.78F}}}},
          .labels = std::make_shared<std::vector<std::string>>(std::vector<std::string>{"person", "car"}),
          .variant = "int8@416x416",
          .plan = 17};
}

TEST(EventJson, WritesResultsAsTheDesignShows) {
  EXPECT_EQ(ToJsonLine(PersonEvent()),
            R"({"type":"result","stream":"gate","model":"person","frame":812,"pts_us":27066666,)"
            R"("captured_us":1795430400123456,"available_us":1795430400164656,)"
            R"("objects":[{"label":"person","score":0.91,"box":[0.12,0.33,0.21,0.78]}],)"
            R"("variant":"int8@416x416","plan":17})");
}

TEST(EventJson, WritesThePartOfTheTaskAlsoWhenEmpty) {
  const struct {
    const char* task;
    const char* part;
  } cases[] = {{"detection", "objects"}, {"classification", "classes"},
               {"pose", "keypoints"},    {"embedding", "embedding"},
               {"text", "text"},         {"regression", "values"}};
  for (const auto& c : cases) {
    ResultEvent event = PersonEvent();
    event.task = c.task;
    event.result = {};
    const json object = json::parse(ToJsonLine(event));
    EXPECT_EQ(object.size(), 10U);
    EXPECT_EQ(object.at(c.part), json::array());
  }
  ResultEvent raw = PersonEvent();
  raw.task = "raw";
  raw.result = {};
  EXPECT_EQ(json::parse(ToJsonLine(raw)).size(), 9U);
}

TEST(EventJson, WritesClassesAndKeypoints) {
  ResultEvent event = PersonEvent();
  event.task = "classification";
  event.result = {.classes = {{1, 0.75F}, {7, 0.1F}, {-1, 0}}};
  EXPECT_THAT(ToJsonLine(event),
              testing::HasSubstr(R"("classes":[{"label":"car","score":0.75},{"label":"class 7","score":0.1},)"
                                 R"({"label":"class -1","score":0}],"variant")"));
  event.task = "pose";
  event.result = {.keypoints = {{{0.5F, -0.25F}, 0.99999F}, {{1.5F, 0}, 0}}};
  EXPECT_THAT(ToJsonLine(event), testing::HasSubstr(R"("keypoints":[[0.5,-0.25,1],[1.5,0,0]],"variant")"));
  event.task = "detection";
  event.result = {.objects = {{.label = 0, .score = 1, .box = {0, 0, 1, 1}, .keypoints = {{{0.1F, 0.2F}, 0.3F}}}}};
  EXPECT_THAT(ToJsonLine(event), testing::HasSubstr(R"("box":[0,0,1,1],"keypoints":[[0.1,0.2,0.3]]}],"variant")"));
}

TEST(EventJson, WritesVectorsMasksTextAndNumbers) {
  ResultEvent event = PersonEvent();
  event.task = "embedding";
  event.result = {.embedding = {0.5F, -0.0000125F, std::numeric_limits<float>::quiet_NaN(), 1234567.0F}};
  EXPECT_THAT(ToJsonLine(event), testing::HasSubstr(R"("embedding":[0.5,-1.25e-05,0,1.23457e+06],"variant")"));
  event.task = "segmentation";
  event.result = {};
  EXPECT_THAT(ToJsonLine(event), testing::HasSubstr(R"("mask":{"width":0,"height":0,"shares":[],"runs":[]},)"));
  event.result = {
      .mask = {.width = 2, .height = 3, .runs = {{-1, 2}, {1, 4}}, .shares = {{.label = 1, .share = 0.66667F}}}};
  EXPECT_THAT(ToJsonLine(event),
              testing::HasSubstr(R"("mask":{"width":2,"height":3,"shares":[{"id":1,"label":"car","share":0.66667}],)"
                                 R"("runs":[[-1,2],[1,4]]},"variant")"));
  event.task = "text";
  event.result = {.text = {{.corners = {{{0, 0.1F}, {0.5F, 0.1F}, {0.5F, 0.2F}, {0, 0.2F}}}, .score = 0.9F}}};
  EXPECT_THAT(ToJsonLine(event),
              testing::HasSubstr(R"("text":[{"score":0.9,"corners":[[0,0.1],[0.5,0.1],[0.5,0.2],[0,0.2]]}],)"));
  event.task = "regression";
  event.result = {.values = {{"age", 31.25F, "years"}, {"x", -1, ""}}};
  EXPECT_THAT(ToJsonLine(event),
              testing::HasSubstr(R"("values":[{"name":"age","value":31.25,"unit":"years"},{"name":"x","value":-1}],)"));
  event.task = "classification";
  event.result = {.classes = {{.label = 1, .score = 0.5F, .head = "kind"}}};
  EXPECT_THAT(ToJsonLine(event), testing::HasSubstr(R"([{"label":"car","score":0.5,"head":"kind"}])"));
}

TEST(EventJson, WritesStreamEvents) {
  EXPECT_EQ(ToJsonLine(StreamUpEvent{"gate", 12, "h264", 1920, 1080}),
            R"({"type":"stream_up","stream":"gate","at_us":12,"codec":"h264","width":1920,"height":1080})");
  EXPECT_EQ(ToJsonLine(StreamDownEvent{"gate", 12, "timed out", 500000}),
            R"({"type":"stream_down","stream":"gate","at_us":12,"reason":"timed out","retry_in_us":500000})");
  EXPECT_EQ(ToJsonLine(StreamDownEvent{"gate", 12, "end of file", -1}),
            R"({"type":"stream_down","stream":"gate","at_us":12,"reason":"end of file"})");
}

TEST(EventJson, EscapesAndRepairsStrings) {
  const struct {
    std::string text;
    std::string expected;
  } cases[] = {
      {"", ""},
      {"a \"b\" \\c", R"(a \"b\" \\c)"},
      {"line\nbreak\r\ttab", R"(line\nbreak\r\ttab)"},
      {std::string("nul\0\x01\x7F", 6), "nul\\u0000\\u0001\\u007f"},
      {"T\xC3\xBCr \xF0\x9F\x9A\xAA", "T\xC3\xBCr \xF0\x9F\x9A\xAA"},
      {"a\xFFz\xC3", "a\xEF\xBF\xBDz\xEF\xBF\xBD"},
      {"\xE2\x80\xA8 \xE2\x80\xA9 \xC2\x85", R"(\u2028 \u2029 \u0085)"},
  };
  for (const auto& c : cases) {
    const std::string line = ToJsonLine(StreamDownEvent{c.text, 0, "", -1});
    EXPECT_EQ(line, R"({"type":"stream_down","stream":")" + c.expected + R"(","at_us":0,"reason":""})");
    EXPECT_TRUE(json::accept(line));
  }
}

TEST(EventJson, WritesOneLineOfJsonWhateverTheBytes) {
  std::mt19937 random(1);
  for (int i = 0; i < 2000; ++i) {
    std::string text(random() % 40, '\0');
    for (char& c : text) c = static_cast<char>(random());
    const std::string line = ToJsonLine(StreamUpEvent{text, 1, text, 2, 3});
    EXPECT_TRUE(json::accept(line)) << line;
    EXPECT_EQ(line.find_first_of("\r\n"), std::string::npos);
  }
}

TEST(EventJson, RoundsNumbersAndReplacesWhatIsNone) {
  const struct {
    float value;
    const char* score;
    const char* position;
  } cases[] = {
      {0.123456F, "0.1235", "0.12346"},
      {0.99999F, "1", "0.99999"},
      {0.05F, "0.05", "0.05"},
      {0.00004F, "0", "0.00004"},
      {-0.000001F, "0", "0"},
      {-0.0F, "0", "0"},
      {12345.5F, "12345.5", "12345.5"},
      {std::numeric_limits<float>::quiet_NaN(), "0", "0"},
      {std::numeric_limits<float>::infinity(), "0", "0"},
      {-std::numeric_limits<float>::infinity(), "0", "0"},
      {3e38F, "3e+38", "3e+38"},
  };
  for (const auto& c : cases) {
    ResultEvent event = PersonEvent();
    event.result.objects = {{.label = 0, .score = c.value, .box = {c.value, 0, 0, 0}}};
    const std::string line = ToJsonLine(event);
    EXPECT_THAT(line, testing::HasSubstr(fmt::format(R"("score":{},"box":[{},0,0,0])", c.score, c.position)));
    EXPECT_TRUE(json::accept(line));
  }
}

}  // namespace
}  // namespace deepedge
