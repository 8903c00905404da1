#include "deepedge/media/draw.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

#include "deepedge/media/font.h"

namespace deepedge {
namespace {

RgbPicture Black(int width, int height) {
  return {width, height, std::vector<uint8_t>(static_cast<size_t>(width) * static_cast<size_t>(height) * 3)};
}

Rgb At(const RgbPicture& picture, int x, int y) {
  const size_t i = (static_cast<size_t>(y) * static_cast<size_t>(picture.width) + static_cast<size_t>(x)) * 3;
  return {picture.pixels[i], picture.pixels[i + 1], picture.pixels[i + 2]};
}

int CountPixels(const RgbPicture& picture, Rgb color) {
  int count = 0;
  for (int y = 0; y < picture.height; ++y) {
    for (int x = 0; x < picture.width; ++x) count += At(picture, x, y) == color ? 1 : 0;
  }
  return count;
}

constexpr Rgb kRed{255, 0, 0};
constexpr Rgb kBlack{0, 0, 0};
constexpr Rgb kWhite{255, 255, 255};

TEST(DrawBoxTest, DrawsTheOutlineAndNothingElse) {
  RgbPicture picture = Black(100, 80);
  DrawBox(picture, {0.1F, 0.25F, 0.5F, 0.75F}, kRed);  // pixels 10..49 x 20..59
  EXPECT_EQ(LineWidth(100, 80), 2);
  EXPECT_EQ(At(picture, 10, 20), kRed);
  EXPECT_EQ(At(picture, 49, 59), kRed);
  EXPECT_EQ(At(picture, 11, 40), kRed);
  EXPECT_EQ(At(picture, 12, 40), kBlack);
  EXPECT_EQ(At(picture, 9, 40), kBlack);
  EXPECT_EQ(At(picture, 50, 40), kBlack);
  EXPECT_EQ(CountPixels(picture, kRed), 40 * 40 - 36 * 36);
}

TEST(DrawBoxTest, CutsWhatLiesOutside) {
  RgbPicture picture = Black(40, 40);
  DrawBox(picture, {-1, -1, 2, 2}, kRed);
  EXPECT_EQ(CountPixels(picture, kRed), 40 * 40 - 36 * 36);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  DrawBox(picture, {nan, nan, nan, nan}, kRed);
  DrawBox(picture, {0.9F, 0.9F, 0.1F, 0.1F}, kRed);
  DrawPoint(picture, {nan, 1e30F}, kRed);
}

TEST(LineWidthTest, GrowsWithThePicture) {
  EXPECT_EQ(LineWidth(320, 240), 2);
  EXPECT_EQ(LineWidth(1920, 1080), 3);
  EXPECT_EQ(LineWidth(3840, 2160), 6);
}

TEST(ColorOfLabelTest, FirstEightyAreAllDifferent) {
  std::set<std::tuple<int, int, int>> seen;
  for (int label = 0; label < 80; ++label) {
    const Rgb c = ColorOfLabel(label);
    seen.insert({c.r, c.g, c.b});
    EXPECT_EQ(c, ColorOfLabel(label));
    EXPECT_GE(std::max({c.r, c.g, c.b}), 200);
  }
  EXPECT_EQ(seen.size(), 80U);
  ColorOfLabel(-1);
  ColorOfLabel(std::numeric_limits<int>::min());
}

TEST(ColorOfLabelTest, NeighboursAreFarApart) {
  for (int label = 0; label < 80; ++label) {
    const Rgb a = ColorOfLabel(label);
    const Rgb b = ColorOfLabel(label + 1);
    EXPECT_GT(std::abs(a.r - b.r) + std::abs(a.g - b.g) + std::abs(a.b - b.b), 200) << label;
  }
}

TEST(DrawLabelTest, WritesReadableTextAboveTheBox) {
  RgbPicture picture = Black(200, 100);
  DrawLabel(picture, {0.25F, 0.5F, 0.75F, 0.9F}, "I", kRed);
  // 7 rows and a margin of 2 on both sides: rows 39..49, columns 50..58; red is dark, so the text is white.
  EXPECT_EQ(At(picture, 50, 49), kRed);
  EXPECT_EQ(At(picture, 50, 39), kRed);
  EXPECT_EQ(At(picture, 50, 38), kBlack);
  EXPECT_EQ(At(picture, 50, 50), kBlack);
  EXPECT_EQ(At(picture, 54, 44), kWhite);
  EXPECT_EQ(CountPixels(picture, kWhite), 3 + 5 + 3);
  EXPECT_EQ(CountPixels(picture, kRed), 9 * 11 - 11);
}

TEST(DrawLabelTest, StaysInsideThePicture) {
  RgbPicture picture = Black(60, 40);
  DrawLabel(picture, {0.9F, 0, 1, 1}, "ab", kWhite);  // no room above or to the right
  EXPECT_EQ(CountPixels(picture, kWhite) > 0, true);
  EXPECT_EQ(At(picture, 59, 0), kWhite);
  EXPECT_EQ(At(picture, 59 - 15 + 1, 0), kWhite);
  EXPECT_EQ(At(picture, 59 - 15, 0), kBlack);
  RgbPicture tiny = Black(3, 3);
  DrawLabel(tiny, {0, 0, 1, 1}, "much longer than the picture is wide", kRed);
  RgbPicture none = Black(60, 40);
  DrawLabel(none, {0, 0, 1, 1}, "", kRed);
  EXPECT_EQ(CountPixels(none, kBlack), 60 * 40);
}

TEST(DrawLabelTest, ShowsOneMarkForEachForeignCharacter) {
  RgbPicture foreign = Black(100, 60);
  RgbPicture marks = Black(100, 60);
  DrawLabel(foreign, {0.1F, 0.5F, 1, 1}, "\xC3\xA4\xE2\x82\xAC", kRed);  // two code points
  DrawLabel(marks, {0.1F, 0.5F, 1, 1}, "??", kRed);
  EXPECT_EQ(foreign.pixels, marks.pixels);
}

TEST(FontTest, EveryGlyphIsItsOwn) {
  std::set<Glyph> glyphs;
  for (char c = ' '; c < 127; ++c) {
    glyphs.insert(GlyphOf(c));
    for (const uint8_t row : GlyphOf(c)) EXPECT_LT(row, 1 << kGlyphWidth);
  }
  EXPECT_EQ(glyphs.size(), 95U);
  EXPECT_EQ(GlyphOf('\n'), GlyphOf('?'));
}

TEST(DrawPointTest, DrawsADisc) {
  RgbPicture picture = Black(100, 100);
  DrawPoint(picture, {0.5F, 0.5F}, kRed);
  EXPECT_EQ(At(picture, 50, 50), kRed);
  EXPECT_EQ(At(picture, 52, 50), kRed);
  EXPECT_EQ(At(picture, 53, 50), kBlack);
  EXPECT_EQ(At(picture, 52, 52), kBlack);
  DrawPoint(picture, {0, 0}, kRed);
  EXPECT_EQ(At(picture, 0, 0), kRed);
}

TEST(DrawPolygonTest, DrawsEverySide) {
  RgbPicture picture = Black(100, 80);
  const Point corners[] = {{0.1F, 0.25F}, {0.5F, 0.25F}, {0.5F, 0.75F}, {0.1F, 0.75F}};
  DrawPolygon(picture, corners, kRed);
  for (const auto& [x, y] : {std::pair{30, 20}, {50, 40}, {30, 60}, {10, 40}}) EXPECT_EQ(At(picture, x, y), kRed);
  EXPECT_EQ(At(picture, 30, 40), kBlack);
  EXPECT_EQ(At(picture, 60, 40), kBlack);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Point odd[] = {{nan, 1e30F}, {-5, nan}};
  DrawPolygon(picture, odd, kRed);
  DrawPolygon(picture, {}, kRed);
}

TEST(DrawMaskTest, TintsTheCellsOfALabel) {
  RgbPicture picture = Black(40, 20);
  const int labels[] = {-1, 3, -1, -1};  // 2x2 cells
  DrawMask(picture, labels, 2);
  const Rgb color = ColorOfLabel(3);
  const auto half = [](uint8_t value) { return static_cast<uint8_t>(value / 2); };
  EXPECT_EQ(CountPixels(picture, Rgb{half(color.r), half(color.g), half(color.b)}), 20 * 10);
  EXPECT_EQ(At(picture, 20, 0), (Rgb{half(color.r), half(color.g), half(color.b)}));
  EXPECT_EQ(CountPixels(picture, kBlack), 600);
  DrawMask(picture, {}, 2);
  DrawMask(picture, labels, 0);
}

}  // namespace
}  // namespace deepedge
