#include "deepedge/ingest/timestamps.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace deepedge {
namespace {

constexpr std::optional<int64_t> kNone;

constexpr int64_t kFar = int64_t{1} << 60;  // the largest stamp that is believed

struct Step {
  std::optional<int64_t> pts;
  std::optional<int64_t> dts;
  int64_t expected_pts;
  int64_t expected_dts;
};

struct Case {
  std::string name;
  TimestampNormalizer::Options options;
  std::vector<Step> steps;
  int64_t expected_last;
};

// Milliseconds, to be readable.
constexpr int64_t ms(int64_t value) { return value * 1000; }

TEST(TimestampNormalizerTest, FollowsTheTable) {
  const Case cases[] = {
      {"starts at zero whatever the stamps are",
       {},
       {{ms(5000), ms(5000), 0, 0}, {ms(5040), ms(5040), ms(40), ms(40)}},
       ms(80)},
      {"goes on where the last connection stopped",
       {.start_us = ms(1000)},
       {{ms(0), ms(0), ms(1000), ms(1000)}, {ms(40), ms(40), ms(1040), ms(1040)}},
       ms(1080)},
      {"reordered pictures: decoding starts before the first picture's time",
       {},
       {{ms(80), ms(0), ms(0), ms(-80)},
        {ms(200), ms(40), ms(120), ms(-40)},
        {ms(120), ms(80), ms(40), ms(0)},
        {ms(160), ms(120), ms(80), ms(40)}},
       ms(160)},
      {"an origin keeps the file's own times after a seek",
       {.origin_us = ms(500)},
       {{ms(10'500), ms(10'500), ms(10'000), ms(10'000)}},
       ms(10'040)},
      {"no stamps at all: counted by the frame rate",
       {.default_duration_us = ms(20)},
       {{kNone, kNone, 0, 0}, {kNone, kNone, ms(20), ms(20)}, {kNone, kNone, ms(40), ms(40)}},
       ms(60)},
      {"a missing stamp in between is filled in",
       {},
       {{ms(0), ms(0), 0, 0}, {kNone, kNone, ms(40), ms(40)}, {ms(80), ms(80), ms(80), ms(80)}},
       ms(120)},
      {"stamps that begin later go on from there",
       {},
       {{kNone, kNone, 0, 0}, {ms(700), ms(700), ms(40), ms(40)}, {ms(740), ms(740), ms(80), ms(80)}},
       ms(120)},
      {"only decoding times", {}, {{kNone, ms(100), 0, 0}, {kNone, ms(140), ms(40), ms(40)}}, ms(80)},
      {"only presentation times, in order",
       {},
       {{ms(100), kNone, 0, 0}, {ms(140), kNone, ms(40), ms(40)}, {ms(400), kNone, ms(300), ms(300)}},
       ms(340)},
      {"only presentation times, reordered",
       {},
       {{ms(0), kNone, 0, 0},
        {ms(120), kNone, ms(120), ms(120)},
        {ms(40), kNone, ms(40), ms(40)},
        {ms(80), kNone, ms(80), ms(40)},
        {ms(240), kNone, ms(240), ms(160)},
        {ms(160), kNone, ms(160), ms(160)}},
       ms(280)},
      {"only presentation times, reordered in two steps",
       {},
       {{ms(0), kNone, 0, 0},
        {ms(160), kNone, ms(160), ms(160)},
        {ms(80), kNone, ms(80), ms(80)},
        {ms(40), kNone, ms(40), ms(40)},
        {ms(120), kNone, ms(120), ms(40)},
        {ms(320), kNone, ms(320), ms(200)}},
       ms(360)},
      {"only presentation times, slower than the frame rate says: no jump, however long it goes on",
       {.largest_gap_us = ms(100)},
       {{ms(0), kNone, 0, 0},
        {ms(100), kNone, ms(100), ms(100)},
        {ms(200), kNone, ms(200), ms(200)},
        {ms(300), kNone, ms(300), ms(300)}},
       ms(340)},
      {"a restarted camera: back to zero is closed up",
       {},
       {{ms(90'000), ms(90'000), 0, 0},
        {ms(90'040), ms(90'040), ms(40), ms(40)},
        {ms(0), ms(0), ms(80), ms(80)},
        {ms(40), ms(40), ms(120), ms(120)}},
       ms(160)},
      {"a long jump forward is closed up",
       {},
       {{ms(0), ms(0), 0, 0},
        {ms(95'443'717), ms(95'443'717), ms(40), ms(40)},
        {ms(95'443'757), ms(95'443'757), ms(80), ms(80)}},
       ms(120)},
      {"a gap of a few seconds is real",
       {},
       {{ms(0), ms(0), 0, 0}, {ms(4000), ms(4000), ms(4000), ms(4000)}},
       ms(4040)},
      {"a jump with reordered pictures stays behind all earlier ones",
       {},
       {{ms(80), ms(0), 0, ms(-80)}, {ms(200), ms(40), ms(120), ms(-40)}, {ms(-5000), ms(-5080), ms(160), ms(80)}},
       ms(200)},
      {"a small step back is noise, and no time is added",
       {},
       {{ms(0), ms(0), 0, 0},
        {ms(40), ms(40), ms(40), ms(40)},
        {ms(39), ms(39), ms(40), ms(40)},
        {ms(80), ms(80), ms(80), ms(80)}},
       ms(120)},
      {"a presentation time before the decoding time is not believed",
       {},
       {{ms(0), ms(0), 0, 0}, {ms(10), ms(40), ms(40), ms(40)}},
       ms(80)},
      {"nor one that is far behind it", {}, {{ms(0), ms(0), 0, 0}, {ms(60'000), ms(40), ms(40), ms(40)}}, ms(80)},
      {"stamps that no clock tells count as missing",
       {},
       {{INT64_MIN, INT64_MIN, 0, 0},
        {ms(100), ms(100), ms(40), ms(40)},
        {INT64_MAX, ms(140), ms(80), ms(80)},
        {INT64_MIN, INT64_MAX, ms(120), ms(120)},
        {kFar + 1, kNone, ms(160), ms(160)},
        {kNone, -kFar - 1, ms(200), ms(200)}},
       ms(240)},
      {"the largest stamps are closed up like every jump",
       {},
       {{kFar, kFar, 0, 0},
        {-kFar, -kFar, ms(40), ms(40)},
        {kFar, -kFar, ms(40), ms(40)},
        {kFar, kNone, ms(80), ms(80)}},
       ms(120)},
      {"120 pictures a second",
       {.default_duration_us = 8333},
       {{0, 0, 0, 0}, {8333, 8333, 8333, 8333}, {16'667, 16'667, 16'667, 16'667}},
       25'000},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    TimestampNormalizer normalizer(c.options);
    EXPECT_EQ(normalizer.Last(), c.options.start_us);
    for (size_t i = 0; i < c.steps.size(); ++i) {
      const MediaTimes times = normalizer.Next(c.steps[i].pts, c.steps[i].dts);
      EXPECT_EQ(times.pts_us, c.steps[i].expected_pts) << "step " << i;
      EXPECT_EQ(times.dts_us, c.steps[i].expected_dts) << "step " << i;
    }
    EXPECT_EQ(normalizer.Last(), c.expected_last);
  }
}

TEST(TimestampNormalizerTest, WhateverComesInNothingRunsBackwards) {
  uint32_t random = 7;
  const auto next = [&](uint32_t range) { return (random = random * 1664525 + 1013904223) / 65536 % range; };
  for (int run = 0; run < 200; ++run) {
    TimestampNormalizer normalizer({});
    int64_t last_dts = INT64_MIN;
    int64_t largest_pts = INT64_MIN;
    for (int i = 0; i < 100; ++i) {
      const int64_t scale = next(10) == 0 ? 1'000'000 : 100;
      std::optional<int64_t> pts = static_cast<int64_t>(next(60'000)) * scale;
      std::optional<int64_t> dts = static_cast<int64_t>(next(60'000)) * scale;
      if (next(4) == 0) pts.reset();
      if (next(4) == 0) dts.reset();
      const MediaTimes times = normalizer.Next(pts, dts);
      if (dts || !pts) {
        ASSERT_GE(times.dts_us, last_dts);
      }
      ASSERT_GE(times.pts_us, times.dts_us);
      last_dts = times.dts_us;
      largest_pts = std::max(largest_pts, times.pts_us);
      ASSERT_GT(normalizer.Last(), largest_pts);
    }
  }
}

TEST(TimestampNormalizerTest, ExtremeValuesDoNotOverflow) {
  const int64_t values[] = {INT64_MIN, INT64_MIN + 1, -kFar - 1, -kFar, -1, 0, 1, kFar, kFar + 1, INT64_MAX};
  for (const int64_t start : values) {
    for (const int64_t other : values) {
      TimestampNormalizer normalizer({.start_us = start, .origin_us = other, .default_duration_us = other});
      for (const int64_t pts : values) {
        for (const int64_t dts : values) {
          for (const MediaTimes times : {normalizer.Next(pts, dts), normalizer.Next(pts, {}), normalizer.Next({}, dts),
                                         normalizer.Next({}, {})}) {
            ASSERT_GE(times.pts_us, times.dts_us);
            ASSERT_LT(times.pts_us, 4 * kFar);
            ASSERT_GT(times.dts_us, -4 * kFar);
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace deepedge
