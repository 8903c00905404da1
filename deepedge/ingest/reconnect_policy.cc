#include "deepedge/ingest/reconnect_policy.h"

#include <algorithm>

#include "deepedge/base/check.h"

namespace deepedge {

Duration ReconnectDelay(const ReconnectOptions& options, int failures, double random) {
  DE_CHECK(failures >= 1);
  DE_CHECK(random >= 0 && random < 1);
  const auto longest = static_cast<double>(options.longest.count());
  auto delay = static_cast<double>(options.first.count());
  for (int i = 1; i < failures && delay < longest; ++i) delay *= 2;
  delay = std::min(delay, longest) * (1 + options.jitter * (2 * random - 1));
  return Duration(static_cast<int64_t>(delay));
}

}  // namespace deepedge
