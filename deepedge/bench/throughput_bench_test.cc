#include "deepedge/bench/throughput_bench.h"

#include <gtest/gtest.h>

namespace deepedge {
namespace {

TEST(DealFiles, GivesEachLoopFilesInTurn) {
  EXPECT_EQ(DealFiles(5, 2), (std::vector<size_t>{0, 1, 0, 1, 0}));
  EXPECT_EQ(DealFiles(1, 2), (std::vector<size_t>{0}));
}

TEST(CpusToUse, NoMoreThanFiles) {
  EXPECT_EQ(CpusToUse({3, 5, 7}, 2), (std::vector<int>{3, 5}));
  EXPECT_EQ(CpusToUse({3, 5}, 2), (std::vector<int>{3, 5}));
  EXPECT_EQ(CpusToUse({3}, 4), (std::vector<int>{3}));
}

TEST(Median, IsTheMiddle) {
  EXPECT_EQ(Median({3, 1, 2}), 2);
  EXPECT_EQ(Median({4, 1, 2, 3}), 2.5);
  EXPECT_EQ(Median({7}), 7);
}

}  // namespace
}  // namespace deepedge
