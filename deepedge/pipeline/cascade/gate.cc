#include "deepedge/pipeline/cascade/gate.h"

#include <algorithm>
#include <ctime>

namespace deepedge {

LocalTime ToLocalTime(int64_t epoch_us) {
  const auto seconds = static_cast<std::time_t>(epoch_us / 1'000'000);
  std::tm local{};
  localtime_r(&seconds, &local);
  return {.weekday = (local.tm_wday + 6) % 7, .minute = local.tm_hour * 60 + local.tm_min};
}

bool Schedule::IsOpenAt(const LocalTime& time) const {
  const auto is_day = [&](int day) { return days[static_cast<size_t>((day + 7) % 7)]; };
  if (from_minute < to_minute) {
    return is_day(time.weekday) && time.minute >= from_minute && time.minute < to_minute;
  }
  // Over midnight: the evening of the day, or the morning after it.
  return (is_day(time.weekday) && time.minute >= from_minute) || (is_day(time.weekday - 1) && time.minute < to_minute);
}

bool IsOpen(const GateRule& rule, const GateObject& object, const PictureSize& picture, const LocalTime& now) {
  const double width = static_cast<double>(object.box.x2) - object.box.x1;
  const double height = static_cast<double>(object.box.y2) - object.box.y1;
  const double size = std::max(width, height);
  const double pixels = std::min(width * picture.width, height * picture.height);
  return (!rule.label || *rule.label == object.label) && object.score >= rule.min_score &&
         object.score <= rule.max_score && size >= rule.min_size && size <= rule.max_size &&
         pixels >= rule.min_pixels && object.track_age_s >= rule.min_age_s &&
         (!rule.zone || std::ranges::count(object.zones, *rule.zone) > 0) &&
         (!rule.schedule || rule.schedule->IsOpenAt(now));
}

}  // namespace deepedge
