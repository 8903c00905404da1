#include "deepedge/ingest/timestamps.h"

#include <algorithm>
#include <cstdint>

namespace deepedge {
namespace {

// Pictures of one stream are reordered by at most 16; where only presentation times are known, a step back of less than
// this is reordering and not a jump.
constexpr int64_t kLargestReorderUs = 1'000'000;

}  // namespace

bool TimestampNormalizer::IsJump(int64_t time_us, bool is_dts) const {
  if (!started_) return false;
  const int64_t step_us = options_.default_duration_us;
  if (is_dts) return time_us > last_dts_us_ + step_us + options_.largest_gap_us || time_us <= last_dts_us_ - step_us;
  return time_us > largest_pts_us_ + step_us + options_.largest_gap_us || time_us < largest_pts_us_ - kLargestReorderUs;
}

MediaTimes TimestampNormalizer::Next(std::optional<int64_t> pts_us, std::optional<int64_t> dts_us) {
  // A presentation time before or far behind the decoding time is wrong; the decoding time is the one that runs evenly.
  if (pts_us && dts_us && (*pts_us < *dts_us || *pts_us - *dts_us > options_.largest_gap_us)) pts_us.reset();
  if (!pts_us && !dts_us) {
    const int64_t time = started_ ? last_dts_us_ + options_.default_duration_us : options_.start_us;
    return Emit(time, time);
  }
  const int64_t raw_pts = pts_us ? *pts_us : *dts_us;
  const int64_t raw_time = dts_us ? *dts_us : *pts_us;
  if (!offset_us_) {
    offset_us_ = started_ ? Last() - raw_pts : options_.start_us - options_.origin_us.value_or(raw_pts);
  }
  if (IsJump(raw_time + *offset_us_, dts_us.has_value())) offset_us_ = Last() - raw_pts;
  const int64_t pts = raw_pts + *offset_us_;
  if (dts_us) return Emit(pts, std::max(raw_time + *offset_us_, started_ ? last_dts_us_ : INT64_MIN));
  // Only presentation times: decoding runs ahead by as much as pictures were seen to be reordered.
  const int64_t largest = started_ ? std::max(largest_pts_us_, pts) : pts;
  reorder_us_ = std::max(reorder_us_, largest - pts);
  return Emit(pts, largest - reorder_us_);
}

MediaTimes TimestampNormalizer::Emit(int64_t pts_us, int64_t dts_us) {
  pts_us = std::max(pts_us, dts_us);
  largest_pts_us_ = started_ ? std::max(largest_pts_us_, pts_us) : pts_us;
  last_dts_us_ = dts_us;
  started_ = true;
  return {pts_us, dts_us};
}

}  // namespace deepedge
