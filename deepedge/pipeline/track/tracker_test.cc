#include "deepedge/pipeline/track/tracker.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

namespace deepedge {
namespace {

using Objects = std::vector<DetectedObject>;

DetectedObject Seen(float x, float score = 0.8F, int label = 0) {
  return {.label = label, .score = score, .box = {x, 0.4F, x + 0.1F, 0.6F}, .keypoints = {}};
}

TrackerOutput At(Tracker& tracker, double time_s, const Objects& objects) {
  return tracker.Update({.time_s = time_s, .objects = objects, .threshold = 0.4F});
}

TEST(Tracker, StartsATrackWithTheFirstStrongBox) {
  Tracker tracker;
  const TrackerOutput out = At(tracker, 3, {Seen(0.1F), Seen(0.5F, 0.4F), Seen(0.7F, 0.3F)});
  EXPECT_EQ(out.tracks, (std::vector<int64_t>{1, 2, 0}));  // the weak one gets none
  ASSERT_EQ(out.started.size(), 2U);
  EXPECT_EQ(out.started[0].first_s, 3);
  EXPECT_EQ(out.started[0].hits, 1);
  EXPECT_FALSE(out.started[0].Confirmed());
  EXPECT_TRUE(out.ended.empty());
  At(tracker, 3.1, {Seen(0.1F)});
  EXPECT_TRUE(tracker.Find(1)->Confirmed());
  EXPECT_NEAR(tracker.Find(1)->Age(), 0.1, 1e-9);
  EXPECT_EQ(tracker.Find(7), nullptr);
}

TEST(Tracker, KeepsNumbersWhateverTheOrderOfTheBoxes) {
  Tracker tracker;
  At(tracker, 0, {Seen(0.1F), Seen(0.5F)});
  EXPECT_EQ(At(tracker, 0.2, {Seen(0.51F), Seen(0.11F)}).tracks, (std::vector<int64_t>{2, 1}));
}

TEST(Tracker, WeakBoxesKeepATrack) {
  Tracker tracker;
  At(tracker, 0, {Seen(0.1F)});
  for (int i = 1; i < 100; ++i) {
    EXPECT_EQ(At(tracker, i * 0.1, {Seen(0.1F + 0.002F * static_cast<float>(i), 0.15F)}).tracks.front(), 1);
  }
  EXPECT_EQ(At(tracker, 10, {Seen(0.3F)}).tracks.front(), 1);
  EXPECT_EQ(tracker.Find(1)->hits, 101);
  // Below 0.1 a box is nothing.
  EXPECT_EQ(At(tracker, 10.1, {Seen(0.3F, 0.09F)}).tracks.front(), 0);
}

TEST(Tracker, AStrongBoxGoesBeforeAWeakOneThatFitsBetter) {
  Tracker tracker;
  At(tracker, 0, {Seen(0.1F)});
  EXPECT_EQ(At(tracker, 0.1, {Seen(0.13F, 0.8F), Seen(0.1F, 0.3F)}).tracks, (std::vector<int64_t>{1, 0}));
}

TEST(Tracker, FindsByDistanceWhatMovedFurtherThanItsBox) {
  Tracker tracker;
  At(tracker, 0, {Seen(0.1F)});
  const TrackerOutput out = At(tracker, 1, {Seen(0.25F)});  // no overlap
  EXPECT_EQ(out.tracks.front(), 1);
  Tracker other;
  At(other, 0, {Seen(0.1F)});
  EXPECT_EQ(At(other, 0.03, {Seen(0.25F)}).tracks.front(), 2);  // nobody moves so far in a thirtieth of a second
  Tracker third;
  At(third, 0, {Seen(0.1F)});
  EXPECT_EQ(At(third, 5, {Seen(0.7F)}).tracks.front(), 2);  // farther than 3 sizes
}

// How long a track lives that is not seen any more, for results that come at an interval.
TEST(Tracker, ForgetsAfterMissesAndAfterATimeThatFollowsTheInterval) {
  struct Case {
    double interval_s;
    int misses;  // of the result that ends it
  };
  for (const Case& c : {Case{1.0 / 30, 30}, {0.1, 10}, {0.2, 5}, {0.5, 3}, {1, 3}, {2, 3}, {5, 3}, {10, 2}, {40, 1}}) {
    Tracker tracker;
    double time = 0;
    for (int i = 0; i < 20; ++i, time += c.interval_s) EXPECT_EQ(At(tracker, time, {Seen(0.3F)}).tracks.front(), 1);
    int misses = 0;
    for (bool ended = false; !ended && misses < 100; time += c.interval_s) {
      const TrackerOutput out = At(tracker, time, {});
      ++misses;
      ended = !out.ended.empty();
      if (!ended) continue;
      EXPECT_EQ(out.ended[0].id, 1);
      EXPECT_NEAR(out.ended[0].last_s, 19 * c.interval_s, 1e-6);  // when it was last measured
    }
    EXPECT_EQ(misses, c.misses) << c.interval_s;
  }
}

TEST(Tracker, AMissedResultOrTwoChangeNothing) {
  for (const double interval : {0.2, 2.0, 5.0}) {
    Tracker tracker;
    for (int i = 0; i < 30; ++i) {
      const TrackerOutput out = At(tracker, i * interval, i % 3 == 0 ? Objects{Seen(0.3F)} : Objects{});
      if (i % 3 != 0) continue;
      EXPECT_EQ(out.tracks.front(), 1) << interval;
    }
  }
}

TEST(Tracker, AfterALongGapOnlyWhatStoodStillGoesOn) {
  Tracker tracker;
  for (int i = 0; i < 10; ++i) At(tracker, i * 0.1, {Seen(0.1F + 0.01F * static_cast<float>(i)), Seen(0.7F)});
  const TrackerOutput out = At(tracker, 120, {Seen(0.3F), Seen(0.7F)});
  EXPECT_EQ(out.tracks, (std::vector<int64_t>{3, 2}));
  ASSERT_EQ(out.ended.size(), 1U);
  EXPECT_EQ(out.ended[0].id, 1);
}

TEST(Tracker, ALabelThatFlickersDoesNotSplitATrack) {
  Tracker tracker;
  for (int i = 0; i < 40; ++i) {
    const int label = i % 3 == 1 ? 7 : 2;
    const TrackerOutput out = At(tracker, i * 0.1, {Seen(0.3F + 0.003F * static_cast<float>(i), 0.8F, label)});
    EXPECT_EQ(out.tracks.front(), 1);
    EXPECT_EQ(tracker.tracks()[0].label, 2);
  }
}

TEST(Tracker, LabelsFollowTheMajority) {
  Tracker tracker;
  At(tracker, 0, {Seen(0.3F, 0.5F, 9)});
  for (int i = 1; i < 5; ++i) At(tracker, i * 0.1, {Seen(0.3F, 0.8F, 2)});
  EXPECT_EQ(tracker.tracks()[0].id, 1);
  EXPECT_EQ(tracker.tracks()[0].label, 2);
}

// One object under two labels whose scores, and so whose order, change: one track. And two that overlap much: two.
TEST(Tracker, TwinsShareATrackAndNeighboursDoNot) {
  struct Case {
    float apart;
    int64_t second;
  };
  for (const Case& c : {Case{0, 1}, {0.005F, 1}, {0.012F, 2}}) {
    Tracker tracker;
    for (int i = 0; i < 10; ++i) {
      const DetectedObject car = Seen(0.3F, i % 2 == 0 ? 0.8F : 0.7F, 0);
      const DetectedObject truck = Seen(0.3F + c.apart, i % 2 == 0 ? 0.6F : 0.75F, 1);
      const TrackerOutput out = At(tracker, i * 0.1, i % 2 == 0 ? Objects{car, truck} : Objects{truck, car});
      EXPECT_EQ(out.tracks, i % 2 == 0 ? (std::vector<int64_t>{1, c.second}) : (std::vector<int64_t>{c.second, 1}));
      EXPECT_EQ(tracker.Find(1)->label, 0);
    }
    EXPECT_EQ(tracker.tracks().size(), static_cast<size_t>(c.second));
  }
}

TEST(Tracker, ALostNeighbourDoesNotTakeAnObjectWhoseLabelFlickers) {
  Tracker tracker;
  for (int i = 0; i < 5; ++i) At(tracker, i * 0.5, {Seen(0.3F, 0.8F, 0), Seen(0.45F, 0.8F, 1)});
  EXPECT_EQ(At(tracker, 2.5, {Seen(0.3F, 0.8F, 1)}).tracks.front(), 1);
}

TEST(Tracker, AnotherLabelBesideItIsAnotherObject) {
  Tracker tracker;
  At(tracker, 0, {Seen(0.3F, 0.8F, 0)});
  EXPECT_EQ(At(tracker, 0.1, {Seen(0.33F, 0.8F, 1)}).tracks.front(), 2);  // IoU 0.54
}

TEST(Tracker, MovesTheMeasuredBoxOnInTime) {
  Tracker tracker;
  const auto x = [](double time) { return static_cast<float>(0.1 + 0.08 * time); };
  for (int i = 0; i <= 20; ++i) At(tracker, i * 0.25, {Seen(x(i * 0.25))});
  const Track& track = tracker.tracks()[0];
  EXPECT_EQ(track.BoxAt(5), track.box);         // the detector's own at its time
  EXPECT_GT(track.position_gain, 0.8F);         // from 0.5; never quite 1 so soon
  EXPECT_NEAR(track.BoxAt(6).x1, x(6), 0.015);  // held it would be off by 0.08
  EXPECT_NEAR(track.BoxAt(6).y1, 0.4F, 0.005);
}

// Boxes that only jitter: predictions do not come true, so shown boxes hardly move.
TEST(Tracker, TrustsVelocitiesOnlyWhileTheyProveRight) {
  Tracker tracker;
  for (int i = 0; i <= 400; ++i) At(tracker, i * 0.2, {Seen(i % 2 == 0 ? 0.30F : 0.33F)});
  EXPECT_LT(tracker.tracks()[0].position_gain, 0.05F);
}

std::vector<float> Direction(double angle) {
  return {static_cast<float>(std::cos(angle)), static_cast<float>(std::sin(angle))};
}

TrackerOutput WithEmbeddings(Tracker& tracker, double time_s, const Objects& objects,
                             const std::vector<std::vector<float>>& embeddings) {
  return tracker.Update({.time_s = time_s, .objects = objects, .embeddings = embeddings});
}

TEST(Tracker, EmbeddingsDecideBetweenTracksThatOverlapAlike) {
  Tracker tracker;
  WithEmbeddings(tracker, 0, {Seen(0.30F), Seen(0.34F)}, {Direction(0), Direction(1.5)});
  // Each is now nearer to where the other was.
  const TrackerOutput out =
      WithEmbeddings(tracker, 0.2, {Seen(0.325F), Seen(0.315F)}, {Direction(0.1), Direction(1.4)});
  EXPECT_EQ(out.tracks, (std::vector<int64_t>{1, 2}));
  // Without them the nearer one.
  Tracker blind;
  At(blind, 0, {Seen(0.30F), Seen(0.34F)});
  EXPECT_EQ(At(blind, 0.2, {Seen(0.325F), Seen(0.315F)}).tracks, (std::vector<int64_t>{2, 1}));
}

TEST(Tracker, AnEmbeddingRevivesATrackThatEnded) {
  struct Case {
    const char* name;
    double away_s;
    double angle;
    int label;
    int64_t expected;
  };
  for (const Case& c : {Case{"the same", 10, 0.3, 0, 1},
                        {"too late", 31, 0.3, 0, 2},
                        {"somebody else", 10, 1.2, 0, 2},
                        {"something else", 10, 0.3, 1, 2}}) {
    Tracker tracker;
    WithEmbeddings(tracker, 0, {Seen(0.1F)}, {Direction(0)});
    double time = 0.2;
    for (; time < c.away_s; time += 0.2) At(tracker, time, {});
    EXPECT_TRUE(tracker.tracks().empty());
    const TrackerOutput out = WithEmbeddings(tracker, time, {Seen(0.8F, 0.8F, c.label)}, {Direction(c.angle)});
    EXPECT_EQ(out.tracks.front(), c.expected) << c.name;
    ASSERT_EQ(out.started.size(), 1U) << c.name;
    EXPECT_EQ(out.started[0].id, c.expected);
    EXPECT_EQ(out.started[0].revived, c.expected == 1);
    EXPECT_EQ(out.started[0].box, Seen(0.8F).box);
  }
}

TEST(Tracker, AnEmbeddingMovesALostTrackFarAway) {
  Tracker tracker;
  WithEmbeddings(tracker, 0, {Seen(0.1F)}, {Direction(0)});
  const TrackerOutput out = WithEmbeddings(tracker, 0.1, {Seen(0.8F)}, {Direction(0)});
  EXPECT_EQ(out.tracks.front(), 1);
  EXPECT_TRUE(out.started.empty());
}

TEST(Tracker, TimeMayBeAnything) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInf = std::numeric_limits<double>::infinity();
  Tracker tracker;
  At(tracker, 10, {Seen(0.3F)});
  for (const double time : {kNan, kInf, -kInf, 10.0, 9.6, 10.0}) {
    const TrackerOutput out = At(tracker, time, {Seen(0.3F)});
    EXPECT_EQ(out.tracks.front(), 1) << time;
    EXPECT_EQ(tracker.tracks()[0].last_s, 10) << time;
  }
  // Further back: another recording.
  const TrackerOutput again = At(tracker, 2, {Seen(0.3F)});
  EXPECT_EQ(again.tracks.front(), 2);
  ASSERT_EQ(again.ended.size(), 1U);
  EXPECT_EQ(again.ended[0].id, 1);
  for (const double time : {1e300, -1e300, 1.7e308, -1.7e308, 0.0}) {
    EXPECT_GT(At(tracker, time, {Seen(0.3F)}).tracks.front(), 0);
    for (const Track& track : tracker.tracks()) EXPECT_TRUE(std::isfinite(track.BoxAt(5).x1));
  }
}

TEST(Tracker, PassesOverBoxesThatAreNone) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInf = std::numeric_limits<float>::infinity();
  Tracker tracker;
  Objects objects(9, Seen(0.3F));
  objects[0].box.x1 = kNan;
  objects[1].box.y2 = kInf;
  objects[2].score = kNan;
  objects[3].box = {0.5F, 0.5F, 0.5F, 0.5F};
  objects[4].box = {0.6F, 0.6F, 0.4F, 0.4F};
  objects[5].box = {1.5F, 0.5F, 1.6F, 0.6F};  // outside of the picture
  objects[6].score = kInf;
  objects[7].box = {-3e38F, -3e38F, 3e38F, 3e38F};
  const TrackerOutput out = At(tracker, 0, objects);
  for (size_t i = 0; i < 7; ++i) EXPECT_EQ(out.tracks[i], 0) << i;
  EXPECT_GT(out.tracks[7], 0);
  EXPECT_GT(out.tracks[8], 0);
  const std::vector<std::vector<float>> bad = {{}, {kNan, 1}, {kInf}, {0, 0}, {1}, {2}, {3}, {4}, {5, 6}};
  EXPECT_EQ(WithEmbeddings(tracker, 0.1, objects, bad).tracks, out.tracks);
  EXPECT_EQ(WithEmbeddings(tracker, 0.2, objects, {{1.0F}}).tracks, out.tracks);  // not one for each: not used
}

