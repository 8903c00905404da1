#include "deepedge/formats/graph/graph_ops.h"

#include <gtest/gtest.h>

#include <openvino/runtime/core.hpp>
#include <openvino/runtime/properties.hpp>
#include <stdexcept>

namespace deepedge {
namespace {

// Runs a graph that has no inputs.
std::vector<float> Evaluate(const GraphValue& value) {
  static ov::Core core;
  const auto model = MakeModel({{"out", value}}, ov::ParameterVector{}, "test");
  auto request =
      core.compile_model(model, "CPU", ov::hint::inference_precision(ov::element::f32)).create_infer_request();
  request.infer();
  const ov::Tensor output = request.get_output_tensor(0);
  return {output.data<float>(), output.data<float>() + output.get_size()};
}

TEST(GraphOps, ConvolvesInGroupsWithUnevenPadding) {
  // Two channels of 2x2; each group has one channel and a kernel of 1x2; one column is added on the left.
  const auto input = FloatConstant({1, 2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  const Convolution2d layer{.out_channels = 2, .kernel_h = 1, .kernel_w = 2, .groups = 2, .pad_left = 1};
  EXPECT_EQ(Evaluate(Convolve(input, layer, {1, 10, 1, 0})), (std::vector<float>{10, 21, 30, 43, 0, 5, 0, 7}));
}

TEST(GraphOps, FoldsBatchNormalization) {
  const auto input = FloatConstant({1, 2, 1, 2}, {1, 2, 3, 4});
  const BatchNorm norm{.mean = {1, 3}, .variance = {3, 8}, .scale = {2, 3}, .shift = {10, 20}, .epsilon = 1};
  EXPECT_EQ(Evaluate(Normalize(input, norm)), (std::vector<float>{10, 11, 20, 21}));
}

TEST(GraphOps, LeavesPositiveNumbers) {
  EXPECT_EQ(Evaluate(LeakyRelu(FloatConstant({1, 2}, {-2, 3}), 0.5F)), (std::vector<float>{-1, 3}));
}

TEST(GraphOps, SaysWhatDoesNotFit) {
  const auto input = FloatConstant({1, 2, 2, 2}, std::vector<float>(8));
  const Path file = "a.cfg";
  const LayerName layer{file, "conv1", "convolutional"};
  const auto wrong = CatchLayer(layer, [&]() -> Result<GraphValue> {
    return Convolve(input, {.out_channels = 1, .kernel_h = 1, .kernel_w = 1}, {1, 2, 3});
  });
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().message, "a.cfg: layer 'conv1' (convolutional): holds 3 weights, 1x2x1x1 are needed");
  EXPECT_THROW(AddPerChannel(input, {1}), std::invalid_argument);
  EXPECT_THROW(Convolve(input, {.out_channels = 3, .kernel_h = 1, .kernel_w = 1, .groups = 2}, {}),
               std::invalid_argument);
}

TEST(GraphOps, RefusesConstantsOfAnotherSize) {
  constexpr size_t kHalf = size_t{1} << 32;
  EXPECT_THROW(FloatConstant({2, 2}, {1, 2, 3}), std::invalid_argument);
  EXPECT_THROW(FloatConstant({kHalf, kHalf}, {}), std::invalid_argument) << "the product is 0 in 64 bits";
  EXPECT_NO_THROW(FloatConstant({0, 2}, {}));
}

}  // namespace
}  // namespace deepedge
