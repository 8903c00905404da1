#include "deepedge/bench/stages_bench.h"

#include <gtest/gtest.h>

#include "deepedge/base/file.h"
#include "deepedge/engine/fake/fake_engine.h"

namespace deepedge {
namespace {

class StagesBenchTest : public ::testing::Test {
 protected:
  StagesBenchTest() : folder_(TemporaryFolder::Create("de_stages_bench").value()), engine_([](Duration) {}) {}

  // A file that is recognised as TFLite, and what the engine answers for it.
  std::string Add(const std::string& name, const Shape& shape) {
    engine_.Add({.profile = {.model = name,
                             .inputs = {{"x", ElementType::kF32, shape}},
                             .outputs = {{"y", ElementType::kF32, {1}}},
                             .run_time = Duration(100),
                             .layers = {.layers = {{.name = "a"}, {.name = "b"}},
                                        .cuts = {{.after_op = 3, .bytes = 0, .tensors = 1, .next_layer = 1}},
                                        .operations = 6}},
                 .outputs = {{ElementType::kF32, {1}, std::vector<std::byte>(4)}},
                 .output_operations = {"Add"}});
    const Path path = folder_.path() / (name + ".tflite");
    EXPECT_TRUE(WriteFileAtomically(path, std::string("\x1C\0\0\0TFL3\0\0\0\0", 12)).ok());
    return path.string();
  }

  TemporaryFolder folder_;
  FakeEngine engine_;
};

TEST_F(StagesBenchTest, MeasuresEveryModelInTheOrderGiven) {
  const std::vector<std::string> models{Add("a", {1}), Add("b", {-1})};
  const auto costs = MeasureStages(engine_, {.models = models, .runs = 3});
  ASSERT_TRUE(costs.ok()) << costs.error().message;
  ASSERT_EQ(costs.value().size(), 2U);
  EXPECT_EQ(costs.value()[0].model, models[0]);
  EXPECT_EQ(costs.value()[1].model, models[1]);
  EXPECT_EQ(costs.value()[0].stage_ms.size(), 1U);  // nothing that takes no time is cut
}

TEST_F(StagesBenchTest, RefusesInputsOfOpenSize) {
  const auto costs = MeasureStages(engine_, {.models = {Add("a", {1, -1})}, .runs = 1});
  ASSERT_FALSE(costs.ok());
  EXPECT_EQ(costs.error().code, ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace deepedge
