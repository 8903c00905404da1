// Masks, text and poses from maps; vectors and numbers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "deepedge/pipeline/post/decoder_test_util.h"
#include "deepedge/pipeline/post/paf_persons.h"
#include "deepedge/pipeline/post/text_regions.h"

namespace deepedge {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Kind = OutputDecoderKind;

TEST(SegmentationDecoder, ReadsScoresInBothOrdersAndClassNumbers) {
  ModelCard card = Card(Kind::kSegmentation, 8, 4, {"cat", "dog"});
  card.output.background = 0;
  card.output.label_offset = 1;
  // 4x2 cells: nothing, nothing, cat, cat / dog, cat, cat, nothing.
  const int classes[] = {0, 0, 1, 1, 2, 1, 1, 0};
  std::vector<float> numbers_first(24);
  std::vector<float> cells_first(24);
  std::vector<float> ids(8);
  for (size_t i = 0; i < 8; ++i) {
    const auto best = static_cast<size_t>(classes[i]);
    numbers_first[best * 8 + i] = 5;
    cells_first[i * 3 + best] = 5;
    ids[i] = static_cast<float>(best);
  }
  const auto check = [](const ModelCard& c, const Tensor& tensor) {
    const auto seen = DecodeAll(c, {{"o", tensor}}, Whole(c));
    ASSERT_TRUE(seen.ok()) << seen.error().message;
    const ClassMask& mask = seen.value().mask;
    EXPECT_EQ(mask.width, 4);
    EXPECT_EQ(mask.height, 2);
    EXPECT_THAT(mask.runs, ElementsAre(MaskRun{-1, 2}, MaskRun{0, 2}, MaskRun{1, 1}, MaskRun{0, 2}, MaskRun{-1, 1}));
    ASSERT_EQ(mask.shares.size(), 2U);
    EXPECT_EQ(mask.shares[0].label, 0);
    EXPECT_FLOAT_EQ(mask.shares[0].share, 0.5F);
    EXPECT_FLOAT_EQ(mask.shares[1].share, 0.125F);
  };
  check(card, Floats({1, 3, 2, 4}, numbers_first));
  check(card, Floats({1, 2, 4, 3}, cells_first));
  card.output.class_ids = true;
  check(card, Floats({1, 2, 4}, ids));
  check(card, MakeTensor<int64_t>(ElementType::kI64, {1, 1, 2, 4}, {0, 0, 1, 1, 2, 1, 1, 0}));
}

TEST(SegmentationDecoder, CutsThePaddingAwayAndReadsOneClass) {
  ModelCard card = Card(Kind::kSegmentation, 8, 8, {"road"});
  card.input.resize = ResizeRule::kLetterboxCentered;
  std::vector<float> map(16, 0.9F);
  map[5] = 0.1F;  // row 1, column 1
  // A picture twice as wide as high: rows 1 and 2 of 4.
  const Placement place = PlacePicture(ResizeRule::kLetterboxCentered, 200, 100, 8, 8);
  const auto seen = DecodeAll(card, {{"o", Floats({1, 1, 4, 4}, map)}}, place);
  ASSERT_TRUE(seen.ok()) << seen.error().message;
  EXPECT_EQ(seen.value().mask.height, 2);
  EXPECT_THAT(seen.value().mask.runs, ElementsAre(MaskRun{0, 1}, MaskRun{-1, 1}, MaskRun{0, 6}));
  EXPECT_FLOAT_EQ(seen.value().mask.shares[0].share, 7.0F / 8);
}

// A map where `inside(x, y)` of the pixel's middle holds `value`.
template <typename Inside>
std::vector<float> Drawn(size_t columns, size_t rows, float value, Inside inside) {
  std::vector<float> map(columns * rows, 0.01F);
  for (size_t y = 0; y < rows; ++y) {
    for (size_t x = 0; x < columns; ++x) {
      if (inside(static_cast<float>(x) + 0.5F, static_cast<float>(y) + 0.5F)) map[y * columns + x] = value;
    }
  }
  return map;
}

void ExpectCorners(const std::array<Point, 4>& corners, const std::array<Point, 4>& expected, float tolerance) {
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(corners[i].x, expected[i].x, tolerance) << i;
    EXPECT_NEAR(corners[i].y, expected[i].y, tolerance) << i;
  }
}

