// Anchor-free heads, FastestDet, YuNet, RetinaFace and CenterNet on tensors with one object whose place is known.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "deepedge/pipeline/post/decoder_test_util.h"

namespace deepedge {
namespace {

using ::testing::HasSubstr;
using Kind = OutputDecoderKind;

constexpr float kLn2 = 0.6931472F;

// An input of 96x64: 6x4 cells of stride 16.
ModelCard Wide(Kind kind, std::vector<std::string> labels) {
  ModelCard card = Card(kind, 96, 64, std::move(labels));
  card.output.strides = {16};
  return card;
}

constexpr size_t kCells = 24;
constexpr size_t kCell = 1 * 6 + 3;  // row 1, column 3

// A tensor of `numbers` numbers for each cell, in rows or with the numbers first, where one cell holds `values`.
Tensor OneCell(Shape shape, bool numbers_first, size_t cells, size_t cell, const std::vector<float>& values) {
  Tensor tensor = Zeros(std::move(shape));
  for (size_t i = 0; i < values.size(); ++i) {
    Set(&tensor, numbers_first ? i * cells + cell : cell * values.size() + i, {values[i]});
  }
  return tensor;
}

std::vector<float> Joined(std::vector<float> a, const std::vector<float>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

TEST(DflDecoder, ReadsEveryFormOfADistribution) {
  ModelCard card = Wide(Kind::kDfl, {"a", "b"});
  card.output.bins = 4;
  const std::vector<float> scores = {0.1F, 0.8F};
  // Left 1, top 1.5 (all equal), right 3, bottom 2 (half of 1 and 3).
  const std::vector<float> sides = {0, 90, 0, 0, 5, 5, 5, 5, 0, 0, 0, 90, -90, 7, -90, 7};
  const auto check = [&](const char* what, const std::vector<NamedTensor>& tensors) {
    const auto seen = DecodeAll(card, tensors, Whole(card));
    ASSERT_TRUE(seen.ok()) << what << seen.error().message;
    ASSERT_EQ(seen.value().objects.size(), 1U) << what;
    EXPECT_EQ(seen.value().objects[0].label, 1);
    EXPECT_FLOAT_EQ(seen.value().objects[0].score, 0.8F);
    // The cell's middle is (56, 24) pixels of 96x64.
    ExpectBox(seen.value().objects[0].box, {(56 - 16) / 96.0F, 0, 1, (24 + 32) / 64.0F});
  };
  check("rows", {{"o", OneCell({1, 24, 18}, false, kCells, kCell, Joined(scores, sides))}});
  check("columns", {{"o", OneCell({1, 18, 24}, true, kCells, kCell, Joined(scores, sides))}});
  check("map", {{"o", OneCell({1, 18, 4, 6}, true, kCells, kCell, Joined(scores, sides))}});
  check("maps", {{"c", OneCell({1, 2, 4, 6}, true, kCells, kCell, scores)},
                 {"d", OneCell({1, 16, 4, 6}, true, kCells, kCell, sides)}});
  check("lists", {{"d", OneCell({1, 24, 16}, false, kCells, kCell, sides)},
                  {"c", OneCell({1, 24, 2}, false, kCells, kCell, scores)}});
  card.output.boxes_first = true;
  check("box first", {{"o", OneCell({1, 18, 24}, true, kCells, kCell, Joined(sides, scores))}});
}

TEST(DflDecoder, FindsTheCellsOfEveryStride) {
  ModelCard card = Card(Kind::kDfl, 96, 64, {"a", "b"});
  card.output.strides = {16, 32};  // 24 and 3x2 cells
  card.output.cell_offset = 0;
  card.output.distances_in_pixels = true;
  // Cell (2,1) of the second grid: (64, 32) pixels.
  const std::vector<float> row = {0.9F, 0, 32, 16, 8, 16};
  const auto check = [&](const std::vector<NamedTensor>& tensors) {
    const auto seen = DecodeAll(card, tensors, Whole(card));
    ASSERT_TRUE(seen.ok()) << seen.error().message;
    ASSERT_EQ(seen.value().objects.size(), 1U);
    ExpectBox(seen.value().objects[0].box, {32 / 96.0F, 16 / 64.0F, 72 / 96.0F, 48 / 64.0F});
  };
  check({{"o", OneCell({1, 30, 6}, false, 30, 24 + 5, row)}});
  check({{"fine", Zeros({1, 6, 4, 6})}, {"coarse", OneCell({1, 6, 2, 3}, true, 6, 5, row)}});
}

TEST(DflDecoder, ReadsTwoBoxesACellWithPointsAndQuality) {
  ModelCard card = Wide(Kind::kDfl, {"face"});
  card.output.boxes_per_cell = 2;
  card.output.keypoints = 1;
  card.output.cell_offset = 0;
  card.output.objectness = true;
  card.output.heads = {{.stride = 16, .boxes = "b", .scores = "s", .quality = "q", .landmarks = "k"}};
  const size_t row = 2 * kCell + 1;
  const auto seen = DecodeAll(card,
                              {{"s", OneCell({48, 1}, false, 48, row, {0.9F})},
                               {"q", OneCell({48, 1}, false, 48, row, {0.5F})},
                               {"b", OneCell({48, 4}, false, 48, row, {1, 0.5F, 1, 0.5F})},
                               {"k", OneCell({48, 2}, false, 48, row, {-0.5F, 0.25F})}},
                              Whole(card));
  ASSERT_TRUE(seen.ok()) << seen.error().message;
  ASSERT_EQ(seen.value().objects.size(), 1U);
  EXPECT_FLOAT_EQ(seen.value().objects[0].score, 0.45F);
  ExpectBox(seen.value().objects[0].box, {32 / 96.0F, 8 / 64.0F, 64 / 96.0F, 24 / 64.0F});
  ASSERT_EQ(seen.value().objects[0].keypoints.size(), 1U);
  EXPECT_FLOAT_EQ(seen.value().objects[0].keypoints[0].point.x, 40 / 96.0F);
  EXPECT_FLOAT_EQ(seen.value().objects[0].keypoints[0].point.y, 20 / 64.0F);
}

TEST(DflDecoder, SaysWhatItLooksFor) {
  ModelCard card = Wide(Kind::kDfl, {"a", "b"});
  card.output.bins = 4;
  EXPECT_THAT(MakeOutputDecoder(card, {{"o", ElementType::kF32, {1, 24, 17}}}).error().message,
              HasSubstr("24 cells (the grids of a 96x64 input) or the cells of each stride, with 2 class scores and 16 "
                        "distances, together or apart"));
}

TEST(FastestGridDecoder, WeighsObjectnessAndClass) {
  const ModelCard card = Wide(Kind::kFastestGrid, {"a", "b"});
  // tanh(0.5493061) = 0.5; logistic(0) = 0.5, logistic(-ln 3) = 0.25.
  const auto seen = DecodeAll(
      card, {{"o", OneCell({1, 7, 4, 6}, true, kCells, kCell, {0.81F, 0.5493061F, 0, 0, -1.0986123F, 0.5F, 0.1F})}},
      Whole(card));
  ASSERT_TRUE(seen.ok()) << seen.error().message;
  ASSERT_EQ(seen.value().objects.size(), 1U);
  EXPECT_EQ(seen.value().objects[0].label, 0);
  EXPECT_NEAR(seen.value().objects[0].score, 0.66785, 1e-4);  // 0.81^0.6 = 0.88123, 0.5^0.4 = 0.75786
  ExpectBox(seen.value().objects[0].box, {3.5F / 6 - 0.25F, 0.25F - 0.125F, 3.5F / 6 + 0.25F, 0.25F + 0.125F});
}

TEST(YunetDecoder, FindsItsTensorsByTheNamesOfTheExport) {
  const ModelCard card = Wide(Kind::kYunet, {"face"});
  const auto seen =
      DecodeAll(card,
                {{"cls_16", OneCell({1, 24, 1}, false, kCells, kCell, {0.9F})},
                 {"obj_16", OneCell({1, 24, 1}, false, kCells, kCell, {0.4F})},
                 {"bbox_16", OneCell({1, 24, 4}, false, kCells, kCell, {0.5F, 0.5F, kLn2, 0})},
                 {"kps_16", OneCell({1, 24, 10}, false, kCells, kCell, {0, 0, 1, 0.5F, 0, 0, 0, 0, -1, 0.25F})}},
                Whole(card));
  ASSERT_TRUE(seen.ok()) << seen.error().message;
  ASSERT_EQ(seen.value().objects.size(), 1U);
  EXPECT_NEAR(seen.value().objects[0].score, 0.6, 1e-6);  // the root of 0.36
  ExpectBox(seen.value().objects[0].box, {40 / 96.0F, 16 / 64.0F, 72 / 96.0F, 32 / 64.0F});
  ASSERT_EQ(seen.value().objects[0].keypoints.size(), 5U);
  EXPECT_FLOAT_EQ(seen.value().objects[0].keypoints[1].point.x, 64 / 96.0F);
  EXPECT_FLOAT_EQ(seen.value().objects[0].keypoints[4].point.y, 20 / 64.0F);
}

TEST(YunetDecoder, WithAnchorsTheIouWeighsTheScore) {
  ModelCard card = Card(Kind::kYunet, 64, 64, {"face"});
  card.output.background = 0;
  card.output.label_offset = 1;
  card.output.keypoints = 5;
  card.output.anchors = {{.columns = 2, .rows = 2, .sizes = {{0.2F, 0.4F}}}};
  Tensor loc = Zeros({1, 4, 14});
  Set(&loc, 14 * 3, {0, 0, 0, 0, 1, 2});
  const auto seen = DecodeAll(card,
                              {{"loc", loc},
                               {"conf", Floats({1, 4, 2}, {1, 0, 1, 0, 1, 0, 0.1F, 0.9F})},
                               {"iou", Floats({1, 4, 1}, {1, 1, 1, 0.4F})}},
                              Whole(card));
  ASSERT_TRUE(seen.ok()) << seen.error().message;
  ASSERT_EQ(seen.value().objects.size(), 1U);
  EXPECT_NEAR(seen.value().objects[0].score, 0.6, 1e-6);
  ExpectBox(seen.value().objects[0].box, {0.65F, 0.55F, 0.85F, 0.95F});
  EXPECT_NEAR(seen.value().objects[0].keypoints[0].point.x, 0.75 + 0.1 * 0.2, 1e-6);
  EXPECT_NEAR(seen.value().objects[0].keypoints[0].point.y, 0.75 + 2 * 0.1 * 0.4, 1e-6);
}

TEST(SsdAnchorsDecoder, ReadsLandmarksOfTheirOwnAndFlatLists) {
  ModelCard card = Card(Kind::kSsdAnchors, 64, 64, {"face"});
  card.output.background = 0;
  card.output.label_offset = 1;
  card.output.keypoints = 5;
  card.output.anchors = {{.columns = 2, .rows = 2, .sizes = {{0.2F, 0.4F}}}};
  Tensor points = Zeros({1, 4, 10});
  Set(&points, 10, {0, 0, 0, 0, 0, 0, 0, 0, -2, 1});
  const auto seen = DecodeAll(
      card, {{"landms", points}, {"loc", Zeros({1, 16})}, {"conf", Floats({1, 8}, {1, 0, 0.3F, 0.7F, 1, 0, 1, 0})}},
      Whole(card));
  ASSERT_TRUE(seen.ok()) << seen.error().message;
  ASSERT_EQ(seen.value().objects.size(), 1U);
  EXPECT_FLOAT_EQ(seen.value().objects[0].score, 0.7F);
  ASSERT_EQ(seen.value().objects[0].keypoints.size(), 5U);
  EXPECT_NEAR(seen.value().objects[0].keypoints[4].point.x, 0.75 - 2 * 0.1 * 0.2, 1e-6);
  EXPECT_NEAR(seen.value().objects[0].keypoints[4].point.y, 0.25 + 0.1 * 0.4, 1e-6);
}

TEST(BoxesScoresDecoder, ReadsCentreAndSize) {
  ModelCard card = Card(Kind::kBoxesScores, 64, 64, {"a", "b", "c"});
  card.output.box_form = BoxForm::kCenterSize;
  card.output.sigmoid = true;
  const auto seen = DecodeAll(card,
                              {{"boxes", Floats({1, 2, 4}, {0.5F, 0.5F, 0.2F, 0.4F, 0, 0, 0, 0})},
                               {"logits", Floats({1, 2, 3}, {-9, 0, -9, -9, -9, -9})}},
                              Whole(card));
  ASSERT_TRUE(seen.ok()) << seen.error().message;
  ASSERT_EQ(seen.value().objects.size(), 1U);
  EXPECT_FLOAT_EQ(seen.value().objects[0].score, 0.5F);
  ExpectBox(seen.value().objects[0].box, {0.4F, 0.3F, 0.6F, 0.7F});
}

TEST(CenternetDecoder, TakesPeaksOnly) {
  ModelCard card = Wide(Kind::kCenternet, {"a", "b", "c"});
  Tensor heat = Zeros({1, 3, 4, 6});
  Set(&heat, 2 * kCells + kCell, {0.9F, 0.8F});  // its neighbour is no centre
  Set(&heat, kCells + 23, {0.5F});
  Tensor sizes = Zeros({1, 2, 4, 6});
  Tensor offsets = Zeros({1, 2, 4, 6});
  for (size_t i = 0; i < 2; ++i) {
    Set(&sizes, i * kCells + kCell, {i == 0 ? 2.0F : 1.0F});
    Set(&sizes, i * kCells + 23, {2.0F});
    Set(&offsets, i * kCells + kCell, {i == 0 ? 0.25F : 0.5F});
  }
  const auto seen = DecodeAll(card, {{"hm", heat}, {"reg", offsets}, {"wh", sizes}}, Whole(card));
  ASSERT_TRUE(seen.ok()) << seen.error().message;
  ASSERT_EQ(seen.value().objects.size(), 2U);
  EXPECT_EQ(seen.value().objects[0].label, 2);
  ExpectBox(seen.value().objects[0].box, {(3.25F - 1) / 6, 1.0F / 4, (3.25F + 1) / 6, 2.0F / 4});
  EXPECT_EQ(seen.value().objects[1].label, 1);
  ExpectBox(seen.value().objects[1].box, {4.0F / 6, 2.0F / 4, 1, 1});
}

TEST(CenternetDecoder, APlateauIsOneObject) {
  ModelCard card = Wide(Kind::kCenternet, {"a", "b", "c"});
  const Tensor heat = Floats({1, 3, 4, 6}, std::vector<float>(3 * kCells, 0.9F));
  const Tensor sizes = Floats({1, 2, 4, 6}, std::vector<float>(2 * kCells, 1.0F));
  const auto seen = DecodeAll(card, {{"hm", heat}, {"reg", Zeros({1, 2, 4, 6})}, {"wh", sizes}}, Whole(card));
  ASSERT_TRUE(seen.ok()) << seen.error().message;
  EXPECT_EQ(seen.value().objects.size(), 3U);  // one of each class
}

TEST(CenternetDecoder, ReadsCenterFace) {
  ModelCard card = Wide(Kind::kCenternet, {"face"});
  card.output.scores = "537";
  card.output.boxes = "538";
  card.output.offsets = "539";
  card.output.keypoints = 1;
  card.output.landmarks = "540";
  card.output.log_sizes = true;
  card.output.yx_order = true;
  card.output.cell_offset = 0.5F;
  Tensor heat = Zeros({1, 1, 4, 6});
  Set(&heat, kCell, {0.9F});
  const auto pair = [](float y, float x) { return OneCell({1, 2, 4, 6}, true, kCells, kCell, {y, x}); };
  const auto seen = DecodeAll(
      card, {{"537", heat}, {"538", pair(0, kLn2)}, {"539", pair(0.25F, 0)}, {"540", pair(0.5F, 0.25F)}}, Whole(card));
  ASSERT_TRUE(seen.ok()) << seen.error().message;
  ASSERT_EQ(seen.value().objects.size(), 1U);
  // Centre (3.5, 1.75) cells, 2x1 cells large.
  ExpectBox(seen.value().objects[0].box, {2.5F / 6, 1.25F / 4, 4.5F / 6, 2.25F / 4});
  EXPECT_NEAR(seen.value().objects[0].keypoints[0].point.x, 3.0 / 6, 1e-6);
  EXPECT_NEAR(seen.value().objects[0].keypoints[0].point.y, 1.75 / 4, 1e-6);
}

}  // namespace
}  // namespace deepedge
