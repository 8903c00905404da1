#include "deepedge/formats/cntk/cntk_v2_reader.h"

#include <gtest/gtest.h>

#include <chrono>

#include "deepedge/formats/cntk/layers.h"
#include "deepedge/formats/cntk/write_v2_for_test.h"
#include "deepedge/formats/cost_for_test.h"
#include "deepedge/formats/damage_for_test.h"
#include "deepedge/formats/run_model_for_test.h"

namespace deepedge::cntk {
namespace {

class CntkV2Reader : public FilesTest {
 protected:
  Result<std::shared_ptr<ov::Model>> Read(const std::string& bytes) {
    KeepSeed("cntk_v2", bytes);
    return ReadCntkV2(Path("m.model"), bytes);
  }
  Result<std::shared_ptr<ov::Model>> Read(const ModelV2& model) { return Read(model.Bytes()); }

  // Reading fails with this code and these parts in its message, of which the file is one.
  void ExpectError(const ModelV2& model, ErrorCode code, const std::vector<std::string>& parts) {
    const auto read = Read(model);
    ASSERT_FALSE(read.ok());
    EXPECT_EQ(read.error().code, code) << read.error().message;
    EXPECT_NE(read.error().message.find("m.model: "), std::string::npos) << read.error().message;
    for (const std::string& part : parts) {
      EXPECT_NE(read.error().message.find(part), std::string::npos) << read.error().message << " lacks " << part;
    }
  }
};

constexpr uint64_t kPlus = 19;
constexpr uint64_t kRelu = 3;
constexpr uint64_t kCombine = 44;

TEST_F(CntkV2Reader, NamesInputsByUidAndName) {
  ModelV2 model;
  model.Input("Input7", {4, 3, 2}, "features").Function("ReLU8", kRelu, {"Input7"}, {}, {{"name", TextValue("z")}});
  const auto read = Read(model);
  ASSERT_TRUE(read.ok()) << read.error().message;
  const auto input = read.value()->input();
  EXPECT_EQ(input.get_names(), (std::unordered_set<std::string>{"Input7", "features"}));
  EXPECT_EQ(input.get_node()->get_friendly_name(), "Input7");
  EXPECT_EQ(input.get_shape(), (ov::Shape{1, 2, 3, 4}));
  EXPECT_EQ(read.value()->output().get_names(), (std::unordered_set<std::string>{"ReLU8_Output_0", "z"}));
}

// ReLU(p + p) as a block in a block, each with its own placeholder.
ModelV2 Blocks() {
  ModelV2 model;
  model.Input("x", {2}).Placeholder("p").Placeholder("q");
  model.Function("Plus1", kPlus, {"q", "q"});
  model.Block("Inner", "Double", {"p"}, "Plus1", {"q"}, {"p"});
  model.Function("ReLU2", kRelu, {"Inner_Output_0"});
  model.Block("Outer", "Layer", {"x"}, "ReLU2", {"p"}, {"x"});
  return model;
}

TEST_F(CntkV2Reader, InlinesBlocks) {
  const auto read = ReadCntkV2({ModelFormat::kCntkV2, Write("m.model", Blocks().Bytes()), {}});
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(RunForTest(read.value(), {{-3, 4}})[0].values, (std::vector<float>{0, 8}));
  EXPECT_TRUE(read.value()->output().get_names().contains("Outer_Output_0"));
}

TEST_F(CntkV2Reader, ReadsBlocksThatHoldTheirFunctionsThemselves) {
  ModelV2 inner;
  inner.Placeholder("q").Function("Plus1", kPlus, {"q", "q"});
  const std::string content = inner.Bytes();
  ModelV2 model;
  model.Input("x", {2});
  model.Function("Block", 57, {"x"}, {},
                 {{"block_function_op_name", TextValue("Double")},
                  {"block_function_composite", ValueBytes(10, BytesField(12, content))},
                  {"block_function_composite_arguments_map_keys", TextsValue({"q"})},
                  {"block_function_composite_arguments_map_values", TextsValue({"x"})}});
  const auto read = Read(model);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(RunForTest(read.value(), {{-3, 4}})[0].values, (std::vector<float>{-6, 8}));
}

TEST_F(CntkV2Reader, GivesAllThatTheRootCombines) {
  ModelV2 model;
  model.Input("x", {2}).Function("A", kRelu, {"x"}).Function("B", kPlus, {"x", "x"});
  model.Function("Both", kCombine, {"A_Output_0", "B_Output_0"});
  const auto read = Read(model);
  ASSERT_TRUE(read.ok()) << read.error().message;
  const auto results = RunForTest(read.value(), {{-3, 4}});
  ASSERT_EQ(results.size(), 2U);
  EXPECT_EQ(results[0].values, (std::vector<float>{0, 4}));
  EXPECT_EQ(results[1].values, (std::vector<float>{-6, 8}));
  EXPECT_TRUE(read.value()->output(1).get_names().contains("B_Output_0"));
}

TEST_F(CntkV2Reader, DropsCriteria) {
  ModelV2 model;
  model.Input("x", {2}).Input("labels", {2}).Function("A", kRelu, {"x"});
  model.Function("Loss", 35, {"A_Output_0", "labels"}).Function("Error", 36, {"A_Output_0", "labels"});
  model.Function("All", kCombine, {"Loss_Output_0", "Error_Output_0", "A_Output_0"});
  const auto combined = Read(model);
  ASSERT_TRUE(combined.ok()) << combined.error().message;
  EXPECT_EQ(combined.value()->inputs().size(), 1U);
  ASSERT_EQ(combined.value()->outputs().size(), 1U);
  EXPECT_TRUE(combined.value()->output().get_names().contains("A_Output_0"));
  // Of a model that is a criterion, what it measures.
  const auto alone = Read(model.Root("Loss"));
  ASSERT_TRUE(alone.ok()) << alone.error().message;
  EXPECT_TRUE(alone.value()->output().get_names().contains("A_Output_0"));
}

TEST_F(CntkV2Reader, SaysWhatTheModelTells) {
  ModelV2 model;
  model.Input("x", {2}).Parameter("s", {}, {0.00390625F}).Function("Scaled", 21, {"s", "x"});
  const auto read = Read(model.Function("A", kRelu, {"Scaled_Output_0"}));
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read.value()->get_rt_info<std::string>("deepedge", "input_scale"), "0.00390625");
  EXPECT_EQ(read.value()->get_rt_info<std::string>("deepedge", "class_count"), "2");
}

TEST_F(CntkV2Reader, ReadsDoublesAndHalves) {
  const std::vector<double> doubles = {1.5, -2};
  std::string bytes(sizeof(double) * 2, '\0');
  std::memcpy(bytes.data(), doubles.data(), bytes.size());
  const std::string shape = BytesField(3, ShapeBytes({2}));
  const std::string as_doubles =
      ValueBytes(11, BytesField(13, NumberField(1, 2) + shape + BytesField(5, BytesField(1, bytes))));
  const std::string half_bytes("\x00\x3E\x00\xC0", 4);  // 1.5 and -2
  const std::string as_halves =
      ValueBytes(11, BytesField(13, NumberField(1, 4) + shape + BytesField(6, BytesField(1, half_bytes))));
  for (const std::string& value : {as_doubles, as_halves}) {
    ModelV2 model;
    model.Input("x", {2}).ParameterValue("w", {2}, value).Function("f", kPlus, {"x", "w"});
    const auto read = Read(model);
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_EQ(RunForTest(read.value(), {{1, 1}})[0].values, (std::vector<float>{2.5F, -1}));
  }
}

TEST_F(CntkV2Reader, PoolsRegions) {
  ModelV2 model;
  model.Input("map", {4, 4, 1}).Input("rois", {4, 2});
  model.Function("f", 47, {"map", "rois"},
                 {{"roiOutputShape", ShapeValue({1, 1})}, {"spatialScale", DoubleValue(0.5)}});
  const auto read = Read(model);
  ASSERT_TRUE(read.ok()) << read.error().message;
  const std::vector<float> map = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  // Corners (0,0)-(2,2) and (4,4)-(6,6) at half the scale.
  const RunResult result = RunForTest(read.value(), {map, {0, 0, 2, 2, 4, 4, 6, 6}})[0];
  EXPECT_EQ(result.values, (std::vector<float>{5, 15}));
  EXPECT_EQ(result.shape, (ov::Shape{1, 2, 1, 1, 1}));
}

TEST_F(CntkV2Reader, JoinsAlongChannels) {
  ModelV2 model;
  model.Input("x", {1, 2, 1}).Function("A", kRelu, {"x"});
  model.Function("Both", 43, {"A_Output_0", "x"}, {{"axis", AxisValue(2)}});
  const auto read = Read(model);
  ASSERT_TRUE(read.ok()) << read.error().message;
  const RunResult result = RunForTest(read.value(), {{-1, 2}})[0];
  EXPECT_EQ(result.values, (std::vector<float>{0, 2, -1, 2}));
  EXPECT_EQ(result.shape, (ov::Shape{1, 2, 2, 1}));
}

// ---- What is not read ----

TEST_F(CntkV2Reader, NamesOperationsThatAreNotRead) {
  for (const auto& [op, name] : std::vector<std::pair<uint64_t, std::string>>{{37, "PastValue"},
                                                                              {38, "FutureValue"},
                                                                              {49, "OptimizedRNNStack"},
                                                                              {58, "Unpooling"},
                                                                              {97, "ConvolutionSequenceShape"},
                                                                              {199, "operation 199"}}) {
    ModelV2 model;
    ExpectError(model.Input("x", {2}).Function("f9", op, {"x"}), ErrorCode::kUnsupported, {"'f9'", "(" + name + ")"});
  }
}

TEST_F(CntkV2Reader, RefusesCircles) {
  ModelV2 functions;
  functions.Input("x", {2}).Function("A", kPlus, {"x", "B_Output_0"}).Function("B", kPlus, {"x", "A_Output_0"});
  ExpectError(functions, ErrorCode::kBadInput, {"needs its own result"});
  ModelV2 itself;
  itself.Input("x", {2}).Block("B", "Layer", {"x"}, "B", {}, {});
  ExpectError(itself, ErrorCode::kBadInput, {"circle"});
  ModelV2 placeholders;
  placeholders.Input("x", {2}).Placeholder("p").Placeholder("q").Function("R", kRelu, {"p"});
  placeholders.Block("A", "Layer", {"x"}, "R", {"p", "q"}, {"q", "p"});
  ExpectError(placeholders, ErrorCode::kBadInput, {"circle"});
  ModelV2 combined;
  combined.Input("x", {2}).Function("C", kCombine, {"C_Output_0"});
  ExpectError(combined, ErrorCode::kBadInput, {"circle"});
}

TEST_F(CntkV2Reader, RefusesWhatDoesNotFit) {
  struct Case {
    const char* what;
    ModelV2 model;
    std::string part;
  };
  ModelV2 base;
  base.Input("x", {4, 4, 2});
  const auto with = [&](const std::vector<int64_t>& dims, size_t count, uint64_t op, Entries attributes = {}) {
    ModelV2 model = base;
    model.Parameter("w", dims, std::vector<float>(count, 1));
    const bool weights_first = op == 31 || op == 33;
    return model.Function(
        "f", op, weights_first ? std::vector<std::string>{"w", "x"} : std::vector<std::string>{"x", "w"}, attributes);
  };
  const Case cases[] = {
      {"kernel deeper than the input", with({3, 3, 5, 1}, 45, 33), "do not fit"},
      {"kernel larger than the input", with({9, 9, 2, 1}, 162, 33), "window"},
      {"weights of another size", with({5, 3}, 15, 31), "do not fit"},
      {"bias of another size", with({1, 1, 3}, 3, kPlus), "do not fit"},
      {"fewer numbers than the shape says", with({4, 4, 2}, 31, kPlus), "124 bytes"},
      {"shape that overflows", with({int64_t{1} << 31, int64_t{1} << 31, 4}, 1, kPlus), "a tensor of shape"},
      {"a stride of zero", with({1, 1, 2, 1}, 2, 33, {{"strides", ShapeValue({0})}}), "stride 0"},
      {"windows that are not shared", with({1, 1, 2, 1}, 2, 33, {{"sharing", BoolsValue({false})}}), "share"},
      {"more groups than channels", with({1, 1, 2, 1}, 2, 33, {{"groups", SizeValue(3)}}), "3 groups"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    const auto read = Read(c.model);
    ASSERT_FALSE(read.ok());
    EXPECT_NE(read.error().message.find("m.model: layer '"), std::string::npos) << read.error().message;
    EXPECT_NE(read.error().message.find(c.part), std::string::npos) << read.error().message;
  }
  ModelV2 huge;
  ExpectError(huge.Input("x", {1 << 20, 1 << 20}).Function("f", kRelu, {"x"}), ErrorCode::kBadInput, {"'x'"});
  ModelV2 grows;
  grows.Input("x", {2}).Parameter("w", {1}, {1});
  grows.Function("f", 83, {"w"}, {{"paddingHead", SizesValue({40'000'000})}, {"paddingFoot", SizesValue({0})}});
  ExpectError(grows, ErrorCode::kBadInput, {"a constant of shape"});
}

TEST_F(CntkV2Reader, RefusesNamesThatAreNoText) {
  for (const std::string name : {"a\nb", "\xFF\xFE", "\x7F"}) {
    ModelV2 model;
    ExpectError(model.Input("x", {2}).Function(name, kRelu, {"x"}), ErrorCode::kBadInput, {"'uid'"});
  }
}

TEST_F(CntkV2Reader, RefusesBlocksNestedTooDeeply) {
  ModelV2 model;
  model.Input("x", {2}).Function("B0", kRelu, {"x"});
  for (int i = 1; i <= 2000; ++i)
    model.Block("B" + std::to_string(i), "Layer", {"x"}, "B" + std::to_string(i - 1), {}, {});
  ExpectError(model, ErrorCode::kBadInput, {"too deeply"});
  // The same in one another instead of side by side.
  std::string content = model.Bytes();
  for (int i = 0; i < 100; ++i) {
    content = DictionaryBytes(
        {{"root", TextValue("f")},
         {"inputs", VectorValue({})},
         {"primitive_functions",
          VectorValue({DictionaryValue({{"uid", TextValue("f")},
                                        {"op", SizeValue(57)},
                                        {"inputs", TextsValue({})},
                                        {"block_function_composite", ValueBytes(10, BytesField(12, content))}})})}});
  }
  const auto read = Read(content);
  ASSERT_FALSE(read.ok());
  EXPECT_NE(read.error().message.find("deep"), std::string::npos) << read.error().message;
}

TEST_F(CntkV2Reader, ALongChainNeedsNoDeepStack) {
  ModelV2 model;
  model.Input("x", {2}).Function("F0", kRelu, {"x"});
  for (int i = 1; i < 3000; ++i) {
    model.Function("F" + std::to_string(i), kRelu, {"F" + std::to_string(i - 1) + "_Output_0"});
  }
  EXPECT_TRUE(Read(model).ok());
}

TEST_F(CntkV2Reader, SmallFilesStaySmall) {
  // 3000 functions that add the same megabyte.
  constexpr int64_t kCount = 1 << 18;
  ModelV2 model;
  model.Input("x", {kCount}).Parameter("w", {kCount}, std::vector<float>(kCount, 1));
  std::string last = "x";
  for (int i = 0; i < 3000; ++i) {
    model.Function("F" + std::to_string(i), kPlus, {last, "w"});
    last = "F" + std::to_string(i) + "_Output_0";
  }
  const std::string bytes = model.Bytes();
  ExpectCheap([&] { EXPECT_TRUE(Read(bytes).ok()) << "sharing is no harm"; });
}

ModelV2 SmallNet() {
  ModelV2 model = Blocks();
  model.Input("picture", {6, 6, 2}).Parameter("W", {3, 3, 2, 2}, std::vector<float>(36, 0.5F));
  model.Function("Conv", 33, {"W", "picture"},
                 {{"strides", ShapeValue({2, 2, 2})}, {"autoPadding", BoolsValue({true, true, false})}});
  model.Parameter("s", {2}, {1, 2}).Parameter("c", {}, {1});
  model.Function("Norm", 40, {"Conv_Output_0", "s", "s", "s", "s", "c"}, {{"spatial", BoolValue(true)}});
  model.Function(
      "Pool", 17, {"Norm_Output_0"},
      {{"poolingType", SizeValue(0)}, {"poolingWindowShape", ShapeValue({3, 3})}, {"strides", ShapeValue({1})}});
  model.Parameter("D", {2, 2}, {1, 2, 3, 4}).Function("Flat", 16, {"Pool_Output_0"}, {{"newShape", ShapeValue({2})}});
  model.Function("Times", 31, {"D", "Flat_Output_0"}, {{"outputRank", SizeValue(1)}});
  model.Function("Sum", kPlus, {"Times_Output_0", "Outer_Output_0"});
  return model;
}

TEST_F(CntkV2Reader, EveryTruncationIsAnError) {
  const std::string whole = SmallNet().Bytes();
  ASSERT_TRUE(Read(whole).ok()) << Read(whole).error().message;
  for (size_t length = 0; length < whole.size(); length += length % 3 + 1) {
    const auto read = Read(whole.substr(0, length));
    ASSERT_FALSE(read.ok()) << length;
    EXPECT_NE(read.error().message.find("m.model"), std::string::npos) << read.error().message;
  }
}

TEST_F(CntkV2Reader, SurvivesMutations) {
  ExpectSurvivesMutations(SmallNet().Bytes(), "m.model", std::chrono::seconds(2),
                          [this](const std::string& bytes) { return Read(bytes); });
}

// ---- Windows on one axis ----

TEST(PlaceWindow, FollowsCntksAutomaticPadding) {
  struct Case {
    int64_t size, kernel, stride, dilation, out, lower, upper;
  };
  // out = (size - 1) / stride + 1; what the centres leave over is shared between both ends.
  const Case cases[] = {{32, 3, 1, 1, 32, 1, 1},  {32, 3, 2, 1, 16, 1, 0}, {31, 3, 2, 1, 16, 1, 1},
                        {16, 1, 4, 1, 4, -1, -2}, {5, 2, 1, 1, 5, 0, 1},   {224, 7, 2, 1, 112, 3, 2},
                        {8, 3, 1, 2, 8, 2, 2},    {7, 4, 3, 1, 3, 1, 2},   {10, 3, 3, 1, 4, 1, 1},
                        {9, 5, 4, 1, 3, 2, 2},    {12, 5, 4, 1, 3, 1, 0}};
  for (const Case& c : cases) {
    const auto placed =
        PlaceWindow({.size = c.size, .kernel = c.kernel, .stride = c.stride, .dilation = c.dilation, .auto_pad = true});
    ASSERT_TRUE(placed.ok());
    EXPECT_EQ(placed.value().out, c.out) << c.size << " " << c.kernel << " " << c.stride;
    EXPECT_EQ(placed.value().lower, c.lower) << c.size << " " << c.kernel << " " << c.stride;
    EXPECT_EQ(placed.value().upper, c.upper) << c.size << " " << c.kernel << " " << c.stride;
  }
}

}  // namespace
}  // namespace deepedge::cntk
