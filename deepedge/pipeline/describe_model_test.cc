#include "deepedge/pipeline/describe_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace deepedge {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using Kind = OutputDecoderKind;

constexpr auto kF32 = ElementType::kF32;

GraphInfo Graph(Shape input, std::vector<TensorSpec> outputs, std::vector<std::string> operations = {}) {
  return {.inputs = {{"in", kF32, std::move(input)}},
          .outputs = std::move(outputs),
          .output_operations = std::move(operations)};
}

class DescribeModelTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto folder = TemporaryFolder::Create("de_describe_test");
    ASSERT_TRUE(folder.ok());
    folder_.emplace(std::move(folder).value());
  }

  Path Write(const Path& name, std::string_view content) {
    const Path path = folder_->path() / name;
    std::filesystem::create_directories(path.parent_path());
    EXPECT_TRUE(WriteFileAtomically(path, content).ok());
    return path;
  }

  std::optional<TemporaryFolder> folder_;
  const GraphInfo classifier_ = Graph({1, 3, 224, 224}, {{"prob", kF32, {1, 10}}});
};

TEST_F(DescribeModelTest, ACardBesideTheFileWins) {
  const ModelFiles files{.graph = Write("cats/net.onnx", "graph")};
  Write("cats/model.yaml", "output: { decoder: classification }\ninput: { width: 8, height: 8 }\nlabels: [a, b]\n");
  const auto model = DescribeModel(files, classifier_);
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(model.value().origin, CardOrigin::kFile);
  EXPECT_EQ(model.value().card.name, "cats");
  EXPECT_EQ(model.value().card.input.width, 8);
  EXPECT_TRUE(model.value().assumptions.empty());
}

TEST_F(DescribeModelTest, ACardAboveAVersionFolderCounts) {
  Write("cats/model.yaml", "name: c\noutput: { decoder: raw }\n");
  const ModelFiles file{.graph = Write("cats/3/net.onnx", "graph")};
  EXPECT_EQ(DescribeModel(file, classifier_).value().card.name, "c");
  Write("cats/4/saved_model.pb", "graph");
  for (const char* spelling : {"cats/4", "cats/4/"}) {
    const ModelFiles folder{.format = ModelFormat::kTfSavedModel, .graph = folder_->path() / spelling};
    EXPECT_EQ(DescribeModel(folder, classifier_).value().card.name, "c");
  }
  // Only above a number.
  const ModelFiles other{.graph = Write("cats/v3/net.onnx", "graph")};
  EXPECT_EQ(DescribeModel(other, classifier_).value().origin, CardOrigin::kGuess);
}

TEST_F(DescribeModelTest, AVersionThatDoesNotServeHasTheCardItKeeps) {
  Write("cats/model.yaml", "name: second\nversion: 2\noutput: { decoder: raw }\n");
  Write("cats/1/.card.yaml", "name: first\nversion: 1\noutput: { decoder: raw }\n");
  Write("cats/2/.card.yaml", "name: as it came\nversion: 2\noutput: { decoder: raw }\n");
  const ModelFiles first{.graph = Write("cats/1/net.onnx", "one")};
  const ModelFiles second{.graph = Write("cats/2/net.onnx", "two")};
  EXPECT_EQ(DescribeModel(first, classifier_).value().card.name, "first");
  EXPECT_EQ(DescribeModel(second, classifier_).value().card.name, "second");
}

TEST_F(DescribeModelTest, AWrongCardIsAnErrorAndNotPassedOver) {
  const ModelFiles files{.graph = Write("net.onnx", "graph")};
  Write("model.yaml", "output: { decoder: x }\n");
  EXPECT_THAT(DescribeModel(files, classifier_).error().message, HasSubstr("model.yaml:1: output.decoder: \"x\""));
  Write("model.yaml", "output: { decoder: raw }\nsha256: " + std::string(64, '0') + "\n");
  EXPECT_THAT(DescribeModel(files, classifier_).error().message, HasSubstr("the card is for a graph with sha256 0000"));
}

