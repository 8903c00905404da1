#include "deepedge/engine/fake/fake_engine.h"

#include <gtest/gtest.h>

namespace deepedge {
namespace {

FakeModel OneNumber(const std::string& name, Duration run_time) {
  return {.profile = {.model = name,
                      .inputs = {{"x", ElementType::kF32, {1, 3, 2, 2}}},
                      .outputs = {{"y", ElementType::kU8, {1}}},
                      .run_time = run_time,
                      .weight_bytes = 1000},
          .outputs = {{ElementType::kU8, {1}, {std::byte{7}}}}};
}

TEST(FakeEngine, SpendsTheProfilesTimeOnTheGivenClock) {
  ManualClock clock;
  FakeEngine engine([&](Duration d) { clock.Advance(d); });
  engine.Add(OneNumber("person", Duration(20'000)));
  auto model = engine.Compile({ModelFormat::kOnnx, "person", {}}, {});
  ASSERT_TRUE(model.ok());
  EXPECT_EQ(clock.Now(), Time{0});  // compiling costs nothing
  ASSERT_TRUE(model.value()->Run(0).ok());
  ASSERT_TRUE(model.value()->Run(0).ok());
  EXPECT_EQ(clock.Now(), Time{40'000});
  EXPECT_EQ(model.value()->Output(0, 0).As<uint8_t>()[0], 7);
  EXPECT_EQ(model.value()->weight_bytes(), 1000);
}

TEST(FakeEngine, FindsModelsByPathNameAndStem) {
  FakeEngine engine([](Duration) {});
  engine.Add(OneNumber("a", Duration(1)));
  engine.Add(OneNumber("b.onnx", Duration(1)));
  engine.Add(OneNumber("/models/c.onnx", Duration(1)));
  for (const char* graph : {"a", "/x/a.onnx", "a.tflite", "/x/b.onnx", "/models/c.onnx"}) {
    EXPECT_TRUE(engine.Inspect({ModelFormat::kOnnx, graph, {}}).ok()) << graph;
  }
  EXPECT_FALSE(engine.Inspect({ModelFormat::kOnnx, "/other/c.onnx", {}}).ok());
}

TEST(FakeEngine, FailsRunsOnRequest) {
  Duration spent{0};
  FakeEngine engine([&](Duration d) { spent += d; });
  FakeModel broken = OneNumber("broken", Duration(5));
  broken.run_error = Error{ErrorCode::kInternal, "broken: on purpose"};
  engine.Add(broken);
  auto model = engine.Compile({ModelFormat::kOnnx, "broken", {}}, {});
  ASSERT_TRUE(model.ok());
  EXPECT_EQ(model.value()->Run(0).error().message, "broken: on purpose");
  EXPECT_EQ(spent, Duration(5));
}

TEST(FakeEngine, ModelsInUseSurviveBeingReplaced) {
  FakeEngine engine([](Duration) {});
  engine.Add(OneNumber("a", Duration(1)));
  auto model = engine.Compile({ModelFormat::kOnnx, "a", {}}, {});
  ASSERT_TRUE(model.ok());
  FakeModel other = OneNumber("a", Duration(2));
  other.outputs[0].data[0] = std::byte{8};
  engine.Add(std::move(other));
  ASSERT_TRUE(model.value()->Run(0).ok());
  EXPECT_EQ(model.value()->Output(0, 0).As<uint8_t>()[0], 7);
}

}  // namespace
}  // namespace deepedge
