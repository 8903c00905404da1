// The four networks of MTCNN, whose shapes are the same in every format, and what is none of them.
#include <gtest/gtest.h>

#include "deepedge/pipeline/card/write_card.h"
#include "deepedge/pipeline/post/output_decoder.h"

namespace deepedge {
namespace {

using Kind = OutputDecoderKind;

struct Output {
  const char* name;
  Shape shape;
  const char* operation = "Add";
};

// The card of a Caffe network with these tensors, checked to fit them.
ModelCard CardOf(const Shape& input, const std::vector<Output>& outputs) {
  GraphInfo graph{.inputs = {{"data", ElementType::kF32, input}}};
  for (const Output& output : outputs) {
    graph.outputs.push_back({output.name, ElementType::kF32, output.shape});
    graph.facts.outputs.push_back({.operation = output.operation});
  }
  const ModelFiles files{.format = ModelFormat::kCaffe, .graph = "/models/x/net.prototxt"};
  const Evidence evidence = MakeEvidence(files, graph, {});
  const std::vector<Proposal> proposals = ProposeAll(evidence);
  if (proposals.empty()) return {};
  const ModelCard card = WriteCard(evidence, proposals.front()).card;
  const auto decoder = MakeOutputDecoder(card, graph.outputs);
  EXPECT_TRUE(decoder.ok()) << (decoder.ok() ? "" : decoder.error().message);
  return card;
}

void ExpectFaces(const ModelCard& card) {
  EXPECT_EQ(card.output.kind, Kind::kWindow);
  EXPECT_EQ(card.labels, std::vector<std::string>{"face"});
  EXPECT_EQ(card.output.background, 0);
  EXPECT_EQ(card.output.scores, "prob1");
  EXPECT_TRUE(card.input.transposed);
  EXPECT_EQ(card.input.order, ChannelOrder::kRgb);
}

TEST(WindowFamilies, TheFirstNetworkSlidesOverPicturesOfSeveralSizes) {
  const ModelCard card = CardOf({1, 3, 12, 12}, {{"conv4-2", {1, 4, 1, 1}}, {"prob1", {1, 2, 1, 1}, "Softmax"}});
  ExpectFaces(card);
  EXPECT_EQ(card.output.window, 12);
  EXPECT_EQ(card.output.stride, 2);
  EXPECT_FLOAT_EQ(card.input.pyramid, 0.709F);
  EXPECT_EQ(card.input.width, 640);
  EXPECT_FLOAT_EQ(card.threshold, 0.6F);
}

TEST(WindowFamilies, TheSecondAndThirdJudgeOneWindow) {
  const ModelCard second = CardOf({1, 3, 24, 24}, {{"conv5-2", {1, 4}}, {"prob1", {1, 2}, "Softmax"}});
  ExpectFaces(second);
  EXPECT_EQ(second.output.window, 0);
  EXPECT_EQ(second.input.width, 24);
  EXPECT_EQ(second.output.keypoints, 0);
  EXPECT_FLOAT_EQ(second.threshold, 0.7F);
  const ModelCard third =
      CardOf({1, 3, 48, 48}, {{"conv6-2", {1, 4}}, {"conv6-3", {1, 10}}, {"prob1", {1, 2}, "Softmax"}});
  ExpectFaces(third);
  EXPECT_EQ(third.output.keypoints, 5);
  EXPECT_EQ(third.output.landmarks, "conv6-3");
}

TEST(WindowFamilies, TheFourthLooksAtPatches) {
  const ModelCard card = CardOf(
      {1, 15, 24, 24}, {{"fc5_2", {1, 2}}, {"fc5_1", {1, 2}}, {"fc5_3", {1, 2}}, {"fc5_4", {1, 2}}, {"fc5_5", {1, 2}}});
  EXPECT_EQ(card.output.kind, Kind::kPatchPoints);
  EXPECT_EQ(card.input.patches, 5);
  EXPECT_FLOAT_EQ(card.input.patch_size, 0.25F);
  EXPECT_EQ(card.output.tensors.front(), "fc5_1");
  EXPECT_TRUE(card.input.transposed);
}

TEST(WindowFamilies, OtherNetworksOfTheseSizesAreNone) {
  EXPECT_NE(CardOf({1, 3, 32, 32}, {{"b", {1, 4}}, {"p", {1, 2}, "Softmax"}}).output.kind, Kind::kWindow);
  EXPECT_NE(CardOf({1, 3, 24, 24}, {{"p", {1, 2}, "Softmax"}}).output.kind, Kind::kWindow);
  EXPECT_EQ(CardOf({1, 15, 24, 24}, {{"o", {1, 10}}}).input.patches, 0);
  EXPECT_EQ(CardOf({1, 15, 24, 24}, {{"o", {1, 2}}}).input.patches, 0);
}

}  // namespace
}  // namespace deepedge