TEST(TextRegions, GrowAnUprightRectangle) {
  // 12x5 pixels: each side moves out by 60 * 1.5 / 34.
  const auto map = Drawn(40, 20, 0.9F, [](float x, float y) { return x > 10 && x < 22 && y > 6 && y < 11; });
  for (const bool rotated : {true, false}) {
    const auto regions = FindTextRegions(map, 40, {.rotated = rotated});
    ASSERT_EQ(regions.size(), 1U);
    EXPECT_NEAR(regions[0].score, 0.9, 1e-5);
    const float d = 60 * 1.5F / 34;
    ExpectCorners(regions[0].corners, {Point{10 - d, 6 - d}, {22 + d, 6 - d}, {22 + d, 11 + d}, {10 - d, 11 + d}},
                  1e-3F);
  }
}

TEST(TextRegions, FollowATiltedLine) {
  // 60x12 around (50, 50), turned by 30 degrees clockwise as seen in a picture.
  const float c = std::cos(std::numbers::pi_v<float> / 6);
  const float s = std::sin(std::numbers::pi_v<float> / 6);
  const auto map = Drawn(100, 100, 0.8F, [&](float x, float y) {
    const float along = (x - 50) * c + (y - 50) * s;
    const float across = -(x - 50) * s + (y - 50) * c;
    return std::abs(along) < 30 && std::abs(across) < 6;
  });
  const auto regions = FindTextRegions(map, 100, {.unclip = 0});
  ASSERT_EQ(regions.size(), 1U);
  const auto at = [&](float along, float across) {
    return Point{50 + along * c - across * s, 50 + along * s + across * c};
  };
  ExpectCorners(regions[0].corners, {at(-30, -6), at(30, -6), at(30, 6), at(-30, 6)}, 1.5F);
  EXPECT_GT(regions[0].score, 0.7F);
}

TEST(TextRegions, SeparateRegionsAndDropNoise) {
  const auto map = Drawn(60, 40, 0.9F, [](float x, float y) {
    const bool first = x > 5 && x < 15 && y > 5 && y < 10;
    const bool touches_by_a_corner = x > 15 && x < 25 && y > 10 && y < 15;
    const bool apart = x > 40 && x < 50 && y > 5 && y < 10;
    const bool thin = x > 5 && x < 50 && y > 30 && y < 32;
    const bool dot = x > 55 && x < 57 && y > 20 && y < 22;
    return first || touches_by_a_corner || apart || thin || dot;
  });
  EXPECT_EQ(FindTextRegions(map, 60, {.box_threshold = 0.3F}).size(), 2U);
  // Half of the rectangle around the two that touch is empty.
  const auto sure = FindTextRegions(map, 60, {.box_threshold = 0.85F, .rotated = false});
  ASSERT_EQ(sure.size(), 1U);
  EXPECT_GT(sure[0].corners[0].x, 35);
  EXPECT_TRUE(FindTextRegions(map, 60, {.map_threshold = 0.95F}).empty());
  EXPECT_TRUE(FindTextRegions({}, 0, {}).empty());
}

TEST(TextRegions, RunsThatMeetBelowAreOneRegion) {
  // A U: two columns that a row at the bottom joins.
  const auto map = Drawn(30, 30, 0.9F, [](float x, float y) {
    return y > 5 && y < 25 && ((x > 5 && x < 9) || (x > 20 && x < 24) || (y > 21 && x > 5 && x < 24));
  });
  const auto regions = FindTextRegions(map, 30, {.box_threshold = 0, .unclip = 0, .rotated = false});
  ASSERT_EQ(regions.size(), 1U);
  ExpectCorners(regions[0].corners, {Point{5, 5}, {24, 5}, {24, 25}, {5, 25}}, 1e-4F);
}

