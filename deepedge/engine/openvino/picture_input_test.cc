#include "deepedge/engine/openvino/picture_input.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <openvino/op/add.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/convert.hpp>
#include <openvino/op/parameter.hpp>
#include <openvino/op/relu.hpp>
#include <openvino/op/reshape.hpp>
#include <vector>

#include "deepedge/engine/openvino/openvino_model.h"

namespace deepedge {
namespace {

using ov::element::f32;

std::shared_ptr<ov::op::v0::Parameter> Input(const ov::element::Type& type, const ov::PartialShape& shape) {
  auto parameter = std::make_shared<ov::op::v0::Parameter>(type, shape);
  parameter->get_output_tensor(0).set_names({"x"});
  return parameter;
}

// The network gives back what it is given, as f32 and in its own layout.
std::shared_ptr<ov::Model> Echo(const ov::element::Type& type, const ov::PartialShape& shape) {
  const auto x = Input(type, shape);
  const auto zero = ov::op::v0::Constant::create(f32, {}, {0.0F});
  const auto out = std::make_shared<ov::op::v1::Add>(std::make_shared<ov::op::v0::Convert>(x, f32), zero);
  return std::make_shared<ov::Model>(ov::OutputVector{out}, ov::ParameterVector{x});
}

// Runs the network on one picture whose bytes count up from 0, and gives its first output.
std::vector<float> RunOnRamp(std::shared_ptr<ov::Model> model, const PictureInput& picture) {
  static ov::Core core;
  const Status added = AddPictureInput(model, picture, "net");
  EXPECT_TRUE(added.ok()) << (added.ok() ? "" : added.error().message);
  if (!added.ok()) return {};
  auto compiled = OpenVinoModel::Create(core, model, {}, "net");
  EXPECT_TRUE(compiled.ok()) << compiled.status().error().message;
  if (!compiled.ok()) return {};
  const auto pixels = compiled.value()->Input(0, 0).As<uint8_t>();
  for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<uint8_t>(i);
  EXPECT_TRUE(compiled.value()->Run(0).ok());
  const auto output = compiled.value()->Output(0, 0).As<float>();
  return {output.begin(), output.end()};
}

TEST(PictureInput, MakesTheModelsLayout) {
  const PictureInput picture{.width = 2, .height = 2};
  EXPECT_EQ(RunOnRamp(Echo(f32, {1, 3, 2, 2}), picture), (std::vector<float>{0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11}));
  PictureInput nhwc = picture;
  nhwc.layout = TensorLayout::kNhwc;
  EXPECT_EQ(RunOnRamp(Echo(f32, {1, 2, 2, 3}), nhwc), (std::vector<float>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}));
}

TEST(PictureInput, TransposesWhereTheModelHoldsColumns) {
  // Rows of the picture: pixels 0 1, 2 3, 4 5 of three bytes each.
  PictureInput picture{.transposed = true, .width = 2, .height = 3};
  EXPECT_EQ(RunOnRamp(Echo(f32, {1, 3, 2, 3}), picture),
            (std::vector<float>{0, 6, 12, 3, 9, 15, 1, 7, 13, 4, 10, 16, 2, 8, 14, 5, 11, 17}));
  picture.layout = TensorLayout::kNhwc;
  EXPECT_EQ(RunOnRamp(Echo(f32, {1, 2, 3, 3}), picture),
            (std::vector<float>{0, 1, 2, 6, 7, 8, 12, 13, 14, 3, 4, 5, 9, 10, 11, 15, 16, 17}));
}

TEST(PictureInput, StacksPatchesAlongTheChannels) {
  const PictureInput colours{.width = 1, .height = 2, .patches = 2, .patch_size = 1};
  EXPECT_EQ(RunOnRamp(Echo(f32, {1, 6, 2, 1}), colours), (std::vector<float>{0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11}));
  PictureInput grey{.width = 2, .height = 2, .order = ChannelOrder::kGray, .patches = 2, .patch_size = 1};
  grey.mean = {1, 1, 1};
  EXPECT_EQ(RunOnRamp(Echo(f32, {1, 2, 2, 2}), grey), (std::vector<float>{-1, 0, 1, 2, 3, 4, 5, 6}));
  grey.transposed = true;
  EXPECT_EQ(RunOnRamp(Echo(f32, {1, 2, 2, 2}), grey), (std::vector<float>{-1, 1, 0, 2, 3, 5, 4, 6}));
  auto three = Echo(f32, {1, 3, 2, 2});
  EXPECT_EQ(AddPictureInput(three, grey, "net").error().code, ErrorCode::kBadInput);
}

TEST(PictureInput, SubtractsMeanAndDividesByStdPerChannel) {
  const PictureInput picture{.width = 2, .height = 1, .mean = {1, 2, 3}, .std = {2, 4, 0.5F}};
  EXPECT_EQ(RunOnRamp(Echo(f32, {1, 3, 1, 2}), picture), (std::vector<float>{-0.5F, 1, -0.25F, 0.5F, -2, 4}));
}

TEST(PictureInput, TakesGreyPictures) {
  const PictureInput picture{.width = 3, .height = 1, .order = ChannelOrder::kGray, .mean = {1, 9, 9}};
  EXPECT_EQ(RunOnRamp(Echo(f32, {1, 1, 1, 3}), picture), (std::vector<float>{-1, 0, 1}));
}

TEST(PictureInput, MakesTheModelsOwnType) {
  const PictureInput plain{.width = 2, .height = 1};
  const std::vector<float> ramp{0, 3, 1, 4, 2, 5};
  for (const auto& type : {ov::element::f16, ov::element::u8, ov::element::i32, ov::element::i8}) {
    EXPECT_EQ(RunOnRamp(Echo(type, {1, 3, 1, 2}), plain), ramp) << type;
  }
  const PictureInput shifted{.width = 2, .height = 1, .mean = {128, 128, 128}};
  EXPECT_EQ(RunOnRamp(Echo(ov::element::i8, {1, 3, 1, 2}), shifted),
            (std::vector<float>{-128, -125, -127, -124, -126, -123}));
}

TEST(PictureInput, RoundsAndClampsForIntegerTypes) {
  PictureInput picture{.width = 2, .height = 1, .std = {2, 2, 2}};
  EXPECT_EQ(RunOnRamp(Echo(ov::element::u8, {1, 3, 1, 2}), picture), (std::vector<float>{0, 2, 0, 2, 1, 2}));
  picture.std = {0.01F, 0.01F, 0.01F};
  EXPECT_EQ(RunOnRamp(Echo(ov::element::i8, {1, 3, 1, 2}), picture), (std::vector<float>{0, 127, 100, 127, 127, 127}));
  picture = {.width = 2, .height = 1, .mean = {200, 1, 1}, .std = {1, 1, 1}};
  EXPECT_EQ(RunOnRamp(Echo(ov::element::u8, {1, 3, 1, 2}), picture), (std::vector<float>{0, 0, 0, 3, 1, 4}));
}

TEST(PictureInput, FixesWhatIsFree) {
  const PictureInput picture{.width = 2, .height = 1};
  const std::vector<float> ramp{0, 3, 1, 4, 2, 5};
  EXPECT_EQ(RunOnRamp(Echo(f32, {-1, 3, -1, -1}), picture), ramp);
  EXPECT_EQ(RunOnRamp(Echo(f32, {-1, 3, 1, 2}), picture), ramp);
  EXPECT_EQ(RunOnRamp(Echo(f32, ov::PartialShape::dynamic()), picture), ramp);
  EXPECT_EQ(RunOnRamp(Echo(f32, {16, 3, 1, 2}), picture), ramp);
}

std::shared_ptr<ov::Model> BatchInsideTheGraph() {
  const auto x = Input(f32, {4, 3, 1, 2});
  const auto shape = ov::op::v0::Constant::create(ov::element::i64, {2}, {1, -1});
  const auto rows = std::make_shared<ov::op::v1::Reshape>(x, shape, false);
  return std::make_shared<ov::Model>(ov::OutputVector{rows}, ov::ParameterVector{x});
}

std::shared_ptr<ov::Model> TwoInputs() {
  const auto a = Input(f32, {1, 3, 1, 2});
  const auto b = std::make_shared<ov::op::v0::Parameter>(f32, ov::PartialShape{1, 3, 1, 2});
  b->get_output_tensor(0).set_names({"scale"});
  return std::make_shared<ov::Model>(ov::OutputVector{std::make_shared<ov::op::v1::Add>(a, b)},
                                     ov::ParameterVector{a, b});
}

TEST(PictureInput, NamesWhatDoesNotFit) {
  struct Case {
    std::function<std::shared_ptr<ov::Model>()> model;
    PictureInput picture;
    ErrorCode code;
    std::string_view expected;
  };
  const auto echo = [](ov::element::Type type, ov::PartialShape shape) {
    return [type, shape = std::move(shape)] { return Echo(type, shape); };
  };
  const PictureInput good{.width = 2, .height = 1};
  const PictureInput nhwc{.layout = TensorLayout::kNhwc, .width = 2, .height = 1};
  const PictureInput grey{.width = 2, .height = 1, .order = ChannelOrder::kGray};
  const PictureInput larger{.width = 4, .height = 1};
  const PictureInput named{.tensor = "y", .width = 2, .height = 1};
  const PictureInput first{.tensor = "x", .width = 2, .height = 1};
  const PictureInput zero{.width = 2, .height = 1, .std = {1, 0, 1}};
  const Case cases[] = {
      {echo(f32, {1, 3, 1, 2}), nhwc, ErrorCode::kBadInput,
       "card's picture is 1x1x2x3 (NHWC), the graph takes 1x3x1x2"},
      {echo(f32, {1, 3, 1, 2}), grey, ErrorCode::kBadInput, "card's picture is 1x1x1x2"},
      {echo(f32, {1, 3, 1, 2}), larger, ErrorCode::kBadInput, "card's picture is 1x3x1x4"},
      {echo(f32, {1, 3, 1, 2}), named, ErrorCode::kBadInput, "has no input 'y'; it has: x"},
      {echo(f32, {1, 3, 1, 2}), PictureInput{}, ErrorCode::kBadInput, "no input size"},
      {echo(f32, {1, 3, 1, 2}), zero, ErrorCode::kBadInput, "std has a zero"},
      {echo(f32, {3, 1, 2}), good, ErrorCode::kBadInput, "needs four dimensions"},
      {echo(ov::element::boolean, {1, 3, 1, 2}), good, ErrorCode::kBadInput, "type boolean"},
      {BatchInsideTheGraph, good, ErrorCode::kUnsupported, "made for 4 pictures at a time"},
      {TwoInputs, good, ErrorCode::kBadInput, "2 inputs (x, scale)"},
      {TwoInputs, first, ErrorCode::kUnsupported, "further inputs: scale"},
  };
  for (const Case& c : cases) {
    auto model = c.model();
    const Status status = AddPictureInput(model, c.picture, "net.onnx");
    ASSERT_FALSE(status.ok()) << c.expected;
    EXPECT_EQ(status.error().code, c.code) << status.error().message;
    EXPECT_NE(status.error().message.find(c.expected), std::string::npos) << status.error().message;
    EXPECT_TRUE(status.error().message.starts_with("net.onnx: "));
  }
}

}  // namespace
}  // namespace deepedge
