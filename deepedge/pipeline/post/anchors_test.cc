#include "deepedge/pipeline/post/anchors.h"

#include <gtest/gtest.h>

#include <cmath>

namespace deepedge {
namespace {

TEST(Anchors, ListsLevelByLevelRowByRowCellByCell) {
  const auto anchors = ListAnchors({{.columns = 2, .rows = 1, .sizes = {{0.1F, 0.2F}, {0.3F, 0.4F}}},
                                    {.columns = 1, .rows = 2, .sizes = {{1.0F, 1.0F}}, .step = {0.4F, 0.6F}}});
  ASSERT_EQ(anchors.size(), 6U);
  EXPECT_FLOAT_EQ(anchors[0].cx, 0.25F);
  EXPECT_FLOAT_EQ(anchors[0].cy, 0.5F);
  EXPECT_FLOAT_EQ(anchors[0].width, 0.1F);
  EXPECT_FLOAT_EQ(anchors[1].height, 0.4F);
  EXPECT_FLOAT_EQ(anchors[2].cx, 0.75F);
  EXPECT_FLOAT_EQ(anchors[4].cx, 0.2F);
  EXPECT_FLOAT_EQ(anchors[5].cy, 0.9F);
}

TEST(Anchors, TensorFlowRuleGivesThe1917AnchorsOf300Pixels) {
  const SsdAnchorRule rule{.strides = {16, 32, 64, 128, 256, 512}, .reduce_lowest = true};
  const auto levels = MakeAnchorLevels(rule, 300, 300);
  EXPECT_EQ(CountAnchors(levels), 1917);
  ASSERT_EQ(levels.size(), 6U);
  EXPECT_EQ(levels[0].columns, 19);
  EXPECT_EQ(levels[5].columns, 1);
  ASSERT_EQ(levels[0].sizes.size(), 3U);
  EXPECT_FLOAT_EQ(levels[0].sizes[0][0], 0.1F);
  EXPECT_FLOAT_EQ(levels[0].sizes[1][0], 0.2F * std::sqrt(2.0F));
  EXPECT_FLOAT_EQ(levels[0].sizes[1][1], 0.2F / std::sqrt(2.0F));
  ASSERT_EQ(levels[1].sizes.size(), 6U);
  EXPECT_FLOAT_EQ(levels[1].sizes[0][0], 0.35F);
  EXPECT_FLOAT_EQ(levels[1].sizes[5][0], std::sqrt(0.35F * 0.5F));
  EXPECT_FLOAT_EQ(levels[5].sizes[5][0], std::sqrt(0.95F));
}

TEST(Anchors, MapsOfOneStrideAreMerged) {
  const SsdAnchorRule rule{.strides = {8, 16, 16, 16}, .aspect_ratios = {1}, .unit_sizes = true};
  const auto levels = MakeAnchorLevels(rule, 128, 128);
  ASSERT_EQ(levels.size(), 2U);
  EXPECT_EQ(levels[0].sizes.size(), 2U);
  EXPECT_EQ(levels[1].sizes.size(), 6U);
  EXPECT_EQ(CountAnchors(levels), 896);
  EXPECT_EQ(levels[1].sizes[3], (std::array<float, 2>{1, 1}));
  const SsdAnchorRule one{.strides = {4}, .aspect_ratios = {1}, .interpolated_square = false, .unit_sizes = true};
  EXPECT_EQ(CountAnchors(MakeAnchorLevels(one, 192, 192)), 2304);
}

}  // namespace
}  // namespace deepedge