TEST(TextMapDecoder, GivesFractionsOfThePicture) {
  ModelCard card = Card(Kind::kTextMap, 80, 40, {});
  card.output.unclip = 0;
  card.threshold = 0.6F;
  const auto map = Drawn(40, 20, 0.9F, [](float x, float y) { return x > 10 && x < 20 && y > 5 && y < 10; });
  for (const Shape& shape : {Shape{1, 1, 20, 40}, Shape{1, 20, 40, 1}}) {
    const auto seen = DecodeAll(card, {{"o", Floats(shape, map)}}, Whole(card));
    ASSERT_TRUE(seen.ok()) << seen.error().message;
    ASSERT_EQ(seen.value().text.size(), 1U);
    ExpectCorners(seen.value().text[0].corners, {Point{0.25F, 0.25F}, {0.5F, 0.25F}, {0.5F, 0.5F}, {0.25F, 0.5F}},
                  1e-4F);
  }
  // A free size is known when the tensor comes.
  const auto decoder = MakeOutputDecoder(card, {{"o", ElementType::kF32, {-1, 1, -1, -1}}});
  ASSERT_TRUE(decoder.ok()) << decoder.error().message;
  const Tensor tensor = Floats({1, 1, 20, 40}, map);
  const std::vector<TensorView> views{tensor.View()};
  EXPECT_EQ(decoder.value()->Decode(views, Whole(card)).value().text.size(), 1U);
}

TEST(HeatmapPoseDecoder, FindsTheTopBetweenCells) {
  ModelCard card = Card(Kind::kHeatmapPose, 64, 48, {"nose", "chin"});
  Tensor maps = Zeros({1, 3, 12, 16});  // the last one is background
  // A parabola with its top a quarter of a cell to the right of (8, 5): 1 - (x - 0.25)^2 / 4.
  const auto at = [](size_t map, size_t x, size_t y) { return (map * 12 + y) * 16 + x; };
  const auto top = [](float x) { return 1 - (x - 0.25F) * (x - 0.25F) / 4; };
  Set(&maps, at(0, 7, 5), {top(-1), top(0), top(1)});
  Set(&maps, at(1, 0, 11), {0.5F});
  const auto seen = DecodeAll(card, {{"o", maps}}, Whole(card));
  ASSERT_TRUE(seen.ok()) << seen.error().message;
  ASSERT_EQ(seen.value().keypoints.size(), 2U);
  EXPECT_NEAR(seen.value().keypoints[0].point.x, 8.75 / 16, 1e-5);
  EXPECT_NEAR(seen.value().keypoints[0].point.y, 5.5 / 12, 1e-5);
  EXPECT_FLOAT_EQ(seen.value().keypoints[1].score, 0.5F);
  EXPECT_FLOAT_EQ(seen.value().keypoints[1].point.x, 0.5F / 16);
}

// As many points as rows and columns: only the order of the picture's colours tells which is which.
TEST(HeatmapPoseDecoder, MovesPointsByOffsets) {
  ModelCard card = Card(Kind::kHeatmapPose, 33, 33, {"a", "b", "c"});
  card.input.layout = TensorLayout::kNhwc;
  card.output.tensor = "heat";
  card.output.offsets = "offsets";
  card.output.sigmoid = true;
  Tensor heat = Floats({1, 3, 3, 3}, std::vector<float>(27, -5.0F));
  Tensor offsets = Zeros({1, 3, 3, 6});
  Set(&heat, (2 * 3 + 1) * 3 + 0, {2.0F});         // point 0 in row 2, column 1
  Set(&offsets, (2 * 3 + 1) * 6 + 0, {-4.0F});     // its y
  Set(&offsets, (2 * 3 + 1) * 6 + 3 + 0, {3.0F});  // and x
  const auto seen = DecodeAll(card, {{"heat", heat}, {"offsets", offsets}}, Whole(card));
  ASSERT_TRUE(seen.ok()) << seen.error().message;
  ASSERT_EQ(seen.value().keypoints.size(), 3U);
  EXPECT_NEAR(seen.value().keypoints[0].point.x, 19.5 / 33, 1e-5);
  EXPECT_NEAR(seen.value().keypoints[0].point.y, 28.5 / 33, 1e-5);
  EXPECT_NEAR(seen.value().keypoints[0].score, 0.8808, 1e-4);
  card.output.offsets = "heat";
  EXPECT_FALSE(DecodeAll(card, {{"heat", heat}, {"offsets", offsets}}, Whole(card)).ok());
}

// Two persons of three points one below the other, at columns 5 and 20, in rows 5, 12 and 19.
struct TwoPersons {
  Tensor heat = Zeros({1, 4, 24, 30});
  Tensor fields = Zeros({1, 4, 24, 30});

