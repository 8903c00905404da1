#include "deepedge/bench/models_bench.h"

#include <gtest/gtest.h>

#include "deepedge/base/file.h"
#include "deepedge/engine/fake/fake_engine.h"

namespace deepedge {
namespace {

class ModelsBenchTest : public ::testing::Test {
 protected:
  ModelsBenchTest()
      : folder_(TemporaryFolder::Create("de_models_bench").value()),
        engine_([this](Duration d) { clock_.Advance(d); }) {}

  // A file that is recognised as TFLite, and what the engine answers for it.
  std::string Add(const std::string& name, const Shape& shape) {
    engine_.Add({.profile = {.model = name,
                             .inputs = {{"x", ElementType::kF32, shape}},
                             .outputs = {{"y", ElementType::kF32, {1}}},
                             .run_time = Duration(100)},
                 .outputs = {{ElementType::kF32, {1}, std::vector<std::byte>(4)}},
                 .output_operations = {"Add"}});
    const Path path = folder_.path() / (name + ".tflite");
    EXPECT_TRUE(WriteFileAtomically(path, std::string("\x1C\0\0\0TFL3\0\0\0\0", 12)).ok());
    return path.string();
  }

  TemporaryFolder folder_;
  ManualClock clock_;
  FakeEngine engine_;
};

TEST_F(ModelsBenchTest, MeasuresEveryModelInTheOrderGiven) {
  const std::vector<std::string> models{Add("a", {1}), Add("b", {1})};
  const auto costs = MeasureModels(engine_, {.models = models, .runs = 3, .loads = 2}, clock_);
  ASSERT_TRUE(costs.ok()) << costs.error().message;
  ASSERT_EQ(costs.value().size(), 2U);
  EXPECT_EQ(costs.value()[0].model, models[0]);
  EXPECT_EQ(costs.value()[1].model, models[1]);
  EXPECT_GE(costs.value()[1].run_ms, 0);
}

TEST_F(ModelsBenchTest, RefusesInputsOfOpenSize) {
  const auto costs = MeasureModels(engine_, {.models = {Add("a", {-1})}, .runs = 1, .loads = 1}, clock_);
  ASSERT_FALSE(costs.ok());
  EXPECT_EQ(costs.error().code, ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace deepedge
