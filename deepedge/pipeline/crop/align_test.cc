#include "deepedge/pipeline/crop/align.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

namespace deepedge {
namespace {

using testing::HasSubstr;

Similarity Turn(double degrees, double scale, double x0, double y0) {
  const double radians = degrees * std::numbers::pi / 180;
  return {scale * std::cos(radians), scale * std::sin(radians), x0, y0};
}

// The landmarks of a face that `transform` (from pixels of the picture) brings to the template.
FaceLandmarks FaceFor(const Similarity& transform, int width, int height, int side = 112) {
  FaceLandmarks face = FaceTemplate(side, side);
  for (Point& p : face) {
    const auto [x, y] = transform.Inverse().Apply(static_cast<double>(p.x), static_cast<double>(p.y));
    p = {static_cast<float>(x / width), static_cast<float>(y / height)};
  }
  return face;
}

TEST(FitSimilarityTest, FindsWhatPointsWereMovedBy) {
  const std::vector<Point> from{{10, 20}, {80, 25}, {40, 60}, {15, 90}};
  for (const Similarity& moved : {Turn(0, 1, 0, 0), Turn(30, 2, -5, 7), Turn(-170, 0.1, 300, -40), Turn(90, 1, 0, 1)}) {
    std::vector<Point> to;
    for (const Point& p : from) {
      const auto [x, y] = moved.Apply(static_cast<double>(p.x), static_cast<double>(p.y));
      to.push_back({static_cast<float>(x), static_cast<float>(y)});
    }
    const auto found = FitSimilarity(from, to);
    ASSERT_TRUE(found.ok());
    EXPECT_NEAR(found.value().a, moved.a, 1e-4);
    EXPECT_NEAR(found.value().b, moved.b, 1e-4);
    EXPECT_NEAR(found.value().x0, moved.x0, 1e-3);
    EXPECT_NEAR(found.value().y0, moved.y0, 1e-3);
  }
}

TEST(FitSimilarityTest, NeverMirrors) {
  const std::vector<Point> from{{0, 0}, {1, 0}, {0, 3}};
  const std::vector<Point> mirrored{{0, 0}, {-1, 0}, {0, 3}};
  const auto found = FitSimilarity(from, mirrored);
  ASSERT_TRUE(found.ok());
  EXPECT_LT(found.value().Scale(), 0.9);  // a fit with a reflection would have 1
}

TEST(FitSimilarityTest, InverseGoesBack) {
  const Similarity s = Turn(37, 0.3, 11, -4);
  const auto [x, y] = s.Apply(100, 50);
  const auto [bx, by] = s.Inverse().Apply(x, y);
  EXPECT_NEAR(bx, 100, 1e-9);
  EXPECT_NEAR(by, 50, 1e-9);
}

TEST(FaceTemplateTest, KeepsItsShapeInEveryInput) {
  const FaceLandmarks own = FaceTemplate(112, 112);
  EXPECT_NEAR(own[0].x, 38.7946F, 1e-4);
  EXPECT_NEAR(own[4].y, 92.7041F, 1e-4);
  const FaceLandmarks doubled = FaceTemplate(224, 224);
  const FaceLandmarks narrow = FaceTemplate(96, 112);
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_NEAR(doubled[i].x, 2 * own[i].x, 1e-3);
    EXPECT_NEAR(narrow[i].x, own[i].x - 8, 1e-3);
    EXPECT_NEAR(narrow[i].y, own[i].y, 1e-3);
  }
  for (const Point& p : FaceTemplate(40, 200)) {
    EXPECT_GT(p.x, 0);
    EXPECT_LT(p.x, 40);
  }
}

TEST(AlignFaceTest, FindsHowAFaceIsTurned) {
  for (const Similarity& wanted :
       {Turn(0, 1, 0, 0), Turn(25, 0.4, -50, 10), Turn(-80, 2, 5, 60), Turn(180, 1, 200, 200)}) {
    const auto found = AlignFace(FaceFor(wanted, 640, 360), 640, 360, 112, 112);
    ASSERT_TRUE(found.ok()) << found.error().message;
    EXPECT_NEAR(found.value().a, wanted.a, 1e-3);
    EXPECT_NEAR(found.value().b, wanted.b, 1e-3);
    EXPECT_NEAR(found.value().x0, wanted.x0, 1e-2);
    EXPECT_NEAR(found.value().y0, wanted.y0, 1e-2);
  }
}

TEST(AlignFaceTest, RefusesWhatIsNoFace) {
  const FaceLandmarks good = FaceFor(Turn(0, 1, 0, 0), 200, 200);
  ASSERT_TRUE(AlignFace(good, 200, 200, 112, 112).ok());
  const auto changed = [&](auto change) {
    FaceLandmarks face = good;
    for (size_t i = 0; i < face.size(); ++i) change(face[i], i);
    return AlignFace(face, 200, 200, 112, 112);
  };
  const auto refused = [&](const char* why, auto change) {
    const auto found = changed(change);
    ASSERT_FALSE(found.ok()) << why;
    EXPECT_EQ(found.error().code, ErrorCode::kBadInput);
    EXPECT_THAT(found.error().message, HasSubstr(why));
  };
  refused("one place", [](Point& p, size_t) { p = {0.5F, 0.5F}; });
  refused("one place", [](Point& p, size_t i) { p = {0.5F + static_cast<float>(i) * 1e-4F, 0.5F}; });
  refused("no numbers", [](Point& p, size_t i) { p.x = i == 3 ? std::numeric_limits<float>::quiet_NaN() : p.x; });
  refused("no numbers", [](Point& p, size_t i) { p.y = i == 0 ? std::numeric_limits<float>::infinity() : p.y; });
  refused("far outside", [](Point& p, size_t) { p.x += 3; });
  refused("far outside", [](Point& p, size_t i) { p.y = i == 2 ? -1e30F : p.y; });
  refused("in this order", [](Point& p, size_t) { p.x = 1 - p.x; });
}

TEST(AlignFaceTest, TakesAFaceFromTheSideAndOneCutByTheBorder) {
  FaceLandmarks side = FaceFor(Turn(0, 1, 0, 0), 200, 200);
  for (Point& p : side) p.x = 0.3F;
  EXPECT_TRUE(AlignFace(side, 200, 200, 112, 112).ok());
  EXPECT_TRUE(AlignFace(FaceFor(Turn(0, 1, 60, 0), 200, 200), 200, 200, 112, 112).ok());
}

// Red grows with x, green with y: a pixel says where it comes from.
RgbPicture Ramp(int width, int height) {
  RgbPicture picture{.width = width, .height = height, .pixels = {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      picture.pixels.insert(picture.pixels.end(), {static_cast<uint8_t>(x * 255 / (width - 1)),
                                                   static_cast<uint8_t>(y * 255 / (height - 1)), uint8_t{77}});
    }
  }
  return picture;
}

class PictureWarperTest : public ::testing::Test {
 protected:
  void ExpectFromWhere(const RgbPicture& source, const Similarity& transform, int side, double tolerance) {
    RgbPicture out{.width = side, .height = side, .pixels = {}};
    ASSERT_TRUE(warper_.WarpInto(source.View(), transform, 200, out).ok());
    ASSERT_EQ(out.pixels.size(), static_cast<size_t>(side) * static_cast<size_t>(side) * 3);
    int inside = 0;
    for (int y = 0; y < side; ++y) {
      for (int x = 0; x < side; ++x) {
        const uint8_t* pixel = out.pixels.data() + (y * side + x) * 3;
        const auto [sx, sy] = transform.Inverse().Apply(x + 0.5, y + 0.5);
        if (sx < 0 || sy < 0 || sx > source.width || sy > source.height) {
          EXPECT_EQ(pixel[2], 200);
          continue;
        }
        ++inside;
        if (sx < 1 || sy < 1 || sx > source.width - 1 || sy > source.height - 1) continue;
        EXPECT_NEAR(pixel[0], (sx - 0.5) * 255 / (source.width - 1), tolerance) << x << " " << y;
        EXPECT_NEAR(pixel[1], (sy - 0.5) * 255 / (source.height - 1), tolerance) << x << " " << y;
        EXPECT_EQ(pixel[2], 77);
      }
    }
    EXPECT_GT(inside, 0);
  }

