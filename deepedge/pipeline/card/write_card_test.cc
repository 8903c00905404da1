#include "deepedge/pipeline/card/write_card.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace deepedge {
namespace {

using ::testing::HasSubstr;

constexpr auto kF32 = ElementType::kF32;

TEST(ReadInput, WhatTheGraphDoesItselfTellsWhatComesIn) {
  struct Case {
    const char* what;
    InputFacts facts;
    ElementType type;
    ValueRule rule;
  };
  const std::vector<Case> cases = {
      {"nothing known: the format's habit", {}, kF32, kImageNetRgb},
      {"the graph takes ImageNet's mean away",
       {.mean = {123.7F, 116.3F, 103.5F}, .std = {58.4F, 57.1F, 57.4F}},
       kF32,
       kBytes},
      {"the graph scales to -1..1", {.mean = {127.5F}, .std = {127.5F}}, kF32, kBytes},
      {"the graph divides by 255", {.mean = {0}, .std = {255}}, kF32, kBytes},
      {"the graph standardises 0..1", {.mean = {0.485F, 0.456F, 0.406F}, .std = {0.229F, 0.224F, 0.225F}}, kF32, kUnit},
      {"the graph multiplies by 255", {.mean = {0}, .std = {1.0F / 255}}, kF32, kUnit},
      {"quantised for -1..1", {.range = {{-1, 1}}}, kF32, kPlusMinusOne},
      {"quantised for 0..255", {.range = {{0, 255}}}, kF32, kBytes},
      {"bytes", {}, ElementType::kU8, kBytes},
      {"signed bytes", {}, ElementType::kI8, {{128, 128, 128}, {1, 1, 1}}},
  };
  for (const Case& c : cases) {
    GraphInfo graph{.inputs = {{"in", c.type, {1, 3, 224, 224}}}, .outputs = {{"o", kF32, {1, 1000}}}};
    graph.facts.inputs = {c.facts};
    const Evidence evidence = MakeEvidence({.graph = "/x/net.onnx"}, graph, {});
    const PictureInput input = ReadInput(evidence, {}).input;
    EXPECT_EQ((ValueRule{input.mean, input.std}), c.rule) << c.what;
  }
}

TEST(ReadInput, WhatIsSaidComesFirst) {
  GraphInfo graph{.inputs = {{"in", kF32, {1, 3, -1, -1}}}, .outputs = {{"o", kF32, {1, 10}}}};
  Notes notes;
  notes.order = Said<ChannelOrder>{ChannelOrder::kBgr, "model_proc.json"};
  notes.values = Said<ValueRule>{kUnit, "model_proc.json"};
  notes.size = Said<std::array<int, 2>>{{320, 240}, "metadata"};
  const Evidence evidence = MakeEvidence({.graph = "/x/net.onnx"}, graph, notes);
  const InputReading reading = ReadInput(evidence, {.order = ChannelOrder::kRgb, .values = kBytes, .confidence = 0.9});
  EXPECT_EQ(reading.input.order, ChannelOrder::kBgr);
  EXPECT_EQ(reading.input.std[0], 255);
  EXPECT_EQ(reading.input.width, 320);
  EXPECT_EQ(reading.input.height, 240);
  for (const Finding& finding : reading.findings) {
    if (finding.field == "input.color") {
      EXPECT_THAT(ToSentence(finding), HasSubstr("certain: model_proc.json says so"));
    }
  }
}

TEST(ChooseLabels, ListsCountOnlyWhereTheyFit) {
  GraphInfo graph{.inputs = {{"in", kF32, {1, 3, 224, 224}}}, .outputs = {{"o", kF32, {1, 3}}}};
  graph.facts.outputs = {{.operation = "Softmax"}};
  struct Case {
    std::vector<std::string> list;
    std::vector<std::string> labels;
  };
  for (const Case& c : std::vector<Case>{
           {{"a", "b", "c"}, {"a", "b", "c"}}, {{"background", "a", "b", "c"}, {"a", "b", "c"}}, {{"a", "b"}, {}}}) {
    Notes notes;
    notes.labels.push_back({c.list, "labels.txt", 0.9});
    const Evidence evidence = MakeEvidence({.graph = "/x/net.onnx"}, graph, notes);
    EXPECT_EQ(WriteCard(evidence, ProposeAll(evidence).front()).card.labels, c.labels);
  }
}

// Ultralytics' exports for TFLite give boxes in fractions, and whole numbers with a scale.
TEST(WriteCard, TfliteDetectors) {
  struct Case {
    const char* what;
    ModelFormat format;
    const char* name;
    Shape output;
    float largest_place;
    bool normalized;
  };
  for (const Case& c : std::vector<Case>{
           {"v8", ModelFormat::kTflite, "a.tflite", {1, 84, 2100}, 1, true},
           {"v8, quantised constants", ModelFormat::kTflite, "a.tflite", {1, 84, 2100}, 0, true},
           {"v8 of an early version", ModelFormat::kTflite, "a.tflite", {1, 84, 2100}, 39.5F, false},
           {"v5", ModelFormat::kTflite, "a.tflite", {1, 6300, 85}, 39, true},
           {"v5 of TensorFlow", ModelFormat::kTfFrozen, "a.pb", {1, 6300, 85}, 39, true},
           {"v7", ModelFormat::kTflite, "yolov7.tflite", {1, 6300, 85}, 39, false},
           {"ONNX", ModelFormat::kOnnx, "a.onnx", {1, 84, 2100}, 1, false},
       }) {
    GraphInfo graph{.inputs = {{"in", kF32, {1, 320, 320, 3}}}, .outputs = {{"o", ElementType::kI8, c.output}}};
    graph.metadata["tflite.scale.o"] = "0.004 -128";
    graph.facts.outputs = {{.grid_inside = true, .largest_place = c.largest_place}};
    const Evidence evidence = MakeEvidence({.format = c.format, .graph = Path("/x") / c.name}, graph, {});
    const ModelCard card = WriteCard(evidence, ProposeAll(evidence).front()).card;
    EXPECT_EQ(card.output.kind, OutputDecoderKind::kYoloRows) << c.what;
    EXPECT_EQ(card.output.normalized, c.normalized) << c.what;
    EXPECT_FLOAT_EQ(card.output.score_scale, 0.004F);
    EXPECT_FLOAT_EQ(card.output.score_zero, -128);
  }
}

TEST(WriteCard, ScalesThatDifferAreNotTaken) {
  GraphInfo graph{.inputs = {{"in", kF32, {1, 3, 224, 224}}},
                  .outputs = {{"a", ElementType::kU8, {1, 10}}, {"b", ElementType::kU8, {1, 5}}}};
  graph.facts.outputs = {{.operation = "Softmax"}, {.operation = "Softmax"}};
  for (const char* other : {"0.5 3", "0.25 3", "x"}) {
    graph.metadata = {{"tflite.scale.a", "0.5 3"}, {"tflite.scale.b", other}};
    const Evidence evidence = MakeEvidence({.graph = "/x/net.tflite"}, graph, {});
    const ModelCard card = WriteCard(evidence, ProposeAll(evidence).front()).card;
    EXPECT_EQ(card.output.score_scale, std::string(other) == "0.5 3" ? 0.5F : 1.0F) << other;
  }
}

// Yolo-FastestV2 in one table has YOLOX's form, but its classes go through a softmax.
TEST(ProposeAll, SoftmaxIsNotYoloxs) {
  GraphInfo graph{.inputs = {{"in", kF32, {1, 3, 352, 352}}}, .outputs = {{"o", kF32, {605, 95}}}};
  graph.facts.outputs = {
      {.parts = {{.columns = 12, .sigmoid = true}, {.columns = 3, .sigmoid = true}, {.columns = 80, .softmax = true}}}};
  for (const Proposal& proposal : ProposeAll(MakeEvidence({.graph = "/x/net.onnx"}, graph, {}))) {
    EXPECT_NE(proposal.output.kind, OutputDecoderKind::kYolox) << proposal.reason;
  }
}

}  // namespace
}  // namespace deepedge
