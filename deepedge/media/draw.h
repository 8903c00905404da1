// Drawing results on a picture: boxes, labels and points, with a built-in 5x7 font. For `model run -o out.png` and for
// looking at things, not for the per-frame path. Everything is cut to the picture; sizes follow the picture's, so that
// a line or a letter is as visible on 4K as on 320x240.
#pragma once

#include <span>
#include <string_view>

#include "deepedge/media/geometry.h"
#include "deepedge/media/picture.h"

namespace deepedge {

struct Rgb {
  uint8_t r = 0;
  uint8_t g = 0;
  uint8_t b = 0;
  friend bool operator==(const Rgb&, const Rgb&) = default;
};

// Pure. A strong colour; neighbouring labels get colours far from each other, the same label always the same one.
Rgb ColorOfLabel(int label);

// Width of a line in pixels for a picture of this size: 2 or 3, more only above full HD.
int LineWidth(int width, int height);

// The outline of `box`, drawn inward.
void DrawBox(RgbPicture& picture, const Box& box, Rgb color);

// `text` on a filled background whose lower left corner is the top left corner of `box`; inside the box where there is
// no room above it, and moved left where it would leave the picture. Characters other than ASCII appear as '?'.
void DrawLabel(RgbPicture& picture, const Box& box, std::string_view text, Rgb background);

// A filled disc around `at`, given as fractions of the picture.
void DrawPoint(RgbPicture& picture, Point at, Rgb color);

// The outline of the polygon through `corners`, fractions of the picture.
void DrawPolygon(RgbPicture& picture, std::span<const Point> corners, Rgb color);

// Tints the picture by the labels of a grid of `columns` cells a row that covers it; cells under 0 stay as they are.
void DrawMask(RgbPicture& picture, std::span<const int> labels, int columns);

}  // namespace deepedge
