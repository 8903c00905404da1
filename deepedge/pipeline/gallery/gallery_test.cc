#include "deepedge/pipeline/gallery/gallery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "deepedge/pipeline/gallery/gallery_file.h"

namespace deepedge {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A direction in the plane.
std::vector<float> At(double degrees, double length = 1) {
  const double radians = degrees * 3.14159265358979 / 180;
  return {static_cast<float>(length * std::cos(radians)), static_cast<float>(length * std::sin(radians))};
}

float Cosine(double degrees) { return At(degrees)[0]; }

Gallery Filled(const std::vector<std::pair<std::string, double>>& entries) {
  Gallery gallery({.name = "net", .sha256 = "ab", .named = "/models/net", .detector = "person"});
  for (const auto& [name, degrees] : entries) EXPECT_TRUE(gallery.Add(name, At(degrees), name + ".jpg").ok());
  return gallery;
}

TEST(GalleryTest, FindsTheClosestName) {
  const Gallery gallery = Filled({{"Ann", 0}, {"Bob", 90}, {"Ann", 30}});
  const auto match = gallery.Find(At(40, 17));
  ASSERT_TRUE(match);
  EXPECT_EQ(match->name, "Ann");
  EXPECT_NEAR(match->similarity, Cosine(10), 1e-5);
  const auto closest = gallery.Closest(At(80), 5);
  ASSERT_EQ(closest.size(), 2U);
  EXPECT_EQ(closest[0].name, "Bob");
  EXPECT_EQ(closest[1].name, "Ann");
  EXPECT_NEAR(closest[1].similarity, Cosine(50), 1e-5);
}

TEST(GalleryTest, IsNobodyUnderTheThreshold) {
  Gallery gallery = Filled({{"Ann", 0}});
  EXPECT_TRUE(gallery.Find(At(66)));
  EXPECT_FALSE(gallery.Find(At(67)));  // its cosine is 0.39
  gallery.SetThreshold(0.9F, true);
  EXPECT_TRUE(gallery.Find(At(25)));
  EXPECT_FALSE(gallery.Find(At(27)));
}

TEST(GalleryTest, WhatCannotBeComparedIsNobody) {
  const Gallery gallery = Filled({{"Ann", 0}});
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const std::vector<float>& bad : std::vector<std::vector<float>>{{}, {1}, {1, 0, 0}, {0, 0}, {nan, 0}}) {
    EXPECT_FALSE(gallery.Find(bad));
  }
  EXPECT_FALSE(Gallery(GalleryModel{}).Find(At(0)));
}

TEST(GalleryTest, RefusesBadEntries) {
  Gallery gallery = Filled({{"Ann", 0}});
  const float infinite = std::numeric_limits<float>::infinity();
  EXPECT_THAT(gallery.Add("Bob", std::vector<float>{1, 2, 3}).error().message, HasSubstr("expected 2 numbers, not 3"));
  EXPECT_THAT(gallery.Add("Bob", std::vector<float>{0, 0}).error().message, HasSubstr("all zero"));
  EXPECT_FALSE(gallery.Add("Bob", std::vector<float>{infinite, 0}).ok());
  EXPECT_FALSE(gallery.Add("", At(0)).ok());
  EXPECT_FALSE(gallery.Add("two\nlines", At(0)).ok());
  EXPECT_FALSE(gallery.Add(std::string(201, 'a'), At(0)).ok());
  EXPECT_EQ(gallery.size(), 1U);
}

TEST(GalleryTest, HoldsSoManyAndNoMore) {
  Gallery gallery(GalleryModel{});
  for (size_t i = 0; i < Gallery::kMostEmbeddings; ++i) ASSERT_TRUE(gallery.Add("Ann", At(0)).ok());
  EXPECT_EQ(gallery.Add("Ann", At(0)).error().code, ErrorCode::kExhausted);
}

TEST(GalleryTest, RemovesAllOfAName) {
  Gallery gallery = Filled({{"Ann", 0}, {"Bob", 90}, {"Ann", 30}, {"Cy", 180}});
  ASSERT_TRUE(gallery.Remove("Ann").ok());
  EXPECT_THAT(gallery.names(), ElementsAre("Bob", "Cy"));
  EXPECT_EQ(gallery.size(), 2U);
  EXPECT_EQ(gallery.Find(At(90))->name, "Bob");
  EXPECT_EQ(gallery.Remove("Ann").error().code, ErrorCode::kNotFound);
}

struct ThresholdCase {
  const char* rule;
  std::vector<std::pair<std::string, double>> entries;
  float expected;
};

