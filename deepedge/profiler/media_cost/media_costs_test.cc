#include "deepedge/profiler/media_cost/media_costs.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "deepedge/profiler/media_cost/media_costs_json.h"

namespace deepedge {
namespace {

// 2 ns a pixel, 10 ns a bit, 40 us.
double TrueDecodeUs(const DecodeWork& work) { return 0.002 * work.pixels + 0.01 * work.bits + 40; }

MediaSamples DecodeSamples(const std::string& codec, double noise) {
  std::mt19937 random(3);
  std::normal_distribution<double> normal;
  MediaSamples samples;
  for (const double pixels : {640 * 360.0, 1280 * 720.0}) {
    for (const double bits_per_pixel : {0.03, 0.06, 0.12, 0.24}) {
      const DecodeWork work{.codec = codec, .pixels = pixels, .bits = pixels * bits_per_pixel};
      samples.decode.push_back({work, TrueDecodeUs(work) * std::exp(noise * normal(random))});
    }
  }
  return samples;
}

TEST(LinearLaw, FindsTheCoefficientsOfACleanLaw) {
  const struct {
    std::vector<double> truth;
  } laws[] = {{{2, 3, 5}}, {{0, 3, 5}}, {{2, 0, 0}}, {{1e-4, 1e3, 1}}};
  for (const auto& law : laws) {
    std::vector<LawRow> rows;
    for (const double a : {1.0, 4.0, 9.0}) {
      for (const double b : {1.0, 2.0, 8.0}) {
        rows.push_back({{a, b, 1}, law.truth[0] * a + law.truth[1] * b + law.truth[2]});
      }
    }
    const LinearLaw fitted = FitLinearLaw(rows, 0.01);
    ASSERT_EQ(fitted.us_per.size(), 3U);
    for (size_t i = 0; i < 3; ++i) EXPECT_NEAR(fitted.us_per[i], law.truth[i], 1e-6 * (1 + law.truth[i])) << i;
    EXPECT_DOUBLE_EQ(fitted.log_sd, 0.01);
    EXPECT_EQ(fitted.samples, 9);
  }
}

TEST(LinearLaw, NothingMakesItFaster) {
  // Falls with the first term: the best law without negative coefficients does not use it.
  const std::vector<LawRow> rows{{{1, 1}, 10}, {{2, 1}, 9}, {{3, 1}, 8}};
  const LinearLaw law = FitLinearLaw(rows, 0);
  EXPECT_EQ(law.us_per[0], 0);
  EXPECT_GT(law.us_per[1], 8);
}

TEST(LinearLaw, ErrorBarIsWhatItMissesUnseenMeasurementsBy) {
  std::mt19937 random(5);
  std::normal_distribution<double> normal;
  std::vector<LawRow> rows;
  for (int i = 0; i < 200; ++i) {
    const double a = 1 + i % 17;
    rows.push_back({{a, 1}, (3 * a + 2) * std::exp(0.2 * normal(random))});
  }
  EXPECT_NEAR(FitLinearLaw(rows, 0.01).log_sd, 0.2, 0.05);
}

TEST(LinearLaw, IsLessSureOutsideOfWhatItHasSeen) {
  const std::vector<LawRow> rows{{{10, 1}, 12}, {{20, 1}, 22}, {{30, 1}, 32}, {{40, 1}, 42}};
  const LinearLaw law = FitLinearLaw(rows, 0.05);
  const double inside = law.Estimate(std::vector<double>{25, 1}).log_sd;
  EXPECT_GT(law.Estimate(std::vector<double>{400, 1}).log_sd, 2 * inside);
  EXPECT_GT(law.Estimate(std::vector<double>{1, 1}).log_sd, 2 * inside);
}

TEST(LinearLaw, BrokenAndFewRowsAreNotBelieved) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(FitLinearLaw({}, 0.1).samples, 0);
  const std::vector<LawRow> broken{{{1, 1}, 0}, {{1, 1}, nan}, {{nan, 1}, 5}, {{-1, 1}, 5}};
  EXPECT_EQ(FitLinearLaw(broken, 0.1).samples, 0);
  const std::vector<LawRow> two{{{1, 1}, 5}, {{2, 1}, 7}};
  EXPECT_GE(FitLinearLaw(two, 0.1).log_sd, 0.5);
}

TEST(MediaCosts, PredictsFramesOfOtherSizesAndRates) {
  const MediaCosts costs = MediaCosts::Fit(DecodeSamples("h264", 0.03));
  for (const double pixels : {800 * 450.0, 1920 * 1080.0}) {
    for (const double bits_per_pixel : {0.04, 0.1}) {
      const DecodeWork work{.codec = "h264", .pixels = pixels, .bits = pixels * bits_per_pixel};
      EXPECT_NEAR(costs.Decode(work).us / TrueDecodeUs(work), 1, 0.1);
    }
  }
}

TEST(MediaCosts, WhatWasNotMeasuredIsLikeTheNearestAndLessSure) {
  const MediaCosts costs = MediaCosts::Fit(DecodeSamples("h264", 0.03));
  DecodeWork work{.codec = "h264", .pixels = 1e6, .bits = 1e5};
  const CostEstimate known = costs.Decode(work);
  work.codec = "vp9";
  const CostEstimate other_codec = costs.Decode(work);
  EXPECT_EQ(other_codec.us, known.us);
  EXPECT_GT(other_codec.log_sd, known.log_sd + 0.2);
  work.codec = "h264";
  work.frames = DecodedFrames::kKeyOnly;
  const CostEstimate other_frames = costs.Decode(work);
  EXPECT_EQ(other_frames.us, known.us);
  EXPECT_GT(other_frames.log_sd, known.log_sd + 0.1);
  EXPECT_LT(other_frames.log_sd, other_codec.log_sd);
}

TEST(MediaCosts, AFormatThatWasNotMeasuredIsScaledLikeAnother) {
  MediaSamples samples;
  for (const double blended : {1e5, 1e6}) {
    for (const double packed : {5e4, 1e5, 4e5}) {
      const ScaleWork work{.blended_pixels = blended, .packed_pixels = packed};
      samples.scale.push_back({work, 1e-4 * blended + 1e-3 * packed + 5});
    }
  }
  const MediaCosts costs = MediaCosts::Fit(samples);
  ScaleWork work{.blended_pixels = 5e5, .packed_pixels = 2e5};
  const CostEstimate known = costs.Scale(work);
  EXPECT_NEAR(known.us, 255, 1);
  work.source = PixelFormat::kNv12;
  EXPECT_EQ(costs.Scale(work).us, known.us);
  EXPECT_GT(costs.Scale(work).log_sd, known.log_sd);
  work.to_gray = true;
  EXPECT_EQ(costs.Scale(work).us, known.us);
}

TEST(MediaCosts, AnyDecoderOfTensorsHasALaw) {
  MediaSamples samples;
  for (const double elements : {1e3, 1e4, 1e5}) {
    for (const double objects : {0.0, 10.0}) {
      const PostWork work{.kind = OutputDecoderKind::kYolox, .elements = elements, .objects = objects};
      samples.post.push_back({work, 1e-3 * elements + 2 * objects + 1});
    }
  }
  const MediaCosts costs = MediaCosts::Fit(samples);
  const CostEstimate known = costs.Post({OutputDecoderKind::kYolox, 5e4, 5});
  const CostEstimate other = costs.Post({OutputDecoderKind::kCenternet, 5e4, 5});
  EXPECT_NEAR(known.us, 61, 1);
  EXPECT_NEAR(other.us, known.us, 1);
  EXPECT_GT(other.log_sd, known.log_sd + 0.2);
}

TEST(MediaCosts, WithoutMeasurementsThereIsAGuess) {
  const MediaCosts costs;
  for (const CostEstimate& estimate :
       {costs.Decode({.codec = "h264", .pixels = 1e6, .bits = 1e5}), costs.Scale({}), costs.Post({}),
        costs.Jpeg({.source_pixels = 1e4, .coded_pixels = 1e4}), costs.Track({.objects = 3})}) {
    EXPECT_GT(estimate.us, 0);
    EXPECT_GE(estimate.log_sd, 0.7);
  }
}

TEST(MediaCosts, KnowsHowAPictureIsScaled) {
  using Format = PixelFormat;
  const struct {
    const char* what;
    Format format;
    int width;
    int height;
    int side;
    ScaleWork expected;
  } cases[] = {
      {"converted only", Format::kYuv420p, 320, 320, 320, {.packed_pixels = 320 * 320}},
      {"one plane shrinks", Format::kGray8, 100, 80, 20, {.blended_pixels = 2000, .filtered_pixels = 400}},
      {"one plane grows", Format::kGray8, 30, 20, 100, {.blended_pixels = 10'000, .filtered_pixels = 2000}},
      {"as wide", Format::kGray8, 100, 80, 100, {.blended_pixels = 10'000}},
      {"a third", Format::kGray8, 300, 300, 100, {.filtered_pixels = 10'000}},
      {"half, chroma as it is", Format::kYuv420p, 200, 200, 100, {.fast_pixels = 60'000}},
      {"twice", Format::kGray8, 50, 50, 100, {.fast_pixels = 10'000}},
      {"taken apart", Format::kBgr24, 200, 200, 100, {.fast_pixels = 120'000, .split_pixels = 40'000}},
      {"chroma taken apart", Format::kNv12, 200, 200, 100, {.fast_pixels = 60'000, .split_pixels = 10'000}},
  };
  for (const auto& c : cases) {
    const Placement place = PlacePicture(ResizeRule::kStretch, c.width, c.height, c.side, c.side);
    const ScaleWork work = ScaleWorkOf(c.format, c.width, c.height, place, ChannelOrder::kRgb);
    EXPECT_EQ(work.blended_pixels, c.expected.blended_pixels) << c.what;
    EXPECT_EQ(work.filtered_pixels, c.expected.filtered_pixels) << c.what;
    EXPECT_EQ(work.fast_pixels, c.expected.fast_pixels) << c.what;
    EXPECT_EQ(work.split_pixels, c.expected.split_pixels) << c.what;
    EXPECT_EQ(work.packed_pixels, static_cast<double>(c.side) * c.side) << c.what;
  }
  // Gray needs no colours.
  const Placement place = PlacePicture(ResizeRule::kStretch, 200, 200, 100, 100);
  EXPECT_EQ(ScaleWorkOf(Format::kNv12, 200, 200, place, ChannelOrder::kGray).fast_pixels, 40'000);
  EXPECT_EQ(ScaleWorkOf(Format::kNv12, 200, 200, place, ChannelOrder::kGray).split_pixels, 0);
}

TEST(MediaCosts, PlainH264HasALawOfItsOwn) {
  EXPECT_EQ(CodecOf("h264", "Constrained Baseline"), "h264_baseline");
  EXPECT_EQ(CodecOf("h264", "High"), "h264");
  EXPECT_EQ(CodecOf("h264", ""), "h264");
  EXPECT_EQ(CodecOf("hevc", "Baseline"), "hevc");
  // Where one of the two was measured only, it stands in for the other.
  const MediaCosts costs = MediaCosts::Fit(DecodeSamples("h264", 0.03));
  const CostEstimate known = costs.Decode({.codec = "h264", .pixels = 1e6, .bits = 1e5});
  const CostEstimate plain = costs.Decode({.codec = "h264_baseline", .pixels = 1e6, .bits = 1e5});
  EXPECT_EQ(plain.us, known.us);
  EXPECT_GT(plain.log_sd, known.log_sd);
}

TEST(MediaCostsJson, ComesBackAsItWas) {
  const MediaCosts costs = MediaCosts::Fit(DecodeSamples("hevc", 0.1));
  ASSERT_EQ(costs.laws().count("decode/hevc/all"), 1U);
  const auto back = MediaCostsFromJson(ToJson(costs));
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(back.value(), costs);

  const MemoryRates rates{.caches = {32 << 10, 1 << 20, 32 << 20, true},
                          .memory = {{1, 12.5}, {2, 20.25}},
                          .l2_gb_s = 50,
                          .last_level_gb_s = 30};
  const auto rates_back = MemoryRatesFromJson(ToJson(rates));
  ASSERT_TRUE(rates_back.ok()) << rates_back.error().message;
  EXPECT_EQ(rates_back.value(), rates);
}

TEST(MediaCostsJson, DamagedTextIsAnError) {
  for (const char* text :
       {"", "{", "[]", "{}", R"({"laws": 3})", R"({"laws": {"jpeg": {}}})",
        R"({"laws": {"jpeg": {"us_per": [1, -2], "least": [0, 0], "most": [1, 1], "log_sd": 1, "samples": 3}}})",
        R"({"laws": {"jpeg": {"us_per": [1, 2], "least": [0], "most": [1, 1], "log_sd": 1, "samples": 3}}})",
        R"({"laws": {"jpeg": {"us_per": [], "least": [], "most": [], "log_sd": 1, "samples": 3}}})",
        R"({"laws": {"jpeg": {"us_per": [1e999], "least": [1], "most": [1], "log_sd": 1, "samples": 3}}})"}) {
    const auto read = MediaCostsFromJson(text);
    ASSERT_FALSE(read.ok()) << text;
    EXPECT_EQ(read.error().code, ErrorCode::kBadInput);
    EXPECT_FALSE(MemoryRatesFromJson(text).ok()) << text;
  }
}

TEST(MediaCostsJson, ALawWithTooFewTermsIsNotAsked) {
  const auto read = MediaCostsFromJson(
      R"({"laws": {"jpeg": {"us_per": [7], "least": [1], "most": [1], "log_sd": 0.1, "samples": 3}}})");
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read.value().Jpeg({1e4, 1e4}), MediaCosts().Jpeg({1e4, 1e4}));
}

}  // namespace
}  // namespace deepedge
