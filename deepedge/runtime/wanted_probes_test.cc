#include "deepedge/runtime/wanted_probes.h"

#include <gtest/gtest.h>

namespace deepedge {
namespace {

Setting Batch(int batch) { return {{Precision::kFp32, 64, 64}, batch}; }

TEST(WantedProbes, FirstComeFirstServedAndEachOnce) {
  WantedProbes wanted;
  EXPECT_EQ(wanted.Next("a"), std::nullopt);
  wanted.HandleDone("a", Batch(1));
  EXPECT_TRUE(wanted.Want("a", Batch(2)));
  EXPECT_TRUE(wanted.Want("a", Batch(1)));
  EXPECT_TRUE(wanted.Want("a", Batch(2)));
  EXPECT_EQ(wanted.Next("b"), std::nullopt);
  EXPECT_EQ(wanted.Next("a"), Batch(2));
  EXPECT_EQ(wanted.Next("a"), Batch(2)) << "until it is done";
  wanted.HandleDone("a", Batch(2));
  EXPECT_EQ(wanted.Next("a"), Batch(1));
  wanted.HandleDone("a", Batch(1));
  EXPECT_EQ(wanted.Next("a"), std::nullopt);
}

TEST(WantedProbes, IsBounded) {
  WantedProbes wanted;
  for (int i = 1; i <= static_cast<int>(WantedProbes::kMostOfAModel); ++i) EXPECT_TRUE(wanted.Want("a", Batch(i)));
  EXPECT_FALSE(wanted.Want("a", Batch(99)));
  EXPECT_TRUE(wanted.Want("a", Batch(3))) << "it is there already";
  EXPECT_TRUE(wanted.Want("b", Batch(99)));
}

}  // namespace
}  // namespace deepedge
