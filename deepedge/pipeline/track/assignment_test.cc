#include "deepedge/pipeline/track/assignment.h"

#include <gtest/gtest.h>

#include <limits>

namespace deepedge {
namespace {

TEST(Assignment, TakesTheGreatestGainThenTheNextAmongTheRest) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInf = std::numeric_limits<double>::infinity();
  struct Case {
    const char* name;
    std::vector<double> gains;
    size_t rows;
    size_t columns;
    std::vector<int> expected;
  };
  const std::vector<Case> cases = {
      {"nothing", {}, 0, 0, {}},
      {"no columns", {}, 2, 0, {-1, -1}},
      {"one", {0.3}, 1, 1, {0}},
      {"zero is never", {0, -1}, 1, 2, {-1}},
      {"not finite is never", {kNan, kInf, 0.1}, 1, 3, {2}},
      {"a sure pair is not given up for two doubtful ones", {0.9, 0.5, 0.5, 0}, 2, 2, {0, -1}},
      {"more rows than columns", {0.2, 0.6, 0.4}, 3, 1, {-1, 0, -1}},
      {"more columns than rows", {0.2, 0.6, 0.4}, 1, 3, {1}},
      {"equal gains go to the lower row, then column", {0.5, 0.5, 0.5, 0.5}, 2, 2, {0, 1}},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(AssignGreedily(c.gains, c.rows, c.columns), c.expected) << c.name;
  }
}

}  // namespace
}  // namespace deepedge
