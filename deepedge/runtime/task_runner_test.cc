#include "deepedge/runtime/task_runner.h"

#include <gtest/gtest.h>

#include "deepedge/runtime/deadline.h"

namespace deepedge {
namespace {

TEST(IsTooLateTest, FollowsTheTable) {
  struct Case {
    std::optional<Duration> deadline;
    int64_t age_us;
    bool expected;
  };
  const Case cases[] = {
      {std::nullopt, 0, false},    {std::nullopt, 3'600'000'000, false},  // nobody has set a deadline
      {Duration(100), -50, false},                                        // the clock of a paced file runs ahead
      {Duration(100), 99, false},  {Duration(100), 100, false},          {Duration(100), 101, true},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(IsTooLate(Time{1000}, c.deadline, Time{1000 + c.age_us}), c.expected) << c.age_us;
  }
}

InferenceResult ThreeOfEach() {
  InferenceResult result;
  for (int label = 0; label < 3; ++label) {
    result.objects.emplace_back().label = label;
    result.classes.emplace_back().label = label;
  }
  return result;
}

TEST(KeepLabelsTest, FiltersObjectsAndClasses) {
  InferenceResult result = ThreeOfEach();
  KeepLabels({2, 0}, result);
  ASSERT_EQ(result.objects.size(), 2U);
  EXPECT_EQ(result.objects[0].label, 0);
  EXPECT_EQ(result.objects[1].label, 2);
  ASSERT_EQ(result.classes.size(), 2U);
  EXPECT_EQ(result.classes[0].label, 0);
  EXPECT_EQ(result.classes[1].label, 2);
}

TEST(KeepLabelsTest, NoLabelsMeansAll) {
  InferenceResult result = ThreeOfEach();
  KeepLabels({}, result);
  EXPECT_EQ(result.objects.size(), 3U);
  EXPECT_EQ(result.classes.size(), 3U);
}

}  // namespace
}  // namespace deepedge