  TwoPersons() {
    for (const size_t x : {5U, 20U}) {
      for (size_t point = 0; point < 3; ++point) Set(&heat, (point * 24 + 5 + 7 * point) * 30 + x, {0.9F});
      for (size_t limb = 0; limb < 2; ++limb) {
        // The field points down: y channels 1 and 3.
        for (size_t y = 5 + 7 * limb; y <= 12 + 7 * limb; ++y) Set(&fields, ((2 * limb + 1) * 24 + y) * 30 + x, {1.0F});
      }
    }
  }
};

ModelCard LimbCard() {
  ModelCard card = Card(Kind::kHeatmapPose, 240, 192, {"person"});
  card.output.tensor = "heat";
  card.output.pafs = "fields";
  card.output.point_names = {"top", "middle", "low"};
  card.output.limbs = {{0, 1, 0, 1}, {1, 2, 2, 3}};
  return card;
}

TEST(HeatmapPoseDecoder, PutsPersonsTogetherByTheirLimbs) {
  const ModelCard card = LimbCard();
  TwoPersons two;
  const auto heat = MapChannels{
      30, 24, [&](size_t c, size_t x, size_t y) { return two.heat.View().As<float>()[(c * 24 + y) * 30 + x]; }};
  const auto fields = MapChannels{
      30, 24, [&](size_t c, size_t x, size_t y) { return two.fields.View().As<float>()[(c * 24 + y) * 30 + x]; }};
  const auto persons = FindPersons(heat, fields, 3, card.output.limbs, 0.3F);
  ASSERT_EQ(persons.size(), 2U);
  for (const PersonPoints& person : persons) {
    ASSERT_TRUE(person[0] && person[1] && person[2]);
    EXPECT_EQ(person[0]->x, person[2]->x);
    EXPECT_EQ(person[2]->y, 19.0F);
  }
}

TEST(HeatmapPoseDecoder, ReadsFieldsApartAndBehindTheHeatMaps) {
  ModelCard card = LimbCard();
  card.output.limbs.push_back({0, 3, 0, 1});  // does not fit three points
  TwoPersons two;
  const auto wrong = DecodeAll(card, {{"heat", two.heat}, {"fields", two.fields}}, Whole(card));
  ASSERT_FALSE(wrong.ok());
  card = LimbCard();
  // A fourth map, of the background, is not read.
  for (const size_t x : {5U, 20U}) Set(&two.heat, (3 * 24 + 1) * 30 + x, {1.0F});
  const auto apart = DecodeAll(card, {{"heat", two.heat}, {"fields", two.fields}}, Whole(card));
  ASSERT_TRUE(apart.ok()) << apart.error().message;
  EXPECT_TRUE(apart.value().objects.empty());  // points in one column have no box

  // One point half a cell aside.
  for (const size_t x : {5U, 20U}) Set(&two.heat, (1 * 24 + 12) * 30 + x + 1, {0.8F});
  const auto tilted = DecodeAll(card, {{"heat", two.heat}, {"fields", two.fields}}, Whole(card));
  ASSERT_TRUE(tilted.ok());
  EXPECT_EQ(tilted.value().objects.size(), 2U);

  Tensor both = Zeros({1, 8, 24, 30});
  const auto heat = two.heat.View().As<float>();
  const auto fields = two.fields.View().As<float>();
  Set(&both, 0, {heat.begin(), heat.end()});
  Set(&both, 4 * 24 * 30, {fields.begin(), fields.end()});
  card.output.pafs = card.output.tensor = "both";
  const auto together = DecodeAll(card, {{"both", both}}, Whole(card));
  ASSERT_TRUE(together.ok()) << together.error().message;
  ASSERT_EQ(together.value().objects.size(), 2U);
  EXPECT_EQ(together.value().objects[0].box, tilted.value().objects[0].box);
}

