#include "deepedge/formats/cntk/cntk_v1_reader.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <cstring>
#include <functional>

#include "deepedge/formats/cntk/array.h"
#include "deepedge/formats/cost_for_test.h"
#include "deepedge/formats/damage_for_test.h"
#include "deepedge/formats/run_model_for_test.h"
#include "deepedge/formats/test_files.h"

namespace deepedge::cntk {
namespace {

using Numbers = std::vector<float>;

template <typename T>
std::string Raw(T value) {
  std::string bytes(sizeof(T), '\0');
  std::memcpy(bytes.data(), &value, sizeof(T));
  return bytes;
}
std::string Text(std::string_view text) {
  std::string bytes;
  for (const char c : text) bytes += {c, '\0'};
  return bytes + std::string(2, '\0');
}
std::string Shape(const Dims& dims) {
  std::string bytes = Raw(static_cast<uint32_t>(dims.size()));
  for (const int64_t dim : dims) bytes += Raw(static_cast<uint32_t>(dim));
  return bytes;
}
std::string Bools(const std::vector<bool>& bools) {
  std::string bytes = Raw(uint64_t{bools.size()});
  for (const bool b : bools) bytes += Raw(static_cast<uint8_t>(b));
  return bytes;
}

// What the body of a node is in each version.
using Body = std::function<std::string(uint64_t version)>;

std::string Nothing(uint64_t /*version*/) { return ""; }

Body Input(const Dims& dims) {
  return [dims](uint64_t version) {
    std::string body = Raw(uint64_t{1}) + Raw(uint64_t{0}) + Shape(dims);
    if (version >= 8) body += Raw(uint32_t{1}) + Text("*");
    if (version >= 10) body += Raw(1.0F);
    return body;
  };
}
Body Weights(const Dims& dims, const Numbers& numbers, uint64_t rows) {
  return [=](uint64_t) {
    std::string body = Raw(1.0F) + Shape(dims) + "d" + Text("BMAT") + Raw(uint64_t{4}) + Text("unnamed") +
                       Raw(uint32_t{0}) + Raw(rows) + Raw(uint64_t{numbers.size() / std::max<uint64_t>(rows, 1)});
    for (const float number : numbers) body += Raw(number);
    return body + Text("EMAT");
  };
}
Body Weights(const Dims& dims, const Numbers& numbers) { return Weights(dims, numbers, 1); }

struct WindowBody {
  Dims kernel;
  Dims strides;
  std::vector<bool> auto_pad;
  int32_t pooling = 0;
  int32_t layout = 1;
  bool transpose = false;
  bool ceil = false;
  bool include_pad = false;
  Dims dilation = {1};
};
Body Window(const WindowBody& w, bool convolution) {
  return [=](uint64_t version) {
    std::string body = Shape(w.kernel) + Shape({1}) + Shape(w.strides) + Bools({true}) + Bools(w.auto_pad) +
                       Shape({0}) + Shape({0}) + Raw(w.pooling) + Raw(w.layout) + Raw(uint64_t{0});
    if (version >= 9) body += Raw(static_cast<uint8_t>(w.transpose));
    if (version >= 20) body += Shape({0});
    if (version >= 21) body += Raw(static_cast<uint8_t>(w.ceil));
    if (version >= 23) body += Raw(static_cast<uint8_t>(w.include_pad));
    if (convolution) body += Raw(uint8_t{0});
    if (convolution && version >= 18) body += Shape(w.dilation);
    return body;
  };
}
Body Convolution(const WindowBody& w) { return Window(w, true); }
Body Pooling(const WindowBody& w) { return Window(w, false); }
Body Norm(bool spatial, double epsilon) {
  return [=](uint64_t version) {
    const std::string count = version >= 19 ? Raw(uint8_t{1}) : Raw(uint64_t{1000});
    return Raw(static_cast<uint8_t>(spatial)) + Raw(1.0) + Raw(0.0) + Raw(int32_t{1}) + count + Raw(epsilon) +
           Raw(uint8_t{0});
  };
}
std::string Product(uint64_t version) {
  return (version >= 3 ? Raw(uint64_t{1}) : "") + (version >= 12 ? Raw(int32_t{-1}) : "");
}
Body ReshapeTo(uint32_t begin, uint32_t end, const Dims& dims) {
  return [=](uint64_t) { return Raw(begin) + Raw(end) + Shape(dims); };
}
std::string StackRows(uint64_t version) { return version >= 3 ? Raw(int32_t{3}) : ""; }
Body SliceOf(uint64_t begin, uint64_t end, int32_t axis) {
  return [=](uint64_t version) {
    return (version >= 22 ? Raw(int32_t{1}) : "") + Raw(begin) + Raw(end) + (version >= 3 ? Raw(axis) : "") +
           (version >= 27 ? Raw(int32_t{1}) : "");
  };
}
Body Reduction(int32_t axis, const std::string& operation) {
  return [=](uint64_t version) {
    return (version >= 27 ? Raw(uint32_t{1}) : "") + Raw(axis) + Text(operation) +
           (version >= 24 ? Raw(uint8_t{1}) : "");
  };
}
std::string DropoutBody(uint64_t version) {
  if (version < 16) return "";
  return (version == 16 ? Raw(uint32_t{1}) : Raw(uint64_t{1})) + Raw(uint64_t{0});
}

struct Node {
  std::string op;
  std::string name;
  Body body;
  std::vector<std::string> inputs;
};

struct Network {
  std::vector<Node> nodes;
  std::vector<std::string> outputs;
  std::vector<std::string> criteria;

