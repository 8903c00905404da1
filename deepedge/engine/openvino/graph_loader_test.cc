// Files that the engine's own readers refuse or get wrong, written by the tests and run.
#include "deepedge/engine/openvino/graph_loader.h"

#include <openvino/core/graph_util.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/runtime/properties.hpp>

#include "deepedge/formats/onnx/test_onnx.h"
#include "deepedge/formats/sniff.h"
#include "deepedge/formats/tensorflow/test_graph_def.h"

namespace deepedge {
namespace {

class GraphLoaderTest : public FilesTest {
 protected:
  static ov::Core& core() {
    static ov::Core core;
    return core;
  }

  Result<LoadedGraph> Load(const Path& path) {
    DE_TRY(const ModelFiles files, FindModelFiles(path));
    return LoadGraph(core(), files);
  }

  static std::vector<float> Run(const LoadedGraph& graph, const std::vector<float>& input) {
    auto request = core()
                       .compile_model(graph.model, "CPU", ov::hint::inference_precision(ov::element::f32))
                       .create_infer_request();
    ov::Tensor tensor = request.get_input_tensor();
    EXPECT_EQ(tensor.get_size(), input.size());
    std::copy(input.begin(), input.end(), tensor.data<float>());
    request.infer();
    const ov::Tensor output = request.get_output_tensor(0);
    return {output.data<float>(), output.data<float>() + output.get_size()};
  }
};

size_t BytesConstants(const ov::Model& model) {
  size_t count = 0;
  for (const auto& node : model.get_ops()) {
    const auto* constant = dynamic_cast<const ov::op::v0::Constant*>(node.get());
    count += constant != nullptr && constant->get_element_type() == ov::element::i8 && constant->get_byte_size() > 2;
  }
  return count;
}

TEST_F(GraphLoaderTest, RunsAQuantizedConvolutionWithAScaleForEachFilter) {
  const Path path = Write("m.onnx", TestQuantizedConvolution());
  // x is a whole number of steps of 0.5. First filter: (x0 + 1.2 x1) + 200 * 0.005, second: -5 x0 + 12.7 x1 - 40 *
  // 0.05, both rounded to steps of 0.25 from -25 to 38.75.
  const std::vector<float> input = {2, 10, 1, -3};
  const std::vector<float> expected = {2 + 1.25F + 1, 10 - 3.5F + 1, 0.75F, -25};
  auto graph = Load(path);
  ASSERT_TRUE(graph.ok()) << graph.error().message;
  const auto near = [&](const std::vector<float>& actual) {
    ASSERT_EQ(actual.size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(actual[i], expected[i], 0.13F) << i;
  };
  near(Run(graph.value(), input));
  // As on a CPU that cannot multiply bytes exactly.
  DequantizeWeights(*graph.value().model);
  EXPECT_EQ(BytesConstants(*graph.value().model), 0U);
  near(Run(graph.value(), input));
}

TEST_F(GraphLoaderTest, RunsATensorFlowGraphWithWeightsOfBytes) {
  const auto graph = Load(Write("g.pb", QuantizedGraph("MIN_FIRST")));
  ASSERT_TRUE(graph.ok()) << graph.error().message;
  EXPECT_EQ(Run(graph.value(), {1, 2, 3}), (std::vector<float>{1, 3, 258}));
}

TEST_F(GraphLoaderTest, FindsWeightsBesideAnOnnxFile) {
  const float weights[] = {10, 20};
  Write("data/w.bin", std::string(reinterpret_cast<const char*>(weights), sizeof weights));
  const std::string entry = BytesField(13, BytesField(1, "location") + BytesField(2, "data/w.bin"));
  const std::string tensor =
      BytesField(5, NumberField(1, 2) + NumberField(2, 1) + BytesField(8, "w") + entry + NumberField(14, 1));
  const std::string values = tensor + TestValue(11, "x", 1, {1, 2}) + TestValue(12, "y", 1, {1, 2});
  const TestNode add{"Add", {"x", "w"}, {"y"}};
  // As it is, under a name that the engine does not know, and rewritten.
  const TestNode quantize{"QuantizeLinear", {"x", "s"}, {"q"}};
  const TestNode sigmoid{"QLinearSigmoid", {"q", "s", "", "s", ""}, {"unused"}, "", "com.microsoft"};
  const std::pair<const char*, std::string> models[] = {
      {"a.onnx", TestOnnx({add}, values)},
      {"b.model", TestOnnx({add}, values)},
      {"c.onnx", TestOnnx({quantize, sigmoid, add}, values + TestFloats("s", {}, {1}))},
  };
  for (const auto& [name, model] : models) {
    const auto graph = Load(Write(name, model));
    ASSERT_TRUE(graph.ok()) << graph.error().message;
    EXPECT_EQ(Run(graph.value(), {1, 2}), (std::vector<float>{11, 22})) << name;
  }
}

TEST_F(GraphLoaderTest, RefusesWeightsOutsideOfTheFolder) {
  const float weights[] = {10, 20};
  Write("w.bin", std::string(reinterpret_cast<const char*>(weights), sizeof weights));
  const auto tensor = [](uint32_t field, std::string_view location) {
    const std::string entry = BytesField(13, BytesField(1, "location") + BytesField(2, location));
    return BytesField(field, NumberField(1, 2) + NumberField(2, 1) + BytesField(8, "w") + entry + NumberField(14, 1));
  };
  const std::string values = TestValue(11, "x", 1, {1, 2}) + TestValue(12, "y", 1, {1, 2});
  const TestNode add{"Add", {"x", "w"}, {"y"}};
  // In an initialiser, an attribute, and an initialiser of a graph inside of a node.
  const auto in_attribute = [&](std::string_view location) {
    const std::string value = BytesField(5, BytesField(1, "value") + tensor(5, location) + NumberField(20, 4));
    return TestOnnx({{"Constant", {}, {"w"}, value}, add}, values);
  };
  const auto in_branch = [&](std::string_view location) {
    const std::string body = BytesField(5, BytesField(1, "body") + BytesField(6, tensor(5, location)));
    return TestOnnx({{"Loop", {"x"}, {"w"}, body}, add}, values);
  };
  for (const char* location : {"../w.bin", "data/../../w.bin", "/w.bin", "../../../../../../../../etc/hostname"}) {
    for (const std::string& model :
         {TestOnnx({add}, values + tensor(5, location)), in_attribute(location), in_branch(location)}) {
      const auto graph = Load(Write("inner/a.onnx", model));
      ASSERT_FALSE(graph.ok()) << location;
      EXPECT_EQ(graph.error().code, ErrorCode::kBadInput);
      EXPECT_NE(graph.error().message.find("outside of its folder"), std::string::npos) << graph.error().message;
    }
  }
  const auto missing = Load(Write("inner/a.onnx", TestOnnx({add}, values + tensor(5, "none.bin"))));
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
}

TEST_F(GraphLoaderTest, RunsATensorFlowGraphThatBranches) {
  const std::string type = TestTfType("T", 1);
  const std::string text = TestTfNode("x", "Placeholder", {}, TestTfType("dtype", 1) + TestTfShape("shape", {2})) +
                           TestTfNode("flag", "Placeholder", {}, TestTfType("dtype", 10) + TestTfShape("shape", {})) +
                           TestTfNode("s", "Switch", {"x", "flag"}, type) + TestTfNode("no", "Neg", {"s"}, type) +
                           TestTfNode("yes", "Square", {"s:1"}, type) +
                           TestTfNode("y", "Merge", {"no", "yes"}, type + TestTfInt("N", 2));
  const auto graph = Load(Write("g.pb", text));
  ASSERT_TRUE(graph.ok()) << graph.error().message;
  ASSERT_EQ(graph.value().model->inputs().size(), 2U);
  auto request = core().compile_model(graph.value().model, "CPU").create_infer_request();
  for (const bool flag : {false, true}) {
    float* x = request.get_tensor("x").data<float>();
    x[0] = 3;
    x[1] = 4;
    *request.get_tensor("flag").data<bool>() = flag;
    request.infer();
    EXPECT_EQ(request.get_output_tensor().data<float>()[0], flag ? 9 : -3);
  }
}

class JoiningLoopTest : public GraphLoaderTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(JoiningLoopTest, RunsATensorFlowLoopThatJoinsPartsOfDifferentLengths) {
  const auto graph =
      Load(Write("g.pb", TestTfJoiningLoop(
                             {{"array", TestTfNode("array", "TensorArrayV3", {GetParam()},
                                                   TestTfType("dtype", 1) + TestTfShape("element_shape", {-1, 2}))}})));
  ASSERT_TRUE(graph.ok()) << graph.error().message;
  ASSERT_EQ(graph.value().model->outputs().size(), 1U);
  auto request = core()
                     .compile_model(graph.value().model, "CPU", ov::hint::inference_precision(ov::element::f32))
                     .create_infer_request();
  const std::vector<float> x = {1, 2, 3, 4, 5, 6, 7, 8};
  std::copy(x.begin(), x.end(), request.get_tensor("x").data<float>());
  for (const int32_t turns : {3, 2, 0, 1, 4}) {
    std::vector<float> expected;
    for (int32_t turn = 1; turn <= turns; ++turn) {
      for (size_t i = 0; i < static_cast<size_t>(turn) * 2; ++i) expected.push_back(x[i] * static_cast<float>(turn));
    }
    *request.get_tensor("turns").data<int32_t>() = turns;
    request.infer();
    const ov::Tensor y = request.get_tensor("y");
    EXPECT_EQ(y.get_shape(), (ov::Shape{expected.size() / 2, 2})) << turns;
    EXPECT_EQ(std::vector<float>(y.data<float>(), y.data<float>() + y.get_size()), expected) << turns;
  }
}

INSTANTIATE_TEST_SUITE_P(SizeOfTheArray, JoiningLoopTest, ::testing::Values("size", "turns"));

// A cascade as in MTCNN: what the loop found goes on to the next stages, each of which runs only if there is anything.
std::string CascadeBehindALoop() {
  const std::string f32 = TestTfType("T", 1);
  const std::string i32 = TestTfType("T", 3);
  const std::string truth = TestTfType("T", 10);
  const std::string merge = f32 + TestTfInt("N", 2);
  const std::string sides = TestTfAttribute("ksize", BytesField(1, BytesField(3, std::string("\1\2\1\1", 4)))) +
                            TestTfAttribute("strides", BytesField(1, BytesField(3, std::string("\1\2\1\1", 4)))) +
                            TestTfText("padding", "VALID") + TestTfText("data_format", "NHWC");
  const auto empty = [](const std::string& name, const std::vector<int64_t>& dims, const std::string& after) {
    std::string shape;
    for (const int64_t dim : dims) shape += BytesField(2, NumberField(1, static_cast<uint64_t>(dim)));
    return TestTfNode(
        name, "Const", {"^" + after},
        TestTfType("dtype", 1) + TestTfAttribute("value", BytesField(8, NumberField(1, 1) + BytesField(2, shape))));
  };
  // Whether `what` has more than `least` rows, and the two sides of a branch on that.
  const auto branch = [&](const std::string& name, const std::string& what, const std::string& least) {
    return TestTfNode(name + "/shape", "Shape", {what}, f32 + TestTfType("out_type", 3)) +
           TestTfNode(name + "/rows", "Slice", {name + "/shape", "first", "single"}, i32 + TestTfType("Index", 3)) +
           TestTfNode(name + "/count", "Reshape", {name + "/rows", "scalar"}, i32 + TestTfType("Tshape", 3)) +
           TestTfNode(name, "Greater", {name + "/count", least}, i32) +
           TestTfNode(name + "/sides", "Switch", {name, name}, truth) +
           TestTfNode(name + "/no", "Identity", {name + "/sides"}, truth) +
           TestTfNode(name + "/switch", "Switch", {what, name}, f32);
  };
  return TestTfJoiningLoop({{"y", ""}}) + TestTfInts("first", {1}, {0}) + TestTfInts("single", {1}, {1}) +
         TestTfInts("scalar", {0}, {}) + TestTfInts("three", {}, {3}) + TestTfInts("pairs", {4}, {-1, 2, 1, 1}) +
         TestTfInts("list", {1}, {-1}) + branch("many", "join", "three") +
         TestTfNode("many/yes", "Neg", {"many/switch:1"}, f32) + empty("many/empty", {0, 2}, "many/no") +
         TestTfNode("kept", "Merge", {"many/empty", "many/yes"}, merge) + branch("any", "kept", "zero") +
         TestTfNode("pictures", "Reshape", {"any/switch:1", "pairs"}, f32 + TestTfType("Tshape", 3)) +
         TestTfNode("pool", "MaxPool", {"pictures"}, f32 + sides) +
         TestTfNode("any/yes", "Reshape", {"pool", "list"}, f32 + TestTfType("Tshape", 3)) +
         empty("any/empty", {0}, "any/no") + TestTfNode("y", "Merge", {"any/empty", "any/yes"}, merge);
}

TEST_F(GraphLoaderTest, RunsATensorFlowCascadeBehindALoop) {
  const auto graph = Load(Write("g.pb", CascadeBehindALoop()));
  ASSERT_TRUE(graph.ok()) << graph.error().message;
  auto request = core()
                     .compile_model(graph.value().model, "CPU", ov::hint::inference_precision(ov::element::f32))
                     .create_infer_request();
  const std::vector<float> x = {1, 2, 3, 4, 5, 6, 7, 8};
  std::copy(x.begin(), x.end(), request.get_tensor("x").data<float>());
  // The greater one of each row's two numbers, negated; three rows are too few.
  const std::pair<int32_t, std::vector<float>> cases[] = {
      {3, {-1, -2, -6, -3, -9, -15}}, {2, {}}, {0, {}}, {4, {-1, -2, -6, -3, -9, -15, -4, -12, -20, -28}}};
  for (const auto& [turns, expected] : cases) {
    *request.get_tensor("turns").data<int32_t>() = turns;
    request.infer();
    const ov::Tensor y = request.get_output_tensor(0);
    EXPECT_EQ(std::vector<float>(y.data<float>(), y.data<float>() + y.get_size()), expected) << turns;
  }
}

TEST_F(GraphLoaderTest, RunsATensorFlowLoopThatJoinsWholeNumbers) {
  const auto graph = Load(Write("g.pb", TestTfJoiningLoop({}, 3)));
  ASSERT_TRUE(graph.ok()) << graph.error().message;
  auto request = core().compile_model(graph.value().model, "CPU").create_infer_request();
  std::fill_n(request.get_tensor("x").data<int32_t>(), 8, 16'777'217);  // which no float is
  *request.get_tensor("turns").data<int32_t>() = 1;
  request.infer();
  const ov::Tensor y = request.get_tensor("y");
  ASSERT_EQ(y.get_shape(), (ov::Shape{1, 2}));
  EXPECT_EQ(y.data<int32_t>()[0], 16'777'217);
}

TEST_F(GraphLoaderTest, TellsTheMetadataOfAnOnnxFile) {
  const std::string entry = BytesField(1, "stride") + BytesField(2, "32");
  const std::string model =
      TestOnnx({{"Relu", {"x"}, {"y"}}}, TestValue(11, "x", 1, {1, 2}) + TestValue(12, "y", 1, {1, 2}));
  const Path path = Write("m.onnx", model + BytesField(14, entry));
  const auto graph = Load(path);
  ASSERT_TRUE(graph.ok()) << graph.error().message;
  const auto info = DescribeGraph(*graph.value().model, path);
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info.value().metadata.at("onnx.stride"), "32");
  EXPECT_EQ(info.value().metadata.at("onnx.producer"), "tester");
  EXPECT_FALSE(graph.value().folder.has_value()) << "an ordinary file is read where it lies";
}

TEST_F(GraphLoaderTest, TellsTheModelInfoOfAnIr) {
  const auto source = Load(Write(
      "m.onnx", TestOnnx({{"Relu", {"x"}, {"y"}}}, TestValue(11, "x", 1, {1, 2}) + TestValue(12, "y", 1, {1, 2}))));
  ASSERT_TRUE(source.ok()) << source.error().message;
  source.value().model->set_rt_info(std::string("YOLOX"), "model_info", "model_type");
  ov::save_model(source.value().model, folder() / "ir.xml", false);
  const auto graph = Load(folder() / "ir.xml");
  ASSERT_TRUE(graph.ok()) << graph.error().message;
  const auto info = DescribeGraph(*graph.value().model, "ir.xml");
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info.value().metadata.at("ov.model_info.model_type"), "YOLOX");
}

TEST(ShapeOfOnePicture, FillsWhatIsOpen) {
  struct Case {
    Shape input;
    InputFacts facts;
    const char* said;
    std::optional<Shape> shape;
  };
  const InputFacts colours_last{.layout = TensorLayout::kNhwc, .channels = 3};
  for (const Case& c : std::vector<Case>{
           {{-1, 3, 224, 224}, {}, "", Shape{1, 3, 224, 224}},
           {{-1, 240, 320, 3}, {}, "", Shape{1, 240, 320, 3}},
           {{-1, 3, -1, -1}, {}, "", Shape{1, 3, 640, 640}},
           {{-1, 3, -1, -1}, {}, "[320, 416]", Shape{1, 3, 320, 416}},
           {{-1, 3, -1, -1}, {}, "288", Shape{1, 3, 288, 288}},
           {{-1, 3, -1, -1}, {}, "nothing", Shape{1, 3, 640, 640}},
           {{-1, 3, -1, -1}, {}, "99999999999999999999", Shape{1, 3, 16384, 16384}},
           {{-1, -1, -1, -1}, colours_last, "", Shape{1, 640, 640, 3}},
           {{-1, -1, -1, -1}, {}, "", std::nullopt},
           {{1, 3, 224, 224}, {}, "", std::nullopt},
           {{-1, 10}, {}, "", std::nullopt},
       }) {
    GraphInfo info{.inputs = {{"in", ElementType::kF32, c.input}}, .metadata = {{"onnx.imgsz", c.said}}};
    info.facts.inputs = {c.facts};
    EXPECT_EQ(ShapeOfOnePicture(info), c.shape) << ToString(c.input) << " " << c.said;
    info.inputs.push_back(info.inputs[0]);
    EXPECT_EQ(ShapeOfOnePicture(info), std::nullopt);
  }
}

}  // namespace
}  // namespace deepedge
