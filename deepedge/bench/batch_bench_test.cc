#include "deepedge/bench/batch_bench.h"

#include <gtest/gtest.h>

#include "deepedge/base/file.h"
#include "deepedge/engine/fake/fake_engine.h"

namespace deepedge {
namespace {

class BatchBenchTest : public ::testing::Test {
 protected:
  std::string Add(const std::string& name, bool takes_batches) {
    engine_.Add({.profile = {.model = name,
                             .inputs = {{"x", ElementType::kF32, {1, 3, 16, 16}}},
                             .outputs = {{"y", ElementType::kF32, {1, 4}}},
                             .run_time = Duration(100)},
                 .outputs = {{ElementType::kF32, {1, 4}, std::vector<std::byte>(16)}},
                 .output_operations = {"Add"},
                 .takes_batches = takes_batches});
    const Path model = folder_.path() / (name + ".tflite");
    EXPECT_TRUE(WriteFileAtomically(model, std::string("\x1C\0\0\0TFL3\0\0\0\0", 12)).ok());
    EXPECT_TRUE(WriteFileAtomically(folder_.path() / (name + ".yaml"),
                                    "input: { width: 16, height: 16 }\noutput: { decoder: embedding }\n")
                    .ok());
    return model.string();
  }

  TemporaryFolder folder_ = TemporaryFolder::Create("de_batch_bench").value();
  ManualClock clock_;
  FakeEngine engine_{[](Duration) {}};
};

TEST_F(BatchBenchTest, TellsWhatEveryModelCan) {
  const std::vector<std::string> models{Add("a", true), Add("b", false)};
  const auto costs = MeasureBatches(engine_, {.models = models, .crops = 5, .runs = 2, .always = true}, clock_);
  ASSERT_TRUE(costs.ok()) << costs.error().message;
  ASSERT_EQ(costs.value().size(), 2U);
  EXPECT_EQ(costs.value()[0].model, models[0]);
  EXPECT_EQ(costs.value()[0].max_batch, 5);
  EXPECT_EQ(costs.value()[1].max_batch, 1);
  EXPECT_GT(costs.value()[0].together_ms, 0);
  const auto small = MeasureBatches(engine_, {.models = models, .crops = 5, .runs = 2}, clock_);
  ASSERT_TRUE(small.ok());
  EXPECT_EQ(small.value()[0].max_batch, 1);  // it has no weights to share
  EXPECT_FALSE(MeasureBatches(engine_, {.models = {"nothing"}}, clock_).ok());
}

}  // namespace
}  // namespace deepedge
