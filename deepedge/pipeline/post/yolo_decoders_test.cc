// YOLO heads and rows, and rows of detections, on tensors with one or two objects whose place is known.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>

#include "deepedge/pipeline/post/decoder_test_util.h"

namespace deepedge {
namespace {

using ::testing::HasSubstr;
using Kind = OutputDecoderKind;

constexpr float kLn2 = 0.6931472F;
constexpr float kLn3 = 1.0986123F;
constexpr size_t kAnchors = 2;
constexpr size_t kNumbers = 7;  // x y w h objectness a b
constexpr size_t kRows = 2;
constexpr size_t kColumns = 4;

// An input of 64x32, stride 16.
ModelCard AnchorCard() {
  ModelCard card = Card(Kind::kYoloAnchors, 64, 32, {"a", "b"});
  card.output.objectness = true;
  card.output.heads = {{.stride = 16, .anchors = {{32, 16}, {16, 16}}}};
  return card;
}

using Place = std::function<size_t(size_t anchor, size_t number, size_t row, size_t column)>;

// Everything says no but anchor 1 at row 1, column 2.
Tensor AnchorMap(Shape shape, const Place& place, const std::vector<float>& numbers) {
  Tensor tensor = Floats(std::move(shape), std::vector<float>(kAnchors * kNumbers * kRows * kColumns, -10.0F));
  for (size_t i = 0; i < kNumbers; ++i) Set(&tensor, place(1, i, 1, 2), {numbers[i]});
  return tensor;
}

size_t NumbersFirst(size_t anchor, size_t number, size_t row, size_t column) {
  return ((anchor * kNumbers + number) * kRows + row) * kColumns + column;
}

TEST(YoloAnchorsDecoder, ReadsEveryOrderOfTheSameMap) {
  const struct {
    Shape shape;
    Place place;
  } orders[] = {
      {{1, 14, 2, 4}, NumbersFirst},
      {{1, 2, 7, 2, 4}, NumbersFirst},
      {{2, 7, 2, 4}, NumbersFirst},
      {{-1, 2, 4, 14}, [](size_t a, size_t n, size_t r, size_t c) { return (r * 4 + c) * 14 + a * 7 + n; }},
      {{1, 2, 2, 4, 7}, [](size_t a, size_t n, size_t r, size_t c) { return ((a * 2 + r) * 4 + c) * 7 + n; }},
      {{1, 2, 4, 2, 7}, [](size_t a, size_t n, size_t r, size_t c) { return ((r * 4 + c) * 2 + a) * 7 + n; }},
  };
  const ModelCard card = AnchorCard();
  for (const auto& order : orders) {
    Shape shape = order.shape;
    if (shape[0] < 0) shape[0] = 1;
    const Tensor map = AnchorMap(shape, order.place, {0, kLn3, kLn2, 0, 2, -3, 3});
    const auto seen = DecodeAll(card, {{"map", map}}, Whole(card));
    ASSERT_TRUE(seen.ok()) << seen.error().message << ToString(order.shape);
    ASSERT_EQ(seen.value().objects.size(), 1U) << ToString(order.shape);
    const DetectedObject& object = seen.value().objects[0];
    EXPECT_EQ(object.label, 1);
    EXPECT_NEAR(object.score, 0.880797 * 0.952574, 1e-5);
    // Centre (2.5, 1.75) of 4x2 cells; 32x16 pixels of 64x32, cut at the lower edge.
    ExpectBox(object.box, {0.375F, 0.625F, 0.875F, 1.0F});
  }
}

TEST(YoloAnchorsDecoder, SquareRuleIsThatOfV5) {
  ModelCard card = AnchorCard();
  card.output.box_rule = YoloBoxRule::kSquare;
  // Logistic 0.5: the middle and the anchor itself; 0.25: half of it; x 0.75: a quarter of a cell to the right.
  const Tensor map = AnchorMap({1, 14, 2, 4}, NumbersFirst, {kLn3, 0, -kLn3, 0, 9, 9, -9});
  const auto seen = DecodeAll(card, {{"map", map}}, Whole(card));
  ASSERT_TRUE(seen.ok()) << seen.error().message;
  ASSERT_EQ(seen.value().objects.size(), 1U);
  // x: 2 * 0.75 - 0.5 = 1 cell, so 3 of 4; w: (2 * 0.25)^2 = 1/4 of 16 pixels.
  ExpectBox(seen.value().objects[0].box, {0.75F - 2.0F / 64, 0.5F, 0.75F + 2.0F / 64, 1.0F});
  // The same numbers, activated by the graph (Darknet's new_coords).
  card.output.activated = true;
  Tensor activated = Zeros({1, 14, 2, 4});
  const float numbers[] = {0.75F, 0.5F, 0.25F, 0.5F, 0.9F, 0.8F, 0.1F};
  for (size_t i = 0; i < kNumbers; ++i) Set(&activated, NumbersFirst(1, i, 1, 2), {numbers[i]});
  const auto again = DecodeAll(card, {{"map", activated}}, Whole(card));
  ASSERT_EQ(again.value().objects.size(), 1U);
  ExpectBox(again.value().objects[0].box, seen.value().objects[0].box);
  EXPECT_NEAR(again.value().objects[0].score, 0.72F, 1e-6);
}

TEST(YoloAnchorsDecoder, SoftmaxAndScaleXy) {
  ModelCard card = AnchorCard();
  card.output.softmax = true;
  card.output.scale_xy = 1.2F;
  const Tensor map = AnchorMap({1, 14, 2, 4}, NumbersFirst, {kLn3, 0, 0, 0, 30, 1 + 2 * kLn2, 1});
  const auto seen = DecodeAll(card, {{"map", map}}, Whole(card));
  ASSERT_EQ(seen.value().objects.size(), 1U);
  EXPECT_EQ(seen.value().objects[0].label, 0);
  EXPECT_NEAR(seen.value().objects[0].score, 0.8, 1e-5);  // 4 : 1
  const float cx = (2 + 0.8F) / 4;                        // 0.75 * 1.2 - 0.1
  ExpectBox(seen.value().objects[0].box, {cx - 0.125F, 0.5F, cx + 0.125F, 1.0F});
}

TEST(YoloAnchorsDecoder, ReadsClassesThatAnchorsShare) {
  ModelCard card = AnchorCard();
  card.output.box_rule = YoloBoxRule::kSquare;
  card.output.activated = true;
  card.output.shared_classes = true;
  Tensor map = Zeros({1, 2, 4, 12});  // cells first: boxes of 2 anchors, 2 objectness, 2 classes
  Set(&map, (1 * 4 + 2) * 12, {0, 0, 0, 0, 0.75F, 0.5F, 0.25F, 0.5F, 0.1F, 0.9F, 0.1F, 0.8F});
  const auto seen = DecodeAll(card, {{"map", map}}, Whole(card));
  ASSERT_TRUE(seen.ok()) << seen.error().message;
  ASSERT_EQ(seen.value().objects.size(), 1U);
  EXPECT_EQ(seen.value().objects[0].label, 1);
  EXPECT_NEAR(seen.value().objects[0].score, 0.72F, 1e-6);
  ExpectBox(seen.value().objects[0].box, {0.75F - 2.0F / 64, 0.5F, 0.75F + 2.0F / 64, 1.0F});
  card.output.objectness = false;
  EXPECT_THAT(MakeOutputDecoder(card, {{"map", ElementType::kF32, {1, 2, 4, 12}}}).error().message,
              HasSubstr("shared_classes needs objectness"));
}

TEST(YoloAnchorsDecoder, FindsHeadsByStrideAndByName) {
  ModelCard card = Card(Kind::kYoloAnchors, 64, 32, {"face"});
  card.output.objectness = true;
  card.output.heads = {{.stride = 16, .anchors = {{8, 8}}}, {.stride = 32, .anchors = {{32, 32}}}};
  Tensor fine = Floats({1, 5, 2, 4}, std::vector<float>(40, -20));
  Tensor coarse = Floats({1, 5, 1, 2}, std::vector<float>(10, -20));
  const float numbers[] = {0, 0, 0, 0, 3};
  for (size_t i = 0; i < 5; ++i) Set(&coarse, i * 2 + 1, {numbers[i]});
  for (size_t i = 0; i < 5; ++i) Set(&fine, i * 8, {numbers[i]});
  const auto check = [&](const std::vector<NamedTensor>& tensors) {
    const auto seen = DecodeAll(card, tensors, Whole(card));
    ASSERT_TRUE(seen.ok()) << seen.error().message;
    ASSERT_EQ(seen.value().objects.size(), 2U);
    ExpectBox(seen.value().objects[0].box, {4.0F / 64, 4.0F / 32, 12.0F / 64, 12.0F / 32});
    ExpectBox(seen.value().objects[1].box, {0.5F, 0, 1, 1});
  };
  check({{"coarse", coarse}, {"fine", fine}});
  card.output.heads = {{.boxes = "fine", .anchors = {{8, 8}}}, {.boxes = "coarse", .anchors = {{32, 32}}}};
  check({{"coarse", coarse}, {"fine", fine}});
}

TEST(YoloAnchorsDecoder, RefusesWhatDoesNotFit) {
  const auto f32 = ElementType::kF32;
  ModelCard card = AnchorCard();
  card.output.objectness = false;
  auto decoder = MakeOutputDecoder(card, {{"map", f32, {1, 14, 2, 4}}});
  ASSERT_FALSE(decoder.ok());
  EXPECT_THAT(
      decoder.error().message,
      HasSubstr("expected a map of 4x2 cells (stride 16), 2 anchors of 4 box numbers (no objectness) and 2 class "
                "scores; there are: 'map' 1x14x2x4"));
  card = AnchorCard();
  card.input.width = card.input.height = 224;  // stride 16: 14 cells, as many as numbers
  decoder = MakeOutputDecoder(card, {{"map", f32, {1, 14, 14, 14}}});
  ASSERT_FALSE(decoder.ok());
  EXPECT_THAT(decoder.error().message,
              HasSubstr("can be read as a map of 14x14 cells of 7 numbers, numbers first and"));
}

// Numbers of a NumPy file of float32.
std::vector<float> ReadNpy(const std::filesystem::path& path, Shape shape) {
  const size_t count = static_cast<size_t>(ElementCount(shape));
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const auto bytes = static_cast<std::streamoff>(count * sizeof(float));
  if (!file || file.tellg() < bytes) return {};
  file.seekg(-bytes, std::ios::end);
  std::vector<float> values(count);
  file.read(reinterpret_cast<char*>(values.data()), bytes);
  return values;
}

TEST(YoloAnchorsDecoder, AgreesWithTheReferenceOfARealNetwork) {
  const char* set = std::getenv("DEEPEDGE_TESTDATA");
  const std::filesystem::path folder =
      std::filesystem::path(set != nullptr ? set : "../shared/testdata") / "reference/darknet/yolo_fastest_1.1";
  const std::vector<float> coarse = ReadNpy(folder / "out_conv_120.npy", {1, 255, 10, 10});
  const std::vector<float> fine = ReadNpy(folder / "out_conv_129.npy", {1, 255, 20, 20});
  const std::vector<float> coarse_rows = ReadNpy(folder / "out_yolo_121.npy", {300, 85});
  const std::vector<float> fine_rows = ReadNpy(folder / "out_yolo_130.npy", {1200, 85});
  if (coarse.empty() || fine.empty() || coarse_rows.empty() || fine_rows.empty()) GTEST_SKIP() << "no test data";
  ModelCard card = Card(Kind::kYoloAnchors, 320, 320, std::vector<std::string>(80, "x"));
  card.output.objectness = true;
  card.output.nms_iou = 1;
  card.output.heads = {{.stride = 32, .anchors = {{115, 73}, {119, 199}, {242, 238}}},
                       {.stride = 16, .anchors = {{12, 18}, {37, 49}, {52, 132}}}};
  card.threshold = 0.3F;
  const auto seen =
      DecodeAll(card, {{"c", Floats({1, 255, 10, 10}, coarse)}, {"f", Floats({1, 255, 20, 20}, fine)}}, Whole(card));
  ASSERT_TRUE(seen.ok()) << seen.error().message;
  // The reference's rows over the threshold: cx, cy, w, h, objectness, objectness times class.
  size_t expected = 0;
  for (const std::vector<float>& rows : {coarse_rows, fine_rows}) {
    for (size_t i = 0; i < rows.size(); i += 85) {
      const auto best = std::max_element(rows.begin() + static_cast<std::ptrdiff_t>(i) + 5,
                                         rows.begin() + static_cast<std::ptrdiff_t>(i) + 85);
      if (*best < card.threshold) continue;
      ++expected;
      const int label = static_cast<int>(best - rows.begin()) - static_cast<int>(i) - 5;
      const Box box = Clip({rows[i] - rows[i + 2] / 2, rows[i + 1] - rows[i + 3] / 2, rows[i] + rows[i + 2] / 2,
                            rows[i + 1] + rows[i + 3] / 2});
      const bool found = std::any_of(seen.value().objects.begin(), seen.value().objects.end(), [&](const auto& o) {
        return o.label == label && std::abs(o.score - *best) < 1e-4F && Iou(o.box, box) > 0.999F;
      });
      EXPECT_TRUE(found) << "row " << i / 85 << " class " << label << " " << *best;
    }
  }
  EXPECT_GT(expected, 3U);
  EXPECT_EQ(seen.value().objects.size(), expected);
}

TEST(YoloRowsDecoder, ReadsRowsAndColumns) {
  ModelCard card = Card(Kind::kYoloRows, 100, 50, {"a", "b", "c"});
  card.output.normalized = false;
  const std::vector<float> row = {50, 25, 20, 10, 0.1F, 0.9F, 0.2F};
  Tensor rows = Zeros({1, 30, 7});
  Set(&rows, 7 * 4, row);
  Tensor columns = Zeros({1, 7, 30});
  for (size_t i = 0; i < 7; ++i) Set(&columns, i * 30 + 4, {row[i]});
  for (const Tensor& tensor : {rows, columns}) {
    const auto seen = DecodeAll(card, {{"o", tensor}}, Whole(card));
    ASSERT_TRUE(seen.ok()) << seen.error().message;
    ASSERT_EQ(seen.value().objects.size(), 1U);
    EXPECT_EQ(seen.value().objects[0].label, 1);
    EXPECT_FLOAT_EQ(seen.value().objects[0].score, 0.9F);
    ExpectBox(seen.value().objects[0].box, {0.4F, 0.4F, 0.6F, 0.6F});
  }
}

TEST(YoloRowsDecoder, ReadsPointsBehindAndBeforeTheClasses) {
  ModelCard card = Card(Kind::kYoloRows, 100, 100, {"person"});
  card.output.normalized = false;
  card.output.keypoints = 2;
  card.output.keypoint_size = 3;
  card.output.ignored_columns = 2;
  Tensor pose = Zeros({1, 20, 13});
  Set(&pose, 13 * 7, {50, 50, 20, 40, 0.8F, 45, 35, 0.9F, 55, 65, 0.2F, 7, 7});
  const auto seen = DecodeAll(card, {{"o", pose}}, Whole(card));
  ASSERT_TRUE(seen.ok()) << seen.error().message;
  ASSERT_EQ(seen.value().objects.size(), 1U);
  ASSERT_EQ(seen.value().objects[0].keypoints.size(), 2U);
  EXPECT_FLOAT_EQ(seen.value().objects[0].keypoints[1].point.x, 0.55F);
  EXPECT_FLOAT_EQ(seen.value().objects[0].keypoints[1].point.y, 0.65F);
  EXPECT_FLOAT_EQ(seen.value().objects[0].keypoints[1].score, 0.2F);

  ModelCard plate = Card(Kind::kYoloRows, 100, 100, {"one line", "two lines"});
  plate.output.normalized = false;
  plate.output.objectness = true;
  plate.output.keypoints = 1;
  plate.output.keypoints_first = true;
  Tensor rows = Zeros({1, 20, 9});
  Set(&rows, 9 * 3, {50, 50, 20, 40, 0.9F, 41, 31, 0.2F, 0.8F});
  const auto plates = DecodeAll(plate, {{"o", rows}}, Whole(plate));
  ASSERT_EQ(plates.value().objects.size(), 1U);
  EXPECT_EQ(plates.value().objects[0].label, 1);
  EXPECT_NEAR(plates.value().objects[0].score, 0.72, 1e-6);
  EXPECT_FLOAT_EQ(plates.value().objects[0].keypoints[0].point.x, 0.41F);
}

TEST(YoloRowsDecoder, WithoutLabelsTheGridsTellRowsFromColumns) {
  const auto f32 = ElementType::kF32;
  ModelCard card = Card(Kind::kYoloRows, 64, 64, {});  // 64 + 16 + 4 cells
  EXPECT_TRUE(MakeOutputDecoder(card, {{"o", f32, {1, 12, 84}}}).ok());
  EXPECT_TRUE(MakeOutputDecoder(card, {{"o", f32, {1, 252, 12}}}).ok());
  const auto decoder = MakeOutputDecoder(card, {{"o", f32, {1, 12, 80}}});
  ASSERT_FALSE(decoder.ok());
  EXPECT_THAT(decoder.error().message, HasSubstr("can be read as 12 rows of 80 numbers, cells first and as 80 rows"));
}

TEST(DetectionRowsDecoder, ReadsAnyOrderOfColumns) {
  ModelCard card = Card(Kind::kDetectionRows, 100, 50, {"a", "b"});
  card.output.normalized = false;
  Tensor plain = Zeros({1, 3, 6});
  Set(&plain, 6, {10, 10, 30, 20, 0.7F, 1});
  Set(&plain, 12, {50, 10, 60, 20, 0.9F, 0});
  const auto seen = DecodeAll(card, {{"o", plain}}, Whole(card));
  ASSERT_TRUE(seen.ok()) << seen.error().message;
  ASSERT_EQ(seen.value().objects.size(), 2U);
  EXPECT_EQ(seen.value().objects[0].label, 0);
  ExpectBox(seen.value().objects[1].box, {0.1F, 0.2F, 0.3F, 0.4F});

  using C = RowColumn;
  card.output.columns = {C::kIgnored, C::kClass, C::kScore, C::kCenterX, C::kCenterY, C::kWidth, C::kHeight};
  card.output.label_offset = 1;
  card.output.count = "n";
  Tensor other = Zeros({2, 7});
  Set(&other, 0, {0, 2, 0.7F, 20, 15, 20, 10, 0, 1, 0.9F, 55, 15, 10, 10});
  const auto one = DecodeAll(card, {{"o", other}, {"n", Floats({1}, {1})}}, Whole(card));
  ASSERT_TRUE(one.ok()) << one.error().message;
  ASSERT_EQ(one.value().objects.size(), 1U);
  EXPECT_EQ(one.value().objects[0].label, 1);
  ExpectBox(one.value().objects[0].box, {0.1F, 0.2F, 0.3F, 0.4F});

  card.output.columns = {C::kX1, C::kY1, C::kScore};
  EXPECT_THAT(MakeOutputDecoder(card, {{"o", ElementType::kF32, {2, 3}}}).error().message,
              HasSubstr("columns need one of x1 y1 x2 y2"));
}

TEST(DetectionsDecoder, TakesTheColumnsOfTheCard) {
  ModelCard card = Card(Kind::kDetections, 100, 50, {"a", "b"});
  using C = RowColumn;
  card.output.columns = {C::kX1, C::kY1, C::kX2, C::kY2};
  const auto seen = DecodeAll(card,
                              {{"boxes", Floats({1, 1, 4}, {0.1F, 0.2F, 0.3F, 0.4F})},
                               {"labels", Floats({1, 1}, {1})},
                               {"scores", Floats({1, 1}, {0.9F})}},
                              Whole(card));
  ASSERT_TRUE(seen.ok()) << seen.error().message;
  ASSERT_EQ(seen.value().objects.size(), 1U);
  ExpectBox(seen.value().objects[0].box, {0.1F, 0.2F, 0.3F, 0.4F});
}

}  // namespace
}  // namespace deepedge
