// Scheduling policies: which ready job a free lane runs next. A policy is pure: the same snapshot gives the same
// answer, whatever thread asks and however often. State that a policy needs is a field of the snapshot; lanes.h keeps
// it.
#pragma once

#include <cstddef>
#include <span>

#include "deepedge/base/clock.h"

namespace deepedge {

enum class JobKind {
  kDecode,     // cannot be left out: a packet that waits makes every later frame of its stream late
  kInference,  // may be left out: the newest frame replaces the one that waits
};

// What a policy knows of a job that could run now.
struct ReadyJob {
  JobKind kind = JobKind::kInference;
  Time deadline;  // when its result is due
  Time ready_at;  // since when it has been waiting
};

struct Snapshot {
  std::span<const ReadyJob> ready;  // never empty; borrowed for the call
  // Decoding has had more than its share of the lanes for a while, with inference waiting (DecodeShare).
  bool decode_over_share = false;
};

// Index into `ready` of the job to run next.
using PickJob = size_t (*)(const Snapshot& snapshot);

// Decoding before inference, so that overload is met where it costs least: at the mailboxes, where the newest frame
// wins, rather than in packet queues, where every packet has to be waited for. Only while decoding is over its share is
// it the other way round, so that a box that cannot even decode still gives some results. Within a kind the earliest
// deadline first; of equal deadlines the one that has been waiting longest, then the first.
size_t PickEarliestDeadline(const Snapshot& snapshot);

// Decides whether decoding is over its share: a budget that decoding spends and inference fills up again, in
// proportion. Pure state machine.
class DecodeShare {
 public:
  // Decoding may take this share of the computing time for as long as inference waits...
  static constexpr double kLargestShare = 0.8;
  // ...averaged over about this much computing time.
  static constexpr Duration kBurst = std::chrono::milliseconds(200);

  void Add(JobKind kind, Duration ran);
  bool IsOver() const { return spent_ >= kBurst; }

 private:
  Duration spent_{0};  // from 0 to twice kBurst
};

}  // namespace deepedge