TEST(PoseDecoder, ReadsManyPersons) {
  ModelCard card = Card(Kind::kPose, 256, 256, {"person"});
  Tensor rows = Zeros({1, 6, 56});
  Set(&rows, 56, {0.2F, 0.3F, 0.9F});
  Set(&rows, 56 + 51, {0.1F, 0.2F, 0.5F, 0.6F, 0.8F});
  const auto seen = DecodeAll(card, {{"o", rows}}, Whole(card));
  ASSERT_TRUE(seen.ok()) << seen.error().message;
  ASSERT_EQ(seen.value().objects.size(), 1U);
  ExpectBox(seen.value().objects[0].box, {0.2F, 0.1F, 0.6F, 0.5F});
  ASSERT_EQ(seen.value().objects[0].keypoints.size(), 17U);
  EXPECT_FLOAT_EQ(seen.value().objects[0].keypoints[0].point.x, 0.3F);
}

TEST(EmbeddingDecoder, ScalesToLengthOneWhenAsked) {
  ModelCard card = Card(Kind::kEmbedding, 8, 8, {});
  const std::vector<NamedTensor> tensors = {{"o", Floats({1, 3, 1, 1}, {2, -3, 6})}};
  EXPECT_THAT(DecodeAll(card, tensors, Whole(card)).value().embedding, ElementsAre(2, -3, 6));
  card.output.l2_normalize = true;
  const auto unit = DecodeAll(card, tensors, Whole(card));
  EXPECT_NEAR(unit.value().embedding[1], -3.0 / 7, 1e-6);
  EXPECT_THAT(DecodeAll(card, {{"o", Zeros({1, 3})}}, Whole(card)).value().embedding, ElementsAre(0, 0, 0));
}

TEST(RegressionDecoder, ScalesNamedNumbers) {
  ModelCard card = Card(Kind::kRegression, 8, 8, {"x", "y", "z"});
  const auto plain = DecodeAll(card, {{"gaze", Floats({1, 3}, {0.5F, -1, 2})}}, Whole(card));
  ASSERT_TRUE(plain.ok()) << plain.error().message;
  ASSERT_EQ(plain.value().values.size(), 3U);
  EXPECT_EQ(plain.value().values[1].name, "y");
  EXPECT_EQ(plain.value().values[1].value, -1);
  card.output.values = {{.name = "age", .tensor = "a", .index = 1, .scale = 100, .offset = -5, .unit = "years"}};
  const auto scaled = DecodeAll(card, {{"a", Floats({1, 2}, {9, 0.4F})}, {"b", Zeros({1, 2})}}, Whole(card));
  ASSERT_EQ(scaled.value().values.size(), 1U);
  EXPECT_FLOAT_EQ(scaled.value().values[0].value, 35);
  EXPECT_EQ(scaled.value().values[0].unit, "years");
  card.output.values[0].index = 2;
  EXPECT_THAT(DecodeAll(card, {{"a", Zeros({1, 2})}}, Whole(card)).error().message, HasSubstr("3 or more numbers"));
}

TEST(ClassificationDecoder, ReadsSeveralHeadsAndNumbersBesideThem) {
  ModelCard card = Card(Kind::kClassification, 8, 8, {"female", "male", "red", "green", "blue"});
  card.output.class_heads = {{.name = "gender", .classes = 2}, {.name = "colour", .classes = 3}};
  card.output.values = {{.name = "age", .scale = 100}};
  const auto seen = DecodeAll(card,
                              {{"age_conv3", Floats({1, 1, 1, 1}, {0.3F})},
                               {"colour", Floats({1, 1, 1, 3}, {0.1F, 0.2F, 0.7F})},
                               {"prob", Floats({1, 2, 1, 1}, {0.1F, 0.9F})}},
                              Whole(card));
  ASSERT_TRUE(seen.ok()) << seen.error().message;
  ASSERT_EQ(seen.value().classes.size(), 2U);
  EXPECT_EQ(card.LabelOf(seen.value().classes[0].label), "male");
  EXPECT_EQ(seen.value().classes[0].head, "gender");
  EXPECT_EQ(card.LabelOf(seen.value().classes[1].label), "blue");
  ASSERT_EQ(seen.value().values.size(), 1U);
  EXPECT_FLOAT_EQ(seen.value().values[0].value, 30);
  card.labels.pop_back();
  EXPECT_THAT(DecodeAll(card, {{"a", Zeros({1, 2})}, {"b", Zeros({1, 3})}}, Whole(card)).error().message,
              HasSubstr("the class_heads have 5 classes together, the labels are 4"));
}

}  // namespace
}  // namespace deepedge
