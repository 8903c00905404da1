// Makes one continuous time line out of what cameras and files say: missing stamps are filled in from the frame rate,
// jumps (a restarted camera, a looped file, a 33-bit wrap) are closed up, and nothing runs backwards.
#pragma once

#include <cstdint>
#include <optional>

namespace deepedge {

struct MediaTimes {
  int64_t pts_us = 0;
  int64_t dts_us = 0;
};

// Pure state machine; thread-compatible. One per connection to a source; the next connection continues where the last
// one stopped by passing `Last()` as `start_us`.
class TimestampNormalizer {
 public:
  struct Options {
    int64_t start_us = 0;                  // media time of the first picture
    int64_t default_duration_us = 40'000;  // distance of pictures where stamps are missing
    int64_t largest_gap_us = 10'000'000;   // a longer jump forward, or any jump backwards of dts, is closed up
  };
  explicit TimestampNormalizer(Options options) : options_(options) {}

  // The raw stamps of one packet, in microseconds, where present.
  MediaTimes Next(std::optional<int64_t> pts_us, std::optional<int64_t> dts_us);

  // The media time at which the next picture is expected.
  int64_t Last() const { return next_dts_us_; }

 private:
  Options options_;
  bool started_ = false;
  int64_t offset_us_ = 0;    // added to raw stamps
  int64_t next_dts_us_ = 0;  // where the next packet is expected
  int64_t last_dts_us_ = 0;
  int64_t last_pts_us_ = 0;
};

}  // namespace deepedge
