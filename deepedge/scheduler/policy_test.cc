#include "deepedge/scheduler/policy.h"

#include <gtest/gtest.h>

#include <vector>

namespace deepedge {
namespace {

TEST(EarliestDeadlineFirst, PicksByDeadlineThenByWaitingTime) {
  const struct {
    const char* rule;
    std::vector<ReadyJob> ready;
    size_t expected;
  } cases[] = {
      {"the only job", {{{5}, {0}}}, 0},
      {"the earliest deadline", {{{9}, {0}}, {{3}, {2}}, {{7}, {1}}}, 1},
      {"of equal deadlines the longest waiting", {{{3}, {8}}, {{3}, {2}}, {{3}, {5}}}, 1},
      {"of equals the first", {{{3}, {2}}, {{3}, {2}}}, 0},
      {"a deadline that has passed is still the earliest", {{{10}, {0}}, {{-5}, {0}}}, 1},
  };
  for (const auto& c : cases) EXPECT_EQ(PickEarliestDeadline(c.ready), c.expected) << c.rule;
}

}  // namespace
}  // namespace deepedge
