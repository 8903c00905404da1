// Regions of text in a map of how likely each pixel is text (DB). Pure: connected pixels, their convex hull, the
// smallest rectangle around it, grown to the size of the letters. Private to pipeline/post.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "deepedge/media/geometry.h"

namespace deepedge {

struct TextRules {
  float map_threshold = 0.3F;  // a pixel is text from here on
  float box_threshold = 0.6F;  // regions whose mean is lower are dropped
  float unclip = 1.5F;         // each side moves out by area * unclip / perimeter
  bool rotated = true;         // rectangles of any angle; else upright ones
};

// Corners in pixels of the map (0,0 is the corner of the first pixel), clockwise from the top left as the text is read.
struct MapRegion {
  std::array<Point, 4> corners;
  float score = 0;
};

// `map` holds rows of `columns` numbers from 0 to 1; what is not finite counts as 0. Regions of less than 3 pixels on a
// side are noise. At most 1000 regions, the largest; best score first.
std::vector<MapRegion> FindTextRegions(std::span<const float> map, size_t columns, const TextRules& rules);

// The corners of the convex hull, counter-clockwise in a picture with y downward, without points on its edges.
std::vector<Point> ConvexHull(std::vector<Point> points);

// The rectangle of least area around a convex hull of at least 3 corners.
std::array<Point, 4> SmallestRectangle(std::span<const Point> hull);

}  // namespace deepedge
