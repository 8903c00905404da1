// FrameAccount: one frame, one story. Every frame of a stream ends, for every task, as exactly one of done, skipped,
// dropped or failed, with a reason; while the program runs, captured = ended + in flight, and when it has stopped
// nothing is in flight. runtime/ counts; this file says what there is to count.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace deepedge {

enum class Ending { kDone, kSkipped, kDropped, kFailed };

enum class EndReason {
  kDone,
  kAboveMaxRate,    // skipped: the task's maximum rate needs no further frame yet
  kReplaced,        // dropped: a newer frame came before a lane was free
  kTooLate,         // dropped: older than the task's deadline when its turn came
  kDecoderBehind,   // dropped: the packet queue was full
  kStopped,         // dropped: the program stopped first
  kNotDecodable,    // failed: the packet was broken, or gave no picture
  kInferenceError,  // failed: scaling, engine or post-processing said no
};
constexpr size_t kEndReasonCount = 8;

Ending EndingOf(EndReason reason);
std::string_view ToString(Ending ending);
std::string_view ToString(EndReason reason);  // "done", "above_max_rate", ...

// The counts at one moment.
struct FrameCounts {
  int64_t captured = 0;
  std::array<int64_t, kEndReasonCount> by_reason{};

  int64_t Of(EndReason reason) const { return by_reason[static_cast<size_t>(reason)]; }
  int64_t Of(Ending ending) const;
  int64_t Ended() const;
  int64_t InFlight() const { return captured - Ended(); }
  FrameCounts& operator+=(const FrameCounts& other);
};

// Thread-safe counters.
class FrameAccount {
 public:
  void Capture(int64_t frames = 1) { captured_.fetch_add(frames, std::memory_order_relaxed); }
  void End(EndReason reason, int64_t frames = 1) {
    by_reason_[static_cast<size_t>(reason)].fetch_add(frames, std::memory_order_relaxed);
  }
  FrameCounts Read() const;

 private:
  std::atomic<int64_t> captured_{0};
  std::array<std::atomic<int64_t>, kEndReasonCount> by_reason_{};
};

}  // namespace deepedge
