// Every operation of CNTK v2 that is read, on numbers worked out by hand. Shapes are in CNTK's order, first axis
// fastest; the numbers lie in the same order in the graph.
#include "deepedge/formats/cntk/functions_v2.h"

#include <gtest/gtest.h>

#include <cmath>

#include "deepedge/formats/cntk/cntk_v2_reader.h"
#include "deepedge/formats/cntk/write_v2_for_test.h"
#include "deepedge/formats/run_model_for_test.h"

namespace deepedge::cntk {
namespace {

using Numbers = std::vector<float>;

struct Weight {
  Dims dims;
  Numbers values;
};

struct OpCase {
  const char* name;
  uint64_t op;
  Dims dims;  // of the input
  Numbers input;
  std::vector<Weight> weights;
  Entries attributes;
  Dims result_dims;
  Numbers result;
  bool input_first = true;  // else the weights stand before the input
};

class Functions : public ::testing::TestWithParam<OpCase> {};

TEST_P(Functions, GivesNumbersWorkedOutByHand) {
  const OpCase& c = GetParam();
  ModelV2 model;
  model.Input("x", c.dims);
  std::vector<std::string> inputs;
  for (size_t i = 0; i < c.weights.size(); ++i) {
    inputs.push_back("w" + std::to_string(i));
    model.Parameter(inputs.back(), c.weights[i].dims, c.weights[i].values);
  }
  inputs.insert(c.input_first ? inputs.begin() : inputs.end(), "x");
  model.Function("f", c.op, inputs, c.attributes);
  const auto read = ReadCntkV2(Path("m.model"), model.Bytes());
  ASSERT_TRUE(read.ok()) << read.error().message;
  const RunResult result = RunForTest(read.value(), {c.input})[0];
  ov::Shape shape{1};
  for (auto it = c.result_dims.rbegin(); it != c.result_dims.rend(); ++it) shape.push_back(static_cast<size_t>(*it));
  EXPECT_EQ(result.shape, shape);
  ASSERT_EQ(result.values.size(), c.result.size());
  for (size_t i = 0; i < c.result.size(); ++i)
    EXPECT_NEAR(result.values[i], c.result[i], 1e-5 + 2e-5 * std::abs(c.result[i])) << i;
}

std::string NameOf(const ::testing::TestParamInfo<OpCase>& info) { return info.param.name; }

// Windows: strides, then automatic padding, of axis 0 only; the axis of channels takes one full step, as writers say
// it.
Entries Window(int64_t stride, bool auto_pad, Entries more = {}) {
  Entries entries{{"strides", ShapeValue({stride, 1, 1})},
                  {"autoPadding", BoolsValue({auto_pad, false, false})},
                  {"lowerPad", ShapeValue({0, 0, 0})},
                  {"upperPad", ShapeValue({0, 0, 0})},
                  {"sharing", BoolsValue({true, true, true})}};
  for (auto& entry : more) {
    std::erase_if(entries, [&](const auto& e) { return e.first == entry.first; });
    entries.push_back(entry);
  }
  return entries;
}
Entries Pooling(uint64_t type, int64_t kernel, int64_t stride, bool auto_pad, Entries more = {}) {
  more.emplace_back("poolingType", SizeValue(type));
  more.emplace_back("poolingWindowShape", ShapeValue({kernel, 1}));
  return Window(stride, auto_pad, std::move(more));
}

Numbers Apply(const Numbers& in, double (*f)(double)) {
  Numbers out;
  for (const float v : in) out.push_back(static_cast<float>(f(static_cast<double>(v))));
  return out;
}
OpCase UnaryCase(const char* name, uint64_t op, const Numbers& in, double (*f)(double)) {
  return {name, op, {static_cast<int64_t>(in.size())}, in, {}, {}, {static_cast<int64_t>(in.size())}, Apply(in, f)};
}

const Numbers kAny = {-2, -0.5F, 0, 0.5F, 3};
const Numbers kUnit = {-0.75F, 0, 0.5F};
const Numbers kPositive = {0.25F, 1, 9};

INSTANTIATE_TEST_SUITE_P(
    Unary, Functions,
    ::testing::Values(UnaryCase("Negate", 0, kAny, [](double v) { return -v; }),
                      UnaryCase("Sigmoid", 1, kAny, [](double v) { return 1 / (1 + std::exp(-v)); }),
                      UnaryCase("Tanh", 2, kAny, [](double v) { return std::tanh(v); }),
                      UnaryCase("ReLU", 3, kAny, [](double v) { return v > 0 ? v : 0; }),
                      UnaryCase("Exp", 4, kAny, [](double v) { return std::exp(v); }),
                      UnaryCase("Log", 5, kPositive, [](double v) { return std::log(v); }),
                      UnaryCase("Sqrt", 6, kPositive, [](double v) { return std::sqrt(v); }),
                      UnaryCase("Floor", 7, kAny, [](double v) { return std::floor(v); }),
                      UnaryCase("Abs", 8, kAny, [](double v) { return std::abs(v); }),
                      UnaryCase("Reciprocal", 9, kPositive, [](double v) { return 1 / v; }),
                      UnaryCase("Sin", 54, kAny, [](double v) { return std::sin(v); }),
                      UnaryCase("Cos", 55, kAny, [](double v) { return std::cos(v); }),
                      UnaryCase("Tan", 95, kUnit, [](double v) { return std::tan(v); }),
                      UnaryCase("Asin", 81, kUnit, [](double v) { return std::asin(v); }),
                      UnaryCase("Acos", 82, kUnit, [](double v) { return std::acos(v); }),
                      UnaryCase("Atan", 96, kAny, [](double v) { return std::atan(v); }),
                      UnaryCase("Sinh", 77, kAny, [](double v) { return std::sinh(v); }),
                      UnaryCase("Cosh", 78, kAny, [](double v) { return std::cosh(v); }),
                      UnaryCase("Asinh", 86, kAny, [](double v) { return std::asinh(v); }),
                      UnaryCase("Atanh", 85, kUnit, [](double v) { return std::atanh(v); }),
                      UnaryCase("StableSigmoid", 75, kAny, [](double v) { return 1 / (1 + std::exp(-v)); }),
                      UnaryCase("Elu", 65, kAny, [](double v) { return v > 0 ? v : std::exp(v) - 1; }),
                      UnaryCase("Dropout", 15, kAny, [](double v) { return v; }),
                      UnaryCase("StopGradient", 64, kAny, [](double v) { return v; })),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Binary, Functions,
    ::testing::Values(
        OpCase{"PlusBiasOfChannels",
               19,
               {2, 1, 2},
               {1, 2, 3, 4},
               {{{1, 1, 2}, {10, 20}}},
               {},
               {2, 1, 2},
               {11, 12, 23, 24}},
        OpCase{"PlusBiasOfEveryElement",
               19,
               {2, 1, 2},
               {1, 2, 3, 4},
               {{{2, 1, 2}, {1, 2, 3, 4}}},
               {},
               {2, 1, 2},
               {2, 4, 6, 8}},
        OpCase{"PlusAlongTheFirstAxis", 19, {2, 2}, {1, 2, 3, 4}, {{{2}, {10, 20}}}, {}, {2, 2}, {11, 22, 13, 24}},
        OpCase{"PlusMoreAxesThanTheInput", 19, {2}, {1, 2}, {{{2, 2}, {0, 0, 10, 20}}}, {}, {2, 2}, {1, 2, 11, 22}},
        OpCase{"Minus", 20, {2}, {5, 7}, {{{2}, {1, 10}}}, {}, {2}, {4, -3}},
        OpCase{"MinusFromWeights", 20, {2}, {5, 7}, {{{2}, {1, 10}}}, {}, {2}, {-4, 3}, false},
        OpCase{"ElementTimes", 21, {2}, {5, 7}, {{{}, {3}}}, {}, {2}, {15, 21}},
        OpCase{"Equal", 22, {3}, {1, 2, 3}, {{{}, {2}}}, {}, {3}, {0, 1, 0}},
        OpCase{"NotEqual", 23, {3}, {1, 2, 3}, {{{}, {2}}}, {}, {3}, {1, 0, 1}},
        OpCase{"Less", 24, {3}, {1, 2, 3}, {{{}, {2}}}, {}, {3}, {1, 0, 0}},
        OpCase{"LessEqual", 25, {3}, {1, 2, 3}, {{{}, {2}}}, {}, {3}, {1, 1, 0}},
        OpCase{"Greater", 26, {3}, {1, 2, 3}, {{{}, {2}}}, {}, {3}, {0, 0, 1}},
        OpCase{"GreaterEqual", 27, {3}, {1, 2, 3}, {{{}, {2}}}, {}, {3}, {0, 1, 1}},
        OpCase{"LogPlus", 52, {2}, {0, 100}, {{{2}, {0, 1}}}, {}, {2}, {0.693147F, 100}},
        OpCase{"Pow", 69, {2}, {3, 4}, {{{}, {2}}}, {}, {2}, {9, 16}},
        OpCase{"ClipToNumbers", 41, {3}, {-1, 0.5F, 9}, {{{}, {0}}, {{}, {1}}}, {}, {3}, {0, 0.5F, 1}},
        OpCase{"ClipToTensors", 41, {2}, {-5, 9}, {{{2}, {-2, 0}}, {{2}, {1, 4}}}, {}, {2}, {-2, 4}},
        OpCase{"Select", 42, {3}, {1, 0, -1}, {{{3}, {10, 20, 30}}, {{}, {7}}}, {}, {3}, {10, 7, 30}}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Convolution, Functions,
    ::testing::Values(
        // Windows at -1 and 1: the odd cell of padding stands before, not after.
        OpCase{"AutoPadEvenSizeStride2",
               33,
               {4, 1, 1},
               {1, 2, 3, 4},
               {{{3, 1, 1, 1}, {1, 10, 100}}},
               Window(2, true),
               {2, 1, 1},
               {210, 432},
               false},
        OpCase{"AutoPadOddSizeStride2",
               33,
               {5, 1, 1},
               {1, 2, 3, 4, 5},
               {{{3, 1, 1, 1}, {1, 10, 100}}},
               Window(2, true),
               {3, 1, 1},
               {210, 432, 54},
               false},
        OpCase{"AutoPadEvenKernel",
               33,
               {3, 1, 1},
               {1, 2, 3},
               {{{2, 1, 1, 1}, {1, 10}}},
               Window(1, true),
               {3, 1, 1},
               {21, 32, 3},
               false},
        // What is left over is cropped on both sides: 1 before, 2 after.
        OpCase{"AutoPadCrops",
               33,
               {8, 1, 1},
               {0, 1, 2, 3, 4, 5, 6, 7},
               {{{1, 1, 1, 1}, {1}}},
               Window(4, true),
               {2, 1, 1},
               {1, 5},
               false},
        OpCase{"NoPadding",
               33,
               {4, 1, 1},
               {1, 2, 3, 4},
               {{{3, 1, 1, 1}, {1, 10, 100}}},
               Window(1, false),
               {2, 1, 1},
               {321, 432},
               false},
        OpCase{"GivenPadding",
               33,
               {3, 1, 1},
               {1, 2, 3},
               {{{3, 1, 1, 1}, {1, 10, 100}}},
               Window(1, false, {{"lowerPad", ShapeValue({2, 0, 0})}}),
               {3, 1, 1},
               {100, 210, 321},
               false},
        OpCase{"OneEntryForAllAxes",
               33,
               {2, 2, 1},
               {1, 2, 3, 4},
               {{{3, 3, 1, 1}, {0, 0, 0, 0, 1, 0, 0, 0, 10}}},
               {{"strides", ShapeValue({1})}, {"autoPadding", BoolsValue({true})}},
               {2, 2, 1},
               {41, 2, 3, 4},
               false},
        // Writers say so of the channels too: one window over all of them.
        OpCase{"PadsChannelsWithALargeStride",
               33,
               {1, 1, 3},
               {1, 2, 3},
               {{{1, 1, 3, 2}, {1, 10, 100, 1, 0, 0}}},
               {{"strides", ShapeValue({1, 1, 16})}, {"autoPadding", BoolsValue({true, true, true})}},
               {1, 1, 2},
               {321, 1},
               false},
        OpCase{"Dilation",
               33,
               {5, 1, 1},
               {1, 2, 3, 4, 5},
               {{{2, 1, 1, 1}, {1, 10}}},
               Window(1, false, {{"dilation", ShapeValue({2, 1, 1})}}),
               {3, 1, 1},
               {31, 42, 53},
               false},
        OpCase{"Groups",
               33,
               {1, 1, 2},
               {5, 7},
               {{{1, 1, 1, 2}, {2, 3}}},
               Window(1, false, {{"groups", SizeValue(2)}}),
               {1, 1, 2},
               {10, 21},
               false},
        OpCase{"OneAxis",
               33,
               {4, 1},
               {1, 2, 3, 4},
               {{{2, 1, 1}, {1, 10}}},
               {{"strides", ShapeValue({1})}},
               {3, 1},
               {21, 32, 43},
               false},
        OpCase{"ThreeAxes",
               33,
               {1, 1, 3, 1},
               {1, 2, 3},
               {{{1, 1, 3, 1}, {1, 1, 1}}},
               {{"strides", ShapeValue({1, 1, 1, 1})}, {"autoPadding", BoolsValue({false, false, true, false})}},
               {1, 1, 3, 1},
               {3, 6, 5},
               false},
        OpCase{"Transposed",
               33,
               {2, 1, 1},
               {1, 2},
               {{{2, 1, 1, 1}, {1, 10}}},
               Window(2, false, {{"transpose", BoolValue(true)}}),
               {4, 1, 1},
               {1, 10, 2, 20},
               false},
        OpCase{"TransposedAutoPad",
               33,
               {2, 1, 1},
               {1, 2},
               {{{3, 1, 1, 1}, {1, 10, 100}}},
               Window(2, true, {{"transpose", BoolValue(true)}}),
               {3, 1, 1},
               {10, 102, 20},
               false},
        OpCase{"TransposedToAGivenSize",
               33,
               {2, 1, 1},
               {1, 2},
               {{{3, 1, 1, 1}, {1, 10, 100}}},
               Window(2, true, {{"transpose", BoolValue(true)}, {"outputShape", ShapeValue({4, 1, 1})}}),
               {4, 1, 1},
               {10, 102, 20, 200},
               false},
        OpCase{"TransposedManyMaps",
               33,
               {1, 1, 2},
               {1, 2},
               {{{1, 1, 2, 2}, {1, 10, 100, 1000}}},
               Window(1, false, {{"transpose", BoolValue(true)}}),
               {1, 1, 2},
               {201, 2010},
               false}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Pooling, Functions,
    ::testing::Values(
        OpCase{"MaxAutoPadEvenSize", 17, {4, 1, 1}, {-1, -2, -3, -4}, {}, Pooling(0, 3, 2, true), {2, 1, 1}, {-1, -2}},
        OpCase{"MaxAutoPadOddSize", 17, {5, 1, 1}, {1, 2, 3, 4, 5}, {}, Pooling(0, 3, 2, true), {3, 1, 1}, {2, 4, 5}},
        OpCase{
            "AverageLeavesPaddingOut", 17, {4, 1, 1}, {1, 2, 3, 4}, {}, Pooling(1, 3, 2, true), {2, 1, 1}, {1.5F, 3}},
        OpCase{"AverageCountsPadding",
               17,
               {4, 1, 1},
               {1, 2, 3, 4},
               {},
               Pooling(1, 3, 2, true, {{"includePad", BoolValue(true)}}),
               {2, 1, 1},
               {1, 3}},
        OpCase{"RoundsDown", 17, {4, 1, 1}, {1, 2, 3, 4}, {}, Pooling(0, 2, 3, false), {1, 1, 1}, {2}},
        OpCase{"RoundsUp",
               17,
               {4, 1, 1},
               {1, 2, 3, 4},
               {},
               Pooling(0, 2, 3, false, {{"ceilOutDim", BoolValue(true)}}),
               {2, 1, 1},
               {2, 4}},
        OpCase{"AverageRoundsUp",
               17,
               {4, 1, 1},
               {1, 2, 3, 4},
               {},
               Pooling(1, 2, 3, false, {{"ceilOutDim", BoolValue(true)}}),
               {2, 1, 1},
               {1.5F, 4}},
        OpCase{"UnknownWindowIsGlobal",
               17,
               {2, 2, 2},
               {1, 2, 3, 6, 5, 5, 5, 9},
               {},
               {{"poolingType", SizeValue(1)}, {"poolingWindowShape", ShapeValue({-2})}, {"strides", ShapeValue({1})}},
               {1, 1, 2},
               {3, 6}},
        OpCase{"ChannelsStayApart",
               17,
               {2, 1, 2},
               {1, 2, 7, 4},
               {},
               {{"poolingType", SizeValue(0)},
                {"poolingWindowShape", ShapeValue({2, 1})},
                {"strides", ShapeValue({2, 1})}},
               {1, 1, 2},
               {2, 7}}),
    NameOf);

const std::vector<Weight> kNorm = {{{2}, {2, 3}}, {{2}, {10, 20}}, {{2}, {1, 3}}, {{2}, {3, 8}}};
std::vector<Weight> WithCount(std::vector<Weight> weights) {
  weights.push_back({{}, {1000}});
  return weights;
}
const Entries kSpatial = {{"spatial", BoolValue(true)}, {"epsilon", DoubleValue(1)}};
const Entries kPerElement = {{"spatial", BoolValue(false)}, {"epsilon", DoubleValue(1)}};

INSTANTIATE_TEST_SUITE_P(
    Layers, Functions,
    ::testing::Values(
        OpCase{"BatchNormOfFiveInputs", 40, {2, 1, 2}, {1, 2, 3, 4}, kNorm, kSpatial, {2, 1, 2}, {10, 11, 20, 21}},
        OpCase{"BatchNormOfSixInputs",
               40,
               {2, 1, 2},
               {1, 2, 3, 4},
               WithCount(kNorm),
               kSpatial,
               {2, 1, 2},
               {10, 11, 20, 21}},
        OpCase{"BatchNormPerElement", 40, {1, 2, 1}, {1, 4}, WithCount(kNorm), kPerElement, {1, 2, 1}, {10, 21}},
        OpCase{"BatchNormOfAVector", 40, {2}, {2, 4}, WithCount(kNorm), kSpatial, {2}, {11, 21}},
        OpCase{"Times",
               31,
               {3},
               {1, 10, 100},
               {{{2, 3}, {1, 2, 3, 4, 5, 6}}},
               {{"outputRank", SizeValue(1)}, {"inferInputRankToMap", SizeValue(UINT64_MAX)}},
               {2},
               {531, 642},
               false},
        OpCase{"TimesOverAllAxes",
               31,
               {3, 1, 1},
               {1, 10, 100},
               {{{2, 3, 1, 1}, {1, 2, 3, 4, 5, 6}}},
               {{"outputRank", SizeValue(1)}, {"inferInputRankToMap", IntValue(0)}},
               {2},
               {531, 642},
               false},
        OpCase{"TimesKeepsFurtherAxes",
               31,
               {2, 2},
               {1, 10, 2, 20},
               {{{1, 2}, {1, 3}}},
               {{"outputRank", SizeValue(1)}},
               {1, 2},
               {31, 62},
               false},
        OpCase{"TimesToTwoAxes",
               31,
               {3},
               {1, 10, 100},
               {{{1, 2, 3}, {1, 2, 3, 4, 5, 6}}},
               {{"outputRank", SizeValue(2)}},
               {1, 2},
               {531, 642},
               false},
        OpCase{"TransposeTimes",
               32,
               {3},
               {1, 10, 100},
               {{{3, 2}, {1, 2, 3, 4, 5, 6}}},
               {{"outputRank", SizeValue(1)}},
               {2},
               {321, 654},
               false},
        OpCase{"Softmax", 10, {2, 1}, {0, 1}, {}, {}, {2, 1}, {0.268941F, 0.731059F}},
        OpCase{"LogSoftmax", 51, {2}, {0, 1}, {}, {}, {2}, {-1.313262F, -0.313262F}},
        OpCase{"EluOfAnAlpha", 65, {2}, {-1, 2}, {}, {{"alpha", DoubleValue(2)}}, {2}, {-1.264241F, 2}}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Shapes, Functions,
    ::testing::Values(
        OpCase{"Reshape",
               16,
               {2, 3},
               {1, 2, 3, 4, 5, 6},
               {},
               {{"newShape", ShapeValue({3, -1})}},
               {3, 2},
               {1, 2, 3, 4, 5, 6}},
        OpCase{"ReshapeSomeAxes",
               16,
               {2, 2, 3},
               {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},
               {},
               {{"newShape", ShapeValue({4})}, {"beginAxis", AxisValue(0)}, {"endAxis", AxisValue(2)}},
               {4, 3},
               {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}},
        OpCase{"ReshapeAddsAnAxisAtTheEnd",
               16,
               {2},
               {1, 2},
               {},
               {{"newShape", ShapeValue({1})},
                {"beginAxis", AxisValue(kEndOfStaticAxes)},
                {"endAxis", AxisValue(kEndOfStaticAxes)}},
               {2, 1},
               {1, 2}},
        OpCase{"TransposeAxes",
               12,
               {2, 3},
               {1, 2, 3, 4, 5, 6},
               {},
               {{"axis1", AxisValue(0)}, {"axis2", AxisValue(-1)}},
               {3, 2},
               {1, 3, 5, 2, 4, 6}},
        OpCase{"TransposeAxesByAList",
               12,
               {1, 2, 3},
               {1, 2, 3, 4, 5, 6},
               {},
               {{"axisVec", VectorValue({AxisValue(2), AxisValue(0), AxisValue(1)})}},
               {3, 1, 2},
               {1, 3, 5, 2, 4, 6}},
        OpCase{"Slice",
               14,
               {2, 3},
               {1, 2, 3, 4, 5, 6},
               {},
               {{"axis", AxisValue(1)}, {"beginIndex", IntValue(1)}, {"endIndex", IntValue(0)}},
               {2, 2},
               {3, 4, 5, 6}},
        OpCase{"SliceFromTheEnd",
               14,
               {4},
               {1, 2, 3, 4},
               {},
               {{"axis", AxisValue(0)}, {"beginIndex", IntValue(-3)}, {"endIndex", IntValue(-1)}},
               {2},
               {2, 3}},
        OpCase{"SliceWithSteps",
               14,
               {5},
               {1, 2, 3, 4, 5},
               {},
               {{"axisVec", VectorValue({AxisValue(0)})},
                {"beginIndexVec", VectorValue({IntValue(0)})},
                {"endIndexVec", VectorValue({IntValue(0)})},
                {"sliceStridesVec", VectorValue({IntValue(2)})}},
               {3},
               {1, 3, 5}},
        OpCase{"ReduceSum",
               39,
               {2, 2},
               {1, 2, 3, 5},
               {},
               {{"reductionOpName", TextValue("Sum")}, {"axis", AxisValue(0)}},
               {1, 2},
               {3, 8}},
        OpCase{"ReduceMean",
               39,
               {2, 2},
               {1, 2, 3, 5},
               {},
               {{"reductionOpName", TextValue("Mean")}, {"axisVec", VectorValue({AxisValue(1)})}},
               {2, 1},
               {2, 3.5F}},
        OpCase{"ReduceMaxWithoutTheAxis",
               39,
               {2, 2},
               {1, 2, 3, 5},
               {},
               {{"reductionOpName", TextValue("Max")},
                {"axis", AxisValue(0)},
                {"reductionKeepDimensions", BoolValue(false)}},
               {2},
               {2, 5}},
        OpCase{"ReduceMin",
               39,
               {2, 2},
               {1, 2, 3, 5},
               {},
               {{"reductionOpName", TextValue("Min")}, {"axis", AxisValue(0)}},
               {1, 2},
               {1, 3}},
        OpCase{"ReduceProdOverAll",
               39,
               {2, 2},
               {1, 2, 3, 5},
               {},
               {{"reductionOpName", TextValue("Prod")}, {"axis", AxisValue(kAllStaticAxes)}},
               {1, 1},
               {30}},
        OpCase{"ReduceLogSum",
               39,
               {2},
               {1000, 1000},
               {},
               {{"reductionOpName", TextValue("LogSum")}, {"axis", AxisValue(0)}},
               {1},
               {1000.693147F}},
        OpCase{"ReduceArgmax",
               39,
               {3, 2},
               {1, 9, 3, 7, 5, 6},
               {},
               {{"reductionOpName", TextValue("Argmax")}, {"axis", AxisValue(0)}},
               {1, 2},
               {1, 0}},
        OpCase{"ReduceArgminWithoutTheAxis",
               39,
               {3, 2},
               {1, 9, 3, 7, 5, 6},
               {},
               {{"reductionOpName", TextValue("Argmin")},
                {"axis", AxisValue(0)},
                {"reductionKeepDimensions", BoolValue(false)}},
               {2},
               {0, 1}},
        OpCase{"PadWithANumber",
               83,
               {2, 1},
               {1, 2},
               {},
               {{"paddingHead", SizesValue({1, 0})},
                {"paddingFoot", SizesValue({0, 1})},
                {"paddingConstantValue", DoubleValue(7)}},
               {3, 2},
               {7, 1, 2, 7, 7, 7}},
        OpCase{"PadByReflection",
               83,
               {3},
               {1, 2, 3},
               {},
               {{"paddingHead", SizesValue({2})}, {"paddingFoot", SizesValue({1})}, {"paddingMode", SizeValue(1)}},
               {6},
               {3, 2, 1, 2, 3, 2}},
        OpCase{"PadSymmetrically",
               83,
               {3},
               {1, 2, 3},
               {},
               {{"paddingHead", SizesValue({2})}, {"paddingFoot", SizesValue({1})}, {"paddingMode", SizeValue(2)}},
               {6},
               {2, 1, 1, 2, 3, 3}},
        OpCase{"Crop",
               84,
               {3, 2, 1},
               {1, 2, 3, 4, 5, 6},
               {{{2, 1, 1}, {0, 0}}},
               {{"offset", SizesValue({1, 1})}},
               {2, 1, 1},
               {5, 6}},
        OpCase{"SqueezeAll", 88, {1, 2, 1}, {1, 2}, {}, {}, {2}, {1, 2}},
        OpCase{"SqueezeOne", 88, {1, 2, 1}, {1, 2}, {}, {{"axisVec", VectorValue({AxisValue(0)})}}, {2, 1}, {1, 2}},
        OpCase{"Cast", 91, {2}, {1, 2}, {}, {{"newDataType", IntValue(1)}}, {2}, {1, 2}}),
    NameOf);

}  // namespace
}  // namespace deepedge::cntk
