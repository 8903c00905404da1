#include "deepedge/profiler/calibration/synthetic_net.h"

#include <gtest/gtest.h>

#include <cmath>

#include "deepedge/engine/openvino/openvino_engine.h"

namespace deepedge {
namespace {

constexpr int64_t kMostFlops = 200'000'000;

TEST(SyntheticNet, IsTheSameForTheSameSeed) {
  const SyntheticNet a = MakeSyntheticNet(NetFamily::kMobile, 4, kMostFlops);
  EXPECT_EQ(a.cfg, MakeSyntheticNet(NetFamily::kMobile, 4, kMostFlops).cfg);
  EXPECT_NE(a.cfg, MakeSyntheticNet(NetFamily::kMobile, 5, kMostFlops).cfg);
}

TEST(SyntheticNet, EveryFamilyRunsOnTheEngineAndGivesNumbers) {
  const auto engine = std::move(CreateOpenVinoEngine()).value();
  const auto folder = std::move(TemporaryFolder::Create("deepedge-test-")).value();
  for (int family = 0; family < kNetFamilies; ++family) {
    for (uint32_t seed = 0; seed < 3; ++seed) {
      const SyntheticNet net = MakeSyntheticNet(static_cast<NetFamily>(family), seed, kMostFlops / 4);
      const ModelFiles files = WriteSyntheticNet(net, folder.path(), "net").value();
      const CompileOptions options{.picture = PictureOf(net)};
      auto model = engine->Compile(files, options);
      ASSERT_TRUE(model.ok()) << family << ' ' << seed << ' ' << model.error().message << '\n' << net.cfg;
      ASSERT_TRUE(model.value()->Run(0).ok());
      for (const float value : model.value()->Output(0, 0).As<float>()) ASSERT_TRUE(std::isfinite(value)) << net.cfg;
      const LayerGraph graph = engine->Analyse(files, options).value();
      EXPECT_GE(graph.layers.size(), 2u);
    }
  }
}

TEST(SyntheticNet, KeepsToItsLimit) {
  for (int family = 0; family < kNetFamilies; ++family) {
    for (uint32_t seed = 0; seed < 20; ++seed) {
      const SyntheticNet net = MakeSyntheticNet(static_cast<NetFamily>(family), seed, kMostFlops);
      EXPECT_LT(net.flops, 2 * kMostFlops) << net.cfg;
    }
  }
}

}  // namespace
}  // namespace deepedge
