#include "deepedge/pipeline/track/assignment.h"

#include <algorithm>
#include <cmath>

#include "deepedge/base/check.h"

namespace deepedge {

std::vector<int> AssignGreedily(std::span<const double> gains, size_t rows, size_t columns) {
  DE_CHECK(gains.size() == rows * columns);
  std::vector<size_t> order;
  for (size_t i = 0; i < gains.size(); ++i) {
    if (gains[i] > 0 && std::isfinite(gains[i])) order.push_back(i);
  }
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return gains[a] != gains[b] ? gains[a] > gains[b] : a < b; });
  std::vector<int> answer(rows, kUnassigned);
  std::vector<bool> taken(columns, false);
  for (const size_t i : order) {
    const size_t row = i / columns;
    const size_t column = i % columns;
    if (answer[row] != kUnassigned || taken[column]) continue;
    answer[row] = static_cast<int>(column);
    taken[column] = true;
  }
  return answer;
}

}  // namespace deepedge
