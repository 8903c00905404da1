#include "deepedge/media/draw.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "deepedge/media/font.h"

namespace deepedge {
namespace {

struct Area {
  int x1 = 0;
  int y1 = 0;
  int x2 = 0;  // one past the last pixel
  int y2 = 0;
};

void Fill(RgbPicture& picture, Area area, Rgb color) {
  area.x1 = std::max(area.x1, 0);
  area.y1 = std::max(area.y1, 0);
  area.x2 = std::min(area.x2, picture.width);
  area.y2 = std::min(area.y2, picture.height);
  for (int y = area.y1; y < area.y2; ++y) {
    for (int x = area.x1; x < area.x2; ++x) {
      uint8_t* pixel =
          &picture.pixels[(static_cast<size_t>(y) * static_cast<size_t>(picture.width) + static_cast<size_t>(x)) * 3];
      pixel[0] = color.r;
      pixel[1] = color.g;
      pixel[2] = color.b;
    }
  }
}

int ToPixel(float fraction, int size) {
  // Clamped before it is rounded: a model's output may hold anything.
  const float inside = fraction >= 0 ? std::min(fraction, 1.0F) : 0.0F;
  return static_cast<int>(std::lround(inside * static_cast<float>(size)));
}

Area ToArea(const RgbPicture& picture, const Box& box) {
  return {ToPixel(box.x1, picture.width), ToPixel(box.y1, picture.height), ToPixel(box.x2, picture.width),
          ToPixel(box.y2, picture.height)};
}

// How many picture pixels one pixel of the font is wide.
int FontScale(const RgbPicture& picture) {
  return std::max(1, static_cast<int>(std::lround(std::min(picture.width, picture.height) / 400.0)));
}

// One character a code point: the bytes that continue a UTF-8 sequence are left out.
int CountCharacters(std::string_view text) {
  return static_cast<int>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

void DrawText(RgbPicture& picture, int x, int y, int scale, std::string_view text, Rgb color) {
  for (const char character : text) {
    if ((character & 0xC0) == 0x80) continue;
    const Glyph& glyph = GlyphOf(character);
    for (int row = 0; row < kGlyphHeight; ++row) {
      for (int column = 0; column < kGlyphWidth; ++column) {
        if (((glyph[static_cast<size_t>(row)] >> (kGlyphWidth - 1 - column)) & 1) == 0) continue;
        const int left = x + column * scale;
        const int top = y + row * scale;
        Fill(picture, {left, top, left + scale, top + scale}, color);
      }
    }
    x += (kGlyphWidth + 1) * scale;
  }
}

// Black on light colours and white on dark ones.
Rgb TextColor(Rgb background) {
  const int luma = (299 * background.r + 587 * background.g + 114 * background.b) / 1000;
  return luma > 110 ? Rgb{0, 0, 0} : Rgb{255, 255, 255};
}

}  // namespace

Rgb ColorOfLabel(int label) {
  // Hues stepped by the golden ratio stay far apart however many labels there are; two levels of brightness beside.
  constexpr double kGoldenRatio = 0.618033988749895;
  const double hue = std::fmod(std::abs(static_cast<double>(label)) * kGoldenRatio, 1.0) * 6.0;
  const double value = label % 2 == 0 ? 255.0 : 215.0;
  const auto channel = [&](double offset) {
    const double position = std::fmod(hue + offset, 6.0);
    const double strength = std::clamp(std::abs(position - 3.0) - 1.0, 0.0, 1.0);
    return static_cast<uint8_t>(std::lround(value * strength));
  };
  return {channel(0), channel(4), channel(2)};
}

int LineWidth(int width, int height) {
  return std::max(2, static_cast<int>(std::lround(std::min(width, height) / 360.0)));
}

void DrawBox(RgbPicture& picture, const Box& box, Rgb color) {
  const Area area = ToArea(picture, box);
  const int line = LineWidth(picture.width, picture.height);
  Fill(picture, {area.x1, area.y1, area.x2, std::min(area.y1 + line, area.y2)}, color);
  Fill(picture, {area.x1, std::max(area.y2 - line, area.y1), area.x2, area.y2}, color);
  Fill(picture, {area.x1, area.y1, std::min(area.x1 + line, area.x2), area.y2}, color);
  Fill(picture, {std::max(area.x2 - line, area.x1), area.y1, area.x2, area.y2}, color);
}

void DrawLabel(RgbPicture& picture, const Box& box, std::string_view text, Rgb background) {
  if (text.empty()) return;
  const Area area = ToArea(picture, box);
  const int scale = FontScale(picture);
  const int margin = scale + 1;
  const int width = CountCharacters(text) * (kGlyphWidth + 1) * scale - scale + 2 * margin;
  const int height = kGlyphHeight * scale + 2 * margin;
  const int x = std::max(0, std::min(area.x1, picture.width - width));
  const int y = area.y1 >= height ? area.y1 - height : area.y1;
  Fill(picture, {x, y, x + width, y + height}, background);
  DrawText(picture, x + margin, y + margin, scale, text, TextColor(background));
}

void DrawPoint(RgbPicture& picture, Point at, Rgb color) {
  const int x = ToPixel(at.x, picture.width);
  const int y = ToPixel(at.y, picture.height);
  const int radius = LineWidth(picture.width, picture.height);
  for (int dy = -radius; dy <= radius; ++dy) {
    const int half = static_cast<int>(std::lround(std::sqrt(static_cast<double>(radius * radius - dy * dy))));
    Fill(picture, {x - half, y + dy, x + half + 1, y + dy + 1}, color);
  }
}

void DrawPolygon(RgbPicture& picture, std::span<const Point> corners, Rgb color) {
  const int width = LineWidth(picture.width, picture.height);
  for (size_t i = 0; i < corners.size(); ++i) {
    const Point& from = corners[i];
    const Point& to = corners[(i + 1) % corners.size()];
    const int x1 = ToPixel(from.x, picture.width);
    const int y1 = ToPixel(from.y, picture.height);
    const int x2 = ToPixel(to.x, picture.width);
    const int y2 = ToPixel(to.y, picture.height);
    const int steps = std::max({std::abs(x2 - x1), std::abs(y2 - y1), 1});
    for (int step = 0; step <= steps; ++step) {
      const int x = x1 + static_cast<int>(std::lround(static_cast<double>(x2 - x1) * step / steps)) - width / 2;
      const int y = y1 + static_cast<int>(std::lround(static_cast<double>(y2 - y1) * step / steps)) - width / 2;
      Fill(picture, {x, y, x + width, y + width}, color);
    }
  }
}

void DrawMask(RgbPicture& picture, std::span<const int> labels, int columns) {
  const auto rows = columns > 0 ? static_cast<int64_t>(labels.size()) / columns : 0;
  if (rows < 1) return;
  for (int y = 0; y < picture.height; ++y) {
    const int64_t row = int64_t{y} * rows / picture.height;
    for (int x = 0; x < picture.width; ++x) {
      const int64_t column = int64_t{x} * columns / picture.width;
      const int label = labels[static_cast<size_t>(row * columns + column)];
      if (label < 0) continue;
      const Rgb color = ColorOfLabel(label);
      uint8_t* pixel =
          &picture.pixels[(static_cast<size_t>(y) * static_cast<size_t>(picture.width) + static_cast<size_t>(x)) * 3];
      const auto mix = [](uint8_t a, uint8_t b) { return static_cast<uint8_t>((a + b) / 2); };
      pixel[0] = mix(pixel[0], color.r);
      pixel[1] = mix(pixel[1], color.g);
      pixel[2] = mix(pixel[2], color.b);
    }
  }
}

}  // namespace deepedge
