#include "deepedge/runtime/calibration/media_calibration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "deepedge/ingest/ffmpeg/clip_writer.h"

namespace deepedge {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

// All of it, but little of each.
MediaCalibrationOptions Small() {
  MediaCalibrationOptions options;
  options.budget = std::chrono::seconds(600);  // a slow box measures all the same
  options.memory = {
      .cache_folder = "/does/not/exist", .most_bytes = 1 << 20, .slice = std::chrono::milliseconds(1), .rounds = 1};
  options.pictures = {.sources = {{96, 64}, {384, 256}}, .inputs = {32, 64}, .boxes = {1, 40}, .rounds = 1};
  options.post = {.sides = {64, 320}, .objects = {0, 4}, .rounds = 1};
  options.decode.sizes = {{96, 64}, {384, 256}};
  options.decode.bits_per_pixel = {0.2};
  options.decode.frames = 4;
  options.decode.rounds = 1;
  return options;
}

TEST(CalibrateMedia, MeasuresEverything) {
  const RealClock clock;
  std::vector<std::string> parts;
  MediaCalibrationOptions options = Small();
  options.progress = [&](std::string_view part) { parts.emplace_back(part); };
  const MediaCalibration measured = CalibrateMedia(options, clock, {});
  EXPECT_TRUE(measured.complete);
  EXPECT_EQ(parts.size(), 6U);
  const MediaSamples& samples = measured.samples;
  for (const auto& sample : samples.decode) EXPECT_GT(sample.us, 0) << sample.work.codec;
  for (const auto& sample : samples.scale) EXPECT_GT(sample.us, 0);
  EXPECT_EQ(samples.track.size(), 2U);
  EXPECT_FALSE(samples.jpeg.empty());
  EXPECT_FALSE(samples.post.empty());
  EXPECT_FALSE(measured.memory.memory.empty());
  const MediaCosts costs = MediaCosts::Fit(samples);
  for (const char* law : {"scale/yuv420p", "scale/yuv420p/gray", "scale/nv12", "scale/rgb24", "post/yolox",
                          "post/ssd_anchors", "post/any", "jpeg", "track"}) {
    EXPECT_EQ(costs.laws().count(law), 1U) << law;
  }
  for (const std::string codec : {"h264", "h264_baseline", "hevc", "mjpeg", "mpeg4"}) {
    const size_t expected = HasEncoder(codec == "h264_baseline" ? "h264" : codec) ? 1 : 0;
    EXPECT_EQ(costs.laws().count("decode/" + codec + "/all"), expected) << codec;
    EXPECT_EQ(costs.laws().count("decode/" + codec + "/key"), expected) << codec;
  }
}

// Sixteen times the pixels are not decoded or scaled in less time; anything finer would be a test of speed.
TEST(CalibrateMedia, ManyMorePixelsAreNotCheaper) {
  const RealClock clock;
  Measuring measuring(clock, clock.Now() + std::chrono::seconds(600), {});
  MediaCalibrationOptions options = Small();
  MediaSamples samples;
  MeasureScaling(options.pictures, measuring, samples);
  MeasureDecoding(options.decode, measuring, samples);
  double few_us = 0;
  double many_us = 0;
  for (const auto& sample : samples.decode) (sample.work.pixels < 10'000 ? few_us : many_us) += sample.us;
  if (HasEncoder("mpeg4")) {
    EXPECT_GT(many_us, few_us);
  }
  few_us = 0;
  many_us = 0;
  for (const auto& sample : samples.scale) {
    if (sample.work.fast_pixels + sample.work.filtered_pixels == 0)
      (sample.work.packed_pixels < 10'000 ? few_us : many_us) += sample.us;
  }
  EXPECT_GT(few_us, 0);
  EXPECT_GT(many_us, few_us);
}

TEST(CalibrateMedia, NamesTheCodecsThatNoClipCanBeMadeOf) {
  const RealClock clock;
  Measuring measuring(clock, clock.Now() + std::chrono::seconds(600), {});
  DecodeMeasuring plan = Small().decode;
  plan.codecs = {"hevc", "mpeg4"};
  plan.has_encoder = [](std::string_view codec) { return codec == "mpeg4" && HasEncoder(codec); };
  MediaSamples samples;
  MeasureDecoding(plan, measuring, samples);
  EXPECT_THAT(measuring.TakeNotes(), Contains(HasSubstr("hevc")));
  for (const auto& sample : samples.decode) EXPECT_EQ(sample.work.codec, "mpeg4");
  // Its law is that of another, less sure.
  const MediaCosts costs = MediaCosts::Fit(samples);
  EXPECT_GT(costs.Decode({.codec = "hevc", .pixels = 1e5, .bits = 1e4}).log_sd, 0.5);
}

TEST(CalibrateMedia, AnEncoderThatIsPromisedAndMissingIsNoted) {
  const RealClock clock;
  Measuring measuring(clock, clock.Now() + std::chrono::seconds(600), {});
  DecodeMeasuring plan = Small().decode;
  plan.codecs = {"theora"};
  plan.has_encoder = [](std::string_view) { return true; };
  MediaSamples samples;
  MeasureDecoding(plan, measuring, samples);
  EXPECT_TRUE(samples.decode.empty());
  EXPECT_THAT(measuring.TakeNotes(), Contains(HasSubstr("no encoder for 'theora'")));
}

TEST(CalibrateMedia, StopsBetweenMeasurementsAndKeepsWhatItHas) {
  const RealClock clock;
  std::stop_source stop;
  MediaCalibrationOptions options = Small();
  options.progress = [&](std::string_view part) {
    if (part == "outputs") stop.request_stop();
  };
  const MediaCalibration measured = CalibrateMedia(options, clock, stop.get_token());
  EXPECT_FALSE(measured.complete);
  EXPECT_FALSE(measured.samples.scale.empty());
  EXPECT_TRUE(measured.samples.post.empty());
  EXPECT_TRUE(measured.samples.decode.empty());
  EXPECT_THAT(measured.notes, Contains("decoding: not measured, stopped"));
}

TEST(CalibrateMedia, WithoutTimeNothingIsMeasuredAndItSaysSo) {
  const RealClock clock;
  MediaCalibrationOptions options = Small();
  options.budget = Duration(0);
  const MediaCalibration measured = CalibrateMedia(options, clock, {});
  EXPECT_FALSE(measured.complete);
  EXPECT_TRUE(measured.samples.scale.empty());
  EXPECT_THAT(measured.notes, Contains("memory: not measured, time was up"));
}

}  // namespace
}  // namespace deepedge