TEST_F(DescribeModelTest, GuessesGetTheFilesHash) {
  const ModelFiles files{.graph = Write("net.onnx", "abc")};
  const auto model = DescribeModel(files, classifier_);
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(model.value().origin, CardOrigin::kGuess);
  EXPECT_EQ(model.value().card.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_FALSE(model.value().assumptions.empty());
}

TEST(GuessCard, SaysWhatItAssumed) {
  struct Case {
    ModelFormat format;
    GraphInfo graph;
    Kind kind;
    ChannelOrder order;
    TensorLayout layout;
    const char* assumption;
  };
  const std::vector<Case> cases = {
      {ModelFormat::kOpenVinoIr, Graph({1, 3, 512, 512}, {{"d", kF32, {1, 1, 200, 7}}}, {"DetectionOutput"}),
       Kind::kSsd, ChannelOrder::kBgr, TensorLayout::kNchw, "classes are called 'class 0'"},
      {ModelFormat::kOnnx, Graph({1, 3, 416, 416}, {{"o", kF32, {1, 3549, 85}}}), Kind::kYolox, ChannelOrder::kBgr,
       TensorLayout::kNchw, "80 classes: labels are those of coco80.txt"},
      {ModelFormat::kOnnx, Graph({-1, 3, 224, 224}, {{"o", kF32, {-1, 1000}}}, {"MatMul"}), Kind::kClassification,
       ChannelOrder::kRgb, TensorLayout::kNchw, "softmax is applied"},
      {ModelFormat::kTflite, Graph({1, 224, 224, 3}, {{"o", kF32, {1, 1001}}}, {"Softmax"}), Kind::kClassification,
       ChannelOrder::kRgb, TensorLayout::kNhwc, "the scores are probabilities already"},
      {ModelFormat::kOnnx, Graph({1, 3, 224, 224}, {{"o", kF32, {1, 7, 1, 1}}}), Kind::kClassification,
       ChannelOrder::kRgb, TensorLayout::kNchw, "scores of 7 classes"},
      {ModelFormat::kTfFrozen,
       Graph({1, 300, 300, 3}, {{"detection_boxes:0", kF32, {1, 100, 4}},
                                {"detection_classes:0", kF32, {1, 100}},
                                {"detection_scores:0", kF32, {1, 100}},
                                {"num_detections:0", kF32, {1}}}),
       Kind::kDetections, ChannelOrder::kRgb, TensorLayout::kNhwc, "the first label is class 1"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.assumption);
    const auto model = GuessCard({.format = c.format, .graph = "/x/net.bin"}, c.graph);
    ASSERT_TRUE(model.ok()) << model.error().message;
    EXPECT_EQ(model.value().card.name, "net");
    EXPECT_EQ(model.value().card.output.kind, c.kind);
    EXPECT_EQ(model.value().card.input.order, c.order);
    EXPECT_EQ(model.value().card.input.layout, c.layout);
    EXPECT_THAT(model.value().assumptions, Contains(HasSubstr(c.assumption)));
  }
}

TEST(GuessCard, RefusesWhatIsNotClearAndSaysWhatToDo) {
  struct Case {
    GraphInfo graph;
    const char* message;
  };
  GraphInfo two = Graph({1, 3, 8, 8}, {{"o", kF32, {1, 5}}});
  two.inputs.push_back(two.inputs[0]);
  const std::vector<Case> cases = {
      {Graph({1, 49, 10, 1}, {{"o", kF32, {1, 12}}}), "its input is no picture of three colours: 1x49x10x1 f32"},
      {Graph({-1, -1, -1, 3}, {{"o", kF32, {1, 12}}}), "the size of its input ?x?x?x3 is not fixed"},
      {Graph({4, 3, 8, 8}, {{"o", kF32, {4, 12}}}), "no picture of three colours"},
      {Graph({1, 3, 8, 8}, {{"o", kF32, {1, 21, 8, 8}}}), "its outputs are of no form that is known: o 1x21x8x8 f32"},
      {Graph({1, 3, 8, 8}, {}), "no form that is known"},
      {Graph({1, 3, 8, 8}, {{"o", kF32, {1, 512}}}, {"Relu"}), "no form that is known: o 1x512 f32"},
      {two, "it has 2 inputs (in 1x3x8x8 f32, in 1x3x8x8 f32)"},
  };
  for (const Case& c : cases) {
    const auto model = GuessCard({.graph = "/x/kws/1/model.onnx"}, c.graph);
    ASSERT_FALSE(model.ok()) << c.message;
    EXPECT_EQ(model.error().code, ErrorCode::kBadInput);
    EXPECT_THAT(model.error().message, HasSubstr("model 'kws'"));
    EXPECT_THAT(model.error().message, HasSubstr(c.message));
    EXPECT_THAT(model.error().message, HasSubstr("put a model.yaml beside it"));
  }
}

}  // namespace
}  // namespace deepedge
