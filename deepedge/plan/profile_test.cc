#include "deepedge/plan/profile.h"

#include <gtest/gtest.h>

namespace deepedge {
namespace {

TEST(Setting, IsWrittenWithoutWhatIsOne) {
  EXPECT_EQ(ToString(Setting{{Precision::kFp32, 416, 256}}), "fp32@416x256");
  EXPECT_EQ(ToString(Setting{{Precision::kInt8, 0, 0}, 8, 2}), "int8 batch 8 on 2 cores");
}

TEST(Profile, FindsTheCostOfASetting) {
  Profile profile;
  profile.costs.push_back({.setting = {{Precision::kFp32, 320, 240}}});
  profile.costs.push_back({.setting = {{Precision::kFp32, 320, 240}, 4}, .probes = 2});
  const SettingCost* const cost = FindCost(profile, {{Precision::kFp32, 320, 240}, 4});
  ASSERT_NE(cost, nullptr);
  EXPECT_EQ(cost->probes, 2);
  EXPECT_EQ(FindCost(profile, {{Precision::kBf16, 320, 240}, 4}), nullptr);
}

}  // namespace
}  // namespace deepedge
