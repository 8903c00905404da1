#include "deepedge/pipeline/track/zones.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace deepedge {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
const std::vector<Point> kSquare = {{0.2F, 0.2F}, {0.8F, 0.2F}, {0.8F, 0.8F}, {0.2F, 0.8F}};
// A U, open at the top.
const std::vector<Point> kU = {{0.1F, 0.1F}, {0.3F, 0.1F}, {0.3F, 0.7F}, {0.7F, 0.7F},
                               {0.7F, 0.1F}, {0.9F, 0.1F}, {0.9F, 0.9F}, {0.1F, 0.9F}};

TEST(Zones, PointInPolygon) {
  struct Case {
    Point point;
    const std::vector<Point>& corners;
    bool expected;
  };
  const std::vector<Point> two = {{0, 0}, {1, 1}};
  for (const Case& c : {Case{{0.5F, 0.5F}, kSquare, true},
                        {{0.1F, 0.5F}, kSquare, false},
                        {{0.9F, 0.5F}, kSquare, false},
                        {{0.5F, 0.1F}, kSquare, false},
                        {{0.5F, 0.9F}, kSquare, false},
                        {{0.21F, 0.79F}, kSquare, true},
                        {{0.2F, 0.5F}, kU, true},
                        {{0.5F, 0.5F}, kU, false},
                        {{0.8F, 0.3F}, kU, true},
                        {{0.5F, 0.8F}, kU, true},
                        {{0.5F, 0.05F}, kU, false},
                        {{0.95F, 0.1F}, kU, false},
                        {{0.0F, 0.7F}, kU, false},
                        {{kNan, 0.5F}, kSquare, false},
                        {{0.5F, kNan}, kSquare, false},
                        {{0.5F, 0.5F}, two, false}}) {
    EXPECT_EQ(PointInPolygon(c.point, c.corners), c.expected) << c.point.x << " " << c.point.y;
    const std::vector<Point> reversed(c.corners.rbegin(), c.corners.rend());
    EXPECT_EQ(PointInPolygon(c.point, reversed), c.expected) << c.point.x << " " << c.point.y;
  }
}

TEST(Zones, SegmentsCross) {
  struct Case {
    const char* name;
    Point a1, a2, b1, b2;
    bool expected;
  };
  for (const Case& c : {Case{"a cross", {0, 0}, {1, 1}, {0, 1}, {1, 0}, true},
                        {"parallel", {0, 0}, {1, 0}, {0, 0.1F}, {1, 0.1F}, false},
                        {"too short", {0, 0}, {0.4F, 0.4F}, {0, 1}, {1, 0}, false},
                        {"touching with an end", {0, 0}, {0.5F, 0.5F}, {0, 1}, {1, 0}, true},
                        {"one end in common", {0, 0}, {1, 1}, {1, 1}, {1, 0}, true},
                        {"on one line, apart", {0, 0}, {0.25F, 0}, {0.5F, 0}, {1, 0}, false},
                        {"on one line, over one another", {0, 0}, {0.5F, 0}, {0.25F, 0}, {1, 0}, true},
                        {"past the end", {0.9F, 0}, {0.9F, 1}, {0, 0.5F}, {0.8F, 0.5F}, false}}) {
    EXPECT_EQ(SegmentsCross(c.a1, c.a2, c.b1, c.b2), c.expected) << c.name;
    EXPECT_EQ(SegmentsCross(c.b2, c.b1, c.a1, c.a2), c.expected) << c.name;
  }
}

TEST(Zones, TheRightSideOfALineIsThatOfWhoLooksAlongIt) {
  // Up the picture: right is where x is greater.
  EXPECT_NEAR(SideOfLine({0.7F, 0.5F}, {0.5F, 1}, {0.5F, 0}), 0.2, 1e-6);
  EXPECT_NEAR(SideOfLine({0.2F, 0.5F}, {0.5F, 1}, {0.5F, 0}), -0.3, 1e-6);
  // From left to right: right is below.
  EXPECT_NEAR(SideOfLine({0.5F, 0.9F}, {0, 0.5F}, {0.5F, 0.5F}), 0.4, 1e-6);
  EXPECT_EQ(SideOfLine({0.5F, 0.9F}, {0.5F, 0.5F}, {0.5F, 0.5F}), 0);
}

TEST(Zones, Distances) {
  EXPECT_NEAR(DistanceToSegment({0.5F, 0.5F}, {0, 0}, {1, 0}), 0.5, 1e-6);
  EXPECT_NEAR(DistanceToSegment({0.9F, 0.4F}, {0, 0}, {0.6F, 0}), 0.5, 1e-6);
  EXPECT_NEAR(DistanceToSegment({0.3F, 0.4F}, {0, 0}, {0, 0}), 0.5, 1e-6);
  EXPECT_NEAR(DistanceToBorder({0.5F, 0.3F}, kSquare), 0.1, 1e-6);
  EXPECT_NEAR(DistanceToBorder({0.1F, 0.5F}, kSquare), 0.1, 1e-6);
  EXPECT_NEAR(PolygonArea(kSquare), 0.36, 1e-6);
}