  std::string Bytes(uint64_t version) const {
    std::string bytes = Text("BCN");
    if (version > 1) bytes += Text("BVersion") + Raw(version) + Text("EVersion");
    bytes += Raw(uint64_t{nodes.size()}) + Text("BNodeList");
    for (const Node& node : nodes) {
      bytes += (version >= 7 ? Text("float") : "") + Text(node.op) + Text(node.name) + node.body(version);
    }
    bytes += Text("ENodeList") + Text("BRelation");
    for (const Node& node : nodes) {
      bytes += Text(node.name) + Raw(uint64_t{node.inputs.size()});
      for (const std::string& input : node.inputs) bytes += Text(input);
    }
    bytes += Text("ERelation") + Text("BRootNodes") + Text("BFeatureNodes") + Raw(uint64_t{1}) + Text("x") +
             Text("EFeatureNodes");
    bytes += Group("CriterionNodes", criteria) + Group("OutputNodes", outputs);
    return bytes + Text("ERootNodes") + Text("ECN");
  }

 private:
  static std::string Group(const std::string& name, const std::vector<std::string>& names) {
    if (names.empty()) return "";
    std::string bytes = Text("B" + name) + Raw(uint64_t{names.size()});
    for (const std::string& node : names) bytes += Text(node);
    return bytes + Text("E" + name);
  }
};

Result<std::shared_ptr<ov::Model>> Read(const std::string& bytes) {
  KeepSeed("cntk_v1", bytes);
  return ReadCntkV1(Path("net.dnn"), bytes);
}

struct NodeCase {
  const char* name;
  const char* op;
  Body body;
  Dims dims;
  Numbers input;
  std::vector<std::pair<Dims, Numbers>> weights;
  Dims result_dims;
  Numbers result;
  bool input_first = true;
  uint64_t oldest = 7;  // version in which the node has this form
};

class Nodes : public ::testing::TestWithParam<NodeCase> {};

TEST_P(Nodes, GiveNumbersWorkedOutByHandInEveryVersion) {
  const NodeCase& c = GetParam();
  Network network;
  network.nodes.push_back({"InputValue", "x", Input(c.dims), {}});
  std::vector<std::string> inputs;
  for (const auto& [dims, numbers] : c.weights) {
    inputs.push_back("w" + std::to_string(inputs.size()));
    network.nodes.push_back({"LearnableParameter", inputs.back(), Weights(dims, numbers), {}});
  }
  inputs.insert(c.input_first ? inputs.begin() : inputs.end(), "x");
  network.nodes.push_back({c.op, "z", c.body, inputs});
  network.outputs = {"z"};
  for (uint64_t version = c.oldest; version <= 28; ++version) {
    SCOPED_TRACE(version);
    const auto read = Read(network.Bytes(version));
    ASSERT_TRUE(read.ok()) << read.error().message;
    if (version != c.oldest && version != 28) continue;
    const RunResult result = RunForTest(read.value(), {c.input})[0];
    ov::Shape shape{1};
    for (auto it = c.result_dims.rbegin(); it != c.result_dims.rend(); ++it) shape.push_back(static_cast<size_t>(*it));
    EXPECT_EQ(result.shape, shape);
    ASSERT_EQ(result.values.size(), c.result.size());
    for (size_t i = 0; i < c.result.size(); ++i) {
      EXPECT_NEAR(result.values[i], c.result[i], 1e-5 + 2e-5 * std::abs(c.result[i])) << i;
    }
  }
}

std::string NameOf(const ::testing::TestParamInfo<NodeCase>& info) { return info.param.name; }

const std::vector<std::pair<Dims, Numbers>> kNorm = {
    {{2, 1}, {2, 3}}, {{2, 1}, {10, 20}}, {{2, 1}, {1, 3}}, {{2, 1}, {3, 8}}};

INSTANTIATE_TEST_SUITE_P(
    Kinds, Nodes,
    ::testing::Values(
        NodeCase{
            "Plus", "Plus", Nothing, {2, 1, 2}, {1, 2, 3, 4}, {{{1, 1, 2}, {10, 20}}}, {2, 1, 2}, {11, 12, 23, 24}},
        NodeCase{"Minus", "Minus", Nothing, {2}, {5, 7}, {{{2}, {1, 2}}}, {2}, {4, 5}},
        NodeCase{"ElementTimes", "ElementTimes", Nothing, {2}, {5, 7}, {{{1, 1}, {3}}}, {2, 1}, {15, 21}},
        NodeCase{"RectifiedLinear", "RectifiedLinear", Nothing, {2}, {-5, 7}, {}, {2}, {0, 7}},
        NodeCase{"Sigmoid", "Sigmoid", Nothing, {1}, {0}, {}, {1}, {0.5F}},
        NodeCase{"Tanh", "Tanh", Nothing, {1}, {1}, {}, {1}, {0.761594F}},
        NodeCase{"Exp", "Exp", Nothing, {1}, {1}, {}, {1}, {2.718282F}},
        NodeCase{"Log", "Log", Nothing, {1}, {2.718282F}, {}, {1}, {1}},
        NodeCase{"Sqrt", "Sqrt", Nothing, {1}, {9}, {}, {1}, {3}},
        NodeCase{"Abs", "Abs", Nothing, {1}, {-9}, {}, {1}, {9}},
        NodeCase{"Negate", "Negate", Nothing, {1}, {9}, {}, {1}, {-9}},
        NodeCase{"Reciprocal", "Reciprocal", Nothing, {1}, {4}, {}, {1}, {0.25F}},
        NodeCase{"Floor", "Floor", Nothing, {1}, {-0.5F}, {}, {1}, {-1}},
        NodeCase{"Cosine", "Cosine", Nothing, {1}, {1}, {}, {1}, {0.540302F}},
        NodeCase{"Sin", "Sin", Nothing, {1}, {1}, {}, {1}, {0.841471F}},
        NodeCase{"Clip", "Clip", Nothing, {2}, {-1, 9}, {{{1}, {0}}, {{1}, {5}}}, {2}, {0, 5}, false},
        NodeCase{"Softmax", "Softmax", Nothing, {2}, {0, 1}, {}, {2}, {0.268941F, 0.731059F}},
        NodeCase{"LogSoftmax", "LogSoftmax", Nothing, {2}, {0, 1}, {}, {2}, {-1.313262F, -0.313262F}},
        NodeCase{"Pass", "Pass", Nothing, {1}, {2}, {}, {1}, {2}},
        NodeCase{"Dropout", "Dropout", DropoutBody, {1}, {2}, {}, {1}, {2}},
        NodeCase{
            "Times", "Times", Product, {3}, {1, 10, 100}, {{{2, 3}, {1, 2, 3, 4, 5, 6}}}, {2}, {531, 642}, false, 3},
        NodeCase{"TimesOfAPicture",
                 "Times",
                 Product,
                 {3, 1, 1},
                 {1, 10, 100},
                 {{{2, 3}, {1, 2, 3, 4, 5, 6}}},
                 {2, 1, 1},
                 {531, 642},
                 false,
                 3},
        NodeCase{"TimesOfAFlatPicture",
                 "Times",
                 Product,
                 {1, 3, 1},
                 {1, 10, 100},
                 {{{2, 3}, {1, 2, 3, 4, 5, 6}}},
                 {2, 1},
                 {531, 642},
                 false,
                 3},
        NodeCase{"TransposeTimes",
                 "TransposeTimes",
                 Product,
                 {3},
                 {1, 10, 100},
                 {{{3, 2}, {1, 2, 3, 4, 5, 6}}},
                 {2},
                 {321, 654},
                 false,
                 3},
        NodeCase{"ConvolutionOfAnEvenSize",
                 "Convolution",
                 Convolution({.kernel = {3, 1, 1}, .strides = {2, 1, 1}, .auto_pad = {true, false, false}}),
                 {4, 1, 1},
                 {1, 2, 3, 4},
                 {{{3, 1, 1, 1}, {1, 10, 100}}},
                 {2, 1, 1},
                 {210, 432},
                 false},
        NodeCase{"ConvolutionOfAnOddSize",
                 "Convolution",
                 Convolution({.kernel = {3, 1, 1}, .strides = {2, 1, 1}, .auto_pad = {true, false, false}}),
                 {5, 1, 1},
                 {1, 2, 3, 4, 5},
                 {{{3, 1, 1, 1}, {1, 10, 100}}},
                 {3, 1, 1},
                 {210, 432, 54},
                 false},
        NodeCase{"ConvolutionTransposed",
                 "Convolution",
                 Convolution({.kernel = {2, 1, 1}, .strides = {2, 1, 1}, .auto_pad = {false}, .transpose = true}),
                 {2, 1, 1},
                 {1, 2},
                 {{{2, 1, 1, 1}, {1, 10}}},
                 {4, 1, 1},
                 {1, 10, 2, 20},
                 false,
                 9},
        NodeCase{"ConvolutionDilated",
                 "Convolution",
                 Convolution({.kernel = {2, 1, 1}, .strides = {1}, .auto_pad = {false}, .dilation = {2, 1, 1}}),
                 {3, 1, 1},
                 {1, 2, 3},
                 {{{2, 1, 1, 1}, {1, 10}}},
                 {1, 1, 1},
                 {31},
                 false,
                 18},
        NodeCase{"MaxPooling",
                 "Pooling",
                 Pooling({.kernel = {2, 1, 1}, .strides = {2, 1, 1}, .auto_pad = {false}, .pooling = 1}),
                 {4, 1, 1},
                 {1, 2, 4, 3},
                 {},
                 {2, 1, 1},
                 {2, 4}},
        NodeCase{"AveragePooling",
                 "Pooling",
                 Pooling({.kernel = {2, 1, 1}, .strides = {2, 1, 1}, .auto_pad = {false}, .pooling = 2}),
                 {4, 1, 1},
                 {1, 2, 4, 3},
                 {},
                 {2, 1, 1},
                 {1.5F, 3.5F}},
        NodeCase{"PoolingRoundsUp",
                 "Pooling",
                 Pooling({.kernel = {2, 1, 1}, .strides = {2, 1, 1}, .auto_pad = {false}, .pooling = 1, .ceil = true}),
                 {3, 1, 1},
                 {1, 2, 4},
                 {},
                 {2, 1, 1},
                 {2, 4},
                 true,
                 21},
        NodeCase{"PoolingCountsPadding",
                 "Pooling",
                 Pooling({.kernel = {3, 1, 1},
                          .strides = {2, 1, 1},
                          .auto_pad = {true, false, false},
                          .pooling = 2,
                          .include_pad = true}),
                 {4, 1, 1},
                 {1, 2, 3, 4},
                 {},
                 {2, 1, 1},
                 {1, 3},
                 true,
                 23},
        NodeCase{"BatchNormalization",
                 "BatchNormalization",
                 Norm(true, 1),
                 {2, 1, 2},
                 {1, 2, 3, 4},
                 kNorm,
                 {2, 1, 2},
                 {10, 11, 20, 21},
                 true,
                 13},
        NodeCase{"BatchNormalizationPerElement",
                 "BatchNormalization",
                 Norm(false, 1),
                 {1, 2, 1},
                 {1, 4},
                 kNorm,
                 {1, 2, 1},
                 {10, 21},
                 true,
                 13},
        NodeCase{"Reshape",
                 "Reshape",
                 ReshapeTo(1, 3, {0}),
                 {2, 2, 2},
                 {1, 2, 3, 4, 5, 6, 7, 8},
                 {},
                 {4, 2},
                 {1, 2, 3, 4, 5, 6, 7, 8}},
        NodeCase{"ReshapeAll", "Reshape", ReshapeTo(1, 0, {4}), {2, 2}, {1, 2, 3, 4}, {}, {4}, {1, 2, 3, 4}},
        NodeCase{"Slice", "Slice", SliceOf(1, 2, 2), {2, 3}, {1, 2, 3, 4, 5, 6}, {}, {2, 1}, {3, 4}},
        NodeCase{"ReduceSum", "ReduceElements", Reduction(1, "Sum"), {2, 2}, {1, 2, 3, 5}, {}, {1, 2}, {3, 8}},
        NodeCase{"ReduceMeanOverAll", "ReduceElements", Reduction(0, "Mean"), {2, 2}, {1, 2, 3, 6}, {}, {1}, {3}}),
    NameOf);

TEST(CntkV1Reader, OldBatchNormalizationHoldsTheInverseDeviation) {
  Network network;
  network.nodes = {{"InputValue", "x", Input({2}), {}},
                   {"LearnableParameter", "s", Weights({2}, {2, 3}), {}},
                   {"LearnableParameter", "b", Weights({2}, {10, 20}), {}},
                   {"LearnableParameter", "m", Weights({2}, {1, 3}), {}},
                   {"LearnableParameter", "i", Weights({2}, {0.5F, 0.25F}), {}},
                   {"BatchNormalization", "z", Norm(true, 1), {"x", "s", "b", "m", "i"}}};
  network.outputs = {"z"};
  const auto read = Read(network.Bytes(12));
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(RunForTest(read.value(), {{3, 7}})[0].values, (Numbers{12, 23}));
}

Network Joined() {
  Network network;
  network.nodes = {{"InputValue", "x", Input({1, 1, 2}), {}},
                   {"RectifiedLinear", "r", Nothing, {"x"}},
                   {"RowStack", "z", StackRows, {"r", "x"}}};
  network.outputs = {"z"};
  return network;
}

TEST(CntkV1Reader, JoinsAlongAnAxis) {
  const auto read = Read(Joined().Bytes(18));
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(RunForTest(read.value(), {{-1, 2}})[0].values, (Numbers{0, 2, -1, 2}));
}

// Labels and criteria beside a scaled input, as training leaves them.
Network Trained() {
  Network network;
  network.nodes = {{"InputValue", "x", Input({2}), {}},
                   {"InputValue", "labels", Input({2}), {}},
                   {"LearnableParameter", "scale", Weights({1, 1}, {0.5F}), {}},
                   {"ElementTimes", "scaled", Nothing, {"scale", "x"}},
                   {"Sigmoid", "z", Nothing, {"scaled"}},
                   {"CrossEntropyWithSoftmax", "ce", Nothing, {"labels", "z"}},
                   {"ClassificationError", "errs", Nothing, {"labels", "z"}}};
  network.criteria = {"ce"};
  network.outputs = {"z", "errs"};
  return network;
}

TEST(CntkV1Reader, LeavesTrainingOutAndSaysWhatTheNetworkTells) {
  Network network = Trained();
  for (const bool with_output_group : {true, false}) {
    if (!with_output_group) network.outputs.clear();
    const auto read = Read(network.Bytes(18));
    ASSERT_TRUE(read.ok()) << read.error().message;
    ASSERT_EQ(read.value()->inputs().size(), 1U);
    EXPECT_EQ(read.value()->input().get_any_name(), "x");
    ASSERT_EQ(read.value()->outputs().size(), 1U);
    EXPECT_EQ(read.value()->output().get_any_name(), "z");
    EXPECT_EQ(read.value()->get_rt_info<std::string>("deepedge", "input_scale"), "0.5");
    EXPECT_EQ(read.value()->get_rt_info<std::string>("deepedge", "class_count"), "2");
  }
  // Some writers add a number to this criterion.
  network.nodes[5].body = [](uint64_t) { return Raw(uint32_t{1}); };
  EXPECT_TRUE(Read(network.Bytes(18)).ok());
}

void ExpectError(const std::string& bytes, ErrorCode code, const std::vector<std::string>& parts) {
  const auto read = Read(bytes);
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code, code) << read.error().message;
  EXPECT_NE(read.error().message.find("net.dnn: "), std::string::npos) << read.error().message;
  for (const std::string& part : parts) {
    EXPECT_NE(read.error().message.find(part), std::string::npos) << read.error().message << " lacks " << part;
  }
}

TEST(CntkV1Reader, SaysWhatIsNotRead) {
  const auto one = [](const std::string& op, Body body) {
    Network network;
    network.nodes = {{"InputValue", "x", Input({4, 1, 1}), {}}, {op, "z", std::move(body), {"x"}}};
    network.outputs = {"z"};
    return network;
  };
  ExpectError(one("PastValue", Nothing).Bytes(18), ErrorCode::kUnsupported, {"'z'", "(PastValue)"});
  const WindowBody interleaved{.kernel = {2, 1, 1}, .strides = {1}, .auto_pad = {false}, .pooling = 1, .layout = 0};
  ExpectError(one("Pooling", Pooling(interleaved)).Bytes(18), ErrorCode::kUnsupported, {"'z'", "interleaved"});
  ExpectError(one("Pooling", Nothing).Bytes(4), ErrorCode::kUnsupported, {"'z'", "before 5"});
  ExpectError(one("Sigmoid", Nothing).Bytes(99), ErrorCode::kUnsupported, {"version 99"});
}

TEST(CntkV1Reader, RefusesNamesThatAreNoText) {
  Network network = Joined();
  network.nodes[1].name = "a\nb";
  ExpectError(network.Bytes(18), ErrorCode::kBadInput, {"no text"});
}

TEST(CntkV1Reader, RefusesWhatDoesNotFit) {
  const auto with = [](const Body& weights) {
    Network network;
    network.nodes = {{"InputValue", "x", Input({2}), {}},
                     {"LearnableParameter", "w", weights, {}},
                     {"Plus", "z", Nothing, {"x", "w"}}};
    network.outputs = {"z"};
    return network.Bytes(18);
  };
  ExpectError(with(Weights({3}, {1, 2, 3})), ErrorCode::kBadInput, {"'z'", "(Plus)", "do not fit"});
  ExpectError(with(Weights({2}, {1, 2}, 3)), ErrorCode::kBadInput, {"'w'", "3 x 0"});
  // Products that overflow must not ask for memory.
  ExpectError(with(Weights({0xFFFFFFFF, 0xFFFFFFFF}, {1})), ErrorCode::kBadInput, {"'w'", "a tensor of shape"});
  ExpectError(with(Weights({1 << 20, 1 << 8}, {1}, 1ULL << 32)), ErrorCode::kBadInput, {"'w'", "does not make"});
  ExpectError(with(Weights({1 << 20}, {})), ErrorCode::kBadInput, {"'w'"});
  Network circle;
  circle.nodes = {
      {"InputValue", "x", Input({2}), {}}, {"Plus", "a", Nothing, {"x", "b"}}, {"Sigmoid", "b", Nothing, {"a"}}};
  circle.outputs = {"b"};
  ExpectError(circle.Bytes(18), ErrorCode::kBadInput, {"needs its own result"});
  Network missing;
  missing.nodes = {{"InputValue", "x", Input({2}), {}}, {"Plus", "a", Nothing, {"x", "nowhere"}}};
  missing.outputs = {"a"};
  ExpectError(missing.Bytes(18), ErrorCode::kBadInput, {"'nowhere'"});
  Network huge;
  huge.nodes = {{"InputValue", "x", Input({1 << 30, 1 << 30}), {}}, {"Sigmoid", "z", Nothing, {"x"}}};
  huge.outputs = {"z"};
  ExpectError(huge.Bytes(18), ErrorCode::kBadInput, {"'x'"});
}

Network SmallNet() {
  Network network = Trained();
  network.nodes[0].body = Input({6, 6, 2});
  network.nodes[4] = {"Convolution",
                      "conv",
                      Convolution({.kernel = {3, 3, 2}, .strides = {2, 2, 2}, .auto_pad = {true, true, true}}),
                      {"W", "scaled"}};
  network.nodes.push_back({"LearnableParameter", "W", Weights({3, 3, 2, 2}, Numbers(36, 1)), {}});
  network.nodes.push_back({"LearnableParameter", "s", Weights({2, 1}, {1, 2}), {}});
  network.nodes.push_back({"BatchNormalization", "n", Norm(true, 1), {"conv", "s", "s", "s", "s"}});
  network.nodes.push_back(
      {"Pooling", "p", Pooling({.kernel = {3, 3, 1}, .strides = {1}, .auto_pad = {false}, .pooling = 2}), {"n"}});
  network.nodes.push_back({"LearnableParameter", "D", Weights({2, 1, 1, 2}, {1, 2, 3, 4}), {}});
  network.nodes.push_back({"Times", "z", Product, {"D", "p"}});
  return network;
}

TEST(CntkV1Reader, SmallFilesStaySmall) {
  // 3000 nodes that add the same megabyte.
  constexpr int64_t kCount = 1 << 18;
  const auto chain = [&](const std::string& op, const Body& body) {
    Network network;
    network.nodes.push_back({"InputValue", "x", Input({kCount}), {}});
    network.nodes.push_back({"LearnableParameter", "w", Weights({kCount}, Numbers(kCount, 1)), {}});
    std::string last = "x";
    for (int i = 0; i < 3000; ++i) {
      const std::string name = "p" + std::to_string(i);
      std::vector<std::string> inputs{last, "w"};
      if (op == "BatchNormalization") inputs.insert(inputs.end(), {"w", "w", "w"});
      network.nodes.push_back({op, name, body, inputs});
      last = name;
    }
    network.outputs = {last};
    return network.Bytes(20);
  };
  const std::string sums = chain("Plus", Nothing);
  ExpectCheap([&] { EXPECT_TRUE(Read(sums).ok()) << "sharing is no harm"; });
  const std::string norms = chain("BatchNormalization", Norm(false, 1e-5));
  ExpectCheap([&] { ExpectError(norms, ErrorCode::kBadInput, {"too often"}); });
  // Names of outputs that are all different.
  Network network;
  network.nodes.push_back({"InputValue", "x", Input({2}), {}});
  for (int i = 0; i < 100'000; ++i) network.outputs.push_back(std::to_string(i));
  const std::string outputs = network.Bytes(20);
  ExpectCheap([&] { EXPECT_FALSE(Read(outputs).ok()); });
}

TEST(CntkV1Reader, EveryTruncationIsAnError) {
  const std::string whole = SmallNet().Bytes(18);
  ASSERT_TRUE(Read(whole).ok()) << Read(whole).error().message;
  const std::string end = Text("ECN");
  for (size_t length = 0; length < whole.size() - end.size(); ++length) {
    ExpectError(whole.substr(0, length), ErrorCode::kBadInput, {});
  }
}

TEST(CntkV1Reader, SurvivesMutations) {
  ExpectSurvivesMutations(SmallNet().Bytes(18), "net.dnn", std::chrono::seconds(2),
                          [](const std::string& bytes) { return Read(bytes); });
}

}  // namespace
}  // namespace deepedge::cntk
