#include "deepedge/app/run_specs.h"

#include <gtest/gtest.h>

namespace deepedge {
namespace {

TEST(NameOfSource, IsShortAndHidesPasswords) {
  const struct {
    const char* address;
    const char* expected;
  } cases[] = {
      {"barn.mp4", "barn"},
      {"/data/clips/barn.north.mp4", "barn.north"},
      {"rtsp://user:secret@10.0.0.7:554/main?token=abc", "10.0.0.7:554/main"},
      {"rtsp://user:s#e/c?r@e@10.0.0.7:554/main", "10.0.0.7:554/main"},
      {"http://cam/", "cam"},
      {"/dev/video0", "video0"},
  };
  for (const auto& c : cases) EXPECT_EQ(NameOfSource(c.address), c.expected);
}

TEST(MakeUnique, NumbersRepeatedNames) {
  EXPECT_EQ(MakeUnique({"a", "b", "a", "a-2", "a"}), (std::vector<std::string>{"a", "b", "a-2", "a-2-2", "a-3"}));
}

TEST(SpecsOfOptions, TakesEverySourceThroughEveryModel) {
  const RunSpecs specs = SpecsOfOptions({"x/a.mp4", "y/a.mp4"}, {"models/yolox.onnx", "face/1", "repo_name"});
  ASSERT_EQ(specs.models.size(), 3u);
  EXPECT_EQ(specs.models[0].name, "yolox");
  EXPECT_EQ(specs.models[1].name, "face");
  EXPECT_EQ(specs.models[2].name, "repo_name");
  ASSERT_EQ(specs.streams.size(), 2u);
  EXPECT_EQ(specs.streams[1].name, "a-2");
  EXPECT_EQ(specs.streams[1].tasks.size(), 3u);
  EXPECT_EQ(specs.streams[0].tasks[1].model, "face");
}

TEST(CheckLabels, NamesEveryLabelThatAModelLacks) {
  const std::vector<StreamSpec> streams = {
      {.name = "gate", .address = "a", .tasks = {{.model = "m", .labels = {"red", "unicorn"}}, {.model = "n"}}}};
  const LabelsByModel labels = {{"m", {"red", "blue"}}, {"n", {}}};
  const Status refused = CheckLabels(streams, labels);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message, "stream 'gate': model 'm' has no label 'unicorn'; it has: red, blue");
  EXPECT_TRUE(
      CheckLabels({{.name = "gate", .address = "a", .tasks = {{.model = "m", .labels = {"blue"}}}}}, labels).ok());
}

TEST(CheckLabels, ALabelOfAPlaceIsOneOfAnyModelOfItsStream) {
  const auto streams = [](const char* of_zone, const char* of_line) {
    return std::vector<StreamSpec>{{.name = "gate",
                                    .address = "a",
                                    .zones = {{.zone = {.name = "yard"}, .labels = {of_zone}}},
                                    .lines = {{.line = {.name = "door"}, .labels = {of_line}}},
                                    .tasks = {{.model = "m"}, {.model = "n"}}}};
  };
  const LabelsByModel labels = {{"m", {"red", "blue"}}, {"n", {"blue", "green"}}};
  EXPECT_TRUE(CheckLabels(streams("red", "green"), labels).ok());
  const Status refused = CheckLabels(streams("unicorn", "Red"), labels);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message,
            "stream 'gate': no model of this stream has a label 'unicorn'; they have: red, blue, green\n"
            "stream 'gate': no model of this stream has a label 'Red'; they have: red, blue, green");
}

TEST(CheckPlaces, NamesEveryShapeThatIsNone) {
  const auto streams = [](std::vector<Point> corners, Point to) {
    return std::vector<StreamSpec>{{.name = "gate",
                                    .address = "a",
                                    .zones = {{.zone = {.name = "yard", .corners = std::move(corners)}}},
                                    .lines = {{.line = {.name = "door", .from = {0, 0}, .to = to}}}}};
  };
  EXPECT_TRUE(CheckPlaces(streams({{0, 0}, {1, 0}, {1, 1}, {0, 1}}, {1, 1})).ok());
  const Status refused = CheckPlaces(streams({{0, 0}, {1, 1}, {1, 0}, {0, 1}}, {0, 0}));
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("stream 'gate': zone 'yard': its sides"), std::string::npos);
  EXPECT_NE(refused.error().message.find("\nstream 'gate': line 'door'"), std::string::npos);
}

TEST(SpecsOfOptions, TakesNamesThatNoFileCanHave) {
  const std::string name(5000, 'x');
  EXPECT_EQ(SpecsOfOptions({"a.mp4"}, {name}).models[0].name, name);
}

}  // namespace
}  // namespace deepedge
