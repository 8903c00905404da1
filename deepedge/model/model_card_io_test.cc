#include "deepedge/model/model_card_io.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "deepedge/model/catalogue.h"

namespace deepedge {
namespace {

using ::testing::HasSubstr;

Result<std::string> NoLabelFile(const std::string& name) {
  return Error{ErrorCode::kNotFound, name + ": no such file"};
}

Result<ModelCard> Parse(const std::string& text) { return ParseModelCard(text, "model.yaml", NoLabelFile); }

TEST(ModelCardIo, ReadsEveryField) {
  const auto card = Parse(R"(
name: all
task: detection
licence: MIT
source: https://example.org/x
sha256: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
threshold: 0.25
labels: [a, "1", 'null']
input:
  tensor: data
  layout: nhwc
  width: 320
  height: 240
  color: bgr
  mean: [1, 2, 3.5]
  std: 128
  resize: letterbox_centered
  pad: 7
output:
  decoder: ssd_anchors
  boxes: b
  scores: s
  classes: c
  count: n
  sigmoid: true
  background: 0
  label_offset: 1
  normalized: false
  variances: [1, 2, 3, 4]
  linear_offsets: true
  yx_order: true
  keypoints: 6
  anchors:
    - { columns: 4, rows: 3, step: [0.25, 0.3], sizes: [[0.1, 0.2], [0.3, 0.4]] }
  strides: [4]
  nms_iou: 0.3
  nms_per_label: false
  top_k: 9
  score_scale: 0.5
  score_zero: -128
)");
  ASSERT_TRUE(card.ok()) << card.error().message;
  const ModelCard& c = card.value();
  EXPECT_EQ(c.name, "all");
  EXPECT_EQ(c.labels, (std::vector<std::string>{"a", "1", "null"}));
  EXPECT_EQ(c.input, (PictureInput{.tensor = "data",
                                   .layout = TensorLayout::kNhwc,
                                   .width = 320,
                                   .height = 240,
                                   .order = ChannelOrder::kBgr,
                                   .mean = {1, 2, 3.5F},
                                   .std = {128, 128, 128},
                                   .resize = ResizeRule::kLetterboxCentered,
                                   .pad = 7}));
  const OutputDecoderSpec expected{.kind = OutputDecoderKind::kSsdAnchors,
                                   .boxes = "b",
                                   .scores = "s",
                                   .classes = "c",
                                   .count = "n",
                                   .sigmoid = true,
                                   .background = 0,
                                   .label_offset = 1,
                                   .normalized = false,
                                   .variances = {1, 2, 3, 4},
                                   .linear_offsets = true,
                                   .yx_order = true,
                                   .keypoints = 6,
                                   .anchors = {{4, 3, {{0.1F, 0.2F}, {0.3F, 0.4F}}, {0.25F, 0.3F}}},
                                   .strides = {4},
                                   .nms_iou = 0.3F,
                                   .nms_per_label = false,
                                   .top_k = 9,
                                   .score_scale = 0.5F,
                                   .score_zero = -128};
  EXPECT_EQ(c.output, expected);
  EXPECT_EQ(c.threshold, 0.25F);
  EXPECT_EQ(Parse(ToYaml(c)).value(), c);
}

TEST(ModelCardIo, ReadsAndWritesTheFormOfHeadsRowsAndMaps) {
  const auto card = Parse(R"(
input: { width: 320, height: 320 }
output:
  decoder: yolo_anchors
  landmarks: l
  quality: q
  offsets: o
  pafs: p
  tensor: t
  heads:
    - { stride: 8, anchors: [[10, 13], [16.5, 30]] }
    - { boxes: b, scores: s, quality: q, landmarks: l, anchors: [[1, 2]] }
  class_heads: [{ name: gender, tensor: prob, classes: 2 }, { name: "1", classes: 3 }]
  values: [{ name: age, tensor: a, index: 1, scale: 100, offset: -3, unit: years }]
  objectness: true
  box_form: corner_size
  keypoint_size: 3
  keypoints_first: true
  ignored_columns: 32
  columns: [cx, cy, w, h, score, class, ignored, x1, y1, x2, y2]
  box_rule: square
  scale_xy: 1.05
  activated: true
  shared_classes: true
  bins: 8
  distances_in_pixels: true
  cell_offset: 0
  boxes_first: true
  boxes_per_cell: 2
  log_sizes: true
  l2_normalize: true
  class_ids: true
  map_threshold: 0.2
  unclip: 2
  rotated: false
  point_names: [nose, "y"]
  limbs: [[1, 2], [3, 4, 30, 31]]
)");
  ASSERT_TRUE(card.ok()) << card.error().message;
  const OutputDecoderSpec& o = card.value().output;
  EXPECT_EQ(o.heads, (std::vector<OutputHead>{
                         {.stride = 8, .anchors = {{10, 13}, {16.5F, 30}}},
                         {.boxes = "b", .scores = "s", .quality = "q", .landmarks = "l", .anchors = {{1, 2}}}}));
  EXPECT_EQ(o.class_heads,
            (std::vector<ClassHead>{{.name = "gender", .tensor = "prob", .classes = 2}, {.name = "1", .classes = 3}}));
  EXPECT_EQ(o.values, (std::vector<ValueSpec>{
                          {.name = "age", .tensor = "a", .index = 1, .scale = 100, .offset = -3, .unit = "years"}}));
  EXPECT_EQ(o.columns.size(), 11U);
  EXPECT_EQ(o.columns[0], RowColumn::kCenterX);
  EXPECT_EQ(o.columns[10], RowColumn::kY2);
  EXPECT_EQ(o.box_form, BoxForm::kCornerSize);
  EXPECT_EQ(o.box_rule, YoloBoxRule::kSquare);
  EXPECT_EQ(o.cell_offset, 0.0F);
  EXPECT_EQ(o.point_names, (std::vector<std::string>{"nose", "y"}));
  EXPECT_EQ(o.limbs, (std::vector<Limb>{{1, 2, 0, 1}, {3, 4, 30, 31}}));
  EXPECT_TRUE(o.objectness && o.keypoints_first && o.activated && o.shared_classes && o.distances_in_pixels &&
              o.boxes_first);
  EXPECT_TRUE(o.log_sizes && o.l2_normalize && o.class_ids && !o.rotated);
  EXPECT_EQ(Parse(ToYaml(card.value())).value(), card.value()) << ToYaml(card.value());
}

TEST(ModelCardIo, WritesWhatItReadsForTheWholeCatalogue) {
  const auto cards = CatalogueCards();
  ASSERT_TRUE(cards.ok()) << cards.error().message;
  for (const ModelCard& card : cards.value()) {
    const auto again = Parse(ToYaml(card));
    ASSERT_TRUE(again.ok()) << again.error().message << ToYaml(card);
    EXPECT_EQ(again.value(), card) << ToYaml(card);
  }
}

TEST(ModelCardIo, NamesFileLinePathAndWhatIsAllowed) {
  struct Case {
    const char* yaml;
    const char* message;
  };
  const Case cases[] = {
      {"output: { decoder: raw }\nnmae: x\n", "model.yaml:2: nmae: unknown key; allowed: name, licence"},
      {"output: { decoder: raw }\ninput:\n  layout: chwn\n",
       "model.yaml:3: input.layout: \"chwn\" is not known; allowed: nchw, nhwc"},
      {"output: { decoder: raw }\ninput: { width: wide }\n",
       "model.yaml:2: input.width: expected a whole number from 1 to 16384"},
      {"output: { decoder: raw }\ninput: { width: 2.5 }\n", "input.width: expected a whole number"},
      {"output: { decoder: raw }\ninput: { mean: [1, 2] }\n", "input.mean: expected a list of 3 numbers"},
      {"output: { decoder: raw }\ninput: { std: [1, 0, 1] }\n", "input.std[1]: expected a number from 1e-06"},
      {"output: { decoder: raw }\ninput: { pad: 256 }\n", "input.pad: expected a whole number from 0 to 255"},
      {"output: { decoder: raw }\ninput: 3\n", "model.yaml:2: input: expected a table"},
      {"output: { decoder: raw }\nthreshold: .nan\n", "threshold: expected a number from 0 to 1"},
      {"output: { decoder: raw }\nname: [a]\n", "name: expected text"},
      {"output: { decoder: raw }\nname: a\nname: b\n", "model.yaml:3: the key 'name' was already written in line 2"},
      {"output: { decoder: raw }\nlabels: a\n", "labels: expected a list of texts"},
      {"output: { decoder: raw }\nlabels: [{a: b}]\n", "labels[0]: expected text"},
      {"output: { decoder: raw }\nsha256: xyz\n", "sha256: expected 64 hexadecimal digits"},
      {"output: { decoder: raw }\ntask: pose\n", "task: 'pose' does not go with decoder raw; allowed: raw"},
      {"output: { decoder: raw }\nlabels_file: ../../etc/passwd\n", "expected the name of a file beside the card"},
      {"output: { decoder: raw }\nlabels_file: l.txt\n", "model.yaml:2: labels_file: l.txt: no such file"},
      {"output: { decoder: raw }\nlabels: [a]\nlabels_file: l.txt\n", "exclude each other"},
      {"output: { decoder: pose }\n", "input: width and height are missing"},
      {"name: x\n", "output: is missing"},
      {"output: { top_k: 3 }\n", "output.decoder: is missing"},
      {"output: { decoder: yolo99 }\n", "allowed: raw, ssd, ssd_anchors, boxes_scores, detections, yolox"},
      {"output: { decoder: raw, sigmoid: yes }\n", "output.sigmoid: expected true or false"},
      {"output: { decoder: raw, sigmoid: true, softmax: true }\n", "output.softmax: sigmoid and softmax exclude"},
      {"output: { decoder: raw, background: 0 }\n", "say label_offset: 1"},
      {"output: { decoder: raw, strides: [8, 0] }\n", "output.strides[1]: expected a whole number from 1"},
      {"output: { decoder: ssd_anchors }\n", "ssd_anchors needs one of anchors and anchor_rule"},
      {"output: { decoder: ssd_anchors, anchors: [{columns: 3, sizes: [[1, 1]]}] }\n",
       "output.anchors[0].rows: is missing"},
      {"output: { decoder: ssd_anchors, anchors: [{columns: 3, rows: 3, sizes: [1]}] }\n",
       "output.anchors[0].sizes[0]: expected [width, height]"},
      {"output: { decoder: ssd_anchors, anchor_rule: {} }\n", "output.anchor_rule.strides: is missing"},
      {"output: { decoder: yolo_anchors }\n", "output.heads: yolo_anchors needs heads, each with anchors"},
      {"output: { decoder: yolo_anchors, heads: [{stride: 8}] }\n", "output.heads: yolo_anchors needs heads"},
      {"output: { decoder: dfl, heads: [{scores: s}] }\n", "output.heads[0].stride: stride or boxes"},
      {"output: { decoder: raw, columns: [x3] }\n", "output.columns[0]: \"x3\" is not known; allowed: x1, y1"},
      {"output: { decoder: raw, limbs: [[1]] }\n", "output.limbs[0]: expected [from, to]"},
      {"output: { decoder: raw, values: [{index: 1}] }\n", "output.values[0].name: is missing"},
      {"output: { decoder: raw, class_heads: [{name: a}] }\n", "output.class_heads[0].classes: is missing"},
      {"output: { decoder: raw, bins: 0 }\n", "output.bins: expected a whole number from 1"},
      {"output: { decoder: window, window: 12 }\n", "output.window: window and stride go together"},
      {"input: { width: 9, height: 9, pyramid: 0.5 }\noutput: { decoder: window }\n", "input: pyramid needs"},
      {"input: { width: 9, height: 9, pyramid: 1 }\noutput: { decoder: raw }\n",
       "input.pyramid: expected a number from"},
      {"input: { width: 9, height: 9, patches: 2 }\noutput: { decoder: patch_points }\n",
       "input.patches: patches and patch_size go together"},
      {"input: { width: 9, height: 9 }\noutput: { decoder: patch_points }\n", "input: patches and the decoder"},
      {"output: [\n", "model.yaml:"},
      {"[a]\n", "expected a table of keys and values"},
      {"output: { decoder: raw }\nlabels: [a, 1]\n", "labels[1]: expected text, in quotes"},
      {"output: { decoder: raw, top_k: 0, nms_iou: 2 }\nnmae: x\n",
       "expected a whole number from 1 to 100000\nmodel.yaml:2: nmae"},
      {"", "output: is missing"},
  };
  for (const Case& c : cases) {
    const auto card = Parse(c.yaml);
    ASSERT_FALSE(card.ok()) << c.yaml;
    EXPECT_EQ(card.error().code, ErrorCode::kBadInput);
    EXPECT_THAT(card.error().message, HasSubstr(c.message)) << c.yaml;
  }
}

TEST(ModelCardIo, ReadsAndWritesWindowsPyramidsAndPatches) {
  const auto windows = Parse(R"(
input: { width: 640, height: 360, pyramid: 0.709 }
output: { decoder: window, offsets: o, window: 12, stride: 2, merge_iou: 0.6 }
)");
  ASSERT_TRUE(windows.ok()) << windows.error().message;
  EXPECT_EQ(windows.value().task, "detection");
  EXPECT_FLOAT_EQ(windows.value().input.pyramid, 0.709F);
  EXPECT_EQ(windows.value().output.window, 12);
  EXPECT_EQ(windows.value().output.stride, 2);
  EXPECT_FLOAT_EQ(windows.value().output.merge_iou, 0.6F);
  EXPECT_EQ(Parse(ToYaml(windows.value())).value(), windows.value());
  const auto patches = Parse(R"(
input: { width: 24, height: 24, patches: 5, patch_size: 0.25 }
output: { decoder: patch_points, tensors: [a, "1"], max_move: 0.3 }
)");
  ASSERT_TRUE(patches.ok()) << patches.error().message;
  EXPECT_EQ(patches.value().task, "pose");
  EXPECT_EQ(patches.value().input.Parts(), 5);
  EXPECT_EQ(patches.value().output.tensors, (std::vector<std::string>{"a", "1"}));
  EXPECT_EQ(Parse(ToYaml(patches.value())).value(), patches.value());
}

TEST(ModelCardIo, ReadsLabelsBesideTheCard) {
  auto folder = TemporaryFolder::Create("de_card_test");
  ASSERT_TRUE(folder.ok());
  const Path path = folder.value().path() / "model.yaml";
  ASSERT_TRUE(WriteFileAtomically(folder.value().path() / "l.txt", "cat\r\ndog, big\n\n").ok());
  ASSERT_TRUE(WriteFileAtomically(path, "labels_file: l.txt\noutput: { decoder: raw }\n").ok());
  const auto card = LoadModelCard(path);
  ASSERT_TRUE(card.ok()) << card.error().message;
  EXPECT_EQ(card.value().labels, (std::vector<std::string>{"cat", "dog, big"}));
  EXPECT_EQ(card.value().LabelOf(1), "dog, big");
  EXPECT_EQ(card.value().LabelOf(2), "class 2");
  EXPECT_EQ(card.value().LabelOf(-1), "class -1");
  EXPECT_EQ(LoadModelCard(folder.value().path() / "none.yaml").error().code, ErrorCode::kNotFound);
}

TEST(ModelCardIo, EndlessNestingIsAnErrorAndNoCrash) {
  EXPECT_FALSE(Parse(std::string(100'000, '[')).ok());
  EXPECT_FALSE(Parse(std::string(100'000, '{')).ok());
}

TEST(ModelCardIo, ALabelFileInLatin1IsReadAsSuch) {
  const auto card = ParseModelCard("labels_file: l.txt\noutput: { decoder: raw }\n", "model.yaml",
                                   [](const std::string&) -> Result<std::string> { return std::string("caf\xE9\nb"); });
  ASSERT_TRUE(card.ok()) << card.error().message;
  EXPECT_EQ(card.value().labels, (std::vector<std::string>{"caf\xC3\xA9", "b"}));
  EXPECT_EQ(Parse(ToYaml(card.value())).value(), card.value());
}

}  // namespace
}  // namespace deepedge
