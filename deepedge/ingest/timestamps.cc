#include "deepedge/ingest/timestamps.h"

#include <algorithm>
#include <cstdint>

namespace deepedge {
namespace {

// Pictures of one stream are reordered by at most 16; where only presentation times are known, a step back of less than
// this is reordering and not a jump.
constexpr int64_t kLargestReorderUs = 1'000'000;

// Nor is a frame rate of less than a picture an hour believed.
constexpr int64_t kLongestPictureUs = 3'600'000'000;

}  // namespace

TimestampNormalizer::TimestampNormalizer(Options options) : options_(options) {
  options_.default_duration_us = std::clamp<int64_t>(options_.default_duration_us, 1, kLongestPictureUs);
  if (!IsBelievableStamp(options_.start_us)) options_.start_us = 0;
  if (options_.origin_us && !IsBelievableStamp(*options_.origin_us)) options_.origin_us.reset();
}

bool TimestampNormalizer::IsJump(int64_t time_us, bool is_dts) const {
  if (!started_) return false;
  const int64_t step_us = options_.default_duration_us;
  if (is_dts) return time_us > last_dts_us_ + step_us + options_.largest_gap_us || time_us <= last_dts_us_ - step_us;
  return time_us > largest_pts_us_ + step_us + options_.largest_gap_us || time_us < largest_pts_us_ - kLargestReorderUs;
}

MediaTimes TimestampNormalizer::Next(std::optional<int64_t> pts_us, std::optional<int64_t> dts_us) {
  const bool has_dts = dts_us && IsBelievableStamp(*dts_us);
  bool has_pts = pts_us && IsBelievableStamp(*pts_us);
  const int64_t dts_or_0 = has_dts ? *dts_us : 0;
  const int64_t pts_or_0 = has_pts ? *pts_us : 0;
  // A presentation time before or far behind the decoding time is wrong; the decoding time is the one that runs evenly.
  if (has_dts && (pts_or_0 < dts_or_0 || pts_or_0 - dts_or_0 > options_.largest_gap_us)) has_pts = false;
  if (!has_pts && !has_dts) {
    const int64_t time = started_ ? last_dts_us_ + options_.default_duration_us : options_.start_us;
    return Emit(time, time);
  }
  const int64_t raw_pts = has_pts ? pts_or_0 : dts_or_0;
  const int64_t raw_time = has_dts ? dts_or_0 : pts_or_0;
  if (!offset_us_) {
    offset_us_ = started_ ? Last() - raw_pts : options_.start_us - options_.origin_us.value_or(raw_pts);
  }
  if (IsJump(raw_time + *offset_us_, has_dts)) offset_us_ = Last() - raw_pts;
  const int64_t pts = raw_pts + *offset_us_;
  if (has_dts) return Emit(pts, std::max(raw_time + *offset_us_, started_ ? last_dts_us_ : INT64_MIN));
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