TEST(Tracker, HostileNumbersOfBoxesCostLittle) {
  Tracker tracker;
  std::set<int64_t> ids;
  size_t started = 0;
  size_t ended = 0;
  for (int frame = 0; frame < 5; ++frame) {
    Objects objects;
    for (int i = 0; i < 100'000; ++i) {
      const auto x = static_cast<float>((i * 37 + frame * 11) % 997) / 1100.0F;
      const auto y = static_cast<float>((i * 53 + frame * 7) % 991) / 1100.0F;
      objects.push_back({.label = i % 3,
                         .score = static_cast<float>(i % 1000) / 1000.0F,
                         .box = {x, y, x + 0.02F, y + 0.05F},
                         .keypoints = {}});
    }
    const TrackerOutput out = At(tracker, frame * 0.1, objects);
    size_t tracked = 0;
    for (size_t i = 0; i < objects.size(); ++i) {
      if (out.tracks[i] == 0) continue;
      ++tracked;
      EXPECT_GT(objects[i].score, 0.99F);  // the best have them
    }
    EXPECT_LE(tracked, 300U);
    EXPECT_LE(tracker.tracks().size(), 300U);
    for (const Track& track : out.started) EXPECT_TRUE(ids.insert(track.id).second);
    started += out.started.size();
    ended += out.ended.size();
  }
  EXPECT_EQ(started, ended + tracker.tracks().size());
  EXPECT_EQ(tracker.EndAll().size(), started - ended);
}

}  // namespace
}  // namespace deepedge
