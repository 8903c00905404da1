#include "deepedge/pipeline/cascade/gate.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace deepedge {
namespace {

constexpr int kHour = 60;
const PictureSize kPicture{.width = 1000, .height = 500};

GateObject Object() {
  static constexpr int kZones[] = {2, 5};
  return {.label = 3, .score = 0.7F, .box = {0.1F, 0.2F, 0.3F, 0.6F}, .track_age_s = 4, .zones = kZones};
}

TEST(Gate, OpensForWhatMeetsEveryCondition) {
  struct Case {
    const char* says;
    GateRule rule;
    bool open;
  };
  const Case cases[] = {
      {"nothing is asked for", {}, true},
      {"its label", {.label = 3}, true},
      {"another label", {.label = 0}, false},
      {"score in range", {.min_score = 0.7F, .max_score = 0.8}, true},
      {"too low", {.min_score = 0.71}, false},
      {"too sure", {.max_score = 0.69}, false},
      {"large enough: 0.4 of the height", {.min_size = 0.39}, true},
      {"too small", {.min_size = 0.41}, false},
      {"too large", {.max_size = 0.39}, false},
      {"200 x 200 pixels are enough", {.min_pixels = 199}, true},
      {"too few pixels", {.min_pixels = 201}, false},
      {"in the zone", {.zone = 5}, true},
      {"in another zone", {.zone = 1}, false},
      {"old enough", {.min_age_s = 4}, true},
      {"too young", {.min_age_s = 4.1}, false},
      {"in time", {.schedule = Schedule{.from_minute = 8 * kHour, .to_minute = 9 * kHour}}, true},
      {"out of time", {.schedule = Schedule{.from_minute = 9 * kHour, .to_minute = 10 * kHour}}, false},
      {"one of two is not met", {.label = 3, .min_score = 0.9}, false},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(IsOpen(one.rule, Object(), kPicture, {.weekday = 0, .minute = 8 * kHour + 30}), one.open) << one.says;
  }
}

TEST(Schedule, KeepsItsHoursAndDays) {
  Schedule night{.from_minute = 22 * kHour, .to_minute = 6 * kHour};
  night.days = {false, false, false, false, true, false, false};  // Friday
  const Schedule office{.from_minute = 8 * kHour, .to_minute = 17 * kHour};
  struct Case {
    const Schedule& schedule;
    LocalTime time;
    bool open;
  };
  const Case cases[] = {
      {night, {4, 22 * kHour}, true},          {night, {4, 21 * kHour + 59}, false}, {night, {5, 5 * kHour + 59}, true},
      {night, {5, 6 * kHour}, false},          {night, {4, 3 * kHour}, false},       {night, {5, 23 * kHour}, false},
      {office, {0, 8 * kHour}, true},          {office, {0, 17 * kHour}, false},     {office, {6, 12 * kHour}, true},
      {Schedule{}, {3, 24 * kHour - 1}, true},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(one.schedule.IsOpenAt(one.time), one.open) << one.time.weekday << " " << one.time.minute;
  }
}

TEST(LocalTime, IsTheSystems) {
  setenv("TZ", "UTC", 1);
  tzset();
  const LocalTime time = ToLocalTime(1'795'430'400'123'456);  // a Monday, 2026-11-23 08:00 UTC and a bit
  EXPECT_EQ(time.minute, ToLocalTime(1'795'430'400'000'000).minute);
  const LocalTime epoch = ToLocalTime(0);  // a Thursday
  EXPECT_EQ(epoch.weekday, 3);
  EXPECT_EQ(epoch.minute, 0);
}

}  // namespace
}  // namespace deepedge
