// Decoders of networks that judge windows and of those that look closer at points.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "deepedge/pipeline/post/decoder_test_util.h"

namespace deepedge {
namespace {

using ::testing::HasSubstr;
using Kind = OutputDecoderKind;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// The whole input is one window; class 0 is none.
ModelCard OneWindow() {
  ModelCard card = Card(Kind::kWindow, 24, 24, {"face"});
  card.output.background = 0;
  card.output.label_offset = 1;
  card.threshold = 0.6F;
  return card;
}

// 4x3 windows of 12 pixels every 2 pixels: an input of 18x16.
ModelCard MapOfWindows() {
  ModelCard card = OneWindow();
  card.input.width = 18;
  card.input.height = 16;
  card.output.window = 12;
  card.output.stride = 2;
  return card;
}

TEST(WindowDecoder, MovesTheCornersOfTheWindowAndLetsThemLeaveThePicture) {
  const ModelCard card = OneWindow();
  const auto seen = DecodeAll(
      card, {{"p", Floats({1, 2}, {0.1F, 0.9F})}, {"o", Floats({1, 4}, {-0.25F, 0.125F, 0.5F, -0.125F})}}, Whole(card));
  ASSERT_TRUE(seen.ok()) << seen.error().message;
  ASSERT_EQ(seen.value().objects.size(), 1U);
  EXPECT_EQ(seen.value().objects[0].label, 0);
  EXPECT_FLOAT_EQ(seen.value().objects[0].score, 0.9F);
  ExpectBox(seen.value().objects[0].box, {-0.25F, 0.125F, 1.5F, 0.875F});
}

TEST(WindowDecoder, ReadsPointsAsAllXThenAllY) {
  ModelCard card = OneWindow();
  card.output.keypoints = 2;
  const auto seen = DecodeAll(card,
                              {{"p", Floats({1, 2}, {0, 1})},
                               {"o", Floats({1, 4}, {0, 0, 0, 0})},
                               {"l", Floats({1, 4}, {0.1F, 0.2F, 0.3F, 1.4F})}},
                              Whole(card));
  EXPECT_FALSE(seen.ok()) << "two outputs of four numbers";
  card.output.offsets = "o";
  const auto named = DecodeAll(card,
                               {{"p", Floats({1, 2}, {0, 1})},
                                {"o", Floats({1, 4}, {0, 0, 0, 0})},
                                {"l", Floats({1, 4}, {0.1F, 0.2F, 0.3F, 1.4F})}},
                               Whole(card));
  ASSERT_TRUE(named.ok()) << named.error().message;
  const auto& points = named.value().objects.at(0).keypoints;
  ASSERT_EQ(points.size(), 2U);
  EXPECT_FLOAT_EQ(points[0].point.x, 0.1F);
  EXPECT_FLOAT_EQ(points[0].point.y, 0.3F);
  EXPECT_FLOAT_EQ(points[1].point.x, 0.2F);
  EXPECT_FLOAT_EQ(points[1].point.y, 1.4F);
}

// The window of column 3, row 1 has a thing, whichever way the map lies in memory.
TEST(WindowDecoder, FindsWindowsOfAMapInEveryLayout) {
  struct Case {
    const char* what;
    bool transposed;
    TensorLayout layout;
    Shape scores;
    Shape offsets;
    size_t none, some;  // the window's scores
    size_t left, step;  // its first offset, and from one to the next
  };
  const Case cases[] = {
      {"rows of numbers first", false, TensorLayout::kNchw, {1, 2, 3, 4}, {1, 4, 3, 4}, 7, 19, 7, 12},
      {"columns of numbers first", true, TensorLayout::kNchw, {1, 2, 4, 3}, {1, 4, 4, 3}, 10, 22, 10, 12},
      {"rows, numbers last", false, TensorLayout::kNhwc, {1, 3, 4, 2}, {1, 3, 4, 4}, 14, 15, 28, 1},
      {"columns, numbers last", true, TensorLayout::kNhwc, {1, 4, 3, 2}, {1, 4, 3, 4}, 20, 21, 40, 1},
  };
  for (const Case& one : cases) {
    ModelCard card = MapOfWindows();
    card.input.transposed = one.transposed;
    card.input.layout = one.layout;
    Tensor scores = Zeros(one.scores);
    Set(&scores, one.none, {0.25F});
    Set(&scores, one.some, {0.75F});
    Tensor offsets = Zeros(one.offsets);
    Set(&offsets, one.left + 2 * one.step, {0.5F});  // the right side
    const auto seen = DecodeAll(card, {{"p", scores}, {"o", offsets}}, Whole(card));
    ASSERT_TRUE(seen.ok()) << one.what << ": " << seen.error().message;
    ASSERT_EQ(seen.value().objects.size(), 1U) << one.what;
    ExpectBox(seen.value().objects[0].box, {6.0F / 18, 2.0F / 16, 24.0F / 18, 14.0F / 16});
  }
}

TEST(WindowDecoder, SuppressesNeighbours) {
  ModelCard card = MapOfWindows();
  Tensor scores = Zeros({1, 2, 3, 4});
  Set(&scores, 12, {0.7F, 0.9F, 0.8F, 0.7F});
  for (const auto& [iou, left] : std::vector<std::pair<float, size_t>>{{0.5F, 1}, {0.65F, 2}, {1, 4}}) {
    card.output.nms_iou = iou;
    const auto seen = DecodeAll(card, {{"p", scores}, {"o", Zeros({1, 4, 3, 4})}}, Whole(card));
    ASSERT_TRUE(seen.ok());
    EXPECT_EQ(seen.value().objects.size(), left) << iou;  // neighbours overlap by 10/14
  }
}

TEST(WindowDecoder, DropsWhatIsNoBoxAndRefusesOtherMaps) {
  ModelCard card = OneWindow();
  for (const std::vector<float>& offsets : {std::vector<float>{kNan, 0, 0, 0}, {0.9F, 0, -0.9F, 0}, {0, 2, 0, 0}}) {
    const auto seen = DecodeAll(card, {{"p", Floats({1, 2}, {0, 1})}, {"o", Floats({1, 4}, offsets)}}, Whole(card));
    ASSERT_TRUE(seen.ok());
    EXPECT_TRUE(seen.value().objects.empty());
  }
  const auto map = DecodeAll(card, {{"p", Zeros({1, 2, 3, 4})}, {"o", Zeros({1, 4, 3, 4})}}, Whole(card));
  ASSERT_FALSE(map.ok());
  EXPECT_THAT(map.error().message, HasSubstr("for one window"));
  const ModelCard windows = MapOfWindows();
  const auto large = DecodeAll(windows, {{"p", Zeros({1, 2, 3, 9})}, {"o", Zeros({1, 4, 3, 9})}}, Whole(windows));
  ASSERT_FALSE(large.ok());
  EXPECT_THAT(large.error().message, HasSubstr("for each window of 12 pixels in a 18x16 input"));
}

ModelCard Patches(int count) {
  ModelCard card = Card(Kind::kPatchPoints, 24, 24, {});
  card.input.patches = count;
  card.input.patch_size = 0.25F;
  return card;
}

TEST(PatchPointsDecoder, KeepsPointsThatWouldMoveFar) {
  ModelCard card = Patches(4);
  card.output.tensors = {"d", "c", "b", "a"};
  const auto seen = DecodeAll(card,
                              {{"a", Floats({1, 2}, {0.5F, kNan})},
                               {"b", Floats({1, 2}, {0.5F, 0.9F})},
                               {"c", Floats({1, 2}, {0.1F, 0.5F})},
                               {"d", Floats({1, 2}, {0.2F, 0.8F})}},
                              Whole(card));
  ASSERT_TRUE(seen.ok()) << seen.error().message;
  const auto& points = seen.value().keypoints;
  ASSERT_EQ(points.size(), 4U);
  EXPECT_FLOAT_EQ(points[0].point.x, 0.2F);
  EXPECT_FLOAT_EQ(points[0].point.y, 0.8F);
  for (size_t i = 1; i < 4; ++i) {
    EXPECT_EQ(points[i].point.x, 0.5F) << i;
    EXPECT_EQ(points[i].point.y, 0.5F) << i;
  }
}

TEST(PatchPointsDecoder, WantsOneOutputForEachPatch) {
  const auto seen = DecodeAll(Patches(3), {{"a", Zeros({1, 2})}, {"b", Zeros({1, 2})}}, Whole(Patches(3)));
  ASSERT_FALSE(seen.ok());
  EXPECT_THAT(seen.error().message, HasSubstr("2 numbers for each of 3 patches"));
}

}  // namespace
}  // namespace deepedge
