#include "deepedge/pipeline/track/zones.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "deepedge/base/check.h"

namespace deepedge {
namespace {

constexpr double kLeastArea = 1e-5;    // of the picture: 9 pixels of 1280x720
constexpr double kLeastLength = 1e-3;  // of a line
constexpr float kEdge = 5e-4F;         // how far within the picture a point stays

// Twice the area of the triangle, above 0 where it is clockwise on the picture.
double Turn(Point a, Point b, Point c) {
  return (static_cast<double>(b.x) - a.x) * (static_cast<double>(c.y) - a.y) -
         (static_cast<double>(b.y) - a.y) * (static_cast<double>(c.x) - a.x);
}

bool Same(Point a, Point b) { return a.x == b.x && a.y == b.y; }

// `point` is on the line through both.
bool Between(Point point, Point a, Point b) {
  return point.x >= std::min(a.x, b.x) && point.x <= std::max(a.x, b.x) && point.y >= std::min(a.y, b.y) &&
         point.y <= std::max(a.y, b.y);
}

bool InPicture(Point point) { return point.x >= 0 && point.x <= 1 && point.y >= 0 && point.y <= 1; }

Error Bad(std::string message) { return {ErrorCode::kBadInput, std::move(message)}; }

// Without corners that repeat the one before them.
std::vector<Point> Different(const std::vector<Point>& corners) {
  std::vector<Point> different;
  for (const Point corner : corners) {
    if (different.empty() || !Same(different.back(), corner)) different.push_back(corner);
  }
  while (different.size() > 1 && Same(different.front(), different.back())) different.pop_back();
  return different;
}

// The two sides that follow one another share a corner; they are wrong only if the second turns straight back.
bool TurnsBack(Point a, Point corner, Point b) {
  const double along = (static_cast<double>(a.x) - corner.x) * (static_cast<double>(b.x) - corner.x) +
                       (static_cast<double>(a.y) - corner.y) * (static_cast<double>(b.y) - corner.y);
  return Turn(a, corner, b) == 0 && along > 0;
}

Status CheckSides(const std::string& name, const std::vector<Point>& corners) {
  const size_t count = corners.size();
  for (size_t i = 0; i < count; ++i) {
    const Point next = corners[(i + 1) % count];
    if (TurnsBack(corners[i], next, corners[(i + 2) % count])) {
      return Bad(fmt::format("zone '{}': it turns straight back at ({}, {})", name, next.x, next.y));
    }
    for (size_t j = i + 2; j < count; ++j) {
      if (i == 0 && j == count - 1) continue;
      if (!SegmentsCross(corners[i], next, corners[j], corners[(j + 1) % count])) continue;
      return Bad(
          fmt::format("zone '{}': its sides from ({}, {}) and from ({}, {}) cross; give the corners in the order in "
                      "which one walks round it",
                      name, corners[i].x, corners[i].y, corners[j].x, corners[j].y));
    }
  }
  return {};
}

template <typename Shape>
Status CheckNames(const std::vector<Shape>& shapes, const char* what) {
  if (shapes.size() > kMostZones) return Bad(fmt::format("{} {}s, at most {} can be", shapes.size(), what, kMostZones));
  std::set<std::string> names;
  for (const Shape& shape : shapes) {
    if (!names.insert(shape.name).second) return Bad(fmt::format("two {}s are called '{}'", what, shape.name));
  }
  return {};
}

}  // namespace

Status CheckZone(const Zone& zone) {
  if (zone.name.empty()) return Bad("a zone has no name");
  if (zone.corners.size() > kMostCorners) {
    return Bad(fmt::format("zone '{}': {} corners, at most {} can be", zone.name, zone.corners.size(), kMostCorners));
  }
  for (size_t i = 0; i < zone.corners.size(); ++i) {
    const Point corner = zone.corners[i];
    if (InPicture(corner)) continue;
    return Bad(fmt::format("zone '{}': corner {} is ({}, {}); corners are fractions of the picture, 0 to 1", zone.name,
                           i + 1, corner.x, corner.y));
  }
  const std::vector<Point> corners = Different(zone.corners);
  if (corners.size() < 3) {
    return Bad(fmt::format("zone '{}': {} different corners, a zone needs 3", zone.name, corners.size()));
  }
  DE_TRY_STATUS(CheckSides(zone.name, corners));
  if (PolygonArea(corners) < kLeastArea) return Bad(fmt::format("zone '{}': it has no area", zone.name));
  if (!std::isfinite(zone.dwell_s) || zone.dwell_s < 0) {
    return Bad(fmt::format("zone '{}': dwell time of {} s, 0 or more is expected", zone.name, zone.dwell_s));
  }
  return {};
}

Status CheckLine(const Line& line) {
  if (line.name.empty()) return Bad("a line has no name");
  for (const Point end : {line.from, line.to}) {
    if (InPicture(end)) continue;
    return Bad(fmt::format("line '{}': an end is ({}, {}); ends are fractions of the picture, 0 to 1", line.name, end.x,
                           end.y));
  }
  if (std::hypot(line.to.x - line.from.x, line.to.y - line.from.y) < kLeastLength) {
    return Bad(fmt::format("line '{}': its ends are the same point", line.name));
  }
  return {};
}

Status CheckRules(const SceneRules& rules) {
  DE_TRY_STATUS(CheckNames(rules.zones, "zone"));
  DE_TRY_STATUS(CheckNames(rules.lines, "line"));
  for (const Zone& zone : rules.zones) DE_TRY_STATUS(CheckZone(zone));
  for (const Line& line : rules.lines) DE_TRY_STATUS(CheckLine(line));
  return {};
}

bool PointInPolygon(Point point, std::span<const Point> corners) {
  if (corners.size() < 3) return false;
  bool inside = false;
  for (size_t i = 0, before = corners.size() - 1; i < corners.size(); before = i++) {
    const Point a = corners[i];
    const Point b = corners[before];
    if ((a.y > point.y) == (b.y > point.y)) continue;
    const double x =
        (static_cast<double>(b.x) - a.x) * (static_cast<double>(point.y) - a.y) / (static_cast<double>(b.y) - a.y) +
        a.x;
    if (point.x < x) inside = !inside;
  }
  return inside;
}

bool SegmentsCross(Point a1, Point a2, Point b1, Point b2) {
  const double d1 = Turn(b1, b2, a1);
  const double d2 = Turn(b1, b2, a2);
  const double d3 = Turn(a1, a2, b1);
  const double d4 = Turn(a1, a2, b2);
  const auto opposite = [](double a, double b) { return (a > 0 && b < 0) || (a < 0 && b > 0); };
  if (opposite(d1, d2) && opposite(d3, d4)) return true;
  return (d1 == 0 && Between(a1, b1, b2)) || (d2 == 0 && Between(a2, b1, b2)) || (d3 == 0 && Between(b1, a1, a2)) ||
         (d4 == 0 && Between(b2, a1, a2));
}

double SideOfLine(Point point, Point from, Point to) {
  const double length = std::hypot(static_cast<double>(to.x) - from.x, static_cast<double>(to.y) - from.y);
  return length > 0 ? Turn(from, to, point) / length : 0;
}

double DistanceToSegment(Point point, Point from, Point to) {
  const double x = static_cast<double>(to.x) - from.x;
  const double y = static_cast<double>(to.y) - from.y;
  const double square = x * x + y * y;
  const double along =
      square > 0
          ? std::clamp(
                ((static_cast<double>(point.x) - from.x) * x + (static_cast<double>(point.y) - from.y) * y) / square,
                0.0, 1.0)
          : 0.0;
  return std::hypot(point.x - (from.x + along * x), point.y - (from.y + along * y));
}

double DistanceToBorder(Point point, std::span<const Point> corners) {
  double least = std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < corners.size(); ++i) {
    least = std::min(least, DistanceToSegment(point, corners[i], corners[(i + 1) % corners.size()]));
  }
  return least;
}

double PolygonArea(std::span<const Point> corners) {
  double twice = 0;
  for (size_t i = 0; i < corners.size(); ++i) {
    const Point a = corners[i];
    const Point b = corners[(i + 1) % corners.size()];
    twice += static_cast<double>(a.x) * b.y - static_cast<double>(b.x) * a.y;
  }
  return std::abs(twice) / 2;
}

Point PointOf(const Box& box, CountedPoint point) {
  const auto inside = [](float place) { return std::clamp(place, kEdge, 1 - kEdge); };
  const float x = inside((box.x1 + box.x2) / 2);
  switch (point) {
    case CountedPoint::kFeet: return {x, inside(box.y2)};
    case CountedPoint::kCentre: return {x, inside((box.y1 + box.y2) / 2)};
  }
  return {x, inside(box.y2)};
}

}  // namespace deepedge
