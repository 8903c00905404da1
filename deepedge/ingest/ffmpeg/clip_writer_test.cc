#include "deepedge/ingest/ffmpeg/clip_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "deepedge/ingest/ffmpeg/test_clip.h"

namespace deepedge {
namespace {

constexpr int kWidth = 96;
constexpr int kHeight = 64;

// Flat pictures, each with a luma of its own.
class Painter {
 public:
  PictureView Draw(int index) {
    std::fill(pixels_.begin(), pixels_.begin() + kWidth * kHeight, static_cast<uint8_t>(ClipLuma(index)));
    uint8_t* const chroma = pixels_.data() + kWidth * kHeight;
    return {.format = PixelFormat::kYuv420p,
            .width = kWidth,
            .height = kHeight,
            .planes = {pixels_.data(), chroma, chroma + kWidth * kHeight / 4},
            .strides = {kWidth, kWidth / 2, kWidth / 2}};
  }

 private:
  std::vector<uint8_t> pixels_ = std::vector<uint8_t>(kWidth * kHeight * 3 / 2, 128);
};

DrawPicture Painted(Painter& painter) {
  return [&painter](int index) { return painter.Draw(index); };
}

ClipPlan Plan(const std::string& codec) {
  return {.codec = codec, .width = kWidth, .height = kHeight, .frames = 12, .key_interval = 6};
}

TEST(ClipWriter, ClipsOfEveryCodecComeBackPictureByPicture) {
  const auto folder = TemporaryFolder::Create("clip-writer");
  ASSERT_TRUE(folder.ok());
  Painter painter;
  int made = 0;
  for (const std::string codec : {"h264", "hevc", "mjpeg", "mpeg4"}) {
    if (!HasEncoder(codec)) continue;
    ++made;
    for (const int b_frames : {0, 2}) {
      ClipPlan plan = Plan(codec);
      plan.b_frames = codec == "mjpeg" ? 0 : b_frames;
      const Path path = folder.value().path() / (codec + ".mkv");
      const Status status = EncodeClip(path, plan, Painted(painter), {});
      ASSERT_TRUE(status.ok()) << status.error().message;
      const ReadBack back = ReadAll(path.string());
      EXPECT_EQ(back.errors, 0);
      ASSERT_EQ(back.pictures.size(), 12U) << codec << ' ' << back.end.message;
      EXPECT_EQ(back.packets.front().format->codec, codec);
      EXPECT_EQ(back.pictures[5].width, kWidth);
      for (int i = 0; i < 12; ++i) {
        EXPECT_NEAR(back.pictures[static_cast<size_t>(i)].luma, ClipLuma(i), 6) << codec << i;
      }
    }
  }
  if (made == 0) GTEST_SKIP() << "no encoder in this FFmpeg";
}

TEST(ClipWriter, KeyFramesComeByInterval) {
  const auto folder = TemporaryFolder::Create("clip-writer");
  ASSERT_TRUE(folder.ok());
  Painter painter;
  const Path path = folder.value().path() / "clip.mkv";
  for (const std::string codec : {"h264", "hevc", "mpeg4"}) {
    if (!HasEncoder(codec)) continue;
    ASSERT_TRUE(EncodeClip(path, Plan(codec), Painted(painter), {}).ok());
    const ReadBack back = ReadAll(path.string());
    ASSERT_EQ(back.packets.size(), 12U);
    for (size_t i = 0; i < 12; ++i) EXPECT_EQ(back.packets[i].key, i % 6 == 0) << codec << i;
  }
}

TEST(ClipWriter, H264HasTwoForms) {
  if (!HasEncoder("h264")) GTEST_SKIP() << "no encoder in this FFmpeg";
  const auto folder = TemporaryFolder::Create("clip-writer");
  ASSERT_TRUE(folder.ok());
  Painter painter;
  const Path path = folder.value().path() / "clip.mkv";
  for (const int b_frames : {0, 2}) {
    ClipPlan plan = Plan("h264");
    plan.b_frames = b_frames;
    ASSERT_TRUE(EncodeClip(path, plan, Painted(painter), {}).ok());
    const ReadBack back = ReadAll(path.string());
    ASSERT_FALSE(back.packets.empty());
    EXPECT_THAT(back.packets.front().format->profile, ::testing::HasSubstr(b_frames > 0 ? "High" : "Baseline"));
  }
}

TEST(ClipWriter, WhatCannotBeMadeIsAnErrorThatNamesIt) {
  const auto folder = TemporaryFolder::Create("clip-writer");
  ASSERT_TRUE(folder.ok());
  const Path path = folder.value().path() / "clip.mkv";
  Painter painter;
  EXPECT_FALSE(HasEncoder("theora"));
  const Status unknown = EncodeClip(path, Plan("theora"), Painted(painter), {});
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(unknown.error().message, ::testing::HasSubstr("theora"));
  if (!HasEncoder("mpeg4")) GTEST_SKIP() << "no encoder in this FFmpeg";
  for (const int width : {0, -2, 33}) {
    ClipPlan plan = Plan("mpeg4");
    plan.width = width;
    const Status odd = EncodeClip(path, plan, Painted(painter), {});
    ASSERT_FALSE(odd.ok()) << width;
    EXPECT_EQ(odd.error().code, ErrorCode::kBadInput);
  }
  EXPECT_FALSE(EncodeClip(folder.value().path() / "none" / "x.mkv", Plan("mpeg4"), Painted(painter), {}).ok());
}

TEST(ClipWriter, StopsInTheMiddle) {
  const auto folder = TemporaryFolder::Create("clip-writer");
  ASSERT_TRUE(folder.ok());
  if (!HasEncoder("mpeg4")) GTEST_SKIP() << "no encoder in this FFmpeg";
  Painter painter;
  std::stop_source stop;
  int drawn = 0;
  const Status status = EncodeClip(
      folder.value().path() / "clip.mkv", Plan("mpeg4"),
      [&](int index) {
        if (++drawn == 3) stop.request_stop();
        return painter.Draw(index);
      },
      stop.get_token());
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kCancelled);
  EXPECT_EQ(drawn, 3);
}

}  // namespace
}  // namespace deepedge
