#include "deepedge/formats/onnx/onnx_rewrite.h"

#include <random>

#include "deepedge/formats/onnx/test_onnx.h"

namespace deepedge {
namespace {

class OnnxRewriteTest : public FilesTest {
 protected:
  // A folder of its own for each rewritten model.
  Result<OnnxGraph> Rewrite(const std::string& model) {
    const Path source = Write("source.onnx", model);
    const Path target = folder() / std::to_string(rewritten_++);
    std::filesystem::create_directory(target);
    DE_TRY(const ModelFiles files, RewriteOnnx({ModelFormat::kOnnx, source, {}}, target));
    last_ = files.graph;
    return ReadOnnxGraph(files.graph);
  }
  const Path& last() const { return last_; }

 private:
  int rewritten_ = 0;
  Path last_;
};

std::vector<std::string> Types(const OnnxGraph& graph) {
  std::vector<std::string> types;
  for (const OnnxNode& node : graph.nodes) types.push_back(node.type);
  return types;
}

using Names = std::vector<std::string>;

TEST_F(OnnxRewriteTest, TakesAConvolutionApart) {
  const auto graph = Rewrite(TestQuantizedConvolution());
  ASSERT_TRUE(graph.ok()) << graph.error().message;
  EXPECT_EQ(Types(graph.value()), (Names{"QuantizeLinear", "DequantizeLinear", "DequantizeLinear", "Cast", "Mul", "Mul",
                                         "Conv", "QuantizeLinear", "DequantizeLinear"}));
  EXPECT_EQ(graph.value().opset, 13);
  const OnnxNode& weights = graph.value().nodes[2];
  EXPECT_EQ(weights.inputs, (Names{"w", "ws", "wz"}));
  ASSERT_NE(weights.Find("axis"), nullptr);
  EXPECT_EQ(weights.Find("axis")->number, 0);
  EXPECT_EQ(graph.value().nodes[1].Find("axis"), nullptr);
  EXPECT_EQ(graph.value().nodes[7].outputs, Names{"yq"});
  // w was declared as an input too.
  EXPECT_EQ(graph.value().inputs.size(), 1U);
  EXPECT_EQ(graph.value().inputs.count("x"), 1U);
  EXPECT_EQ(graph.value().initializers.size(), 8U);
}

struct PatternCase {
  TestNode node;
  Names types;
};

TEST_F(OnnxRewriteTest, TakesEveryKindApart) {
  const std::string ms = "com.microsoft";
  const Names abc = {"a", "s", "z", "b", "s", "z", "s", "z"};
  const Names unary = {"a", "s", "z", "s", "z"};
  const PatternCase cases[] = {
      {{"QLinearMatMul", abc, {"y"}}, {"DequantizeLinear", "DequantizeLinear", "MatMul", "QuantizeLinear"}},
      {{"QLinearAdd", abc, {"y"}, "", ms}, {"DequantizeLinear", "DequantizeLinear", "Add", "QuantizeLinear"}},
      {{"QLinearMul", abc, {"y"}, "", ms}, {"DequantizeLinear", "DequantizeLinear", "Mul", "QuantizeLinear"}},
      {{"QLinearSigmoid", unary, {"y"}, "", ms}, {"DequantizeLinear", "Sigmoid", "QuantizeLinear"}},
      {{"QLinearLeakyRelu", unary, {"y"}, "", ms}, {"DequantizeLinear", "LeakyRelu", "QuantizeLinear"}},
      {{"QLinearGlobalAveragePool", unary, {"y"}, TestInt("channels_last", 0), ms},
       {"DequantizeLinear", "GlobalAveragePool", "QuantizeLinear"}},
      {{"QLinearAveragePool", unary, {"y"}, TestInts("kernel_shape", {2, 2}), ms},
       {"DequantizeLinear", "AveragePool", "QuantizeLinear"}},
      {{"QLinearSoftmax", unary, {"y"}, TestInt("axis", 1) + TestInt("opset", 13), ms},
       {"DequantizeLinear", "Softmax", "QuantizeLinear"}},
      {{"QLinearConcat", {"s", "z", "a", "s", "z", "b", "s", "z"}, {"y"}, TestInt("axis", 1), ms},
       {"DequantizeLinear", "DequantizeLinear", "Concat", "QuantizeLinear"}},
      {{"QLinearWhere", {"c", "a", "s", "z", "b", "s", "z", "s", "z"}, {"y"}, "", ms},
       {"DequantizeLinear", "DequantizeLinear", "Where", "QuantizeLinear"}},
      {{"QGemm", {"a", "s", "z", "b", "s", "z", "", "s", "z"}, {"y"}, "", ms},
       {"DequantizeLinear", "DequantizeLinear", "Gemm", "QuantizeLinear"}},
      {{"QGemm", {"a", "s", "z", "b", "s", "z", "bias"}, {"y"}, "", ms},
       {"DequantizeLinear", "DequantizeLinear", "Cast", "Mul", "Mul", "Gemm"}},
  };
  for (const PatternCase& c : cases) {
    const auto graph = Rewrite(TestOnnx({c.node}, TestFloats("s", {}, {1}), 13));
    ASSERT_TRUE(graph.ok()) << graph.error().message;
    EXPECT_EQ(Types(graph.value()), c.types) << c.node.type;
    EXPECT_EQ(graph.value().nodes.back().outputs, Names{"y"}) << c.node.type;
    for (const OnnxNode& node : graph.value().nodes) {
      EXPECT_EQ(node.domain, "");
      EXPECT_EQ(node.Find("channels_last"), nullptr);
    }
  }
}

struct RaiseCase {
  int64_t opset;
  TestNode node;
  Names types;
};

TEST_F(OnnxRewriteTest, RaisesOtherNodesToOperatorSet13) {
  const RaiseCase cases[] = {
      {12, {"Squeeze", {"v"}, {"o"}, TestInts("axes", {1})}, {"Constant", "Squeeze"}},
      {12, {"Squeeze", {"v"}, {"o"}}, {"Squeeze"}},
      {12, {"Unsqueeze", {"v"}, {"o"}, TestInts("axes", {0, 3})}, {"Constant", "Unsqueeze"}},
      {12, {"ReduceSum", {"v"}, {"o"}, TestInts("axes", {1}) + TestInt("keepdims", 0)}, {"Constant", "ReduceSum"}},
      {12, {"ReduceMean", {"v"}, {"o"}, TestInts("axes", {1})}, {"ReduceMean"}},
      {12, {"Split", {"v"}, {"o", "p"}, TestInts("split", {1, 3})}, {"Constant", "Split"}},
      {12, {"Softmax", {"v"}, {"o"}}, {"Shape", "Flatten", "Softmax", "Reshape"}},
      {12, {"Softmax", {"v"}, {"o"}, TestInt("axis", -1)}, {"Softmax"}},
      {13, {"Softmax", {"v"}, {"o"}}, {"Softmax"}},
      {11, {"Dropout", {"v"}, {"o", "mask"}}, {"Dropout"}},
      {11, {"Clip", {"v"}, {"o"}}, {"Clip"}},
      {10, {"Pad", {"v"}, {"o"}, TestInts("pads", {0, 1, 0, 1})}, {"Constant", "Pad"}},
      {10, {"Resize", {"v", "scales"}, {"o"}}, {"Resize"}},
      {10, {"Scatter", {"v", "i", "u"}, {"o"}}, {"ScatterElements"}},
  };
  const TestNode quantized{"QLinearAdd", {"a", "s", "z", "b", "s", "z", "s", "z"}, {"y"}, "", "com.microsoft"};
  for (const RaiseCase& c : cases) {
    const auto graph = Rewrite(TestOnnx({quantized, c.node}, "", c.opset));
    ASSERT_TRUE(graph.ok()) << graph.error().message;
    Names types = Types(graph.value());
    types.erase(types.begin(), types.begin() + 4);
    EXPECT_EQ(types, c.types) << c.node.type << c.opset;
    EXPECT_EQ(graph.value().opset, 13);
  }
  const auto resized = Rewrite(TestOnnx({quantized, {"Resize", {"v", "scales"}, {"o"}}}, "", 10));
  ASSERT_TRUE(resized.ok());
  EXPECT_EQ(resized.value().nodes.back().inputs, (Names{"v", "", "scales"}));
  EXPECT_EQ(resized.value().nodes.back().Find("nearest_mode")->text, "floor");
}

TEST_F(OnnxRewriteTest, FindsNamesThatAreFree) {
  const TestNode quantized{"QLinearSigmoid", {"deepedge/0", "s", "z", "s", "z"}, {"deepedge//0"}, "", "com.microsoft"};
  const auto graph = Rewrite(TestOnnx({{"Identity", {"x"}, {"deepedge/0"}}, quantized}, "", 13));
  ASSERT_TRUE(graph.ok());
  EXPECT_EQ(graph.value().nodes[1].outputs, Names{"deepedge///0"});
}

TEST_F(OnnxRewriteTest, RefusesFormsThatItDoesNotKnow) {
  const std::string ms = "com.microsoft";
  const TestNode add{"QLinearAdd", {"a", "s", "z", "b", "s", "z", "s", "z"}, {"y"}, "", ms};
  const std::string branch = BytesField(5, BytesField(1, "body") + BytesField(6, "") + NumberField(20, 5));
  const std::pair<std::string, const char*> cases[] = {
      {TestOnnx({add}, "", 9), "operator set 9"},
      {TestOnnx({{"QLinearConv", {"x", "s"}, {"y"}}}, ""), "'y' (QLinearConv): has too few inputs"},
      {TestOnnx({{"QLinearSigmoid", {"a", "s", "z", "s", "z"}, {}, "", ms}}, ""), "other than one output"},
      {TestOnnx({{"QLinearGlobalAveragePool", {"a", "s", "z", "s", "z"}, {"y"}, TestInt("channels_last", 1), ms}}, ""),
       "channels_last"},
      {TestOnnx({add, {"Loop", {"a"}, {"o"}, branch}}, ""), "(Loop): graphs inside"},
  };
  for (const auto& [model, message] : cases) {
    const auto graph = Rewrite(model);
    ASSERT_FALSE(graph.ok()) << message;
    EXPECT_EQ(graph.error().code, ErrorCode::kUnsupported);
    EXPECT_NE(graph.error().message.find(message), std::string::npos) << graph.error().message;
  }
}

TEST_F(OnnxRewriteTest, LinksWeightsThatLieBeside) {
  const auto external = [](std::string_view location) {
    const std::string entry = BytesField(1, "location") + BytesField(2, location);
    return BytesField(
        5, NumberField(1, 4) + NumberField(2, 3) + BytesField(8, "b") + BytesField(13, entry) + NumberField(14, 1));
  };
  const TestNode add{"QLinearAdd", {"a", "s", "z", "b", "s", "z", "s", "z"}, {"y"}, "", "com.microsoft"};
  Write("data/w.bin", "numbers");
  ASSERT_TRUE(Rewrite(TestOnnx({add}, external("data/w.bin"))).ok());
  EXPECT_EQ(ReadFile(last().parent_path() / "data" / "w.bin").value(), "numbers");
  EXPECT_EQ(Rewrite(TestOnnx({add}, external("none.bin"))).status().error().code, ErrorCode::kNotFound);
  Write("model.onnx", "numbers under the name that the rewritten file gets");
  for (const char* name : {"../w.bin", "/etc/passwd", "data/../../w.bin", "model.onnx"}) {
    EXPECT_EQ(Rewrite(TestOnnx({add}, external(name))).status().error().code, ErrorCode::kBadInput) << name;
  }
}

TEST_F(OnnxRewriteTest, OutlineTellsTypesAndMetadata) {
  const std::string entry = BytesField(1, "names") + BytesField(2, "{0: 'person'}");
  const Path path = Write("m.onnx", TestQuantizedConvolution() + BytesField(14, entry));
  const auto outline = ReadOnnxOutline(path);
  ASSERT_TRUE(outline.ok()) << outline.error().message;
  EXPECT_EQ(outline.value().producer, "tester");
  EXPECT_EQ(outline.value().metadata.at("names"), "{0: 'person'}");
  EXPECT_TRUE(NeedsRewriting(outline.value()));
  EXPECT_FALSE(NeedsRewriting({.node_types = {"Conv", "Relu", "DequantizeLinear"}, .metadata = {}, .producer = {}}));
}

TEST_F(OnnxRewriteTest, SurvivesDamage) {
  const std::string model = TestQuantizedConvolution();
  std::mt19937 random(5);  // NOLINT(cert-msc51-cpp): the same damage in every run
  int rewritten = 0;
  for (int round = 0; round < 700; ++round) {
    std::string damaged = model;
    for (int i = 0; i < 3; ++i) damaged[random() % damaged.size()] = static_cast<char>(random() % 256);
    if (round % 3 == 0) damaged.resize(random() % damaged.size());
    const Path source = Write("d.onnx", damaged);
    ReadOnnxOutline(source).Ignore("only that it comes back counts");
    std::filesystem::remove(folder() / "model.onnx");
    rewritten += RewriteOnnx({ModelFormat::kOnnx, source, {}}, folder()).ok() ? 1 : 0;
  }
  EXPECT_GT(rewritten, 0);
  EXPECT_LT(rewritten, 700);
}

}  // namespace
}  // namespace deepedge
