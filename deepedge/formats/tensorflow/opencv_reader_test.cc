// Small graphs in OpenCV's form, run on the engine and compared with sums done by hand.
#include "deepedge/formats/tensorflow/opencv_reader.h"

#include <openvino/runtime/core.hpp>
#include <openvino/runtime/properties.hpp>
#include <random>

#include "deepedge/formats/cost_for_test.h"
#include "deepedge/formats/tensorflow/test_graph_def.h"

namespace deepedge {
namespace {

using Floats = std::vector<float>;

std::string Node(const std::string& name, const std::string& op, const std::vector<std::string>& inputs,
                 const std::string& attributes = "") {
  std::string text = "node {\n  name: \"" + name + "\"\n  op: \"" + op + "\"\n";
  for (const std::string& input : inputs) text += "  input: \"" + input + "\"\n";
  return text + attributes + "}\n";
}
std::string Attribute(const std::string& key, const std::string& value) {
  return "  attr { key: \"" + key + "\" value { " + value + " } }\n";
}
std::string Ints(const std::string& name, const std::string& values) {
  return Node(name, "Const", {}, Attribute("value", "tensor { dtype: DT_INT32 " + values + " }"));
}
std::string WeightFloats(std::string_view name, const std::vector<int64_t>& dims, const Floats& values) {
  std::string bytes(values.size() * sizeof(float), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return TestTfBytes(name, 1, dims, bytes);
}

const std::string kData = Node("data", "Placeholder", {});
const std::string kValid = Attribute("padding", "s: \"VALID\"");
const std::string kSame = Attribute("padding", "s: \"SAME\"");

class OpenCvReaderTest : public FilesTest {
 protected:
  Result<std::shared_ptr<ov::Model>> Read(const std::string& text, const std::string& weights) {
    KeepSeed("opencv", text, weights);
    return ReadOpenCvGraph({ModelFormat::kTfFrozen, Write("g.pbtxt", text), Write("g.pb", weights)});
  }
  // The first output.
  Floats Run(const std::string& text, const std::string& weights, const ov::Shape& shape, const Floats& input) {
    const auto model = Read(text, weights);
    if (!model.ok()) {
      ADD_FAILURE() << model.error().message;
      return {};
    }
    static ov::Core core;
    auto request = core.compile_model(model.value(), "CPU", ov::hint::inference_precision(ov::element::f32))
                       .create_infer_request();
    ov::Tensor tensor(ov::element::f32, shape);
    EXPECT_EQ(tensor.get_size(), input.size());
    std::copy(input.begin(), input.end(), tensor.data<float>());
    request.set_input_tensor(tensor);
    request.infer();
    const ov::Tensor output = request.get_output_tensor(0);
    return {output.data<float>(), output.data<float>() + output.get_size()};
  }
};

TEST_F(OpenCvReaderTest, ConvolvesWithWeightsInTheOtherOrder) {
  // Two channels, one filter of 1x2: weights [1, 2, 2, 1] are pixel 0 {1, 10}, pixel 1 {100, 1000}.
  const std::string text = kData + Node("c", "Conv2D", {"data:0", "w"}, kValid) + Node("b", "BiasAdd", {"c", "bias"});
  const std::string weights = WeightFloats("w", {1, 2, 2, 1}, {1, 10, 100, 1000}) + WeightFloats("bias", {1}, {0.5F});
  EXPECT_EQ(Run(text, weights, {1, 2, 1, 2}, {1, 2, 3, 4}), Floats{1 + 30 + 200 + 4000 + 0.5F});
  // Depthwise: each channel has its own 1x1 filters, two of them.
  const std::string depthwise = kData + Node("d", "DepthwiseConv2dNative", {"data", "w"}, kSame);
  EXPECT_EQ(Run(depthwise, WeightFloats("w", {1, 1, 2, 2}, {1, 2, 3, 4}), {1, 2, 1, 1}, {10, 100}),
            (Floats{10, 20, 300, 400}));
}

TEST_F(OpenCvReaderTest, ReadsWeightsOfBytes) {
  const std::string text = kData + Node("s", "Add", {"data", "w"});
  EXPECT_EQ(Run(text, QuantizedGraph("MIN_FIRST"), {1, 3, 1, 1}, {1, 2, 3}), (Floats{1, 3, 258}));
}

TEST_F(OpenCvReaderTest, NormalizesScalesAndActivates) {
  const std::string text = kData +
                           Node("n", "FusedBatchNorm", {"data", "g", "b", "m", "v"}, Attribute("epsilon", "f: 1")) +
                           Node("s", "Mul", {"n", "k"}) + Node("r", "Relu6", {"s"});
  const std::string weights = WeightFloats("g", {2}, {2, 3}) + WeightFloats("b", {2}, {10, 20}) +
                              WeightFloats("m", {2}, {1, 3}) + WeightFloats("v", {2}, {3, 8}) +
                              WeightFloats("k", {2}, {0.5F, -1});
  EXPECT_EQ(Run(text, weights, {1, 2, 1, 2}, {1, 2, 3, 4}), (Floats{5, 5.5F, 0, 0}));
}

TEST_F(OpenCvReaderTest, FlattensJoinsAndReshapesAsChannelsLast) {
  const Floats input = {1, 2, 3, 4, 5, 6};  // three channels of two pixels
  const Floats channels_last = {1, 3, 5, 2, 4, 6};
  EXPECT_EQ(Run(kData + Node("f", "Flatten", {"data"}), "", {1, 3, 1, 2}, input), channels_last);
  const std::string joined = kData + Ints("axis", "int_val: 3") + Node("c", "ConcatV2", {"data", "data", "axis"});
  EXPECT_EQ(Run(joined, "", {1, 3, 1, 2}, input), (Floats{1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6}));
  const std::string rows = kData + Ints("shape", "int_val: 0 int_val: -1 int_val: 2") +
                           Node("r", "Reshape", {"data", "shape"}) + Node("s", "Identity", {"r"});
  EXPECT_EQ(Run(rows, "", {1, 3, 1, 2}, input), channels_last);
}

TEST_F(OpenCvReaderTest, PadsAndPools) {
  const std::string pad =
      kData + Ints("block", "int_val: 1 int_val: 1") + Ints("margins", "int_val: 0 int_val: 0 int_val: 1 int_val: 0") +
      Node("p", "SpaceToBatchND", {"data", "block", "margins"}) + Node("q", "BatchToSpaceND", {"p"});
  EXPECT_EQ(Run(pad, "", {1, 3, 1, 1}, {1, 2, 3}), (Floats{0, 1, 0, 2, 0, 3}));
  const std::string sizes =
      Attribute("ksize", "list { i: 1 i: 1 i: 2 i: 1 }") + Attribute("strides", "list { i: 1 i: 1 i: 2 i: 1 }") + kSame;
  EXPECT_EQ(Run(kData + Node("m", "MaxPool", {"data"}, sizes), "", {1, 3, 1, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9}),
            (Floats{2, 3, 5, 6, 8, 9}));
  EXPECT_EQ(Run(kData + Node("m", "AvgPool", {"data"}, sizes), "", {1, 3, 1, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9}),
            (Floats{1.5F, 3, 4.5F, 6, 7.5F, 9}));
}

TEST_F(OpenCvReaderTest, DecodesBoxes) {
  // One cell that is the whole picture of 10x10, one prior box of 5x5 in its middle, two classes.
  const std::string text =
      kData + Node("cell", "Conv2D", {"data", "w"}, kValid) +
      Node("p", "PriorBox", {"cell", "data"},
           Attribute("min_size", "i: 5") + Attribute("offset", "f: 0.5") + Attribute("step", "f: 10") +
               Attribute("flip", "b: false") +
               Attribute("variance", "tensor { float_val: 0.1 float_val: 0.1 float_val: 0.2 float_val: 0.2 }")) +
      Ints("axis", "int_val: 1") + Node("priors", "ConcatV2", {"p", "axis"}) +
      Node("l", "Conv2D", {"cell", "wl"}, kValid) + Node("loc", "Flatten", {"l"}) +
      Node("c", "Conv2D", {"cell", "wc"}, kValid) + Node("conf", "Flatten", {"c"}) +
      Node("out", "DetectionOutput", {"loc", "conf", "priors"},
           Attribute("num_classes", "i: 2") + Attribute("code_type", "s: \"CENTER_SIZE\"") +
               Attribute("keep_top_k", "i: 1") + Attribute("confidence_threshold", "f: 0.01") +
               Attribute("top_k", "i: 5") + Attribute("nms_threshold", "f: 0.5"));
  const std::string weights = WeightFloats("w", {10, 10, 1, 1}, Floats(100, 0.01F)) +
                              WeightFloats("wl", {1, 1, 1, 4}, {1, 0, 0, 0}) +
                              WeightFloats("wc", {1, 1, 1, 2}, {0.1F, 0.9F});
  const Floats out = Run(text, weights, {1, 1, 10, 10}, Floats(100, 1));
  ASSERT_EQ(out.size(), 7U);
  // Moved to the right by 0.1 of the box's width of a half.
  const Floats expected = {0, 1, 0.9F, 0.3F, 0.25F, 0.8F, 0.75F};
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(out[i], expected[i], 1e-4F) << i;
}

TEST_F(OpenCvReaderTest, NamesWhatItCannotRead) {
  const std::pair<std::string, const char*> cases[] = {
      {kData + Node("x", "Einsum", {"data"}), "layer 'x' (Einsum)"},
      {kData + Node("x", "Relu", {"none"}), "takes 'none'"},
      {kData + Node("x", "BiasAdd", {"data", "none"}), "neither file holds"},
      {kData + Node("x", "Conv2D", {"data", "w"}, Attribute("padding", "s: \"ODD\"")), "padding 'ODD'"},
      {kData + Node("x", "Conv2D", {"data", "w"}, kSame + Attribute("strides", "list { i: 2 i: 1 i: 1 i: 1 }")),
       "strides over"},
      {kData + Node("x", "MaxPool", {"data"}, kSame + Attribute("ksize", "list { i: 1 i: 0 i: 2 i: 1 }")),
       "makes no sense"},
      {"", "has no outputs"},
      {"node {", "g.pbtxt"},
  };
  for (const auto& [text, message] : cases) {
    const auto model = Read(text, WeightFloats("w", {1, 1, 3, 1}, {1, 2, 3}));
    ASSERT_FALSE(model.ok()) << message;
    EXPECT_NE(model.status().error().message.find(message), std::string::npos) << model.status().error().message;
    EXPECT_NE(model.status().error().message.find("g.pbtxt"), std::string::npos) << model.status().error().message;
  }
}

TEST_F(OpenCvReaderTest, RefusesGroupsThatDoNotDivide) {
  // 8 channels for weights over 3: 8 / 3 is 2 groups, which divide all sizes, but of 4 channels each.
  const std::string text = kData + Node("c", "Conv2D", {"data", "w"}, kSame) + Node("d", "Conv2D", {"c", "v"}, kSame);
  const auto model =
      Read(text, WeightFloats("w", {1, 1, 3, 8}, Floats(24, 1)) + WeightFloats("v", {1, 1, 3, 4}, Floats(12, 1)));
  ASSERT_FALSE(model.ok());
  EXPECT_NE(model.error().message.find("layer 'd' (Conv2D): weights over 3 channels do not fit 8"), std::string::npos)
      << model.error().message;
}

TEST_F(OpenCvReaderTest, SmallFilesStaySmall) {
  // One constant of a million times the same number, which 400 layers use.
  std::string text = kData;
  for (int i = 0; i < 400; ++i) {
    const std::string from = i == 0 ? "data" : "c" + std::to_string(i - 1);
    text += Node("c" + std::to_string(i), "Conv2D", {from, "w"}, kSame);
  }
  const std::string weights = TestTfRepeated("w", 1, {1, 1, 1024, 1024}, 5);
  ExpectCheap([&] {
    const auto model = Read(text, weights);
    ASSERT_FALSE(model.ok());
    EXPECT_NE(model.error().message.find("too often"), std::string::npos) << model.error().message;
  });
  // 3000 inputs, each of which looks for the layer that tells its channels.
  std::string inputs;
  for (int i = 0; i < 1500; ++i) {
    const std::string n = std::to_string(i);
    inputs += Node("x" + n, "Placeholder", {}) + Node("y" + n, "Conv2D", {"x" + n, "w"}, kSame);
  }
  ExpectCheap([&] { EXPECT_FALSE(Read(inputs, weights).ok()); });
  // A constant of one number among half a million fields that are none of a constant's.
  std::string fields;
  for (int i = 0; i < 500'000; ++i) fields += NumberField(3, 1);
  const std::string tensor = NumberField(1, 1) + fields + BytesField(4, std::string(4, '\1'));
  const std::string slow = TestTfNode("w", "Const", {}, TestTfAttribute("value", BytesField(8, tensor)));
  std::string sums = kData;
  for (int i = 0; i < 1000; ++i) sums += Node("s" + std::to_string(i), "Add", {"data", "w"});
  ExpectCheap([&] { EXPECT_FALSE(Read(sums, slow).ok()); });
}

TEST_F(OpenCvReaderTest, RefusesWeightsOfTheOtherType) {
  // Whole numbers with two floats beside them are no weights of 12 floats.
  std::string shape;
  for (const uint64_t dim : {1, 1, 3, 4}) shape += BytesField(2, NumberField(1, dim));
  const std::string tensor =
      NumberField(1, 3) + BytesField(2, shape) + BytesField(5, std::string(8, '\1')) + NumberField(7, 1);
  const std::string weights = TestTfNode("w", "Const", {}, TestTfAttribute("value", BytesField(8, tensor)));
  const auto model = Read(kData + Node("c", "Conv2D", {"data", "w"}, kSame), weights);
  ASSERT_FALSE(model.ok());
  EXPECT_NE(model.error().message.find("layer 'c'"), std::string::npos) << model.error().message;
}

TEST_F(OpenCvReaderTest, SurvivesDamage) {
  const std::string text =
      kData + Ints("block", "int_val: 1 int_val: 1") + Ints("margins", "int_val: 0 int_val: 0 int_val: 1 int_val: 0") +
      Node("p", "SpaceToBatchND", {"data", "block", "margins"}) +
      Node("c", "Conv2D", {"p", "w"}, kSame + Attribute("strides", "list { i: 1 i: 2 i: 2 i: 1 }")) +
      Node("b", "PriorBox", {"c", "data"}, Attribute("min_size", "i: 5")) + Node("f", "Flatten", {"c"});
  const std::string weights = WeightFloats("w", {1, 2, 3, 4}, Floats(24, 1));
  ASSERT_TRUE(Read(text, weights).ok());
  std::mt19937 random(17);  // NOLINT(cert-msc51-cpp): the same damage in every run
  int read = 0;
  for (int round = 0; round < 400; ++round) {
    std::string damaged_text = text;
    std::string damaged_weights = weights;
    for (int i = 0; i < 2; ++i) {
      std::string& target = round % 2 == 0 ? damaged_text : damaged_weights;
      target[random() % target.size()] = static_cast<char>(random() % 256);
    }
    if (round % 7 == 0) damaged_weights.resize(random() % damaged_weights.size());
    read += Read(damaged_text, damaged_weights).ok() ? 1 : 0;
  }
  EXPECT_GT(read, 0);
  EXPECT_LT(read, 400);
}

}  // namespace
}  // namespace deepedge
