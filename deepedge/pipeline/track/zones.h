// Zones and lines that a user draws over a stream's picture, and the geometry they need. Plain data and pure functions;
// scene_watch.h turns tracks into events by them.
//
// All places are fractions of the picture: (0,0) is the top left corner, (1,1) the bottom right one.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "deepedge/base/result.h"
#include "deepedge/media/geometry.h"

namespace deepedge {

// A polygon. Its last corner joins the first; a first corner that is written again at the end is fine.
struct Zone {
  std::string name;
  std::vector<Point> corners;
  double dwell_s = 0;       // says so when a track has been in it for so long; 0: never
  std::vector<int> labels;  // what it looks at, indices into the model's labels; empty: everything
};

// Crossing it has a direction. Stand at `from` and look towards `to`, on the picture as you see it: who goes from your
// left to your right goes in, who comes back goes out. So with `from` at the bottom and `to` at the top, in is
// rightwards; with `from` left and `to` right, in is downwards. To turn it round, exchange `from` and `to`.
struct Line {
  std::string name;
  Point from;
  Point to;
  std::vector<int> labels;
};

// Which point of a box stands for the object.
enum class CountedPoint {
  kFeet,    // middle of the lower side: where a person or a car stands on the ground
  kCentre,  // for cameras that look straight down
};

struct SceneRules {
  std::vector<Zone> zones;
  std::vector<Line> lines;
  CountedPoint point = CountedPoint::kFeet;
};

inline constexpr size_t kMostZones = 64;  // and as many lines
inline constexpr size_t kMostCorners = 64;

// kBadInput, saying which zone, line or corner and what is wrong: no name, fewer than 3 different corners or more than
// 64, a corner outside of the picture or not a number, sides that cross or touch one another, (almost) no area, a dwell
// time below 0 or not finite; a line without length.
Status CheckZone(const Zone& zone);
Status CheckLine(const Line& line);

// All of them; names must differ among zones and among lines.
Status CheckRules(const SceneRules& rules);

// Inside by the even-odd rule; a point on a side may be either. False for fewer than 3 corners.
bool PointInPolygon(Point point, std::span<const Point> corners);

// Whether two segments have a point in common, ends included.
bool SegmentsCross(Point a1, Point a2, Point b1, Point b2);

// Above 0 to the right of the line through `from` and `to`, below 0 to the left: the distance from it, in fractions of
// the picture. 0 where the two are the same point.
double SideOfLine(Point point, Point from, Point to);

double DistanceToSegment(Point point, Point from, Point to);
double DistanceToBorder(Point point, std::span<const Point> corners);  // 0 or more, inside too

// In any order of corners: never below 0.
double PolygonArea(std::span<const Point> corners);

// Kept a little inside the picture: what stands at its edge is in a zone that reaches to the edge.
Point PointOf(const Box& box, CountedPoint point);

}  // namespace deepedge