TEST(Zones, FeetAtTheEdgeAreInAZoneThatReachesIt) {
  const std::vector<Point> corner = {{0.5F, 0.5F}, {1, 0.5F}, {1, 1}, {0.5F, 1}};
  EXPECT_TRUE(PointInPolygon(PointOf({0.9F, 0.7F, 1, 1}, CountedPoint::kFeet), corner));
  EXPECT_TRUE(PointInPolygon(PointOf({1, 1, 1, 1}, CountedPoint::kFeet), corner));
  EXPECT_NEAR(PointOf({0.2F, 0.4F, 0.4F, 0.8F}, CountedPoint::kCentre).y, 0.6F, 1e-6);
  EXPECT_NEAR(PointOf({0.2F, 0.4F, 0.4F, 0.8F}, CountedPoint::kFeet).y, 0.8F, 1e-6);
}

TEST(Zones, ChecksSayWhatIsWrong) {
  struct Case {
    Zone zone;
    const char* message;  // part of it; empty: fine
  };
  std::vector<Point> many;
  for (int i = 0; i < 65; ++i) {
    many.push_back(
        {0.5F + 0.4F * std::cos(static_cast<float>(i) * 0.09F), 0.5F + 0.4F * std::sin(static_cast<float>(i) * 0.09F)});
  }
  const std::vector<Point> most(many.begin(), many.begin() + 64);
  const std::vector<Case> cases = {
      {{"door", kSquare}, ""},
      {{"u", kU}, ""},
      {{"round", most}, ""},
      {{"closed", {{0, 0}, {1, 0}, {1, 1}, {0, 0}}}, ""},
      {{"whole", {{0, 0}, {1, 0}, {1, 1}, {0, 1}}}, ""},
      {{"straight side", {{0, 0}, {0.5F, 0}, {1, 0}, {1, 1}}}, ""},
      {{"", kSquare}, "has no name"},
      {{"a", {}}, "zone 'a': 0 different corners, a zone needs 3"},
      {{"a", {{0, 0}, {1, 1}}}, "2 different corners"},
      {{"a", {{0, 0}, {1, 1}, {1, 1}, {0, 0}}}, "2 different corners"},
      {{"a", many}, "65 corners, at most 64"},
      {{"a", {{0, 0}, {1, 0}, {kNan, 1}}}, "corner 3 is (nan, 1)"},
      {{"a", {{0, 0}, {640, 0}, {640, 360}}}, "corner 2 is (640, 0); corners are fractions of the picture"},
      {{"a", {{0, -0.1F}, {1, 0}, {1, 1}}}, "corner 1"},
      {{"a", {{0, 0}, {1, 1}, {1, 0}, {0, 1}}}, "cross"},  // a bow tie
      {{"a", {{0, 0}, {0.5F, 0.5F}, {1, 1}}}, "turns straight back"},
      {{"a", {{0, 0}, {1, 0}, {0.5F, 0}, {0.5F, 1}}}, "turns straight back"},
      {{"a", {{0, 0}, {1, 0}, {1, 1}, {0.5F, 0}}}, "cross"},  // a corner on another side
      {{"a", {{0.5F, 0.5F}, {0.501F, 0.5F}, {0.501F, 0.501F}}}, "no area"},
      {{"a", kSquare, -1}, "dwell time of -1 s"},
      {{"a", kSquare, std::numeric_limits<double>::infinity()}, "dwell time"},
  };
  for (const Case& c : cases) {
    const Status status = CheckZone(c.zone);
    EXPECT_EQ(status.ok(), std::string(c.message).empty()) << c.zone.name << c.message;
    if (status.ok()) continue;
    EXPECT_EQ(status.error().code, ErrorCode::kBadInput);
    EXPECT_NE(status.error().message.find(c.message), std::string::npos) << status.error().message;
  }
}

TEST(Zones, LinesAndNamesAreChecked) {
  struct Case {
    SceneRules rules;
    const char* message;
  };
  const std::vector<Case> cases = {
      {{}, ""},
      {{{{"a", kSquare}, {"b", kSquare}}, {{"a", {0, 0}, {1, 1}}}}, ""},
      {{{{"a", kSquare}, {"a", kSquare}}, {}}, "two zones are called 'a'"},
      {{{}, {{"x", {0, 0}, {1, 1}}, {"x", {0, 0}, {1, 0}}}}, "two lines are called 'x'"},
      {{{}, {{"x", {0.5F, 0.5F}, {0.5F, 0.5F}}}}, "line 'x': its ends are the same point"},
      {{{}, {{"x", {0.5F, 0.5F}, {1.5F, 0.5F}}}}, "line 'x': an end is (1.5, 0.5)"},
      {{{}, {{"x", {kNan, 0.5F}, {0.5F, 0.5F}}}}, "line 'x': an end is (nan, 0.5)"},
      {{{}, {{"", {0, 0}, {1, 1}}}}, "has no name"},
      {{{{"a", {}}}, {}}, "zone 'a'"},
      {{std::vector<Zone>(65), {}}, "65 zones, at most 64"},
  };
  for (const Case& c : cases) {
    const Status status = CheckRules(c.rules);
    EXPECT_EQ(status.ok(), std::string(c.message).empty()) << c.message;
    if (status.ok()) continue;
    EXPECT_NE(status.error().message.find(c.message), std::string::npos) << status.error().message;
  }
}

}  // namespace
}  // namespace deepedge
