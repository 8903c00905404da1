#include "deepedge/events/backoff.h"

#include <algorithm>

namespace deepedge {

Duration BackoffDelay(const BackoffRule& rule, int failures, double chance) {
  Duration full = std::min(rule.first, rule.longest);
  for (int i = 1; i < failures && full < rule.longest; ++i) full = std::min(full * 2, rule.longest);
  const auto us = static_cast<double>(full.count());
  return Duration(static_cast<int64_t>(us / 2 + us / 2 * std::clamp(chance, 0.0, 1.0)));
}

}  // namespace deepedge
