#include "deepedge/runtime/frame_sampler.h"

#include <gtest/gtest.h>

namespace deepedge {
namespace {

// What is left of `count` items numbered from 0.
std::vector<size_t> Keep(size_t limit, size_t count) {
  EvenSpacing spacing(limit);
  std::vector<size_t> kept;
  for (size_t i = 0; i < count; ++i) {
    const auto verdict = spacing.Next();
    if (verdict.thin) {
      std::vector<size_t> even;
      for (size_t k = 0; k < kept.size(); k += 2) even.push_back(kept[k]);
      kept = even;
    }
    if (verdict.take) kept.push_back(i);
  }
  return kept;
}

TEST(EvenSpacing, KeepsAllThatFit) { EXPECT_EQ(Keep(4, 3), (std::vector<size_t>{0, 1, 2})); }

TEST(EvenSpacing, ThinsOutWhenThereAreMore) {
  EXPECT_EQ(Keep(4, 5), (std::vector<size_t>{0, 2, 4}));
  EXPECT_EQ(Keep(4, 8), (std::vector<size_t>{0, 2, 4, 6}));
  EXPECT_EQ(Keep(4, 9), (std::vector<size_t>{0, 4, 8}));
  EXPECT_EQ(Keep(3, 7), (std::vector<size_t>{0, 4}));
  EXPECT_EQ(Keep(1, 100), (std::vector<size_t>{0}));
  EXPECT_TRUE(Keep(0, 10).empty());
}

TEST(EvenSpacing, NeverHoldsMoreThanItsLimitAndStaysEven) {
  for (const size_t limit : {size_t{1}, size_t{5}, size_t{64}}) {
    for (const size_t count : {size_t{1}, size_t{63}, size_t{64}, size_t{1000}, size_t{12'345}}) {
      const auto kept = Keep(limit, count);
      ASSERT_LE(kept.size(), limit);
      EXPECT_GE(kept.size(), std::min(count, limit / 2));
      for (size_t i = 2; i < kept.size(); ++i) EXPECT_EQ(kept[i] - kept[i - 1], kept[1] - kept[0]);
    }
  }
}

}  // namespace
}  // namespace deepedge