  PictureWarper warper_;
};

TEST_F(PictureWarperTest, EveryPixelComesFromItsPlace) {
  const RgbPicture source = Ramp(200, 120);
  ExpectFromWhere(source, Turn(0, 1, 0, 0), 112, 2.5);
  ExpectFromWhere(source, Turn(30, 1, 0, -40), 112, 2.5);
  ExpectFromWhere(source, Turn(-45, 3, -200, 20), 64, 2.5);
  ExpectFromWhere(source, Turn(180, 1, 150, 110), 112, 2.5);
  ExpectFromWhere(source, Turn(10, 0.5, 20, 20), 112, 4);
}

TEST_F(PictureWarperTest, ALargeFaceIsScaledDownFirst) {
  ExpectFromWhere(Ramp(1600, 1200), Turn(15, 0.07, 5, 3), 112, 4);
}

TEST_F(PictureWarperTest, WithoutATurnItIsTheCrop) {
  const RgbPicture source = Ramp(50, 40);
  RgbPicture out{.width = 10, .height = 8, .pixels = {}};
  ASSERT_TRUE(warper_.WarpInto(source.View(), {.x0 = -20, .y0 = -16}, 0, out).ok());
  for (size_t y = 0; y < 8; ++y) {
    for (size_t x = 0; x < 30; ++x) {
      EXPECT_EQ(out.pixels[y * 30 + x], source.pixels[(y + 16) * 150 + 60 + x]);
    }
  }
}

TEST_F(PictureWarperTest, ReadsYuvOfOddPlaces) {
  std::vector<uint8_t> luma(64 * 48);
  for (size_t i = 0; i < luma.size(); ++i) luma[i] = static_cast<uint8_t>(i % 64 * 4);
  const std::vector<uint8_t> chroma(64 * 48 / 4, 128);
  const PictureView source{.format = PixelFormat::kYuv420p,
                           .width = 64,
                           .height = 48,
                           .color = {.full_range = true},
                           .planes = {luma.data(), chroma.data(), chroma.data()},
                           .strides = {64, 32, 32}};
  RgbPicture out{.width = 9, .height = 9, .pixels = {}};
  ASSERT_TRUE(warper_.WarpInto(source, {.x0 = -13, .y0 = -7}, 0, out).ok());
  for (size_t x = 0; x < 9; ++x) EXPECT_NEAR(out.pixels[(4 * 9 + x) * 3], static_cast<double>((13 + x) * 4), 3);
}

TEST_F(PictureWarperTest, RefusesWhatShowsNothing) {
  const RgbPicture source = Ramp(50, 40);
  RgbPicture out{.width = 10, .height = 10, .pixels = {}};
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const Similarity& bad : {Similarity{.a = 0, .b = 0}, Similarity{.x0 = 1000}, Similarity{.a = nan},
                                Similarity{.x0 = nan}, Similarity{.a = 1e300}, Similarity{.x0 = -1e300}}) {
    EXPECT_EQ(warper_.WarpInto(source.View(), bad, 0, out).error().code, ErrorCode::kBadInput);
  }
  EXPECT_EQ(warper_.WarpInto({}, {}, 0, out).error().code, ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace deepedge
