#include "deepedge/engine/openvino/graph_facts.h"

#include <gtest/gtest.h>

#include <chrono>
#include <openvino/opsets/opset10.hpp>

namespace deepedge {
namespace {

namespace op = ov::opset10;
using Out = ov::Output<ov::Node>;

std::shared_ptr<op::Parameter> Input(const ov::PartialShape& shape) {
  return std::make_shared<op::Parameter>(ov::element::f32, shape);
}

Out Number(const ov::Shape& shape, const std::vector<float>& values) {
  return op::Constant::create(ov::element::f32, shape, values);
}

Out Conv(const Out& x, size_t in, size_t out, ptrdiff_t stride = 1) {
  const auto step = static_cast<size_t>(stride);
  const Out weights = Number({out, in, 1, 1}, std::vector<float>(out * in, 0.1F));
  return std::make_shared<op::Convolution>(x, weights, ov::Strides{step, step}, ov::CoordinateDiff{0, 0},
                                           ov::CoordinateDiff{0, 0}, ov::Strides{1, 1});
}

Out Reshape(const Out& x, const std::vector<int64_t>& shape) {
  return std::make_shared<op::Reshape>(x, op::Constant::create(ov::element::i64, {shape.size()}, shape), false);
}

GraphFacts FactsOf(const std::shared_ptr<op::Parameter>& input, const ov::OutputVector& outputs) {
  ov::ResultVector results;
  for (const auto& output : outputs) results.push_back(std::make_shared<op::Result>(output));
  return FindGraphFacts(*std::make_shared<ov::Model>(results, ov::ParameterVector{input}));
}

TEST(GraphFacts, TheInputsOwnPreparationIsFolded) {
  const auto x = Input({1, 4, 4, 3});
  const Out minus = std::make_shared<op::Subtract>(x, Number({1, 1, 1, 3}, {10, 20, 30}));
  const Out scaled = std::make_shared<op::Multiply>(minus, Number({}, {0.5F}));
  const Out nchw = std::make_shared<op::Transpose>(scaled, op::Constant::create(ov::element::i64, {4}, {0, 3, 1, 2}));
  const InputFacts facts = FactsOf(x, {Conv(nchw, 3, 2)}).inputs.at(0);
  EXPECT_EQ(facts.mean, (std::vector<float>{10, 20, 30}));
  EXPECT_EQ(facts.std, (std::vector<float>{2, 2, 2}));
  EXPECT_EQ(facts.layout, TensorLayout::kNhwc);
  EXPECT_EQ(facts.first_layer, "Convolution");
}

TEST(GraphFacts, AnAffineStepIsFoldedInEitherOrder) {
  const auto x = Input({1, 3, 4, 4});
  const Out scaled = std::make_shared<op::Divide>(x, Number({}, {127.5F}));
  const Out shifted = std::make_shared<op::Add>(scaled, Number({}, {-1}));
  const InputFacts facts = FactsOf(x, {Conv(shifted, 3, 2)}).inputs.at(0);
  EXPECT_EQ(facts.mean, std::vector<float>{127.5F});
  EXPECT_EQ(facts.std, std::vector<float>{127.5F});
  EXPECT_EQ(facts.layout, TensorLayout::kNchw);
}

TEST(GraphFacts, JointsOfJointsAreLookedAtOnlySoOften) {
  const auto x = Input({1, 1, 4, 4});
  Out joined = std::make_shared<op::Sigmoid>(x);
  for (int depth = 0; depth < 4; ++depth) {
    joined = std::make_shared<op::Concat>(ov::OutputVector(depth < 3 ? 64 : 60, joined), depth % 2 == 0 ? 1 : 0);
  }
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(FactsOf(x, ov::OutputVector(8, joined)).outputs.size(), 8U);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
}

TEST(GraphFacts, ManyOutputsOfALongNetworkAreLookedAtOnlySoOften) {
  const auto x = Input({1, 1, 4, 4});
  Out value = std::make_shared<op::Sigmoid>(x);
  for (int i = 0; i < 2000; ++i) value = std::make_shared<op::Relu>(value);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(FactsOf(x, ov::OutputVector(20'000, value)).outputs.size(), 20'000U);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

TEST(GraphFacts, ActivationsAreSeenThroughJoints) {
  const auto x = Input({1, 3, 8, 8});
  ov::OutputVector scores, boxes;
  for (const ptrdiff_t stride : {1, 2}) {
    const auto cells = 64 / (stride * stride);
    scores.push_back(std::make_shared<op::Sigmoid>(Reshape(Conv(x, 3, 4, stride), {1, cells * 2, 2})));
    boxes.push_back(Reshape(Conv(x, 3, 8, stride), {1, cells * 2, 4}));
  }
  const Out all_scores = std::make_shared<op::Concat>(scores, 1);
  const Out all_boxes = std::make_shared<op::Concat>(boxes, 1);
  const GraphFacts facts = FactsOf(x, {all_scores, all_boxes});
  EXPECT_EQ(facts.outputs.at(0).operation, "Sigmoid");
  EXPECT_EQ(facts.outputs.at(1).operation, "Concat");
  EXPECT_FALSE(facts.outputs.at(1).sigmoid_inside);
  EXPECT_EQ(facts.outputs.at(1).maps, (std::vector<MapFacts>{{8, 8, 8}, {4, 4, 8}}));
  EXPECT_TRUE(facts.outputs.at(1).parts.empty());  // joined by rows
  EXPECT_EQ(facts.layers, 4);
}

TEST(GraphFacts, ColumnsKnowWhatWasDoneToThem) {
  const auto x = Input({1, 3, 8, 8});
  const Out rows = Reshape(Conv(x, 3, 4), {1, 64, 4});
  const Out grid = Number({1, 64, 4}, std::vector<float>(256, 2.0F));
  const Out boxes = std::make_shared<op::Add>(std::make_shared<op::Exp>(rows), grid);
  const Out classes = std::make_shared<op::Sigmoid>(Reshape(Conv(x, 3, 5), {1, 64, 5}));
  const OutputFacts facts =
      FactsOf(x, {std::make_shared<op::Concat>(ov::OutputVector{boxes, classes}, 2)}).outputs.at(0);
  EXPECT_EQ(facts.parts, (std::vector<ColumnPart>{{4, false, false, true}, {5, true, false, false}}));
  EXPECT_TRUE(facts.grid_inside);
  EXPECT_EQ(facts.largest_place, 2.0F);
  EXPECT_TRUE(facts.exp_inside);
  EXPECT_TRUE(facts.sigmoid_inside);
  EXPECT_FALSE(facts.square_inside);
}

TEST(GraphFacts, ABiasIsNoGrid) {
  const auto x = Input({1, 3, 8, 8});
  const Out biased = std::make_shared<op::Add>(Conv(x, 3, 20), Number({1, 20, 1, 1}, std::vector<float>(20, 1.0F)));
  EXPECT_FALSE(FactsOf(x, {biased}).outputs.at(0).grid_inside);
}

TEST(GraphFacts, ADistributionIsSeen) {
  const auto x = Input({1, 3, 8, 8});
  const Out bins = Reshape(Conv(x, 3, 64), {1, 4, 16, 64});
  const Out turned = std::make_shared<op::Transpose>(bins, op::Constant::create(ov::element::i64, {4}, {0, 2, 1, 3}));
  const Out soft = std::make_shared<op::Softmax>(turned, 1);
  const OutputFacts facts = FactsOf(x, {Reshape(Conv(soft, 16, 1), {1, 4, 64})}).outputs.at(0);
  EXPECT_EQ(facts.dfl_bins, 16);
  EXPECT_EQ(facts.maps, (std::vector<MapFacts>{{8, 8, 64}}));
}

TEST(GraphFacts, HeadsOfClassifiersAndVectors) {
  const auto x = Input({1, 3, 8, 8});
  const Out pooled =
      std::make_shared<op::ReduceMean>(Conv(x, 3, 6), op::Constant::create(ov::element::i64, {2}, {2, 3}), false);
  const Out logits = std::make_shared<op::MatMul>(pooled, Number({6, 4}, std::vector<float>(24, 0.1F)));
  const Out length = std::make_shared<op::ReduceL2>(logits, op::Constant::create(ov::element::i64, {1}, {1}), true);
  const GraphFacts facts =
      FactsOf(x, {std::make_shared<op::Softmax>(logits, 1), std::make_shared<op::Divide>(logits, length)});
  EXPECT_EQ(facts.outputs.at(0).operation, "Softmax");
  EXPECT_TRUE(facts.outputs.at(0).pooled);
  EXPECT_TRUE(facts.outputs.at(0).fully_connected);
  EXPECT_FALSE(facts.outputs.at(0).unit_length);
  EXPECT_TRUE(facts.outputs.at(1).unit_length);
}

TEST(GraphFacts, OperationsThatChangeNothingAreLookedThrough) {
  const auto x = Input({1, 3, 8, 8});
  const Out soft = std::make_shared<op::Sigmoid>(Conv(x, 3, 2));
  const Out same = std::make_shared<op::Add>(std::make_shared<op::Multiply>(soft, Number({}, {1})), Number({}, {0}));
  EXPECT_EQ(FactsOf(x, {same}).outputs.at(0).operation, "Sigmoid");
  const Out other = std::make_shared<op::Add>(soft, Number({}, {1}));
  EXPECT_EQ(FactsOf(x, {other}).outputs.at(0).operation, "Add");
}

TEST(FindMetadata, OurOwnAndTheFrameworksEntriesAreListed) {
  const auto x = Input({1, 3, 8, 8});
  const auto model = std::make_shared<ov::Model>(ov::ResultVector{std::make_shared<op::Result>(Conv(x, 3, 2))},
                                                 ov::ParameterVector{x});
  model->set_rt_info(std::string("{0: 'a'}"), "framework", "names");
  model->set_rt_info(std::string("a b"), "model_info", "labels");
  model->set_rt_info(std::string("{}"), "deepedge", "darknet.net");
  const auto metadata = FindMetadata(*model);
  EXPECT_EQ(metadata.at("onnx.names"), "{0: 'a'}");
  EXPECT_EQ(metadata.at("ov.model_info.labels"), "a b");
  EXPECT_EQ(metadata.at("darknet.net"), "{}");
}

}  // namespace
}  // namespace deepedge
