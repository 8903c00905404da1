#include "deepedge/engine/openvino/layer_graph.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "deepedge/engine/openvino/openvino_engine.h"
#include "deepedge/engine/openvino/test_models.h"

namespace deepedge {
namespace {

std::unique_ptr<Engine> MakeEngine() { return std::move(CreateOpenVinoEngine()).value(); }

LayerGraph AnalyseConvolutions(const TemporaryFolder& folder) {
  return MakeEngine()->Analyse(test_models::WriteConvolutions(folder.path()), {}).value();
}

TEST(LayerGraph, NamesWhatRunsAsOneKernel) {
  const TemporaryFolder folder = std::move(TemporaryFolder::Create("deepedge-test-")).value();
  const LayerGraph graph = AnalyseConvolutions(folder);
  std::vector<LayerClass> kinds;
  for (const Layer& layer : graph.layers) kinds.push_back(layer.kind);
  EXPECT_EQ(kinds, (std::vector<LayerClass>{LayerClass::kConvolution, LayerClass::kDepthwise, LayerClass::kConvolution,
                                            LayerClass::kPooling, LayerClass::kFullyConnected}));
}

TEST(LayerGraph, CountsArithmeticAndBytes) {
  const TemporaryFolder folder = std::move(TemporaryFolder::Create("deepedge-test-")).value();
  const LayerGraph graph = AnalyseConvolutions(folder);
  ASSERT_FALSE(graph.layers.empty());
  const Layer& first = graph.layers.front();
  EXPECT_EQ(first.flops, 2 * first.output_pixels * first.kernel * first.input_channels * first.output_channels);
  EXPECT_EQ(first.weight_bytes, 4 * first.kernel * first.input_channels * first.output_channels);
  EXPECT_EQ(first.input_bytes, 3 * 16 * 16 * 4);
  EXPECT_GE(first.live_bytes, first.input_bytes + first.output_bytes);
  EXPECT_EQ(graph.input_bytes, 3 * 16 * 16 * 4);
  EXPECT_EQ(graph.output_bytes, 5 * 4);
}

TEST(LayerGraph, CutsLieBetweenLayers) {
  const TemporaryFolder folder = std::move(TemporaryFolder::Create("deepedge-test-")).value();
  const LayerGraph graph = AnalyseConvolutions(folder);
  EXPECT_FALSE(graph.cuts.empty());
  for (const CutPoint& cut : graph.cuts) {
    EXPECT_GT(cut.bytes, 0);
    EXPECT_GT(cut.next_layer, 0);
    EXPECT_LT(cut.next_layer, static_cast<int>(graph.layers.size()));
  }
}

TEST(LayerGraph, TellsWhichInputIsOpen) {
  const TemporaryFolder folder = std::move(TemporaryFolder::Create("deepedge-test-")).value();
  const auto engine = MakeEngine();
  const ModelFiles files = test_models::WriteDynamic(folder.path());
  const auto open = engine->Analyse(files, {});
  ASSERT_FALSE(open.ok());
  EXPECT_EQ(open.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(open.error().message.find("'x'"), std::string::npos) << open.error().message;
  EXPECT_TRUE(engine->Analyse(files, {.input_shapes = {{"x", {1, 3, 8, 8}}}}).ok());
}

TEST(LayerGraph, EveryTimeIsOfALayerItNames) {
  const TemporaryFolder folder = std::move(TemporaryFolder::Create("deepedge-test-")).value();
  const auto engine = MakeEngine();
  const ModelFiles files = test_models::WriteConvolutions(folder.path());
  const LayerGraph graph = engine->Analyse(files, {}).value();
  std::set<std::string> names{""};
  for (const Layer& layer : graph.layers) names.insert(layer.name);
  const auto model = std::move(engine->Compile(files, {.time_layers = true})).value();
  ASSERT_TRUE(model->Run(0).ok());
  const LayerTimes times = model->TimesOfLayers(0);
  EXPECT_EQ(times.runs, 2);  // one to warm up
  EXPECT_FALSE(times.layers.empty());
  for (const LayerTime& time : times.layers) EXPECT_TRUE(names.contains(time.layer)) << time.layer;
  EXPECT_TRUE(engine->Compile(files, {}).value()->TimesOfLayers(0).layers.empty());
  // Cut, layers are the same; those of all stages are told.
  CompileOptions options{.time_layers = true};
  for (const CutPoint& cut : graph.cuts) options.cuts.push_back(cut.after_op);
  const auto staged = std::move(engine->Compile(files, options)).value();
  ASSERT_TRUE(staged->Run(0).ok());
  const LayerTimes in_stages = staged->TimesOfLayers(0);
  EXPECT_EQ(in_stages.runs, 2);
  std::set<std::string> timed;
  for (const LayerTime& time : in_stages.layers) timed.insert(time.layer);
  for (const LayerTime& time : times.layers) EXPECT_TRUE(timed.contains(time.layer)) << time.layer;
  for (const std::string& layer : timed) EXPECT_TRUE(names.contains(layer)) << layer;
}

}  // namespace
}  // namespace deepedge
