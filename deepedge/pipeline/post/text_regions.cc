#include "deepedge/pipeline/post/text_regions.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

namespace deepedge {
namespace {

constexpr size_t kMostRegions = 1000;
constexpr float kShortestSide = 3;

// Pixels first .. last of one row that are text.
struct Run {
  uint32_t row = 0;
  uint32_t first = 0;
  uint32_t last = 0;
  uint32_t parent = 0;  // of the union of runs that touch
};

uint32_t RootOf(std::vector<Run>& runs, uint32_t i) {
  while (runs[i].parent != i) {
    runs[i].parent = runs[runs[i].parent].parent;
    i = runs[i].parent;
  }
  return i;
}

void Join(std::vector<Run>& runs, uint32_t a, uint32_t b) {
  const uint32_t one = RootOf(runs, a);
  const uint32_t other = RootOf(runs, b);
  runs[std::max(one, other)].parent = std::min(one, other);
}

// Runs row by row; those of neighbouring rows that touch, also by a corner, are joined.
std::vector<Run> FindRuns(std::span<const float> map, size_t columns, float threshold) {
  std::vector<Run> runs;
  size_t above = 0;  // first run of the row above
  const size_t rows = map.size() / columns;
  for (size_t y = 0; y < rows; ++y) {
    const size_t row_begin = runs.size();
    size_t upper = above;
    for (size_t x = 0; x < columns; ++x) {
      const auto is_text = [&](size_t at) {
        const float value = map[y * columns + at];
        return value >= threshold && std::isfinite(value);
      };
      if (!is_text(x)) continue;
      const size_t first = x;
      while (x + 1 < columns && is_text(x + 1)) ++x;
      const auto index = static_cast<uint32_t>(runs.size());
      runs.push_back({static_cast<uint32_t>(y), static_cast<uint32_t>(first), static_cast<uint32_t>(x), index});
      while (upper < row_begin && runs[upper].last + 1 < first) ++upper;
      for (size_t i = upper; i < row_begin && runs[i].first <= x + 1; ++i) Join(runs, index, static_cast<uint32_t>(i));
    }
    above = row_begin;
  }
  return runs;
}

struct Component {
  std::vector<Run> runs;
  size_t pixels = 0;
};

// The runs of each region, the largest regions only.
std::vector<Component> FindComponents(std::vector<Run> runs) {
  std::vector<std::pair<uint32_t, uint32_t>> by_root;  // root, run
  by_root.reserve(runs.size());
  for (uint32_t i = 0; i < runs.size(); ++i) by_root.emplace_back(RootOf(runs, i), i);
  std::sort(by_root.begin(), by_root.end());
  std::vector<Component> components;
  for (size_t i = 0; i < by_root.size(); ++i) {
    if (i == 0 || by_root[i].first != by_root[i - 1].first) components.emplace_back();
    const Run& run = runs[by_root[i].second];
    components.back().runs.push_back(run);
    components.back().pixels += run.last - run.first + 1;
  }
  std::sort(components.begin(), components.end(), [](const Component& a, const Component& b) {
    if (a.pixels != b.pixels) return a.pixels > b.pixels;
    return std::pair(a.runs[0].row, a.runs[0].first) < std::pair(b.runs[0].row, b.runs[0].first);
  });
  if (components.size() > kMostRegions) components.resize(kMostRegions);
  return components;
}

double Cross(Point a, Point b, Point c) {
  return (static_cast<double>(b.x) - a.x) * (static_cast<double>(c.y) - a.y) -
         (static_cast<double>(b.y) - a.y) * (static_cast<double>(c.x) - a.x);
}

std::vector<Point> PixelCorners(const Component& component) {
  std::vector<Point> points;
  points.reserve(component.runs.size() * 4);
  for (const Run& run : component.runs) {
    const auto left = static_cast<float>(run.first);
    const auto right = static_cast<float>(run.last + 1);
    for (const auto y : {static_cast<float>(run.row), static_cast<float>(run.row + 1)}) {
      points.push_back({left, y});
      points.push_back({right, y});
    }
  }
  return points;
}

std::array<Point, 4> UprightRectangle(std::span<const Point> points) {
  Point low = points[0];
  Point high = points[0];
  for (const Point& p : points) {
    low = {std::min(low.x, p.x), std::min(low.y, p.y)};
    high = {std::max(high.x, p.x), std::max(high.y, p.y)};
  }
  return {Point{low.x, low.y}, Point{high.x, low.y}, Point{high.x, high.y}, Point{low.x, high.y}};
}

float Length(Point a, Point b) { return std::hypot(b.x - a.x, b.y - a.y); }

// The corner first from which the side to the next one points most to the right.
std::array<Point, 4> InReadingOrder(const std::array<Point, 4>& corners) {
  size_t first = 0;
  float most = -std::numeric_limits<float>::infinity();
  for (size_t i = 0; i < 4; ++i) {
    const Point& from = corners[i];
    const Point& to = corners[(i + 1) % 4];
    const float right = (to.x - from.x) / std::max(Length(from, to), 1e-6F);
    if (right > most) {
      most = right;
      first = i;
    }
  }
  return {corners[first], corners[(first + 1) % 4], corners[(first + 2) % 4], corners[(first + 3) % 4]};
}

// Every side moves out by `distance`.
std::array<Point, 4> Grown(const std::array<Point, 4>& corners, float distance) {
  const float width = Length(corners[0], corners[1]);
  const float height = Length(corners[1], corners[2]);
  const Point along{(corners[1].x - corners[0].x) / width * distance, (corners[1].y - corners[0].y) / width * distance};
  const Point across{(corners[2].x - corners[1].x) / height * distance,
                     (corners[2].y - corners[1].y) / height * distance};
  return {Point{corners[0].x - along.x - across.x, corners[0].y - along.y - across.y},
          Point{corners[1].x + along.x - across.x, corners[1].y + along.y - across.y},
          Point{corners[2].x + along.x + across.x, corners[2].y + along.y + across.y},
          Point{corners[3].x - along.x + across.x, corners[3].y - along.y + across.y}};
}

// Sums of each row from its start, so that the mean over a rectangle costs one step a row.
class RowSums {
 public:
  RowSums(std::span<const float> map, size_t columns) : columns_(columns), sums_(map.size() / columns * (columns + 1)) {
    for (size_t y = 0; y < map.size() / columns; ++y) {
      float sum = 0;
      for (size_t x = 0; x < columns; ++x) {
        const float value = map[y * columns + x];
        sum += std::isfinite(value) ? std::clamp(value, 0.0F, 1.0F) : 0.0F;
        sums_[y * (columns + 1) + x + 1] = sum;
      }
    }
  }

