// Simulated scenes: numbers against the truth.
#include <gtest/gtest.h>

#include <set>

#include "deepedge/pipeline/track/scene_for_test.h"

namespace deepedge {
namespace {

constexpr double kRates[] = {1, 2, 5, 10, 30};

// Slow enough for each rate: at r results a second a person moves less than a size between two results.
Walker Person(double rate) { return {.x = 0.1, .speed_x = std::min(0.08, 0.08 * rate)}; }

TEST(TrackerScene, OnePersonKeepsOneNumberAtAnyRate) {
  for (const double rate : {0.5, 1.0, 2.0, 5.0, 10.0, 30.0}) {
    for (unsigned seed = 1; seed <= 20; ++seed) {
      Tracker tracker;
      const Score score = Follow(tracker, {Person(rate)}, {.jitter = 0.04}, 10, [&](double) { return 1 / rate; }, seed);
      EXPECT_EQ(score.switches, 0) << rate << " " << seed;
      EXPECT_EQ(score.untracked, 0);
    }
  }
}

// Two people walk towards each other at different depths, the farther one is hidden for a while.
TEST(TrackerScene, PeopleWhoCrossKeepTheirNumbers) {
  const std::vector<Walker> walkers = {{.x = 0.1, .y = 0.5, .speed_x = 0.06}, {.x = 0.9, .y = 0.55, .speed_x = -0.06}};
  for (const double rate : kRates) {
    if (rate < 2) continue;  // at 1/s they jump past each other: nobody could tell
    int64_t switches = 0;
    for (unsigned seed = 1; seed <= 20; ++seed) {
      Tracker tracker;
      switches += Follow(tracker, walkers, {.jitter = 0.02}, 13, [&](double) { return 1 / rate; }, seed).switches;
    }
    EXPECT_LE(switches, 1) << rate;
  }
}

TEST(TrackerScene, ARateThatChangesMidwaySwitchesNoNumbers) {
  const std::vector<Walker> walkers = {{.x = 0.1, .y = 0.25, .speed_x = 0.03},
                                       {.x = 0.9, .y = 0.5, .speed_x = -0.03},
                                       {.x = 0.5, .y = 0.8, .speed_x = 0.01, .speed_y = -0.002}};
  const double intervals[][3] = {{0.0333, 1, 0.0333}, {1, 0.0333, 1}, {0.2, 2, 0.1}, {2, 0.0333, 0.5}};
  for (const auto& interval : intervals) {
    for (unsigned seed = 1; seed <= 10; ++seed) {
      Tracker tracker;
      const auto at = [&](double time) { return interval[time < 6 ? 0 : time < 14 ? 1 : 2]; };
      EXPECT_EQ(Follow(tracker, walkers, {.jitter = 0.03, .missed = 0.03}, 22, at, seed).switches, 0)
          << interval[0] << " " << interval[1] << " " << seed;
    }
  }
}

TEST(TrackerScene, MissedAndWeakBoxesDoNotBreakTracks) {
  for (const double rate : {2.0, 5.0, 30.0}) {
    int64_t boxes = 0;
    int64_t switches = 0;
    for (unsigned seed = 1; seed <= 10; ++seed) {
      Tracker tracker;
      const Score score = Follow(
          tracker, {Person(rate)}, {.jitter = 0.03, .missed = 0.2, .weak = 0.3}, 10, [&](double) { return 1 / rate; },
          seed);
      boxes += score.boxes;
      switches += score.switches;
    }
    EXPECT_GT(boxes, static_cast<int64_t>(rate * 40));
    EXPECT_EQ(switches, 0) << rate;
  }
}

TEST(TrackerScene, ALabelThatFlickersSwitchesNoNumbers) {
  Tracker tracker;
  const Score score =
      Follow(tracker, {Person(10)}, {.jitter = 0.01, .other_label = 5, .flicker = 0.3}, 10, [](double) { return 0.1; });
  EXPECT_EQ(score.switches, 0);
}

// Measured: switches a minute and person are 0.48 at 5/s, 0.40 at 10/s, 0.36 at 30/s in a crowd of 25, 0.17, 0.06
// and 0.07 in one of 8, over 16 seeds.
TEST(TrackerScene, ACrowdSwitchesFewNumbers) {
  struct Case {
    int people;
    double rate;
    double most;  // a minute and person
  };
  for (const Case& c : {Case{8, 5, 0.35}, {8, 10, 0.2}, {8, 30, 0.2}, {25, 5, 0.8}, {25, 10, 0.7}}) {
    constexpr int kSeeds = 6;
    int64_t switches = 0;
    for (unsigned seed = 1; seed <= kSeeds; ++seed) {
      Tracker tracker;
      switches += Follow(
                      tracker, Crowd(c.people, 60, seed), {.jitter = 0.03, .missed = 0.03}, 60,
                      [&](double) { return 1 / c.rate; }, seed)
                      .switches;
    }
    EXPECT_LE(static_cast<double>(switches) / kSeeds / c.people, c.most) << c.people << " at " << c.rate;
  }
}

TEST(TrackerScene, NumbersAreUniqueAndEveryTrackStartsAndEndsOnce) {
  Tracker tracker;
  const std::vector<Walker> walkers = Crowd(12, 60, 3);
  std::mt19937 random(3);
  std::set<int64_t> alive;
  std::set<int64_t> ever;
  for (double time = 0; time < 60; time += 0.1) {
    const SeenFrame frame =
        See(walkers, {.jitter = 0.05, .missed = 0.1, .weak = 0.1, .false_boxes = 0.5}, time, random);
    const TrackerOutput out = tracker.Update({.time_s = time, .objects = frame.objects, .threshold = 0.4F});
    for (const Track& track : out.ended) EXPECT_EQ(alive.erase(track.id), 1U);
    for (const Track& track : out.started) {
      EXPECT_TRUE(ever.insert(track.id).second);
      EXPECT_TRUE(alive.insert(track.id).second);
    }
    std::set<int64_t> here;
    for (size_t i = 0; i < out.tracks.size(); ++i) {
      if (out.tracks[i] == 0) {
        EXPECT_LT(frame.objects[i].score, 0.4F);  // every strong box has a track
        continue;
      }
      EXPECT_TRUE(here.insert(out.tracks[i]).second);
      EXPECT_TRUE(alive.contains(out.tracks[i]));
    }
  }
  for (const Track& track : tracker.EndAll()) EXPECT_EQ(alive.erase(track.id), 1U);
  EXPECT_TRUE(alive.empty());
}

}  // namespace
}  // namespace deepedge