TEST(GalleryTest, ItsOwnPicturesSayTheThreshold) {
  const std::vector<ThresholdCase> cases{
      {"the default with one picture", {{"Ann", 0}}, 0.4F},
      {"the default with strangers that are far apart", {{"Ann", 0}, {"Bob", 90}}, 0.4F},
      {"no less than strangers are alike", {{"Ann", 0}, {"Bob", 30}}, Cosine(30)},
      {"half-way where both are known", {{"Ann", 0}, {"Ann", 10}, {"Bob", 60}}, (Cosine(50) + Cosine(10)) / 2},
      {"the default with one name", {{"Ann", 0}, {"Ann", 80}}, 0.4F},
      {"no less than strangers where a stranger is closer", {{"Ann", 0}, {"Ann", 80}, {"Bob", 70}}, Cosine(10)},
  };
  for (const ThresholdCase& c : cases) {
    Gallery gallery = Filled(c.entries);
    gallery.AdoptThreshold();
    EXPECT_NEAR(gallery.threshold(), c.expected, 1e-5) << c.rule;
    gallery.SetThreshold(0.7F, true);
    gallery.AdoptThreshold();
    EXPECT_EQ(gallery.threshold(), 0.7F) << c.rule;
  }
}

TEST(GalleryTest, TheLoneliestPictureIsTheEvidence) {
  const GalleryEvidence evidence = Filled({{"Ann", 0}, {"Ann", 5}, {"Ann", 45}, {"Bob", 120}}).Evidence();
  EXPECT_NEAR(*evidence.same, Cosine(40), 1e-5);
  EXPECT_NEAR(*evidence.strangers, Cosine(75), 1e-5);
}

TEST(GalleryFileTest, ComesBackAsItWas) {
  auto folder = TemporaryFolder::Create("de_gallery_test").value();
  Gallery gallery = Filled({{"Ann", 0}, {"Zo\xC3\xAB \"Z\"", 90}, {"Ann", 33}});
  gallery.SetThreshold(0.55F, true);
  const Path file = folder.path() / "gallery.json";
  ASSERT_TRUE(WriteGallery(file, gallery).ok());
  const auto read = ReadGallery(file);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read.value().model(), gallery.model());
  EXPECT_EQ(read.value().names(), gallery.names());
  EXPECT_EQ(read.value().threshold(), 0.55F);
  EXPECT_TRUE(read.value().user_set_threshold());
  EXPECT_EQ(read.value().SourceOf(2), "Ann.jpg");
  EXPECT_EQ(GalleryText(read.value()), GalleryText(gallery));
}

TEST(GalleryFileTest, SaysWhatIsWrong) {
  const std::string good = GalleryText(Filled({{"Ann", 0}, {"Bob", 90}}));
  ASSERT_TRUE(ParseGallery(good, "g.json").ok());
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  };
  const std::vector<std::pair<std::string, const char*>> cases{
      {"", "is no JSON"},
      {"[1, 2]", "is no gallery"},
      {good.substr(0, good.size() / 2), "is no JSON (at byte"},
      {std::string(100000, '['), "is no gallery"},
      {with("\"deepedge_gallery\":1", "\"deepedge_gallery\":2"), "version 2, this program reads 1"},
      {with("\"sha256\":\"ab\"", "\"sha256\":7"), "'sha256' must be text"},
      {with("\"threshold\":", "\"threshold\":7,\"x\":"), "between -1 and 1"},
      {with("\"evidence\"", "\"me\""), "'threshold_by' must be"},
      {with("\"name\":\"Bob\"", "\"name\":\"\""), "embedding 2: name ''"},
      {with("[1.0,0.0]", "[1.0,\"0\"]"), "embedding 1: 'values' must be a list of numbers"},
      {with("[1.0,0.0]", "[1e300,0.0]"), "embedding 1: "},
      {with("[1.0,0.0]", "[]"), "embedding 1: "},
      {with("[1.0,0.0]", "[1.0,0.0,0.0]"), "embedding 2: embedding of 'Bob': expected 3 numbers, not 2"},
      {with("\"embeddings\":[", "\"embeddings\":[3,"), "embedding 1: expected a name"},
  };
  for (const auto& [text, why] : cases) {
    const auto parsed = ParseGallery(text, "g.json");
    ASSERT_FALSE(parsed.ok()) << why;
    EXPECT_EQ(parsed.error().code, ErrorCode::kBadInput);
    EXPECT_THAT(parsed.error().message, testing::StartsWith("g.json: "));
    EXPECT_THAT(parsed.error().message, HasSubstr(why));
  }
  EXPECT_EQ(ReadGallery("/nowhere/g.json").error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace deepedge
