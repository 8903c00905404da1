// Every module of Torch7 that is read, on numbers worked out by hand.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "deepedge/formats/run_model_for_test.h"
#include "deepedge/formats/test_files.h"
#include "deepedge/formats/torch7/torch7_reader.h"
#include "deepedge/formats/torch7/write_for_test.h"

namespace deepedge::torch7 {
namespace {

using Numbers = std::vector<float>;
using Write = std::function<std::string(Writer&)>;

struct LayerCase {
  const char* name;
  Write module;
  std::vector<int64_t> input;  // {n} or {channels, height, width}
  Numbers numbers;
  ov::Shape shape;
  Numbers result;
};

class Layers : public ::testing::TestWithParam<LayerCase> {};

// In front of the module stands one that says the shape of the input: a matrix that changes nothing, seen as a picture.
std::string Network(Writer& w, const LayerCase& c) {
  int64_t count = 1;
  for (const int64_t dim : c.input) count *= dim;
  Numbers unit(static_cast<size_t>(count * count));
  for (int64_t i = 0; i < count; ++i) unit[static_cast<size_t>(i * count + i)] = 1;
  std::vector<std::string> modules;
  modules.push_back(w.Module("nn.Linear", {{"weight", w.Tensor({count, count}, unit)}}));
  if (c.input.size() > 1) modules.push_back(w.Module("nn.View", {{"size", w.LongStorage(c.input)}}));
  modules.push_back(c.module(w));
  return w.Container("nn.Sequential", modules);
}

TEST_P(Layers, GiveNumbersWorkedOutByHand) {
  const LayerCase& c = GetParam();
  Writer writer;
  const std::string bytes = Network(writer, c);
  KeepSeed("torch7", bytes);
  const auto read = ReadTorch7(Path("net.t7"), bytes);
  ASSERT_TRUE(read.ok()) << read.error().message;
  const RunResult result = RunForTest(read.value(), {c.numbers})[0];
  EXPECT_EQ(result.shape, c.shape);
  ASSERT_EQ(result.values.size(), c.result.size());
  for (size_t i = 0; i < c.result.size(); ++i) {
    EXPECT_NEAR(result.values[i], c.result[i], 1e-5 + 2e-5 * std::abs(c.result[i])) << i;
  }
}

std::string NameOf(const ::testing::TestParamInfo<LayerCase>& info) { return info.param.name; }

std::string Num(double v) { return Writer::Number(v); }

Write Plain(const std::string& type, Writer::Fields fields = {}) {
  return [=](Writer& w) { return w.Module(type, fields); };
}
LayerCase Activation(const char* name, const std::string& type, const Numbers& in, const Numbers& out,
                     Writer::Fields fields = {}) {
  return {name, Plain(type, std::move(fields)), {static_cast<int64_t>(in.size())}, in, {1, in.size()}, out};
}

INSTANTIATE_TEST_SUITE_P(
    Activations, Layers,
    ::testing::Values(
        Activation("Threshold", "nn.Threshold", {0.5F, 2}, {7, 2}, {{"threshold", Num(1)}, {"val", Num(7)}}),
        Activation("ThresholdOfOldFiles", "nn.Threshold", {-1, 2}, {0, 2}, {{"threshold", Num(1e-6)}, {"val", Num(0)}}),
        Activation("ReLU", "nn.ReLU", {-1, 2}, {0, 2}), Activation("CudnnReLU", "cudnn.ReLU", {-1, 2}, {0, 2}),
        Activation("ReLU6", "nn.ReLU6", {-1, 9}, {0, 6}),
        Activation("LeakyReLU", "nn.LeakyReLU", {-2, 2}, {-1, 2}, {{"negval", Num(0.5)}}),
        Activation("RReLU", "nn.RReLU", {-2, 2}, {-1, 2}, {{"lower", Num(0.25)}, {"upper", Num(0.75)}}),
        Activation("ELU", "nn.ELU", {-1, 2}, {-1.264241F, 2}, {{"alpha", Num(2)}}),
        Activation("Tanh", "nn.Tanh", {1}, {0.761594F}), Activation("Sigmoid", "nn.Sigmoid", {0}, {0.5F}),
        Activation("HardTanh", "nn.HardTanh", {-3, 3}, {-1, 1}),
        Activation("HardTanhOfBounds", "nn.HardTanh", {-3, 3}, {-2, 0.5F},
                   {{"min_val", Num(-2)}, {"max_val", Num(0.5)}}),
        Activation("SoftPlus", "nn.SoftPlus", {0}, {0.693147F}),
        Activation("SoftPlusOfBeta", "nn.SoftPlus", {0}, {0.346574F}, {{"beta", Num(2)}}),
        Activation("SoftSign", "nn.SoftSign", {-1, 3}, {-0.5F, 0.75F}),
        Activation("LogSigmoid", "nn.LogSigmoid", {0}, {-0.693147F}), Activation("Abs", "nn.Abs", {-1, 2}, {1, 2}),
        Activation("Exp", "nn.Exp", {1}, {2.718282F}), Activation("Log", "nn.Log", {1}, {0}),
        Activation("Sqrt", "nn.Sqrt", {9}, {3}), Activation("Square", "nn.Square", {-3}, {9}),
        Activation("Power", "nn.Power", {2}, {8}, {{"pow", Num(3)}}),
        Activation("MulConstant", "nn.MulConstant", {2}, {6}, {{"constant_scalar", Num(3)}}),
        Activation("AddConstant", "nn.AddConstant", {2}, {5}, {{"constant_scalar", Num(3)}}),
        Activation("Dropout", "nn.Dropout", {2}, {2}, {{"p", Num(0.25)}, {"v2", Writer::Bool(true)}}),
        Activation("DropoutOfOldFiles", "nn.Dropout", {2}, {1.5F}, {{"p", Num(0.25)}}),
        Activation("SpatialDropout", "nn.SpatialDropout", {2}, {1.5F}, {{"p", Num(0.25)}}),
        Activation("Identity", "nn.Identity", {2}, {2}),
        Activation("SoftMax", "nn.SoftMax", {0, 1}, {0.268941F, 0.731059F}),
        Activation("LogSoftMax", "nn.LogSoftMax", {0, 1}, {-1.313262F, -0.313262F}),
        Activation("Normalize", "nn.Normalize", {3, 4}, {0.6F, 0.8F}, {{"p", Num(2)}})),
    NameOf);

// A convolution over one row.
Write Convolution(const std::string& type, int64_t from, int64_t to, int64_t kernel, Numbers weights, Numbers bias,
                  Writer::Fields more = {}) {
  return [=](Writer& w) {
    Writer::Fields fields = {{"nInputPlane", Num(static_cast<double>(from))},
                             {"nOutputPlane", Num(static_cast<double>(to))},
                             {"kW", Num(static_cast<double>(kernel))},
                             {"kH", Num(1)},
                             {"weight", w.Tensor({static_cast<int64_t>(weights.size())}, weights)}};
    if (!bias.empty()) fields.emplace_back("bias", w.Tensor({to}, bias));
    fields.insert(fields.end(), more.begin(), more.end());
    return w.Module(type, fields);
  };
}
Write Pooling(const std::string& type, double kernel, double stride, Writer::Fields more = {}) {
  return [=](Writer& w) {
    Writer::Fields fields = {{"kW", Num(kernel)}, {"kH", Num(1)}, {"dW", Num(stride)}, {"dH", Num(1)}};
    fields.insert(fields.end(), more.begin(), more.end());
    return w.Module(type, fields);
  };
}
const Writer::Fields kPad = {{"padW", Num(1)}, {"padH", Num(0)}};
const Writer::Fields kCeil = {{"ceil_mode", Writer::Bool(true)}};
const Writer::Fields kPadCeil = {{"padW", Num(1)}, {"padH", Num(0)}, {"ceil_mode", Writer::Bool(true)}};
const Writer::Fields kExclude = {{"padW", Num(1)}, {"padH", Num(0)}, {"count_include_pad", Writer::Bool(false)}};
const Numbers kFour = {1, 2, 3, 4};

INSTANTIATE_TEST_SUITE_P(
    Windows, Layers,
    ::testing::Values(
        LayerCase{"Convolution", Convolution("nn.SpatialConvolution", 1, 1, 2, {1, 10}, {100}), {1, 1, 4}, kFour, {1, 1, 1, 3}, {121, 132, 143}},
        LayerCase{"ConvolutionWithoutBias", Convolution("cudnn.SpatialConvolution", 1, 1, 2, {1, 10}, {}), {1, 1, 4}, kFour, {1, 1, 1, 3}, {21, 32, 43}},
        LayerCase{"ConvolutionWithStrideAndPadding", Convolution("nn.SpatialConvolutionMM", 1, 1, 2, {1, 10}, {}, {{"dW", Num(2)}, {"padW", Num(1)}}), {1, 1, 4}, kFour, {1, 1, 1, 3}, {10, 32, 4}},
        LayerCase{"ConvolutionInGroups", Convolution("cudnn.SpatialConvolution", 2, 2, 1, {2, 3}, {}, {{"groups", Num(2)}}), {2, 1, 1}, {5, 7}, {1, 2, 1, 1}, {10, 21}},
        LayerCase{"ConvolutionDilated", Convolution("nn.SpatialDilatedConvolution", 1, 1, 2, {1, 10}, {}, {{"dilationW", Num(2)}, {"dilationH", Num(1)}}), {1, 1, 4}, kFour, {1, 1, 1, 2}, {31, 42}},
        LayerCase{"ConvolutionMap",
                  [](Writer& w) {
                    const auto table = w.TensorOf("Long", {3, 2}, {2, 1}, 1, w.LongStorage({1, 1, 2, 1, 2, 2}));
                    return w.Module("nn.SpatialConvolutionMap",
                                    {{"nInputPlane", Num(2)}, {"nOutputPlane", Num(2)}, {"kW", Num(1)}, {"kH", Num(1)}, {"connTable", table},
                                     {"weight", w.Tensor({3, 1, 1}, {2, 3, 5})}, {"bias", w.Tensor({2}, {100, 200})}});
                  },
                  {2, 1, 1}, {1, 10}, {1, 2, 1, 1}, {132, 250}},
        LayerCase{"FullConvolution", Convolution("nn.SpatialFullConvolution", 1, 1, 2, {1, 10}, {100}, {{"dW", Num(2)}}), {1, 1, 2}, {1, 2}, {1, 1, 1, 4}, {101, 110, 102, 120}},
        LayerCase{"FullConvolutionAdjusted", Convolution("nn.SpatialFullConvolution", 1, 1, 2, {1, 10}, {}, {{"dW", Num(2)}, {"padW", Num(1)}, {"adjW", Num(1)}}), {1, 1, 2}, {1, 2}, {1, 1, 1, 3}, {10, 2, 20}},
        LayerCase{"MaxPooling", Pooling("nn.SpatialMaxPooling", 2, 2), {1, 1, 5}, {1, 2, 3, 4, 5}, {1, 1, 1, 2}, {2, 4}},
        LayerCase{"MaxPoolingRoundsUp", Pooling("nn.SpatialMaxPooling", 2, 2, kCeil), {1, 1, 5}, {1, 2, 3, 4, 5}, {1, 1, 1, 3}, {2, 4, 5}},
        LayerCase{"MaxPoolingPads", Pooling("cudnn.SpatialMaxPooling", 2, 2, kPad), {1, 1, 4}, {-1, -2, -3, -4}, {1, 1, 1, 3}, {-1, -2, -4}},
        // The last window would begin past the picture: it is left out.
        LayerCase{"MaxPoolingKeepsInside", Pooling("nn.SpatialMaxPooling", 2, 3, kPadCeil), {1, 1, 2}, {1, 2}, {1, 1, 1, 1}, {1}},
        LayerCase{"AveragePooling", Pooling("nn.SpatialAveragePooling", 2, 2), {1, 1, 4}, kFour, {1, 1, 1, 2}, {1.5F, 3.5F}},
        LayerCase{"AveragePoolingCountsPadding", Pooling("nn.SpatialAveragePooling", 2, 2, kPad), {1, 1, 4}, kFour, {1, 1, 1, 3}, {0.5F, 2.5F, 2}},
        LayerCase{"AveragePoolingLeavesPaddingOut", Pooling("nn.SpatialAveragePooling", 2, 2, kExclude), {1, 1, 4}, kFour, {1, 1, 1, 3}, {1, 2.5F, 4}},
        LayerCase{"AveragePoolingRoundsUp", Pooling("nn.SpatialAveragePooling", 2, 2, kCeil), {1, 1, 3}, {1, 2, 7}, {1, 1, 1, 2}, {1.5F, 7}},
        LayerCase{"AveragePoolingAddsUp", Pooling("nn.SpatialAveragePooling", 2, 2, {{"divide", Writer::Bool(false)}}), {1, 1, 4}, kFour, {1, 1, 1, 2}, {3, 7}},
        LayerCase{"LpPooling",
                  [](Writer& w) {
                    const std::string square = w.Module("nn.Square");
                    const std::string sum = Pooling("nn.SpatialAveragePooling", 2, 2, {{"divide", Writer::Bool(false)}})(w);
                    return w.Container("nn.SpatialLPPooling", {square, sum, w.Module("nn.Sqrt")});
                  },
                  {1, 1, 4}, {3, 4, 0, 2}, {1, 1, 1, 2}, {5, 2}},
        LayerCase{"SubSampling",
                  [](Writer& w) {
                    return w.Module("nn.SpatialSubSampling", {{"kW", Num(2)}, {"kH", Num(1)}, {"dW", Num(2)}, {"dH", Num(1)},
                                                              {"weight", w.Tensor({1}, {10})}, {"bias", w.Tensor({1}, {1})}});
                  },
                  {1, 1, 4}, kFour, {1, 1, 1, 2}, {31, 71}},
        LayerCase{"ZeroPadding", Plain("nn.SpatialZeroPadding", {{"pad_l", Num(1)}, {"pad_r", Num(-1)}, {"pad_t", Num(0)}, {"pad_b", Num(1)}}), {1, 1, 2}, {1, 2}, {1, 1, 2, 2}, {0, 1, 0, 0}},
        LayerCase{"ReflectionPadding", Plain("nn.SpatialReflectionPadding", {{"pad_l", Num(2)}, {"pad_r", Num(1)}}), {1, 1, 3}, {1, 2, 3}, {1, 1, 1, 6}, {3, 2, 1, 2, 3, 2}},
        LayerCase{"ReplicationPadding", Plain("nn.SpatialReplicationPadding", {{"pad_l", Num(2)}, {"pad_r", Num(1)}}), {1, 1, 2}, {1, 2}, {1, 1, 1, 5}, {1, 1, 1, 2, 2}},
        LayerCase{"UpSamplingNearest", Plain("nn.SpatialUpSamplingNearest", {{"scale_factor", Num(2)}}), {1, 1, 2}, {1, 2}, {1, 1, 2, 4}, {1, 1, 2, 2, 1, 1, 2, 2}},
        LayerCase{"UpSamplingBilinear", Plain("nn.SpatialUpSamplingBilinear", {{"scale_factor", Num(2)}}), {1, 2, 2}, {0, 3, 6, 9}, {1, 1, 4, 4}, {0, 1, 2, 3, 2, 3, 4, 5, 4, 5, 6, 7, 6, 7, 8, 9}},
        LayerCase{"PixelShuffle", Plain("nn.PixelShuffle", {{"upscaleFactor", Num(2)}}), {4, 1, 1}, kFour, {1, 1, 2, 2}, kFour},
        // 1 / (1 + 3/3 * (1 + 4)) and so on.
        LayerCase{"CrossMapLRN", Plain("nn.SpatialCrossMapLRN", {{"size", Num(3)}, {"alpha", Num(3)}, {"beta", Num(1)}, {"k", Num(1)}}), {3, 1, 1}, {1, 2, 3}, {1, 3, 1, 1}, {1.0F / 6, 2.0F / 15, 3.0F / 14}}),
    NameOf);

Write Norm(const std::string& type, bool affine) {
  return [=](Writer& w) {
    Writer::Fields fields = {
        {"running_mean", w.Tensor({2}, {1, 3})}, {"running_var", w.Tensor({2}, {3, 8})}, {"eps", Num(1)}};
    if (affine) fields.emplace_back("weight", w.Tensor({2}, {2, 3}));
    if (affine) fields.emplace_back("bias", w.Tensor({2}, {10, 20}));
    return w.Module(type, fields);
  };
}
Write Weighted(const std::string& type, const char* field, std::vector<int64_t> size, Numbers values) {
  return [=](Writer& w) { return w.Module(type, {{field, w.Tensor(size, values)}}); };
}
// x and -x through a container, then joined by a module.
Write Branches(const std::string& container, Writer::Fields fields, const std::string& then, Writer::Fields more = {}) {
  return [=](Writer& w) {
    const std::string same = w.Module("nn.Identity");
    const std::string turned = w.Module("nn.MulConstant", {{"constant_scalar", Num(-1)}});
    const std::string both = w.Container(container, {same, turned}, fields);
    return then.empty() ? both : w.Container("nn.Sequential", {both, w.Module(then, more)});
  };
}
const Numbers kTwo = {1, 2};

INSTANTIATE_TEST_SUITE_P(
    Others, Layers,
    ::testing::Values(
        LayerCase{"SpatialBatchNormalization", Norm("nn.SpatialBatchNormalization", true), {2, 1, 2}, kFour, {1, 2, 1, 2}, {10, 11, 20, 21}},
        LayerCase{"BatchNormalizationWithoutWeights", Norm("nn.BatchNormalization", false), {2}, {3, 6}, {1, 2}, {1, 1}},
        LayerCase{"PReLU", [](Writer& w) { return w.Module("nn.PReLU", {{"nOutputPlane", Num(2)}, {"weight", w.Tensor({2}, {0.5F, 0.25F})}}); }, {2, 1, 2}, {-4, 1, -4, 2}, {1, 2, 1, 2}, {-2, 1, -1, 2}},
        LayerCase{"PReLUShared", [](Writer& w) { return w.Module("nn.PReLU", {{"nOutputPlane", Num(0)}, {"weight", w.Tensor({1}, {0.5F})}}); }, {2}, {-4, 1}, {1, 2}, {-2, 1}},
        LayerCase{"Linear", [](Writer& w) { return w.Module("nn.Linear", {{"weight", w.Tensor({1, 2}, {3, 5})}, {"bias", w.Tensor({1}, {100})}}); }, {2}, {1, 10}, {1, 1}, {153}},
        LayerCase{"View", [](Writer& w) { return w.Module("nn.View", {{"size", w.LongStorage({-1, 4})}}); }, {1, 2, 2}, kFour, {1, 4}, kFour},
        LayerCase{"ViewInfers", [](Writer& w) { return w.Module("nn.View", {{"size", w.LongStorage({2, -1})}}); }, {1, 2, 2}, kFour, {1, 2, 2}, kFour},
        LayerCase{"Reshape", [](Writer& w) { return w.Module("nn.Reshape", {{"size", w.LongStorage({4})}}); }, {1, 2, 2}, kFour, {1, 4}, kFour},
        LayerCase{"SpatialSoftMax", Plain("cudnn.SpatialSoftMax"), {2, 1, 1}, {0, 1}, {1, 2, 1, 1}, {0.268941F, 0.731059F}},
        LayerCase{"Mul", Weighted("nn.Mul", "weight", {1}, {3}), {2}, kTwo, {1, 2}, {3, 6}},
        LayerCase{"Add", Weighted("nn.Add", "bias", {2}, {3, 5}), {2}, kTwo, {1, 2}, {4, 7}},
        LayerCase{"CMulOfChannels", Weighted("nn.CMul", "weight", {1, 2, 1, 1}, {3, 5}), {2, 1, 2}, kFour, {1, 2, 1, 2}, {3, 6, 15, 20}},
        LayerCase{"Concat", Branches("nn.Concat", {{"dimension", Num(2)}}, ""), {2}, kTwo, {1, 4}, {1, 2, -1, -2}},
        LayerCase{"ConcatWithoutBatch", Branches("nn.Concat", {{"dimension", Num(1)}}, ""), {1, 1, 2}, kTwo, {1, 2, 1, 2}, {1, 2, -1, -2}},
        LayerCase{"ConcatAlongHeight", Branches("nn.Concat", {{"dimension", Num(3)}}, ""), {1, 1, 2}, kTwo, {1, 1, 2, 2}, {1, 2, -1, -2}},
        LayerCase{"JoinTable", Branches("nn.ConcatTable", {}, "nn.JoinTable", {{"dimension", Num(3)}, {"nInputDims", Num(3)}}), {1, 1, 2}, kTwo, {1, 1, 1, 4}, {1, 2, -1, -2}},
        LayerCase{"CAddTable", Branches("nn.ConcatTable", {}, "nn.CAddTable"), {2}, kTwo, {1, 2}, {0, 0}},
        LayerCase{"CSubTable", Branches("nn.ConcatTable", {}, "nn.CSubTable"), {2}, kTwo, {1, 2}, {2, 4}},
        LayerCase{"CMulTable", Branches("nn.ConcatTable", {}, "nn.CMulTable"), {2}, kTwo, {1, 2}, {-1, -4}},
        LayerCase{"CDivTable", Branches("nn.ConcatTable", {}, "nn.CDivTable"), {2}, kTwo, {1, 2}, {-1, -1}},
        LayerCase{"CMaxTable", Branches("nn.ConcatTable", {}, "nn.CMaxTable"), {2}, kTwo, {1, 2}, {1, 2}},
        LayerCase{"CMinTable", Branches("nn.ConcatTable", {}, "nn.CMinTable"), {2}, kTwo, {1, 2}, {-1, -2}},
        LayerCase{"SelectTable", Branches("nn.ConcatTable", {}, "nn.SelectTable", {{"index", Num(-1)}}), {2}, kTwo, {1, 2}, {-1, -2}},
        LayerCase{"ParallelTable",
                  [](Writer& w) {
                    const std::string split = Branches("nn.ConcatTable", {}, "")(w);
                    const std::string each = w.Container("nn.ParallelTable", {w.Module("nn.ReLU"), w.Module("nn.Square")});
                    return w.Container("nn.Sequential", {split, each, w.Module("nn.CAddTable")});
                  },
                  {2}, kTwo, {1, 2}, {2, 6}},
        LayerCase{"NarrowTable",
                  [](Writer& w) {
                    const std::string split = Branches("nn.ConcatTable", {}, "")(w);
                    const std::string part = w.Module("nn.NarrowTable", {{"offset", Num(2)}, {"length", Num(1)}});
                    return w.Container("nn.Sequential", {split, part, w.Module("nn.FlattenTable"), w.Module("nn.CAddTable")});
                  },
                  {2}, kTwo, {1, 2}, {-1, -2}}),
    NameOf);

}  // namespace
}  // namespace deepedge::torch7
