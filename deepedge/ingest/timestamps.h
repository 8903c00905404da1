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

// Pure. A stamp beyond +-2^60 us (36,000 years) is that of a broken or hostile stream; sums of a few others do not
// overflow.
constexpr bool IsBelievableStamp(int64_t stamp_us) {
  constexpr int64_t kLargest = int64_t{1} << 60;
  return -kLargest <= stamp_us && stamp_us <= kLargest;
}

// Pure state machine; thread-compatible. One per connection to a source; the next connection continues where the last
// one stopped by passing `Last()` as `start_us`.
class TimestampNormalizer {
 public:
  struct Options {
    int64_t start_us = 0;                  // media time of the first picture
    std::optional<int64_t> origin_us;      // the raw stamp that is to be start_us; not set: the first one seen
    int64_t default_duration_us = 40'000;  // distance of pictures where stamps are missing
    int64_t largest_gap_us = 10'000'000;   // a longer jump forward, or a jump backwards, is closed up
  };
  // Times that are not believable are replaced: an origin by the first stamp, a start by 0.
  explicit TimestampNormalizer(Options options);

  // The raw stamps of one packet, in the order of decoding, in microseconds, where present. dts is <= pts and never
  // decreases; pts may, as pictures are reordered. dts of the first packets lies before start_us by the time that
  // reordering takes. A dts that steps back by less than one picture is noise and held, not a jump. Where only pts are
  // told, they are kept, and dts steps back when a picture shows a deeper reordering than those before. A stamp that
  // is not believable counts as missing.
  MediaTimes Next(std::optional<int64_t> pts_us, std::optional<int64_t> dts_us);

  // The media time at which the next picture is expected: after all pictures so far.
  int64_t Last() const { return started_ ? largest_pts_us_ + options_.default_duration_us : options_.start_us; }

 private:
  bool IsJump(int64_t time_us, bool is_dts) const;
  MediaTimes Emit(int64_t pts_us, int64_t dts_us);

  Options options_;
  bool started_ = false;
  std::optional<int64_t> offset_us_;  // added to raw stamps; not set before the first one
  int64_t last_dts_us_ = 0;
  int64_t largest_pts_us_ = 0;
  int64_t reorder_us_ = 0;  // deepest reordering seen where only pts are told
};

}  // namespace deepedge