  // The mean of the pixels whose middle lies in a convex quadrilateral.
  float MeanIn(const std::array<Point, 4>& corners) const {
    const auto rows = static_cast<float>(sums_.size() / (columns_ + 1));
    const auto [low, high] =
        std::minmax_element(corners.begin(), corners.end(), [](const Point& a, const Point& b) { return a.y < b.y; });
    const auto begin = static_cast<size_t>(std::clamp(std::ceil(low->y - 0.5F), 0.0F, rows));
    const auto end = static_cast<size_t>(std::clamp(std::ceil(high->y - 0.5F), 0.0F, rows));
    double sum = 0;
    size_t count = 0;
    for (size_t y = begin; y < end; ++y) {
      const auto [left, right] = Across(corners, static_cast<float>(y) + 0.5F);
      if (left >= right) continue;
      const float* row = &sums_[y * (columns_ + 1)];
      sum += static_cast<double>(row[right] - row[left]);
      count += right - left;
    }
    return count == 0 ? 0.0F : static_cast<float>(sum / static_cast<double>(count));
  }

 private:
  // The columns of a line of pixels that lie in the quadrilateral.
  std::pair<size_t, size_t> Across(const std::array<Point, 4>& corners, float y) const {
    float left = std::numeric_limits<float>::infinity();
    float right = -left;
    for (size_t i = 0; i < 4; ++i) {
      const Point& a = corners[i];
      const Point& b = corners[(i + 1) % 4];
      if (std::min(a.y, b.y) > y || std::max(a.y, b.y) < y || a.y == b.y) continue;
      const float x = a.x + (b.x - a.x) * (y - a.y) / (b.y - a.y);
      left = std::min(left, x);
      right = std::max(right, x);
    }
    if (!(left <= right)) return {0, 0};
    const auto limit = static_cast<float>(columns_);
    return {static_cast<size_t>(std::clamp(std::ceil(left - 0.5F), 0.0F, limit)),
            static_cast<size_t>(std::clamp(std::ceil(right - 0.5F), 0.0F, limit))};
  }

