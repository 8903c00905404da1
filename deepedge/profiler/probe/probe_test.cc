#include "deepedge/profiler/probe/probe.h"

#include <gtest/gtest.h>

#include "deepedge/engine/fake/fake_engine.h"
#include "deepedge/profiler/probe/probe_target.h"

namespace deepedge {
namespace {

class ProbeTest : public testing::Test {
 protected:
  ProbeTest() {
    const Tensor output{.type = ElementType::kF32, .shape = {1, 1}, .data = std::vector<std::byte>(4)};
    engine_.Add({.profile = {.model = "net",
                             .inputs = {{"x", ElementType::kF32, {1, 3, 64, 64}}},
                             .outputs = {{"y", ElementType::kF32, {1, 1}}},
                             .run_time = std::chrono::milliseconds(2)},
                 .outputs = {output}});
    target_ = {.name = "net", .files = {.graph = "net"}, .picture = PictureInput{.width = 64, .height = 64}};
  }

  FakeEngine engine_{[](Duration time) {
    const Duration until = ThreadCpuTime() + time;
    while (ThreadCpuTime() < until) continue;
  }};
  ProbeTarget target_;
  RealClock clock_;
};

TEST_F(ProbeTest, MeasuresARunOfTheWholeBatch) {
  for (const int batch : {1, 3}) {
    auto probe = Probe::Prepare(engine_, target_, {{Precision::kFp32, 64, 64}, batch}, clock_);
    ASSERT_TRUE(probe.ok()) << probe.error().message;
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(probe.value().Run().ok());
    const ProbeResult result = probe.value().Summary();
    EXPECT_EQ(result.runs, 3);
    EXPECT_GE(result.min_us, 2000.0 * batch);
    EXPECT_LE(result.min_us, result.median_us);
    EXPECT_LE(result.median_us, result.p90_us);
  }
}

TEST_F(ProbeTest, RefusesSettingsThatTheModelDoesNotHave) {
  struct Case {
    Setting setting;
    const char* says;
  };
  for (const Case& c :
       {Case{{{Precision::kFp32, 32, 32}}, "takes 64x64 only"}, Case{{{Precision::kInt8, 64, 64}}, "no int8 form"}}) {
    const auto probe = Probe::Prepare(engine_, target_, c.setting, clock_);
    ASSERT_FALSE(probe.ok());
    EXPECT_EQ(probe.error().code, ErrorCode::kUnsupported);
    EXPECT_NE(probe.error().message.find(c.says), std::string::npos) << probe.error().message;
  }
}

TEST_F(ProbeTest, SizesAreTheCardsOwnUnlessTheGraphCanBeResized) {
  EXPECT_EQ(SizesOf(target_, 1 << 20).size(), 1u);
  target_.resizable = true;
  const auto sizes = SizesOf(target_, 1 << 20);
  EXPECT_EQ(sizes.front(), (VariantKey{Precision::kFp32, 64, 64}));
  EXPECT_NE(std::find(sizes.begin(), sizes.end(), VariantKey{Precision::kFp32, 96, 96}), sizes.end());
  for (const VariantKey& size : SizesOf(target_, 64 * 64)) EXPECT_LE(size.width, 64);
}

TEST_F(ProbeTest, AModelWithAnOpenSizeAndNoPictureIsRefused) {
  const auto open = TargetOf("net", {}, {}, {{"x", ElementType::kF32, {-1, 3, -1}}});
  ASSERT_FALSE(open.ok());
  EXPECT_NE(open.error().message.find("'x'"), std::string::npos);
  const auto batch = TargetOf("net", {}, {}, {{"x", ElementType::kF32, {-1, 3, 8}}});
  ASSERT_TRUE(batch.ok());
  EXPECT_EQ(batch.value().input_shapes.at("x"), (Shape{1, 3, 8}));
}

}  // namespace
}  // namespace deepedge
