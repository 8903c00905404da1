#include "deepedge/pipeline/post/output_decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "deepedge/pipeline/post/decoder_test_util.h"

namespace deepedge {
namespace {

using Kind = OutputDecoderKind;

// Strides 8 and 16 of a 32x16 input: grids of 4x2 and 2x1, 10 rows.
ModelCard YoloxCard() {
  ModelCard card = Card(Kind::kYolox, 32, 16, {"a", "b"});
  card.output.strides = {8, 16};
  return card;
}

TEST(YoloxDecoder, ReadsRowsOfEveryGrid) {
  Tensor t = Zeros({1, 10, 7});
  // Row 5: second row of the first grid, column 1. Centre (0.5 + 1, 0.25 + 1) * 8 = (12, 10), size 8 x 16.
  Set(&t, 5 * 7, {0.5F, 0.25F, 0.0F, std::log(2.0F), 0.9F, 0.2F, 0.8F});
  // Row 9: second grid, column 1. Centre (1, 0.5) * 16 + (8, 0)... = (0 + 1) * 16 = 16, 8; size 4 x 4.
  Set(&t, 9 * 7, {0.0F, 0.5F, std::log(0.25F), std::log(0.25F), 0.8F, 1.0F, 0.0F});
  // Row 0: objectness passes, the product does not.
  Set(&t, 0, {0.5F, 0.5F, 0, 0, 0.5F, 0.7F, 0.1F});
  const ModelCard card = YoloxCard();
  const auto seen = DecodeAll(card, {{"o", t}}, Whole(card));
  ASSERT_TRUE(seen.ok()) << seen.error().message;
  ASSERT_EQ(seen.value().objects.size(), 2U);
  const auto& objects = seen.value().objects;
  EXPECT_EQ(objects[0].label, 0);
  EXPECT_FLOAT_EQ(objects[0].score, 0.8F);
  ExpectBox(objects[0].box, {14.0F / 32, 6.0F / 16, 18.0F / 32, 10.0F / 16});
  EXPECT_EQ(objects[1].label, 1);
  EXPECT_FLOAT_EQ(objects[1].score, 0.72F);
  ExpectBox(objects[1].box, {8.0F / 32, 2.0F / 16, 16.0F / 32, 1.0F});  // clipped below
}

TEST(YoloxDecoder, UndoesTheLetterbox) {
  Tensor t = Zeros({1, 10, 7});
  Set(&t, 5 * 7, {0.5F, 0.25F, 0.0F, 0.0F, 1.0F, 1.0F, 0.0F});  // 8..16 x 6..14 of 32 x 16
  const ModelCard card = YoloxCard();
  // A square picture fills the left half.
  const auto seen = DecodeAll(card, {{"o", t}}, PlacePicture(ResizeRule::kLetterboxTopLeft, 100, 100, 32, 16));
  ASSERT_TRUE(seen.ok());
  ASSERT_EQ(seen.value().objects.size(), 1U);
  ExpectBox(seen.value().objects[0].box, {0.5F, 6.0F / 16, 1.0F, 14.0F / 16});
}

TEST(YoloxDecoder, SuppressesOverlapsPerLabel) {
  Tensor t = Zeros({1, 10, 7});
  Set(&t, 0, {0.5F, 0.5F, 0, 0, 0.9F, 1.0F, 0});
  Set(&t, 7, {-0.4F, 0.5F, 0, 0, 0.8F, 1.0F, 0});   // 0.1 cells beside the first
  Set(&t, 14, {-1.4F, 0.5F, 0, 0, 0.7F, 0, 1.0F});  // the same place, the other label
  const ModelCard card = YoloxCard();
  const auto seen = DecodeAll(card, {{"o", t}}, Whole(card));
  ASSERT_TRUE(seen.ok());
  ASSERT_EQ(seen.value().objects.size(), 2U);
  EXPECT_FLOAT_EQ(seen.value().objects[0].score, 0.9F);
  EXPECT_EQ(seen.value().objects[1].label, 1);
}

TEST(SsdDecoder, ReadsRowsUntilANegativeImage) {
  ModelCard card = Card(Kind::kSsd, 100, 100, {"person", "car"});
  card.output.label_offset = 1;
  const Tensor t = Floats({1, 1, 4, 7}, {0,  1, 0.5F,  0.1F, 0.2F, 0.3F, 0.4F,   //
                                         0,  2, 0.9F,  0.5F, 0.5F, 1.5F, 0.75F,  //
                                         -1, 1, 0.9F,  0.1F, 0.2F, 0.3F, 0.4F,   //
                                         0,  1, 0.95F, 0.1F, 0.2F, 0.3F, 0.4F});
  const auto seen = DecodeAll(card, {{"d", t}}, Whole(card));
  ASSERT_TRUE(seen.ok()) << seen.error().message;
  ASSERT_EQ(seen.value().objects.size(), 2U);
  EXPECT_EQ(seen.value().objects[0].label, 1);
  ExpectBox(seen.value().objects[0].box, {0.5F, 0.5F, 1.0F, 0.75F});
  EXPECT_EQ(seen.value().objects[1].label, 0);
  ExpectBox(seen.value().objects[1].box, {0.1F, 0.2F, 0.3F, 0.4F});
}

ModelCard SsdCard() {
  ModelCard card = Card(Kind::kSsdAnchors, 100, 100, {"x"});
  card.output.anchors = {{.columns = 2, .rows = 1, .sizes = {{0.2F, 0.4F}}}};  // centres (0.25, 0.5), (0.75, 0.5)
  return card;
}

TEST(SsdAnchorsDecoder, DecodesOffsetsFromAnchors) {
  const ModelCard card = SsdCard();
  // cx = 0.75 + 1 * 0.1 * 0.2 = 0.77, cy = 0.5 - 1 * 0.1 * 0.4 = 0.46, w = 0.2 * e^(0.2 * ln 2 / 0.2) = 0.4, h = 0.2
  const float ln2 = std::log(2.0F);
  const Tensor boxes = Floats({1, 2, 4}, {0, 0, 0, 0, 1, -1, ln2 / 0.2F, -ln2 / 0.2F});
  const Tensor scores = Floats({1, 2, 1}, {0.3F, 0.7F});
  const auto seen = DecodeAll(card, {{"s", scores}, {"b", boxes}}, Whole(card));
  ASSERT_TRUE(seen.ok()) << seen.error().message;
  ASSERT_EQ(seen.value().objects.size(), 1U);
  EXPECT_FLOAT_EQ(seen.value().objects[0].score, 0.7F);
  ExpectBox(seen.value().objects[0].box, {0.57F, 0.36F, 0.97F, 0.56F});
}

TEST(SsdAnchorsDecoder, TakesHeightFirstWhereTheCardSaysSo) {
  ModelCard card = SsdCard();
  card.output.yx_order = true;
  const float ln2 = std::log(2.0F);
  const Tensor boxes = Floats({1, 2, 4}, {0, 0, 0, 0, -1, 1, -ln2 / 0.2F, ln2 / 0.2F});
  const auto seen = DecodeAll(card, {{"b", boxes}, {"s", Floats({1, 2, 1}, {0.3F, 0.7F})}}, Whole(card));
  ASSERT_TRUE(seen.ok()) << seen.error().message;
  ASSERT_EQ(seen.value().objects.size(), 1U);
  ExpectBox(seen.value().objects[0].box, {0.57F, 0.36F, 0.97F, 0.56F});
}

TEST(SsdAnchorsDecoder, BlazeFaceOffsetsAreLinearAndCarryPoints) {
  ModelCard card = SsdCard();
  card.output.anchors = {{.columns = 1, .rows = 1, .sizes = {{1, 1}, {1, 1}}}};
  card.output.linear_offsets = true;
  card.output.sigmoid = true;
  card.output.keypoints = 2;
  const Tensor boxes = Floats({1, 2, 8}, {10, -10, 40, 20, 5, 5, -5, 60, 0, 0, 0, 0, 0, 0, 0, 0});
  const Tensor scores = Floats({1, 2, 1}, {std::log(4.0F), -3});
  const auto seen = DecodeAll(card, {{"b", boxes}, {"s", scores}}, Whole(card));
  ASSERT_TRUE(seen.ok()) << seen.error().message;
  ASSERT_EQ(seen.value().objects.size(), 1U);
  const DetectedObject& face = seen.value().objects[0];
  EXPECT_NEAR(face.score, 0.8F, 1e-6);
  ExpectBox(face.box, {0.4F, 0.3F, 0.8F, 0.5F});
  ASSERT_EQ(face.keypoints.size(), 2U);
  EXPECT_NEAR(face.keypoints[0].point.x, 0.55F, 1e-6);
  EXPECT_NEAR(face.keypoints[1].point.x, 0.45F, 1e-6);
  EXPECT_NEAR(face.keypoints[1].point.y, 1.0F, 1e-6);  // clipped
}

TEST(SsdAnchorsDecoder, SoftmaxLeavesTheBackgroundOut) {
  ModelCard card = SsdCard();
  card.labels = {"x", "y"};
  card.output.softmax = true;
  card.output.background = 0;
  card.output.label_offset = 1;
  // First anchor: shares 1:2:5 of 8. Second: background 90 %.
  const Tensor scores = Floats({1, 2, 3}, {0, std::log(2.0F), std::log(5.0F), std::log(18.0F), 0, 0});
  const auto seen = DecodeAll(card, {{"b", Zeros({1, 2, 4})}, {"s", scores}}, Whole(card));
  ASSERT_TRUE(seen.ok()) << seen.error().message;
  ASSERT_EQ(seen.value().objects.size(), 1U);
  EXPECT_EQ(seen.value().objects[0].label, 1);
  EXPECT_NEAR(seen.value().objects[0].score, 0.625F, 1e-6);
}

TEST(BoxesScoresDecoder, ReadsCornersAndSkipsTheBackground) {
  ModelCard card = Card(Kind::kBoxesScores, 320, 240, {"face"});
  card.output.background = 0;
  card.output.label_offset = 1;
  card.output.nms_iou = 0.3F;
  const Tensor scores = Floats({1, 3, 2}, {0.9F, 0.1F, 0.2F, 0.8F, 0.1F, 0.9F});
  const Tensor boxes = Floats({1, 3, 4}, {0, 0, 1, 1, 0.1F, 0.1F, 0.3F, 0.3F, 0.11F, 0.1F, 0.31F, 0.3F});
  const auto seen = DecodeAll(card, {{"scores", scores}, {"boxes", boxes}}, Whole(card));
  ASSERT_TRUE(seen.ok()) << seen.error().message;
  ASSERT_EQ(seen.value().objects.size(), 1U);
  EXPECT_EQ(seen.value().objects[0].label, 0);
  EXPECT_FLOAT_EQ(seen.value().objects[0].score, 0.9F);
  ExpectBox(seen.value().objects[0].box, {0.11F, 0.1F, 0.31F, 0.3F});
}

TEST(BoxesScoresDecoder, PixelsAreDividedByTheInputsSize) {
  ModelCard card = Card(Kind::kBoxesScores, 200, 100, {"x"});
  card.output.normalized = false;
  const auto seen = DecodeAll(
      card, {{"b", Floats({2, 4}, {20, 10, 100, 50, 0, 0, 1, 1})}, {"s", Floats({2, 1}, {1, 0})}}, Whole(card));
  ASSERT_TRUE(seen.ok()) << seen.error().message;
  ASSERT_EQ(seen.value().objects.size(), 1U);
  ExpectBox(seen.value().objects[0].box, {0.1F, 0.1F, 0.5F, 0.5F});
}

TEST(DetectionsDecoder, ReadsAsManyAsTheCountSays) {
  ModelCard card = Card(Kind::kDetections, 300, 300, {"person"});
  card.output.label_offset = 1;
  const Tensor boxes = Floats({1, 3, 4}, {0.1F, 0.2F, 0.3F, 0.4F, 0.5F, 0.6F, 0.7F, 0.8F, 0, 0, 1, 1});
  const std::vector<NamedTensor> outputs = {{"detection_boxes:0", boxes},
                                            {"detection_scores:0", Floats({1, 3}, {0.6F, 0.9F, 0.9F})},
                                            {"detection_classes:0", Floats({1, 3}, {1, 1, 1})},
                                            {"num_detections:0", Floats({1}, {2})}};
  const auto seen = DecodeAll(card, outputs, Whole(card));
  ASSERT_TRUE(seen.ok()) << seen.error().message;
  ASSERT_EQ(seen.value().objects.size(), 2U);
  EXPECT_FLOAT_EQ(seen.value().objects[0].score, 0.9F);
  ExpectBox(seen.value().objects[0].box, {0.6F, 0.5F, 0.8F, 0.7F});
  EXPECT_EQ(seen.value().objects[0].label, 0);
}

TEST(DetectionsDecoder, WithoutNamesClassesComeBeforeScores) {
  const ModelCard card = Card(Kind::kDetections, 300, 300, {"a", "b", "c"});
  const std::vector<NamedTensor> outputs = {{"P", Floats({1, 2, 4}, {0, 0, 1, 1, 0, 0, 1, 1})},
                                            {"P:1", Floats({1, 2}, {2, 0})},
                                            {"P:2", Floats({1, 2}, {0.7F, 0.1F})},
                                            {"P:3", Floats({1}, {2})}};
  const auto seen = DecodeAll(card, outputs, Whole(card));
  ASSERT_TRUE(seen.ok()) << seen.error().message;
  ASSERT_EQ(seen.value().objects.size(), 1U);
  EXPECT_EQ(seen.value().objects[0].label, 2);
}

TEST(ClassificationDecoder, NamesTheBestFewAsTheyStand) {
  ModelCard card = Card(Kind::kClassification, 8, 8, {"a", "b", "c", "d"});
  card.output.top_k = 3;
  const auto seen = DecodeAll(card, {{"p", Floats({1, 4, 1, 1}, {0.1F, 0.4F, 0.05F, 0.45F})}}, Whole(card));
  ASSERT_TRUE(seen.ok()) << seen.error().message;
  const auto& classes = seen.value().classes;
  ASSERT_EQ(classes.size(), 3U);
  EXPECT_EQ(classes[0].label, 3);
  EXPECT_FLOAT_EQ(classes[0].score, 0.45F);
  EXPECT_EQ(classes[1].label, 1);
  EXPECT_EQ(classes[2].label, 0);
}

TEST(ClassificationDecoder, SoftmaxAndOffset) {
  ModelCard card = Card(Kind::kClassification, 8, 8, {"a", "b"});
  card.output.softmax = true;
  card.output.label_offset = 1;
  card.output.background = 0;
  const float ln = std::log(2.0F);
  const auto seen = DecodeAll(card, {{"p", Floats({1, 3}, {ln, 0, 100 * 0.0F + std::log(5.0F)})}}, Whole(card));
  ASSERT_TRUE(seen.ok()) << seen.error().message;
  ASSERT_EQ(seen.value().classes.size(), 2U);
  EXPECT_EQ(seen.value().classes[0].label, 1);
  EXPECT_NEAR(seen.value().classes[0].score, 0.625F, 1e-6);
  EXPECT_NEAR(seen.value().classes[1].score, 0.125F, 1e-6);
}

TEST(ClassificationDecoder, IntegersMeanWhatTheCardSays) {
  ModelCard card = Card(Kind::kClassification, 8, 8, {"no", "yes"});
  card.output.score_scale = 1.0F / 256;
  card.output.score_zero = -128;
  const auto seen = DecodeAll(card, {{"p", MakeTensor<int8_t>(ElementType::kI8, {1, 2}, {-128, 64})}}, Whole(card));
  ASSERT_TRUE(seen.ok()) << seen.error().message;
  EXPECT_FLOAT_EQ(seen.value().classes[0].score, 0.75F);
  EXPECT_FLOAT_EQ(seen.value().classes[1].score, 0.0F);
}

TEST(ClassificationDecoder, ReadsHalves) {
  const ModelCard card = Card(Kind::kClassification, 8, 8, {"a", "b"});
  const auto seen =
      DecodeAll(card, {{"p", MakeTensor<uint16_t>(ElementType::kF16, {1, 2, 1, 1}, {0x3400, 0x3800})}}, Whole(card));
  ASSERT_TRUE(seen.ok()) << seen.error().message;
  EXPECT_EQ(seen.value().classes[0].label, 1);
  EXPECT_FLOAT_EQ(seen.value().classes[0].score, 0.5F);
}

TEST(PoseDecoder, GivesPointsInTheModelsOrder) {
  const ModelCard card = Card(Kind::kPose, 100, 100, {"nose", "eye"});
  // A picture of 2:1 lies in rows 25 to 75 of the input.
  const Placement place = PlacePicture(ResizeRule::kLetterboxCentered, 200, 100, 100, 100);
  const auto seen = DecodeAll(card, {{"k", Floats({1, 1, 2, 3}, {0.5F, 0.25F, 0.9F, 0.1F, 0.75F, 0.3F})}}, place);
  ASSERT_TRUE(seen.ok()) << seen.error().message;
  const auto& points = seen.value().keypoints;
  ASSERT_EQ(points.size(), 2U);
  EXPECT_NEAR(points[0].point.x, 0.25F, 1e-6);
  EXPECT_NEAR(points[0].point.y, 0.5F, 1e-6);
  EXPECT_FLOAT_EQ(points[0].score, 0.9F);
  EXPECT_NEAR(points[1].point.y, 0.0F, 1e-6);  // in the padding: clipped
}

TEST(RawDecoder, SeesNothing) {
  const ModelCard card = Card(Kind::kRaw, 0, 0, {});
  const auto seen = DecodeAll(card, {{"k", Floats({1, 2}, {1, 2})}}, Placement{});
  ASSERT_TRUE(seen.ok());
  EXPECT_TRUE(seen.value().objects.empty());
  EXPECT_TRUE(seen.value().classes.empty());
}

}  // namespace
}  // namespace deepedge