  size_t columns_;
  std::vector<float> sums_;
};

}  // namespace

std::vector<Point> ConvexHull(std::vector<Point> points) {
  const auto before = [](const Point& a, const Point& b) { return a.x != b.x ? a.x < b.x : a.y < b.y; };
  std::sort(points.begin(), points.end(), before);
  std::vector<Point> hull;
  const auto add = [&hull](const Point& point, size_t keep) {
    while (hull.size() >= keep + 2 && Cross(hull[hull.size() - 2], hull.back(), point) <= 0) hull.pop_back();
    hull.push_back(point);
  };
  for (const Point& point : points) add(point, 0);
  const size_t lower = hull.size() - 1;
  for (auto i = points.rbegin(); i != points.rend(); ++i) add(*i, lower);
  if (hull.size() > 1) hull.pop_back();  // the first point again
  return hull;
}

std::array<Point, 4> SmallestRectangle(std::span<const Point> hull) {
  std::array<Point, 4> best{};
  float least = std::numeric_limits<float>::infinity();
  for (size_t i = 0; i < hull.size(); ++i) {
    // One side of the smallest rectangle lies on a side of the hull.
    const Point& from = hull[i];
    const Point& to = hull[(i + 1) % hull.size()];
    const float length = Length(from, to);
    if (!(length > 0)) continue;
    const Point u{(to.x - from.x) / length, (to.y - from.y) / length};
    float low_u = 0;
    float high_u = 0;
    float low_v = 0;
    float high_v = 0;
    for (const Point& p : hull) {
      const float along = (p.x - from.x) * u.x + (p.y - from.y) * u.y;
      const float across = (p.y - from.y) * u.x - (p.x - from.x) * u.y;
      low_u = std::min(low_u, along);
      high_u = std::max(high_u, along);
      low_v = std::min(low_v, across);
      high_v = std::max(high_v, across);
    }
    const float area = (high_u - low_u) * (high_v - low_v);
    if (!(area < least)) continue;
    least = area;
    const auto at = [&](float along, float across) {
      return Point{from.x + along * u.x - across * u.y, from.y + along * u.y + across * u.x};
    };
    best = {at(low_u, low_v), at(high_u, low_v), at(high_u, high_v), at(low_u, high_v)};
  }
  return best;
}

std::vector<MapRegion> FindTextRegions(std::span<const float> map, size_t columns, const TextRules& rules) {
  std::vector<MapRegion> regions;
  if (columns == 0 || map.size() < columns) return regions;
  const RowSums sums(map, columns);
  for (const Component& component : FindComponents(FindRuns(map, columns, rules.map_threshold))) {
    const std::vector<Point> hull = ConvexHull(PixelCorners(component));
    const auto corners = InReadingOrder(rules.rotated ? SmallestRectangle(hull) : UprightRectangle(hull));
    const float width = Length(corners[0], corners[1]);
    const float height = Length(corners[1], corners[2]);
    if (!(std::min(width, height) >= kShortestSide)) continue;
    const float score = sums.MeanIn(corners);
    if (!(score >= rules.box_threshold)) continue;
    regions.push_back({Grown(corners, width * height * rules.unclip / (2 * (width + height))), score});
  }
  std::sort(regions.begin(), regions.end(), [](const MapRegion& a, const MapRegion& b) {
    if (a.score != b.score) return a.score > b.score;
    return std::pair(a.corners[0].y, a.corners[0].x) < std::pair(b.corners[0].y, b.corners[0].x);
  });
  return regions;
}

}  // namespace deepedge
