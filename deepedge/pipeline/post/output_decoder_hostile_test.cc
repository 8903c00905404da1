// Tensors that do not fit the card, and numbers that no honest network gives.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "deepedge/model/model_card_io.h"
#include "deepedge/pipeline/post/decoder_test_util.h"

namespace deepedge {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using Kind = OutputDecoderKind;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

struct DecoderCase {
  ModelCard card;
  std::vector<Shape> shapes;
};

// Grids of 6x4 cells, so that rows, columns and numbers cannot be taken for each other.
ModelCard Wide(Kind kind) {
  ModelCard card = Card(kind, 96, 64, {"a", "b"});
  card.output.strides = {16};
  return card;
}

void AddYolo(std::vector<DecoderCase>* all) {
  ModelCard card = Wide(Kind::kYoloAnchors);
  card.output.heads = {{.stride = 16, .anchors = {{10, 20}, {30, 5}}}};
  card.output.objectness = true;
  all->push_back({card, {{1, 14, 4, 6}}});
  card.output.box_rule = YoloBoxRule::kSquare;
  all->push_back({card, {{1, 4, 6, 14}}});
  card.output.softmax = true;
  all->push_back({card, {{1, 2, 7, 4, 6}}});
  card.output.activated = true;
  all->push_back({card, {{1, 2, 4, 6, 7}}});
  card.output.activated = false;
  card.labels = {"a"};
  all->push_back({card, {{1, 10, 4, 6}}});
  card.labels = {"a", "b"};
  card.output.shared_classes = true;
  all->push_back({card, {{1, 12, 4, 6}}});
  ModelCard rows = Wide(Kind::kYoloRows);
  all->push_back({rows, {{1, 30, 6}}});
  rows.output.objectness = true;
  rows.output.sigmoid = true;
  rows.output.keypoints = 2;
  rows.output.keypoint_size = 3;
  all->push_back({rows, {{1, 13, 30}}});
  rows.output.keypoints_first = true;
  rows.labels = {"a"};
  rows.output.ignored_columns = 3;
  all->push_back({rows, {{1, 30, 14}}});
  ModelCard detections = Wide(Kind::kDetectionRows);
  all->push_back({detections, {{1, 20, 6}}});
  detections.output.columns = {RowColumn::kIgnored, RowColumn::kClass, RowColumn::kScore, RowColumn::kCenterX,
                               RowColumn::kCenterY, RowColumn::kWidth, RowColumn::kHeight};
  detections.output.count = "t1";
  detections.output.keypoints = 1;
  all->push_back({detections, {{20, 9}, {1}}});
}

void AddGrids(std::vector<DecoderCase>* all) {
  ModelCard dfl = Wide(Kind::kDfl);
  dfl.output.bins = 4;
  all->push_back({dfl, {{1, 24, 18}}});
  dfl.output.sigmoid = true;
  all->push_back({dfl, {{1, 2, 4, 6}, {1, 16, 4, 6}}});
  ModelCard distances = Wide(Kind::kDfl);
  distances.output.objectness = true;
  distances.output.keypoints = 5;
  distances.output.boxes_per_cell = 2;
  all->push_back({distances, {{48, 2}, {48, 4}, {48, 1}, {48, 10}}});
  ModelCard fastest = Wide(Kind::kFastestGrid);
  all->push_back({fastest, {{1, 7, 4, 6}}});
  fastest.output.sigmoid = true;
  all->push_back({fastest, {{1, 7, 4, 6}}});
  ModelCard yunet = Wide(Kind::kYunet);
  yunet.output.heads = {{.stride = 16, .boxes = "t0", .scores = "t1", .quality = "t2", .landmarks = "t3"}};
  all->push_back({yunet, {{1, 24, 4}, {1, 24, 1}, {1, 24, 1}, {1, 24, 10}}});
  ModelCard old = Card(Kind::kYunet, 64, 64, {"face"});
  old.output.background = 0;
  old.output.label_offset = 1;
  old.output.keypoints = 5;
  old.output.anchors = {{.columns = 3, .rows = 3, .sizes = {{0.2F, 0.4F}}}};
  all->push_back({old, {{1, 9, 14}, {1, 9, 2}, {1, 9, 1}}});
  ModelCard retina = Card(Kind::kSsdAnchors, 64, 64, {"a", "b"});
  retina.output.anchors = old.output.anchors;
  retina.output.keypoints = 5;
  all->push_back({retina, {{1, 9, 4}, {1, 9, 2}, {1, 9, 10}}});
  ModelCard centre = Card(Kind::kBoxesScores, 64, 64, {"a", "b"});
  centre.output.box_form = BoxForm::kCenterSize;
  all->push_back({centre, {{1, 9, 4}, {1, 9, 2}}});
  ModelCard centernet = Wide(Kind::kCenternet);
  centernet.output.scores = "t0";
  centernet.output.boxes = "t1";
  centernet.output.offsets = "t2";
  all->push_back({centernet, {{1, 2, 4, 6}, {1, 2, 4, 6}, {1, 2, 4, 6}}});
  centernet.output.sigmoid = true;
  centernet.output.log_sizes = true;
  centernet.output.keypoints = 5;
  all->push_back({centernet, {{1, 2, 4, 6}, {1, 2, 4, 6}, {1, 2, 4, 6}, {1, 10, 4, 6}}});
}

void AddMaps(std::vector<DecoderCase>* all) {
  ModelCard pose = Card(Kind::kHeatmapPose, 64, 64, {"a", "b", "c"});
  all->push_back({pose, {{1, 3, 8, 9}}});
  pose.output.tensor = "t0";
  pose.output.pafs = "t1";
  pose.output.point_names = {"x", "y", "z"};
  pose.output.limbs = {{0, 1, 0, 1}, {1, 2, 2, 3}};
  all->push_back({pose, {{1, 4, 8, 9}, {1, 4, 8, 9}}});
  all->push_back({Card(Kind::kPose, 64, 64, {}), {{1, 6, 56}}});
  ModelCard mask = Card(Kind::kSegmentation, 64, 64, {"a", "b"});
  mask.output.background = 0;
  mask.output.label_offset = 1;
  all->push_back({mask, {{1, 3, 8, 9}}});
  mask.output.class_ids = true;
  all->push_back({mask, {{1, 8, 9}}});
  ModelCard one = Card(Kind::kSegmentation, 64, 64, {"a"});
  one.output.sigmoid = true;
  all->push_back({one, {{1, 8, 9, 1}}});
  ModelCard text = Card(Kind::kTextMap, 64, 64, {});
  all->push_back({text, {{1, 1, 30, 40}}});
  text.output.sigmoid = true;
  text.output.rotated = false;
  all->push_back({text, {{1, 30, 40, 1}}});
}

void AddWindows(std::vector<DecoderCase>* all) {
  ModelCard window = Card(Kind::kWindow, 24, 24, {"a", "b"});
  window.output.background = 0;
  window.output.label_offset = 1;
  window.output.offsets = "t1";
  window.output.keypoints = 2;
  window.output.landmarks = "t2";
  all->push_back({window, {{1, 3}, {1, 4}, {1, 4}}});
  window.input.transposed = true;
  window.output.window = 12;
  window.output.stride = 2;
  all->push_back({window, {{1, 3, 7, 6}, {1, 4, 7, 6}, {1, 4, 7, 6}}});
  ModelCard patches = Card(Kind::kPatchPoints, 24, 24, {});
  patches.input.patches = 3;
  all->push_back({patches, {{1, 2}, {2}, {1, 2, 1, 1}}});
}

void AddNewerDecoders(std::vector<DecoderCase>* all) {
  AddWindows(all);
  AddYolo(all);
  AddGrids(all);
  AddMaps(all);
  ModelCard heads = Card(Kind::kClassification, 64, 64, {"a", "b", "c", "d", "e"});
  heads.output.class_heads = {{.name = "x", .classes = 2}, {.name = "y", .classes = 3}};
  heads.output.values = {{.name = "age", .scale = 100}};
  all->push_back({heads, {{1, 2, 1, 1}, {1, 1, 1, 3}, {1, 1}}});
  all->push_back({Card(Kind::kEmbedding, 64, 64, {}), {{1, 7}}});
  ModelCard unit = Card(Kind::kEmbedding, 64, 64, {});
  unit.output.l2_normalize = true;
  all->push_back({unit, {{1, 7, 1, 1}}});
  all->push_back({Card(Kind::kRegression, 64, 64, {"yaw", "pitch"}), {{1, 2}}});
}

std::vector<DecoderCase> AllDecoders() {
  std::vector<DecoderCase> all;
  all.push_back({Card(Kind::kYolox, 64, 64, {"a", "b"}), {{1, 84, 7}}});
  all.push_back({Card(Kind::kSsd, 64, 64, {"a", "b"}), {{1, 1, 20, 7}}});
  ModelCard anchors = Card(Kind::kSsdAnchors, 64, 64, {"a", "b"});
  anchors.output.anchors = {{.columns = 3, .rows = 3, .sizes = {{0.2F, 0.4F}}}};
  anchors.output.keypoints = 1;
  all.push_back({anchors, {{1, 9, 6}, {1, 9, 2}}});
  anchors.output.sigmoid = true;
  anchors.output.linear_offsets = true;
  all.push_back({anchors, {{1, 9, 6}, {1, 9, 2}}});
  anchors.output.sigmoid = false;
  anchors.output.softmax = true;
  all.push_back({anchors, {{1, 9, 6}, {1, 9, 2}}});
  all.push_back({Card(Kind::kBoxesScores, 64, 64, {"a", "b"}), {{1, 9, 4}, {1, 9, 2}}});
  all.push_back({Card(Kind::kDetections, 64, 64, {"a", "b"}), {{1, 9, 4}, {1, 9}, {1, 9}, {1}}});
  ModelCard classes = Card(Kind::kClassification, 64, 64, {"a", "b", "c"});
  all.push_back({classes, {{1, 3}}});
  classes.output.softmax = true;
  all.push_back({classes, {{1, 3}}});
  all.push_back({Card(Kind::kPose, 64, 64, {"a", "b"}), {{1, 1, 2, 3}}});
  AddNewerDecoders(&all);
  return all;
}

void ExpectHonestParts(const InferenceResult& seen) {
  for (const float value : seen.embedding) EXPECT_TRUE(std::isfinite(value));
  for (const NamedNumber& value : seen.values) EXPECT_TRUE(std::isfinite(value.value));
  for (const TextRegion& region : seen.text) {
    EXPECT_TRUE(std::isfinite(region.score));
    for (const Point& p : region.corners) EXPECT_TRUE(p.x >= 0 && p.x <= 1 && p.y >= 0 && p.y <= 1);
  }
  int64_t cells = 0;
  for (const MaskRun& run : seen.mask.runs) {
    cells += run.length;
    EXPECT_TRUE(run.length > 0 && run.label >= -1 && run.label < 3);
  }
  EXPECT_EQ(cells, int64_t{seen.mask.width} * seen.mask.height);
}

// `reach`: how far boxes may lie outside of the picture.
void ExpectHonest(const InferenceResult& seen, float threshold, float reach) {
  for (const DetectedObject& o : seen.objects) {
    EXPECT_TRUE(o.score >= threshold && std::isfinite(o.score));
    EXPECT_TRUE(o.box.x1 >= -reach && o.box.y1 >= -reach && o.box.x2 <= 1 + reach && o.box.y2 <= 1 + reach);
    EXPECT_TRUE(o.box.x1 < o.box.x2 && o.box.y1 < o.box.y2);
    EXPECT_GE(o.label, 0);
    for (const Keypoint& k : o.keypoints) EXPECT_TRUE(std::isfinite(k.point.x) && std::isfinite(k.point.y));
  }
  for (const ClassScore& c : seen.classes) EXPECT_TRUE(std::isfinite(c.score) && c.label >= 0);
  for (const Keypoint& k : seen.keypoints) {
    EXPECT_TRUE(k.point.x >= 0 && k.point.x <= 1 && k.point.y >= 0 && k.point.y <= 1 && std::isfinite(k.score));
  }
  ExpectHonestParts(seen);
}

TEST(HostileNumbers, AreNeverReported) {
  const std::vector<float> odd = {kNan,  kInf,   -kInf, 0.0F,   -0.0F, 1.0F, 0.5F,   -1.0F, 1e30F,
                                  3e38F, -3e38F, 1e9F,  1e-40F, 88.0F, 2.0F, 0.999F, 7.0F};
  std::mt19937 random(1);
  std::uniform_int_distribution<size_t> pick(0, odd.size() - 1);
  for (const DecoderCase& setup : AllDecoders()) {
    for (int round = 0; round < 300; ++round) {
      std::vector<NamedTensor> tensors;
      for (size_t i = 0; i < setup.shapes.size(); ++i) {
        std::vector<float> values(static_cast<size_t>(ElementCount(setup.shapes[i])));
        for (float& value : values) value = odd[pick(random)];
        tensors.push_back({"t" + std::to_string(i), Floats(setup.shapes[i], values)});
      }
      const auto seen = DecodeAll(setup.card, tensors, Whole(setup.card));
      ASSERT_TRUE(seen.ok()) << seen.error().message;
      ExpectHonest(seen.value(), setup.card.threshold, setup.card.output.kind == Kind::kWindow ? 4 : 0);
    }
  }
}

TEST(HostileNumbers, AllNanOrInfiniteFindsNothing) {
  for (const DecoderCase& setup : AllDecoders()) {
    for (const float value : {kNan, kInf, -kInf}) {
      std::vector<NamedTensor> tensors;
      for (size_t i = 0; i < setup.shapes.size(); ++i) {
        const auto count = static_cast<size_t>(ElementCount(setup.shapes[i]));
        tensors.push_back({"t" + std::to_string(i), Floats(setup.shapes[i], std::vector<float>(count, value))});
      }
      const auto seen = DecodeAll(setup.card, tensors, Whole(setup.card));
      ASSERT_TRUE(seen.ok()) << seen.error().message;
      EXPECT_TRUE(seen.value().objects.empty()) << ToString(setup.card.output.kind) << " " << value;
      EXPECT_TRUE(seen.value().classes.empty());
      for (const Keypoint& k : seen.value().keypoints) EXPECT_EQ(k.score, 0.0F);
      EXPECT_TRUE(seen.value().embedding.empty() && seen.value().text.empty() && seen.value().values.empty());
      EXPECT_TRUE(seen.value().mask.shares.empty());
    }
  }
}

TEST(WrongShapes, AreNamedAtCreationWithWhatIsExpected) {
  struct Case {
    ModelCard card;
    std::vector<TensorSpec> outputs;
    std::string message;
  };
  ModelCard named = Card(Kind::kYolox, 416, 416, {"a"});
  named.output.boxes = "out";
  ModelCard face = Card(Kind::kBoxesScores, 320, 240, {"face"});
  face.output.background = 0;
  face.output.label_offset = 1;
  ModelCard anchors = Card(Kind::kSsdAnchors, 300, 300, {"a"});
  anchors.output.anchors = {{.columns = 3, .rows = 3, .sizes = {{0.2F, 0.4F}}}};
  ModelCard none = Card(Kind::kSsdAnchors, 300, 300, {"a"});
  const auto f32 = ElementType::kF32;
  const std::vector<Case> cases = {
      {Card(Kind::kYolox, 416, 416, {"a"}),
       {{"o", f32, {1, 3549, 85}}},
       "model 'm': no output holds the boxes: expected 3549 rows (the grids of a 416x416 input) of 6 numbers (box, "
       "objectness, classes); there are: 'o' 1x3549x85 f32"},
      {named, {{"out", f32, {1, 3000, 6}}}, "model 'm': output 'out' 1x3000x6 f32: expected 3549 rows"},
      {named, {{"o", f32, {1, 3549, 6}}}, "expected one called 'out'; there are: 'o' 1x3549x6 f32"},
      {Card(Kind::kSsd, 1, 1, {}), {{"o", f32, {1, 1, 200, 6}}}, "rows of 7 numbers (image, label, score"},
      {face, {{"b", f32, {1, 4420, 4}}, {"s", f32, {1, 4420, 3}}}, "expected 4420 rows of 2 class scores"},
      {face,
       {{"b", f32, {1, 4420, 4}}, {"c", f32, {1, 4420, 4}}},
       "outputs 'b' and 'c' could both hold the boxes; name one in the card (output.boxes)"},
      {anchors, {{"b", f32, {1, 8, 4}}, {"s", f32, {1, 8, 1}}}, "expected 9 rows of 4 numbers"},
      {none, {{"b", f32, {1, 8, 4}}}, "the card gives 0 anchors"},
      {Card(Kind::kClassification, 1, 1, {"a", "b"}), {{"p", f32, {1, 3}}}, "expected 2 class scores"},
      {Card(Kind::kClassification, 1, 1, {"a", "b"}), {{"p", ElementType::kBool, {1, 2}}}, "its type is bool"},
      {Card(Kind::kPose, 1, 1, {"a", "b"}), {{"p", f32, {1, 1, 17, 3}}}, "expected 2 rows of 3 numbers (y, x, score)"},
      {Card(Kind::kDetections, 1, 1, {"a"}), {{"b", f32, {1, 10, 4}}, {"c", f32, {1, 10}}}, "holds the scores"},
      {Card(Kind::kClassification, 1, 1, {}), {}, "there are: "},
  };
  for (const Case& c : cases) {
    const auto decoder = MakeOutputDecoder(c.card, c.outputs);
    ASSERT_FALSE(decoder.ok()) << c.message;
    EXPECT_EQ(decoder.error().code, ErrorCode::kBadInput);
    EXPECT_THAT(decoder.error().message, AllOf(HasSubstr("model 'm'"), HasSubstr(c.message)));
  }
}

TEST(WrongShapes, FreeDimensionsAreAcceptedAtCreation) {
  ModelCard card = Card(Kind::kSsdAnchors, 260, 260, {"mask", "no_mask"});
  card.output.anchors = {{.columns = 3, .rows = 3, .sizes = {{0.2F, 0.4F}}}};
  const auto f32 = ElementType::kF32;
  EXPECT_TRUE(MakeOutputDecoder(card, {{"cls", f32, {-1, -1, 2}}, {"loc", f32, {-1, -1, 4}}}).ok());
  EXPECT_TRUE(MakeOutputDecoder(Card(Kind::kClassification, 1, 1, {"a", "b"}), {{"p", f32, {-1, 2}}}).ok());
  EXPECT_TRUE(
      MakeOutputDecoder(Card(Kind::kDetections, 1, 1, {"a"}),
                        {{"b", f32, {-1, 100, 4}}, {"c", f32, {-1, 100}}, {"s", f32, {-1, 100}}, {"n", f32, {-1}}})
          .ok());
}

TEST(WrongShapes, HugeDimensionsAreRefused) {
  constexpr int64_t kHuge = int64_t{1} << 40;
  for (const DecoderCase& setup : AllDecoders()) {
    for (size_t axis = 0; axis < setup.shapes[0].size(); ++axis) {
      std::vector<TensorSpec> specs;
      for (size_t i = 0; i < setup.shapes.size(); ++i) {
        specs.push_back({"t" + std::to_string(i), ElementType::kF32, setup.shapes[i]});
        specs.back().shape[std::min(axis, setup.shapes[i].size() - 1)] = kHuge;
        specs.back().shape.push_back(kHuge);
      }
      EXPECT_FALSE(MakeOutputDecoder(setup.card, specs).ok()) << ToString(setup.card.output.kind);
    }
  }
}

TEST(WrongShapes, AreAnInternalErrorWhenTheyComeLater) {
  for (const DecoderCase& setup : AllDecoders()) {
    std::vector<TensorSpec> specs;
    for (size_t i = 0; i < setup.shapes.size(); ++i) {
      specs.push_back({"t" + std::to_string(i), ElementType::kF32, setup.shapes[i]});
    }
    const auto decoder = MakeOutputDecoder(setup.card, specs);
    ASSERT_TRUE(decoder.ok()) << decoder.error().message;
    const Placement place = Whole(setup.card);
    EXPECT_FALSE(decoder.value()->Decode({}, place).ok());
    const Tensor wrong = Zeros({1, 5, 5});
    const std::vector<TensorView> views(specs.size(), wrong.View());
    const auto seen = decoder.value()->Decode(views, place);
    ASSERT_FALSE(seen.ok());
    EXPECT_EQ(seen.error().code, ErrorCode::kInternal);
    EXPECT_THAT(seen.error().message, HasSubstr("model 'm': output 't"));
  }
}

}  // namespace
}  // namespace deepedge
