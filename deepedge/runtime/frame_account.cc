#include "deepedge/runtime/frame_account.h"

#include <numeric>

namespace deepedge {

Ending EndingOf(EndReason reason) {
  switch (reason) {
    case EndReason::kDone: return Ending::kDone;
    case EndReason::kAboveMaxRate: return Ending::kSkipped;
    case EndReason::kReplaced:
    case EndReason::kTooLate:
    case EndReason::kDecoderBehind:
    case EndReason::kStopped: return Ending::kDropped;
    case EndReason::kNotDecodable:
    case EndReason::kInferenceError: return Ending::kFailed;
  }
  return Ending::kFailed;
}

std::string_view ToString(Ending ending) {
  switch (ending) {
    case Ending::kDone: return "done";
    case Ending::kSkipped: return "skipped";
    case Ending::kDropped: return "dropped";
    case Ending::kFailed: return "failed";
  }
  return "?";
}

std::string_view ToString(EndReason reason) {
  switch (reason) {
    case EndReason::kDone: return "done";
    case EndReason::kAboveMaxRate: return "above_max_rate";
    case EndReason::kReplaced: return "replaced_by_newer";
    case EndReason::kTooLate: return "too_late";
    case EndReason::kDecoderBehind: return "decoder_behind";
    case EndReason::kStopped: return "stopped";
    case EndReason::kNotDecodable: return "not_decodable";
    case EndReason::kInferenceError: return "inference_error";
  }
  return "?";
}

int64_t FrameCounts::Of(Ending ending) const {
  int64_t sum = 0;
  for (size_t i = 0; i < kEndReasonCount; ++i) {
    if (EndingOf(static_cast<EndReason>(i)) == ending) sum += by_reason[i];
  }
  return sum;
}

int64_t FrameCounts::Ended() const { return std::accumulate(by_reason.begin(), by_reason.end(), int64_t{0}); }

FrameCounts& FrameCounts::operator+=(const FrameCounts& other) {
  captured += other.captured;
  for (size_t i = 0; i < kEndReasonCount; ++i) by_reason[i] += other.by_reason[i];
  return *this;
}

FrameCounts FrameAccount::Read() const {
  FrameCounts counts;
  // Endings first: a frame that is captured and ends meanwhile must not show up as ended but not captured.
  for (size_t i = 0; i < kEndReasonCount; ++i) counts.by_reason[i] = by_reason_[i].load();
  counts.captured = captured_.load();
  return counts;
}

}  // namespace deepedge
