// Time, passed in. Code outside base/ never asks the system for the time; it is given a Clock, so that tests and the
// simulator decide what time it is.
//
// Time is monotonic, in microseconds, and has no meaning outside this process; EpochMicros() turns it into microseconds
// since the Unix epoch for events. The offset is read once at start, so event times do not jump when NTP steps the
// clock.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace deepedge {

using Duration = std::chrono::microseconds;

struct Time {
  int64_t us = 0;

  friend auto operator<=>(const Time&, const Time&) = default;
  friend Time operator+(Time t, Duration d) { return {t.us + d.count()}; }
  friend Time operator-(Time t, Duration d) { return {t.us - d.count()}; }
  friend Duration operator-(Time a, Time b) { return Duration(a.us - b.us); }
};

constexpr Time kTimeNever{INT64_MAX};

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time Now() const = 0;
  // Microseconds since the Unix epoch at `t`.
  virtual int64_t EpochMicros(Time t) const = 0;
};

// CLOCK_MONOTONIC.
class RealClock final : public Clock {
 public:
  RealClock();
  Time Now() const override;
  int64_t EpochMicros(Time t) const override { return t.us + epoch_offset_us_; }

 private:
  int64_t epoch_offset_us_;
};

// A clock that a test moves by hand.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Time start = {}) : now_us_(start.us) {}
  Time Now() const override { return {now_us_.load()}; }
  int64_t EpochMicros(Time t) const override { return t.us; }
  void Advance(Duration d) { now_us_ += d.count(); }
  void Set(Time t) { now_us_ = t.us; }

 private:
  std::atomic<int64_t> now_us_;
};

// CPU time used so far by the calling thread, and by the whole process.
Duration ThreadCpuTime();
Duration ProcessCpuTime();

}  // namespace deepedge
