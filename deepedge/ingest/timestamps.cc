#include "deepedge/ingest/timestamps.h"

#include <algorithm>

namespace deepedge {
namespace {

// Pictures of one stream are reordered by at most 16; where only presentation times are known, a step back of less than
// this is reordering and not a jump.
constexpr int64_t kLargestReorderUs = 1'000'000;

}  // namespace

bool TimestampNormalizer::IsJump(int64_t time_us, bool is_dts) const {
  if (!started_) return false;
  if (time_us > last_dts_us_ + options_.default_duration_us + options_.largest_gap_us) return true;
  return is_dts ? time_us <= last_dts_us_ - options_.default_duration_us
                : time_us < largest_pts_us_ - kLargestReorderUs;
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
  if (dts_us) return Emit(pts, raw_time + *offset_us_);
  // Only presentation times: decoding goes on evenly, but never later than presentation.
  return Emit(pts, started_ ? std::min(pts, last_dts_us_ + options_.default_duration_us) : pts);
}

MediaTimes TimestampNormalizer::Emit(int64_t pts_us, int64_t dts_us) {
  if (started_) dts_us = std::max(dts_us, last_dts_us_);
  pts_us = std::max(pts_us, dts_us);
  largest_pts_us_ = started_ ? std::max(largest_pts_us_, pts_us) : pts_us;
  last_dts_us_ = dts_us;
  started_ = true;
  return {pts_us, dts_us};
}

}  // namespace deepedge
