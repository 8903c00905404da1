#include "deepedge/scheduler/policy.h"

#include <algorithm>
#include <tuple>

namespace deepedge {

size_t PickEarliestDeadline(std::span<const ReadyJob> ready) {
  const auto earliest = std::min_element(ready.begin(), ready.end(), [](const ReadyJob& a, const ReadyJob& b) {
    return std::tie(a.deadline, a.ready_at) < std::tie(b.deadline, b.ready_at);
  });
  return static_cast<size_t>(earliest - ready.begin());
}

}  // namespace deepedge
