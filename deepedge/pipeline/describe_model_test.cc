#include "deepedge/pipeline/describe_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace deepedge {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
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

TEST_F(DescribeModelTest, OpenShapesAreReadFromTheFormForOnePicture) {
  const ModelFiles files{.graph = Write("open.onnx", "graph")};
  GraphInfo graph = Graph({-1, 3, -1, -1}, {{"o", kF32, {-1, 22, -1}}});
  EXPECT_EQ(DescribeModel(files, graph).value().card.output.kind, Kind::kRaw);
  graph.sized = std::make_shared<const GraphInfo>(Graph({1, 3, 320, 320}, {{"o", kF32, {1, 22, 2100}}}));
  const auto model = DescribeModel(files, graph);
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(model.value().card.output.kind, Kind::kYoloRows);
  EXPECT_EQ(model.value().card.input.width, 320);
  EXPECT_THAT(model.value().assumptions, Contains(HasSubstr("input.size: 320x320 (guess: the graph takes any size")));
}

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

TEST_F(DescribeModelTest, WhatIsNotCertainIsAnAssumption) {
  const ModelFiles files{.graph = Write("cats/net.onnx", "graph")};
  Write("cats/labels.txt", "0\n1\n2\n3\n4\n5\n6\n7\n8\nnine\n");
  const auto model = DescribeModel(files, classifier_);
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(model.value().card.name, "cats");
  EXPECT_EQ(model.value().card.output.kind, Kind::kClassification);
  EXPECT_EQ(model.value().card.labels.back(), "nine");
  EXPECT_THAT(model.value().assumptions, Contains(HasSubstr("input.values: (v - [123.675")));
  EXPECT_THAT(model.value().assumptions, Not(Contains(HasSubstr("labels:"))));
}

TEST_F(DescribeModelTest, CardsAndTheCatalogueCanBePassedOver) {
  const ModelFiles files{.graph = Write("net.onnx", "graph")};
  Write("model.yaml", "output: { decoder: raw }\n");
  EXPECT_EQ(DescribeModel(files, classifier_).value().origin, CardOrigin::kFile);
  EXPECT_EQ(DescribeModel(files, classifier_, {.use_card_file = false}).value().origin, CardOrigin::kGuess);
}

TEST_F(DescribeModelTest, WhatIsNotClearIsRawAndSaysWhy) {
  struct Case {
    GraphInfo graph;
    const char* reason;
  };
  GraphInfo two = Graph({1, 3, 8, 8}, {{"o", kF32, {1, 5}}});
  two.inputs.push_back(two.inputs[0]);
  const std::vector<Case> cases = {
      {Graph({1, 49, 10, 1}, {{"o", kF32, {1, 12}}}),
       "its input is no picture of three colours or of grey: 1x49x10x1 f32"},
      {Graph({1, 3, 64, 64}, {{"o", kF32, {1, 3, 64, 64}}}), "put a model.yaml beside it"},
      {two, "it has 2 inputs ('in' f32 1x3x8x8, 'in' f32 1x3x8x8)"},
  };
  for (const Case& c : cases) {
    const auto model = DescribeModel({.graph = Write("kws/1/model.onnx", "graph")}, c.graph);
    ASSERT_TRUE(model.ok()) << model.error().message;
    EXPECT_EQ(model.value().card.name, "kws");
    EXPECT_EQ(model.value().card.output.kind, Kind::kRaw);
    EXPECT_THAT(model.value().assumptions, Contains(HasSubstr(c.reason)));
  }
}

}  // namespace
}  // namespace deepedge
