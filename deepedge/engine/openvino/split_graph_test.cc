#include "deepedge/engine/openvino/split_graph.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <openvino/op/abs.hpp>
#include <openvino/op/add.hpp>
#include <openvino/op/assign.hpp>
#include <openvino/op/concat.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/convert.hpp>
#include <openvino/op/convolution.hpp>
#include <openvino/op/fake_quantize.hpp>
#include <openvino/op/matmul.hpp>
#include <openvino/op/max_pool.hpp>
#include <openvino/op/read_value.hpp>
#include <openvino/op/relu.hpp>
#include <openvino/op/reshape.hpp>
#include <openvino/runtime/core.hpp>
#include <set>
#include <string>

#include "deepedge/engine/openvino/layer_graph.h"
#include "deepedge/engine/openvino/staged_model.h"

namespace deepedge {
namespace {

using ov::element::f16;
using ov::element::f32;
using Node = std::shared_ptr<ov::Node>;
using Port = ov::Output<ov::Node>;

const ov::Shape kPicture{1, 8, 12, 12};

std::shared_ptr<ov::op::v0::Parameter> Input(const char* name, ov::element::Type type = f32) {
  auto input = std::make_shared<ov::op::v0::Parameter>(type, kPicture);
  input->get_output_tensor(0).set_names({name});
  return input;
}

Node Convolve(const Port& x, const char* name) {
  std::vector<float> weights(size_t{8} * 8 * 9);
  for (size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<float>(i * 31 % 41) / 200 - 0.1F;
  const auto constant = ov::op::v0::Constant::create(x.get_element_type(), {8, 8, 3, 3}, weights);
  const ov::CoordinateDiff pad{1, 1};
  const auto result =
      std::make_shared<ov::op::v1::Convolution>(x, constant, ov::Strides{1, 1}, pad, pad, ov::Strides{1, 1});
  result->set_friendly_name(name);
  return std::make_shared<ov::op::v0::Relu>(result);
}

Node Quantize(const Port& x) {
  const auto number = [](float v) { return ov::op::v0::Constant::create(f32, {}, {v}); };
  return std::make_shared<ov::op::v0::FakeQuantize>(x, number(0), number(4), number(0), number(4), 256);
}

std::shared_ptr<ov::Model> Model(const ov::OutputVector& outputs, const ov::ParameterVector& inputs) {
  for (size_t i = 0; i < outputs.size(); ++i) {
    auto& tensor = outputs[i].get_tensor();
    if (tensor.get_names().empty()) tensor.set_names({"out" + std::to_string(i)});
  }
  return std::make_shared<ov::Model>(outputs, inputs);
}

// a -> b -> c -> d, d also reads a; b is an output of the whole, too.
std::shared_ptr<ov::Model> SkippingModel(ov::element::Type type = f32) {
  const auto x = Input("x", type);
  const Node a = Convolve(x, "a");
  const Node b = Convolve(a, "b");
  const Node c = Convolve(b, "c");
  const auto both = std::make_shared<ov::op::v0::Concat>(ov::OutputVector{c, a}, 1);
  const auto pooled =
      std::make_shared<ov::op::v1::MaxPool>(both, ov::Strides{2, 2}, ov::Shape{0, 0}, ov::Shape{0, 0}, ov::Shape{2, 2});
  return Model({pooled, b}, {x});
}

std::vector<int> CutsOf(const std::shared_ptr<ov::Model>& model) {
  FoldShapes(model);
  std::vector<int> cuts;
  const LayerGraph graph = FindLayers(*model, "net").value();
  for (const CutPoint& cut : graph.cuts) cuts.push_back(cut.after_op);
  return cuts;
}

SplitGraph SplitEverywhere(const std::shared_ptr<ov::Model>& model) {
  return SplitAt(model, CutsOf(model), "net").value();
}

std::unique_ptr<CompiledModel> Compile(const std::shared_ptr<ov::Model>& model, const std::vector<int>& cuts) {
  static ov::Core core;
  return StagedModel::Create(core, model, {.cuts = cuts}, "net").value();
}

void Fill(CompiledModel& model) {
  for (size_t input = 0; input < model.inputs().size(); ++input) {
    const MutableTensorView view = model.Input(0, input);
    if (view.type == ElementType::kF32) {
      int i = 0;
      for (float& v : view.As<float>()) v = static_cast<float>(i++ * 7 % 23) / 8 - 1;
    } else {
      // Halves of 0.5 and 1.
      for (size_t i = 0; i < view.As<uint16_t>().size(); ++i) view.As<uint16_t>()[i] = i % 3 == 0 ? 0x3800 : 0x3C00;
    }
  }
}

// Runs the model whole and cut everywhere.
void ExpectSame(const std::function<std::shared_ptr<ov::Model>()>& make) {
  const std::vector<int> cuts = CutsOf(make());
  ASSERT_FALSE(cuts.empty());
  const auto whole = Compile(make(), {});
  const auto cut = Compile(make(), cuts);
  EXPECT_EQ(whole->stages(), 1);
  EXPECT_EQ(cut->stages(), static_cast<int>(cuts.size()) + 1);
  Fill(*whole);
  Fill(*cut);
  ASSERT_TRUE(whole->Run(0).ok());
  ASSERT_TRUE(cut->Run(0).ok());
  for (size_t i = 0; i < whole->outputs().size(); ++i) {
    EXPECT_EQ(cut->outputs()[i].name, whole->outputs()[i].name);
    const TensorView a = whole->Output(0, i);
    const TensorView b = cut->Output(0, i);
    EXPECT_EQ(a.shape, b.shape);
    EXPECT_TRUE(std::ranges::equal(a.data, b.data)) << "output " << i;
    EXPECT_TRUE(std::ranges::any_of(a.data, [](std::byte v) { return v != std::byte{0}; })) << "output " << i;
  }
}

TEST(SplitGraph, ATensorIsHandedThroughToStagesThatComeLater) {
  const auto model = SkippingModel();
  const SplitGraph split = SplitEverywhere(model);
  ASSERT_EQ(split.stages.size(), 5U);  // a, b, c, joint, pooling
  EXPECT_EQ(split.stages[0].inputs[0].stage, StageSource::kGraph);
  EXPECT_EQ(split.stages[0].model->outputs().size(), 1U);  // one, for b and for the joint
  EXPECT_EQ(split.stages[1].inputs.size(), 1U);
  EXPECT_EQ(split.stages[2].inputs.size(), 1U);
  ASSERT_EQ(split.stages[3].inputs.size(), 2U);
  std::set<int> sources;
  for (const StageSource& source : split.stages[3].inputs) sources.insert(source.stage);
  EXPECT_EQ(sources, (std::set<int>{0, 2}));
  EXPECT_EQ(split.stages[1].model->outputs().size(), 1U);  // output of the whole and input of the next in one
  EXPECT_EQ(split.outputs[0].stage, 4);
  EXPECT_EQ(split.outputs[1].stage, 1);
}

TEST(SplitGraph, StagesGiveWhatTheWholeGives) {
  ExpectSame([] { return SkippingModel(); });
}

TEST(SplitGraph, BordersOfHalfNumbersAreFloats) {
  const SplitGraph split = SplitEverywhere(SkippingModel(f16));
  for (size_t s = 1; s < split.stages.size(); ++s) {
    for (const auto& input : split.stages[s].model->inputs()) EXPECT_EQ(input.get_element_type(), f32);
  }
  EXPECT_EQ(split.stages[0].model->input(0).get_element_type(), f16);  // the graph's own stay as they are
  const StageSource& out = split.outputs[1];
  EXPECT_EQ(split.stages[static_cast<size_t>(out.stage)].model->output(out.port).get_element_type(), f16);
  ExpectSame([] { return SkippingModel(f16); });
}

TEST(SplitGraph, EveryReaderSeesQuantizedLevels) {
  const auto make = [] {
    const auto x = Input("x");
    const Node levels = Quantize(Convolve(Quantize(x), "a"));
    const auto pooled = std::make_shared<ov::op::v1::MaxPool>(levels, ov::Strides{1, 1}, ov::Shape{0, 0},
                                                              ov::Shape{0, 0}, ov::Shape{2, 2});
    const auto b = std::make_shared<ov::op::v0::Abs>(Convolve(levels, "b"));
    return Model({b, Convolve(pooled, "c")}, {x});
  };
  // Whatever convolves reads levels.
  const SplitGraph split = SplitEverywhere(make());
  ASSERT_GE(split.stages.size(), 4U);
  for (const StagePart& stage : split.stages) {
    for (const auto& op : stage.model->get_ops()) {
      if (std::string_view(op->get_type_info().name) != "Convolution") continue;
      EXPECT_STREQ(op->get_input_node_ptr(0)->get_type_info().name, "FakeQuantize") << op->get_friendly_name();
    }
  }
  ExpectSame(make);
}

TEST(SplitGraph, AnInputGoesToEveryStageThatReadsIt) {
  const auto make = [] {
    const auto x = Input("x");
    const auto y = Input("y");
    const Node a = Convolve(x, "a");
    const Node b = Convolve(std::make_shared<ov::op::v0::Concat>(ov::OutputVector{a}, 1), "b");
    const auto joint = std::make_shared<ov::op::v0::Concat>(ov::OutputVector{b, y, x}, 1);
    return Model({joint}, {x, y});
  };
  const SplitGraph split = SplitEverywhere(make());
  const std::vector<StageSource>& last = split.stages.back().inputs;
  ASSERT_EQ(last.size(), 3U);
  EXPECT_EQ(std::ranges::count_if(last, [](const auto& s) { return s.stage == StageSource::kGraph; }), 2);
  ExpectSame(make);
}

TEST(SplitGraph, ConstantsAreShared) {
  const auto model = SkippingModel();
  std::set<const void*> before;
  for (const auto& op : model->get_ops()) {
    if (const auto constant = ov::as_type_ptr<ov::op::v0::Constant>(op)) before.insert(constant->get_data_ptr());
  }
  const SplitGraph split = SplitEverywhere(model);
  for (const StagePart& stage : split.stages) {
    for (const auto& op : stage.model->get_ops()) {
      if (const auto constant = ov::as_type_ptr<ov::op::v0::Constant>(op)) {
        EXPECT_TRUE(before.contains(constant->get_data_ptr()));
      }
    }
  }
}

TEST(SplitGraph, AStateStaysInOneStage) {
  const auto make = [] {
    const auto x = Input("x");
    const auto variable =
        std::make_shared<ov::op::util::Variable>(ov::op::util::VariableInfo{ov::PartialShape(kPicture), f32, "state"});
    const auto zero = ov::op::v0::Constant::create(f32, kPicture, {0.0F});
    const Node a = Convolve(x, "a");
    const auto old = std::make_shared<ov::op::v6::ReadValue>(zero, variable);
    const Node b = Convolve(std::make_shared<ov::op::v1::Add>(a, old), "b");
    const auto keep = std::make_shared<ov::op::v6::Assign>(b, variable);
    const Node c = Convolve(b, "c");
    c->get_output_tensor(0).set_names({"y"});
    auto model = std::make_shared<ov::Model>(ov::OutputVector{c}, ov::SinkVector{keep}, ov::ParameterVector{x});
    return model;
  };
  const SplitGraph split = SplitEverywhere(make());
  int with_state = 0;
  for (const StagePart& stage : split.stages) {
    if (stage.model->get_variables().empty()) continue;
    ++with_state;
    EXPECT_EQ(stage.model->get_sinks().size(), 1U);
  }
  EXPECT_EQ(with_state, 1);
}

// Whether weights are copied for each slot is decided for each stage by its own.
TEST(SplitGraph, LargeWeightsOfAStageAreHeldOnce) {
  const auto make = [] {
    const auto x = Input("x");
    const auto row = std::make_shared<ov::op::v1::Reshape>(
        Convolve(x, "a"), ov::op::v0::Constant::create(ov::element::i64, {2}, {1, 1152}), false);
    const auto weights = ov::op::v0::Constant::create(f32, {1152, 8000}, std::vector<float>(size_t{1152} * 8000, 0.5F));
    return Model({std::make_shared<ov::op::v0::MatMul>(row, weights)}, {x});
  };
  constexpr int64_t kLarge = int64_t{1152} * 8000 * 4;
  constexpr int64_t kSmall = int64_t{8} * 8 * 9 * 4;
  ov::Core core;
  const std::vector<int> cuts = CutsOf(make());
  ASSERT_EQ(cuts.size(), 1U);
  const auto model = StagedModel::Create(core, make(), {.concurrency = 2, .cuts = cuts}, "net").value();
  EXPECT_FALSE(model->computes_in_caller());
  EXPECT_GE(model->weight_bytes(), kLarge + 2 * kSmall);
  EXPECT_LT(model->weight_bytes(), kLarge + 2 * kSmall + 1000);
  EXPECT_TRUE(StagedModel::Create(core, make(), {.cuts = cuts}, "net").value()->computes_in_caller());
}

TEST(SplitGraph, NamesFileAndPlaceOfABadCut) {
  const auto model = SkippingModel();
  const std::vector<int> cuts = CutsOf(model);
  const std::vector<std::vector<int>> bad{{-1}, {0}, {cuts[1], cuts[0]}, {cuts[0], cuts[0]}, {1 << 20}};
  for (const std::vector<int>& places : bad) {
    const auto split = SplitAt(model, places, "net.onnx");
    ASSERT_FALSE(split.ok());
    EXPECT_EQ(split.error().code, ErrorCode::kBadInput);
    EXPECT_TRUE(split.error().message.starts_with("net.onnx: cut after operation " + std::to_string(places.back())))
        << split.error().message;
  }
}

}  // namespace
}  // namespace deepedge
