#include "deepedge/scheduler/policy.h"

#include <gtest/gtest.h>

#include <vector>

namespace deepedge {
namespace {

constexpr JobKind kDecode = JobKind::kDecode;
constexpr JobKind kInfer = JobKind::kInference;

TEST(EarliestDeadlineFirst, PicksByKindThenDeadlineThenWaitingTime) {
  const struct {
    const char* rule;
    std::vector<ReadyJob> ready;
    bool decode_over_share;
    size_t expected;
  } cases[] = {
      {"the only job", {{kInfer, {5}, {0}}}, false, 0},
      {"the earliest deadline", {{kInfer, {9}, {0}}, {kInfer, {3}, {2}}, {kInfer, {7}, {1}}}, false, 1},
      {"of equal deadlines the longest waiting",
       {{kInfer, {3}, {8}}, {kInfer, {3}, {2}}, {kInfer, {3}, {5}}},
       false,
       1},
      {"of equals the first", {{kInfer, {3}, {2}}, {kInfer, {3}, {2}}}, false, 0},
      {"a deadline that has passed is still the earliest", {{kInfer, {10}, {0}}, {kInfer, {-5}, {0}}}, false, 1},
      {"decoding before inference that is due earlier", {{kInfer, {1}, {0}}, {kDecode, {9}, {5}}}, false, 1},
      {"the packet that has been there longest",
       {{kDecode, {9}, {5}}, {kDecode, {4}, {6}}, {kInfer, {1}, {0}}},
       false,
       1},
      {"inference when decoding is over its share", {{kInfer, {9}, {5}}, {kDecode, {1}, {0}}}, true, 0},
      {"decoding over its share when nothing else waits", {{kDecode, {9}, {5}}, {kDecode, {1}, {0}}}, true, 1},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(PickEarliestDeadline({.ready = c.ready, .decode_over_share = c.decode_over_share}), c.expected) << c.rule;
  }
}

// Lets a box that has more to decode than it can run for ten seconds of computing time; returns decoding's share.
double ShareOfDecoding(Duration decode_job, Duration inference_job) {
  DecodeShare share;
  Duration decoded{0};
  Duration total{0};
  while (total < std::chrono::seconds(10)) {
    const bool infer = share.IsOver();
    const Duration ran = infer ? inference_job : decode_job;
    share.Add(infer ? kInfer : kDecode, ran);
    total += ran;
    if (!infer) decoded += ran;
  }
  return static_cast<double>(decoded.count()) / static_cast<double>(total.count());
}

TEST(DecodeShare, LeavesAFifthOfTheTimeToInferenceHoweverMuchThereIsToDecode) {
  using std::chrono::milliseconds;
  EXPECT_NEAR(ShareOfDecoding(milliseconds(1), milliseconds(10)), 0.8, 0.03);
  EXPECT_NEAR(ShareOfDecoding(milliseconds(10), milliseconds(1)), 0.8, 0.03);
  EXPECT_NEAR(ShareOfDecoding(milliseconds(5), milliseconds(80)), 0.8, 0.1);
}

TEST(DecodeShare, IsNotOverAtAnOrdinaryMix) {
  DecodeShare share;
  for (int i = 0; i < 1000; ++i) {
    share.Add(kDecode, Duration(3000));
    EXPECT_FALSE(share.IsOver());
    share.Add(kInfer, Duration(1000));
  }
}

}  // namespace
}  // namespace deepedge
