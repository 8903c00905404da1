#include "deepedge/engine/openvino/test_models.h"

#include <memory>
#include <openvino/core/graph_util.hpp>
#include <openvino/core/model.hpp>
#include <openvino/op/add.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/convolution.hpp>
#include <openvino/op/group_conv.hpp>
#include <openvino/op/matmul.hpp>
#include <openvino/op/multiply.hpp>
#include <openvino/op/parameter.hpp>
#include <openvino/op/reduce_mean.hpp>
#include <openvino/op/relu.hpp>
#include <openvino/op/reshape.hpp>
#include <openvino/op/result.hpp>
#include <random>
#include <vector>

namespace deepedge::test_models {
namespace {

using ov::element::f32;
using Parameters = std::vector<std::shared_ptr<ov::op::v0::Parameter>>;

std::shared_ptr<ov::op::v0::Parameter> Input(const char* name, const ov::PartialShape& shape) {
  auto parameter = std::make_shared<ov::op::v0::Parameter>(f32, shape);
  parameter->set_friendly_name(name);
  parameter->get_output_tensor(0).set_names({name});
  return parameter;
}

std::shared_ptr<ov::Node> Number(float value) { return ov::op::v0::Constant::create(f32, {}, {value}); }

std::shared_ptr<ov::Node> Affine(const ov::Output<ov::Node>& x) {
  return std::make_shared<ov::op::v1::Add>(std::make_shared<ov::op::v1::Multiply>(x, Number(2)), Number(1));
}

ModelFiles Write(const Path& folder, const char* name, const std::shared_ptr<ov::Node>& output, const char* output_name,
                 const Parameters& inputs) {
  output->get_output_tensor(0).set_names({output_name});
  const auto model = std::make_shared<ov::Model>(ov::OutputVector{output}, inputs, name);
  const Path graph = folder / (std::string(name) + ".xml");
  const Path weights = folder / (std::string(name) + ".bin");
  ov::serialize(model, graph.string(), weights.string());
  return {ModelFormat::kOpenVinoIr, graph, weights};
}

}  // namespace

ModelFiles WriteAffine(const Path& folder) {
  const auto x = Input("x", {1, 3, 4, 6});
  return Write(folder, "affine", Affine(x), "y", {x});
}

ModelFiles WriteDynamic(const Path& folder) {
  const auto x = Input("x", {-1, 3, -1, -1});
  return Write(folder, "dynamic", Affine(x), "y", {x});
}

ModelFiles WriteRowsOfSix(const Path& folder) {
  const auto x = Input("x", {-1, -1});
  const auto shape = ov::op::v0::Constant::create(ov::element::i64, {2}, {-1, 6});
  return Write(folder, "rows_of_six", std::make_shared<ov::op::v1::Reshape>(x, shape, false), "y", {x});
}

ModelFiles WriteTwoInputs(const Path& folder) {
  const auto a = Input("a", {1, 3, 4, 6});
  const auto b = Input("b", {1, 3, 4, 6});
  return Write(folder, "two_inputs", std::make_shared<ov::op::v1::Add>(a, b), "sum", {a, b});
}

ModelFiles WriteLarge(const Path& folder) {
  const auto x = Input("x", {1, 2200});
  const auto ones = ov::op::v0::Constant::create(f32, {2200, 4096}, std::vector<float>(size_t{2200} * 4096, 1.0F));
  return Write(folder, "large", std::make_shared<ov::op::v0::MatMul>(x, ones), "y", {x});
}

ModelFiles WriteMixing(const Path& folder) {
  const auto x = Input("x", {1, 3, 4, 6});
  const auto axis = ov::op::v0::Constant::create(ov::element::i64, {1}, {0});
  const auto mean = std::make_shared<ov::op::v1::ReduceMean>(x, axis, true);
  return Write(folder, "mixing", std::make_shared<ov::op::v1::Add>(x, mean), "y", {x});
}

ModelFiles WriteOneRow(const Path& folder, bool open) {
  const auto x = Input("x", {1, 3, 4, 6});
  const auto shape = ov::op::v0::Constant::create(ov::element::i64, {2}, {1, open ? -1 : 72});
  return Write(folder, open ? "one_open_row" : "one_row", std::make_shared<ov::op::v1::Reshape>(x, shape, false), "y",
               {x});
}

ModelFiles WriteWithoutBatch(const Path& folder) {
  const auto x = Input("x", {1, 3, 4, 6});
  const auto shape = ov::op::v0::Constant::create(ov::element::i64, {3}, {3, 4, 6});
  return Write(folder, "without_batch", std::make_shared<ov::op::v1::Reshape>(x, shape, false), "y", {x});
}

ModelFiles WriteConvolutions(const Path& folder) {
  std::mt19937 random(7);
  const auto weights = [&random](const ov::Shape& shape) {
    std::vector<float> values(ov::shape_size(shape));
    for (float& v : values) v = static_cast<float>(random() % 2001) / 1000.0F - 1.0F;
    return ov::op::v0::Constant::create(f32, shape, values);
  };
  const ov::Strides one{1, 1};
  const ov::CoordinateDiff pad{1, 1};
  const auto relu = [](const ov::Output<ov::Node>& x) { return std::make_shared<ov::op::v0::Relu>(x); };
  const auto convolve = [&](const ov::Output<ov::Node>& x, size_t in) {
    return relu(std::make_shared<ov::op::v1::Convolution>(x, weights({8, in, 3, 3}), one, pad, pad, one));
  };
  const auto x = Input("x", {1, 3, 16, 16});
  const auto first = convolve(x, 3);
  const auto depthwise =
      relu(std::make_shared<ov::op::v1::GroupConvolution>(first, weights({8, 1, 1, 3, 3}), one, pad, pad, one));
  const auto sum = std::make_shared<ov::op::v1::Add>(convolve(depthwise, 8), first);
  const auto axes = ov::op::v0::Constant::create(ov::element::i64, {2}, {2, 3});
  const auto pooled = std::make_shared<ov::op::v1::ReduceMean>(sum, axes, false);
  return Write(folder, "convolutions", std::make_shared<ov::op::v0::MatMul>(pooled, weights({8, 5})), "y", {x});
}

}  // namespace deepedge::test_models
