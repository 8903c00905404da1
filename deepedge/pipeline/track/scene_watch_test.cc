#include "deepedge/pipeline/track/scene_watch.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "deepedge/pipeline/track/scene_for_test.h"

namespace deepedge {
namespace {

// Feet at (x, y); 0.04 x 0.16, so that the margin is 0.02.
SceneObject Standing(double x, double y, int64_t track = 1, int label = 0) {
  const auto at_x = static_cast<float>(x);
  const auto at_y = static_cast<float>(y);
  return {.track = track, .label = label, .score = 0.8F, .box = {at_x - 0.02F, at_y - 0.16F, at_x + 0.02F, at_y}};
}

SceneRules Rules(double dwell_s = 0) {
  return {.zones = {{.name = "yard",
                     .corners = {{0.4F, 0.4F}, {0.8F, 0.4F}, {0.8F, 0.8F}, {0.4F, 0.8F}},
                     .dwell_s = dwell_s,
                     .labels = {}}},
          .lines = {{.name = "gate", .from = {0.2F, 0.9F}, .to = {0.2F, 0.3F}, .labels = {}}}};
}

std::unique_ptr<SceneWatch> Watch(SceneRules rules) {
  auto watch = SceneWatch::Create(std::move(rules));
  EXPECT_TRUE(watch.ok());
  return std::move(watch).value();
}

std::string Text(const SceneReport& report) {
  std::string text;
  for (const SceneChange& e : report.events) {
    switch (e.kind) {
      case SceneChangeKind::kZoneEntered: text += fmt::format("{} enters {};", e.track, e.place); break;
      case SceneChangeKind::kZoneLeft:
        text += fmt::format("{} leaves {} after {:.1f};", e.track, e.place, e.seconds);
        break;
      case SceneChangeKind::kDwell: text += fmt::format("{} dwells {} for {:.1f};", e.track, e.place, e.seconds); break;
      case SceneChangeKind::kLineCrossed:
        text += fmt::format("{} crosses {} {};", e.track, e.place, e.direction == CrossDirection::kIn ? "in" : "out");
        break;
    }
  }
  return text;
}

std::string Counts(const SceneReport& report) {
  std::string text;
  for (const SceneCounts& counts : report.counts) {
    text += counts.zone == kWholePicture ? "all" : fmt::format("zone{}", counts.zone);
    for (const LabelCount& label : counts.labels) text += fmt::format(" {}={}", label.label, label.count);
    text += ";";
  }
  return text;
}

SceneReport See(SceneWatch& watch, double time_s, const std::vector<SceneObject>& objects,
                const std::vector<int64_t>& ended = {}) {
  return watch.Update({.time_s = time_s, .objects = objects, .ended = ended});
}

TEST(SceneWatch, FollowsOneTrackThroughAZone) {
  struct Step {
    double time_s;
    double x;
    const char* expected;
  };
  for (const auto& steps : {
           // 10 a second: leaves when it has been beyond the margin for half a second.
           std::vector<Step>{{0, 0.30, ""},
                             {0.1, 0.39, ""},
                             {0.2, 0.41, "1 enters 0;"},
                             {0.3, 0.5, ""},
                             {2.3, 0.79, ""},
                             {2.4, 0.81, ""},
                             {2.5, 0.85, ""},
                             {2.8, 0.86, ""},
                             {2.9, 0.87, "1 leaves 0 after 2.2;"},
                             {3.0, 0.87, ""}},
           // Every 2 s: at once.
           std::vector<Step>{{0, 0.30, ""}, {2, 0.5, "1 enters 0;"}, {4, 0.9, "1 leaves 0 after 0.0;"}},
           // Comes back before the time is over.
           std::vector<Step>{{0, 0.5, "1 enters 0;"},
                             {0.1, 0.9, ""},
                             {0.45, 0.9, ""},
                             {0.55, 0.7, ""},
                             {0.9, 0.9, ""},
                             {1.0, 0.9, ""},
                             {1.1, 0.9, "1 leaves 0 after 0.6;"},
                             {1.2, 0.5, "1 enters 0;"}},
       }) {
    const auto watch = Watch(Rules());
    for (const Step& step : steps) {
      EXPECT_EQ(Text(See(*watch, step.time_s, {Standing(step.x, 0.6)})), step.expected) << step.time_s;
    }
  }
}

TEST(SceneWatch, ATrackThatEndsInsideLeaves) {
  const auto watch = Watch(Rules());
  EXPECT_EQ(Text(See(*watch, 0, {Standing(0.5, 0.6), Standing(0.6, 0.6, 2)})), "1 enters 0;2 enters 0;");
  See(*watch, 3, {Standing(0.5, 0.6), Standing(0.6, 0.6, 2)});
  EXPECT_EQ(Text(See(*watch, 4, {Standing(0.5, 0.6)})), "");  // one that is only hidden does not
  EXPECT_EQ(Text(See(*watch, 5, {Standing(0.5, 0.6)}, {2, 77})), "2 leaves 0 after 3.0;");
  EXPECT_EQ(Text(See(*watch, 6, {Standing(0.5, 0.6)}, {2})), "");
  EXPECT_EQ(Text(See(*watch, 7, {Standing(0.5, 0.6, 2)})), "2 enters 0;");               // revived
  EXPECT_EQ(Text(See(*watch, 66.5, {Standing(0.5, 0.6, 2)})), "1 leaves 0 after 6.0;");  // 60 s unseen
}

TEST(SceneWatch, SaysOnceThatATrackDwells) {
  const auto watch = Watch(Rules(3));
  std::string text;
  for (int i = 0; i <= 100; ++i) text += Text(See(*watch, i * 0.1, {Standing(i < 80 ? 0.5 : 0.9, 0.6)}));
  EXPECT_EQ(text, "1 enters 0;1 dwells 0 for 3.0;1 leaves 0 after 7.9;");
  // A second stay counts from its own beginning.
  EXPECT_EQ(Text(See(*watch, 20, {Standing(0.5, 0.6)})), "1 enters 0;");
  EXPECT_EQ(Text(See(*watch, 22, {Standing(0.5, 0.6)})), "");
  EXPECT_EQ(Text(See(*watch, 23.5, {Standing(0.5, 0.6)})), "1 dwells 0 for 3.5;");
  // Not while nobody sees it.
  See(*watch, 30, {Standing(0.5, 0.6, 2)});
  EXPECT_EQ(Text(See(*watch, 35, {})), "");
}

// The line goes up the picture at x = 0.2, from y = 0.9 to 0.3: rightwards is in.
TEST(SceneWatch, LinesHaveADirection) {
  struct Case {
    const char* name;
    std::vector<Point> path;
    const char* expected;
  };
  for (const Case& c :
       {Case{"rightwards", {{0.1F, 0.6F}, {0.3F, 0.6F}}, "1 crosses 0 in;"},
        {"leftwards", {{0.3F, 0.6F}, {0.1F, 0.6F}}, "1 crosses 0 out;"},
        {"slowly", {{0.1F, 0.6F}, {0.19F, 0.6F}, {0.2F, 0.6F}, {0.21F, 0.6F}, {0.3F, 0.6F}}, "1 crosses 0 in;"},
        {"turns round on it", {{0.1F, 0.6F}, {0.21F, 0.6F}, {0.1F, 0.6F}}, ""},
        {"there and back", {{0.1F, 0.6F}, {0.3F, 0.6F}, {0.1F, 0.6F}}, "1 crosses 0 in;1 crosses 0 out;"},
        {"past its upper end", {{0.1F, 0.2F}, {0.3F, 0.2F}}, ""},
        {"round its end", {{0.1F, 0.6F}, {0.1F, 0.25F}, {0.3F, 0.25F}, {0.3F, 0.6F}}, ""},
        {"along it", {{0.25F, 0.3F}, {0.25F, 0.6F}, {0.25F, 0.9F}}, ""},
        {"starts on it", {{0.2F, 0.6F}, {0.3F, 0.6F}}, ""}}) {
    const auto watch = Watch(Rules());
    std::string text;
    double time = 0;
    for (const Point& point : c.path) text += Text(See(*watch, time += 0.2, {Standing(point.x, point.y)}));
    EXPECT_EQ(text, c.expected) << c.name;
  }
}

// What stands on a border and jitters like the boxes of a detector, at any rate.
TEST(SceneWatch, JitterOnABorderSaysNothingTwice) {
  for (const double rate : {1.0, 5.0, 30.0}) {
    const auto watch = Watch(Rules());
    std::mt19937 random(7);
    const Walker at_zone{.x = 0.4, .y = 0.5, .width = 0.04, .height = 0.16};
    const Walker at_line{.x = 0.2, .y = 0.5, .width = 0.04, .height = 0.16};
    std::string text;
    for (double time = 0; time < 120; time += 1 / rate) {
      // Sigma of 0.04 sizes for centre and sides: the feet's is 0.045 sizes, the margin 0.25.
      const SeenFrame frame = deepedge::See({at_zone, at_line}, {.jitter = 0.04}, time, random);
      std::vector<SceneObject> objects;
      for (size_t i = 0; i < frame.objects.size(); ++i) {
        objects.push_back({.track = frame.walkers[i] + 1, .score = 0.8F, .box = frame.objects[i].box});
      }
      text += Text(See(*watch, time, objects));
    }
    EXPECT_EQ(text, "1 enters 0;") << rate;
  }
}

TEST(SceneWatch, LooksOnlyAtTheLabelsItIsToldTo) {
  SceneRules rules = Rules();
  rules.zones[0].labels = {2, 3};
  rules.lines[0].labels = {3};
  const auto watch = Watch(rules);
  std::string text;
  for (const double x : {0.1, 0.3, 0.5}) {
    text += Text(See(*watch, x, {Standing(x, 0.6, 1, 1), Standing(x, 0.6, 2, 2), Standing(x, 0.6, 3, 3)}));
  }
  EXPECT_EQ(text, "3 crosses 0 in;2 enters 0;3 enters 0;");
}

TEST(SceneWatch, CountsByLabelWheneverTheyChange) {
  const auto watch = Watch(Rules());
  EXPECT_EQ(Counts(See(*watch, 0, {})), "");
  EXPECT_EQ(Counts(See(*watch, 1, {Standing(0.1, 0.6)})), "all 0=1;");
  EXPECT_EQ(Counts(See(*watch, 2, {Standing(0.1, 0.6)})), "");
  EXPECT_EQ(Counts(See(*watch, 3, {Standing(0.5, 0.6), Standing(0.6, 0.6, 2, 5)})), "all 0=1 5=1;zone0 0=1 5=1;");
  EXPECT_EQ(Counts(See(*watch, 4, {Standing(0.5, 0.6), Standing(0.6, 0.6, 2, 0)})), "all 0=2 5=0;zone0 0=2 5=0;");
  EXPECT_EQ(Counts(See(*watch, 5, {Standing(0.5, 0.6)})), "");  // the other is hidden, not gone
  EXPECT_EQ(Counts(See(*watch, 6, {}, {1})), "all 0=1;zone0 0=1;");
  EXPECT_EQ(Counts(See(*watch, 7, {}, {2})), "all 0=0;zone0 0=0;");
  EXPECT_EQ(Counts(See(*watch, 8, {})), "");
  EXPECT_EQ(Counts(See(*watch, 9, {Standing(0.1, 0.6, 4, 2), Standing(0.5, 0.6, 4, 7)})), "all 2=1;");  // a twin
}

TEST(SceneWatch, RefusesBadRules) {
  SceneRules rules = Rules();
  rules.zones[0].corners.resize(2);
  EXPECT_FALSE(SceneWatch::Create(rules).ok());
}

TEST(SceneWatch, SurvivesAnything) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  const auto watch = Watch(Rules(1));
  EXPECT_EQ(Text(See(*watch, 10, {Standing(0.5, 0.6)})), "1 enters 0;");
  SceneObject bad = Standing(0.5, 0.6, 2);
  bad.box.x1 = kNan;
  EXPECT_EQ(Text(See(*watch, std::nan(""), {bad, Standing(0.5, 0.6, 0)})), "");
  EXPECT_EQ(Text(See(*watch, 9.8, {Standing(0.5, 0.6)})), "");
  EXPECT_EQ(Text(See(*watch, 2, {Standing(0.5, 0.6)})), "1 leaves 0 after 0.0;1 enters 0;");  // another recording
  for (int frame = 0; frame < 3; ++frame) {
    std::vector<SceneObject> objects;
    for (int64_t i = 0; i < 3000; ++i) objects.push_back(Standing(0.5, 0.6, 10 + i + frame * 3000));
    const SceneReport report = See(*watch, 3 + frame, objects);
    EXPECT_EQ(report.events.size(), frame == 0 ? 999U : 0U);
  }
  EXPECT_EQ(watch->passed_over(), 3 * 3000 - 999);
}

// Tracker and watch together: people who walk through the zone from left to right.
TEST(SceneWatch, CountsPeopleWhoWalkThroughAtAnyRate) {
  for (const double rate : {2.0, 5.0, 15.0}) {
    std::vector<Walker> walkers;
    for (int i = 0; i < 10; ++i) {
      // In at x = 0, the line at 0.2, the zone from 0.4 to 0.8; the feet at y + 0.1.
      walkers.push_back(
          {.from_s = i * 4.0, .to_s = i * 4.0 + 10, .x = 0.05, .y = i % 2 == 0 ? 0.4 : 0.65, .speed_x = 0.09});
    }
    Tracker tracker;
    const auto watch = Watch(Rules());
    std::mt19937 random(5);
    int entered = 0;
    int left = 0;
    int in = 0;
    int out = 0;
    for (double time = 0; time < 55; time += 1 / rate) {
      const SeenFrame frame = deepedge::See(walkers, {.jitter = 0.03, .missed = 0.05, .weak = 0.05}, time, random);
      const TrackerOutput tracked = tracker.Update({.time_s = time, .objects = frame.objects, .threshold = 0.4F});
      std::vector<SceneObject> objects;
      for (size_t i = 0; i < frame.objects.size(); ++i) {
        objects.push_back({.track = tracked.tracks[i], .score = frame.objects[i].score, .box = frame.objects[i].box});
      }
      std::vector<int64_t> ended;
      for (const Track& track : tracked.ended) ended.push_back(track.id);
      for (const SceneChange& event : See(*watch, time, objects, ended).events) {
        entered += event.kind == SceneChangeKind::kZoneEntered ? 1 : 0;
        left += event.kind == SceneChangeKind::kZoneLeft ? 1 : 0;
        in += event.kind == SceneChangeKind::kLineCrossed && event.direction == CrossDirection::kIn ? 1 : 0;
        out += event.kind == SceneChangeKind::kLineCrossed && event.direction == CrossDirection::kOut ? 1 : 0;
        if (event.kind != SceneChangeKind::kZoneLeft) continue;
        EXPECT_NEAR(event.seconds, 0.4 / 0.09, 1.2) << rate;
      }
    }
    EXPECT_EQ(entered, 10) << rate;
    EXPECT_EQ(left, 10) << rate;
    EXPECT_EQ(in, 10) << rate;
    EXPECT_EQ(out, 0) << rate;
  }
}

}  // namespace
}  // namespace deepedge
