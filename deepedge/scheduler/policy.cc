#include "deepedge/scheduler/policy.h"

#include <algorithm>
#include <tuple>

namespace deepedge {

size_t PickEarliestDeadline(const Snapshot& snapshot) {
  const JobKind first = snapshot.decode_over_share ? JobKind::kInference : JobKind::kDecode;
  const auto key = [first](const ReadyJob& job) {
    return std::make_tuple(job.kind != first, job.deadline, job.ready_at);
  };
  const auto best = std::min_element(snapshot.ready.begin(), snapshot.ready.end(),
                                     [&](const ReadyJob& a, const ReadyJob& b) { return key(a) < key(b); });
  return static_cast<size_t>(best - snapshot.ready.begin());
}

void DecodeShare::Add(JobKind kind, Duration ran) {
  // At exactly the largest share both terms cancel out.
  constexpr double kRefill = kLargestShare / (1 - kLargestShare);
  spent_ +=
      kind == JobKind::kDecode ? ran : -Duration(static_cast<int64_t>(kRefill * static_cast<double>(ran.count())));
  spent_ = std::clamp(spent_, Duration(0), 2 * kBurst);
}

}  // namespace deepedge
