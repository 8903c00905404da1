#include <gtest/gtest.h>

#include <fstream>

#include "deepedge/ingest/decoder.h"
#include "deepedge/ingest/ffmpeg/native.h"
#include "deepedge/ingest/ffmpeg/test_clip.h"
#include "deepedge/media/pixel_ops.h"

namespace deepedge {
namespace {

class DecoderTest : public ::testing::Test {
 protected:
  std::vector<Packet> PacketsOf(const std::string& name, const ClipOptions& options) {
    const Path path = folder_.path() / name;
    EXPECT_TRUE(WriteClip(path, options).ok());
    return ReadAll(path.string()).packets;
  }
  // A clip by the ffmpeg program, of one picture of its colour bars or of `source`; nothing where it is missing.
  std::optional<ReadBack> Encode(const std::string& name, const std::string& arguments,
                                 const std::string& source = "smptebars=size=64x48:rate=25:duration=0.2") {
    const Path path = folder_.path() / name;
    if (!RunFfmpegProgram("-f lavfi -i " + source + " " + arguments + " " + path.string())) return std::nullopt;
    return ReadAll(path.string());
  }
  void SendAll(const std::vector<Packet>& packets) {
    for (const Packet& packet : packets) {
      if (!decoder_->Send(packet).ok()) ++back_.errors;
      ReceiveAll(*decoder_, back_);
    }
  }
  void Finish() {
    decoder_->Drain();
    ReceiveAll(*decoder_, back_);
  }

  TemporaryFolder folder_ = [] {
    auto created = TemporaryFolder::Create("deepedge_decoder_");
    DE_CHECK(created.ok());
    return std::move(created).value();
  }();
  std::unique_ptr<Decoder> decoder_ = MakeDecoder();
  ReadBack back_;
};

TEST_F(DecoderTest, AnotherFormatRestartsItWithoutLosingPictures) {
  const auto first = PacketsOf("a.mp4", {.frames = 20, .b_frames = 2});
  const auto second = PacketsOf("b.avi", {.codec = "mjpeg", .width = 96, .height = 64, .frames = 5});
  SendAll(first);
  SendAll(second);
  SendAll(first);
  Finish();
  ASSERT_EQ(back_.pictures.size(), 45U);
  EXPECT_EQ(back_.errors, 0);
  for (size_t i = 0; i < 45; ++i) {
    const bool mjpeg = i >= 20 && i < 25;
    const size_t index = i < 20 ? i : mjpeg ? i - 20 : i - 25;
    EXPECT_EQ(back_.pictures[i].width, mjpeg ? 96 : 160) << i;
    EXPECT_EQ(back_.pictures[i].color.full_range, mjpeg);
    EXPECT_NEAR(back_.pictures[i].luma, ClipLuma(static_cast<int>(index)), 3) << i;
    EXPECT_EQ(back_.pictures[i].pts_us, static_cast<int64_t>(index) * 40'000) << i;
  }
}

TEST_F(DecoderTest, TimesFollowTheirPacketThroughReordering) {
  auto packets = PacketsOf("c.mp4", {.frames = 30, .b_frames = 2});
  for (Packet& packet : packets) packet.captured = Time{packet.pts_us + 123};
  SendAll(packets);
  Finish();
  ASSERT_EQ(back_.pictures.size(), 30U);
  for (size_t i = 0; i < 30; ++i) EXPECT_EQ(back_.pictures[i].captured.us, static_cast<int64_t>(i) * 40'000 + 123);
}

TEST_F(DecoderTest, ADrainedDecoderStartsAnew) {
  const auto packets = PacketsOf("d.mp4", {.frames = 20, .b_frames = 2});
  for (int round = 0; round < 3; ++round) {
    SendAll(packets);
    Finish();
    Finish();
  }
  EXPECT_EQ(back_.pictures.size(), 60U);
  EXPECT_EQ(back_.errors, 0);
}

TEST_F(DecoderTest, NothingIsLostWhenPicturesAreReceivedLate) {
  const auto packets = PacketsOf("e.mp4", {.frames = 20});
  for (const Packet& packet : packets) EXPECT_TRUE(decoder_->Send(packet).ok());
  decoder_->Drain();
  ReceiveAll(*decoder_, back_);
  ASSERT_EQ(back_.pictures.size(), 20U);
  for (size_t i = 0; i < 20; ++i) EXPECT_EQ(back_.pictures[i].pts_us, static_cast<int64_t>(i) * 40'000);
}

TEST_F(DecoderTest, KeyFramesAloneCanBeDecoded) {
  std::vector<Packet> keys;
  for (const Packet& packet : PacketsOf("f.mp4", {.frames = 50, .b_frames = 2})) {
    if (packet.key) keys.push_back(packet);
  }
  SendAll(keys);
  Finish();
  ASSERT_GE(keys.size(), 5U);
  ASSERT_EQ(back_.pictures.size(), keys.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    EXPECT_EQ(back_.pictures[i].pts_us, keys[i].pts_us);
    const auto index = static_cast<int>(back_.pictures[i].pts_us / 40'000);
    EXPECT_NEAR(back_.pictures[i].luma, ClipLuma(index), 3);
  }
}

TEST_F(DecoderTest, BrokenPacketsAreErrorsAndDecodingGoesOn) {
  auto packets = PacketsOf("g.avi", {.codec = "mjpeg", .frames = 10});
  AvPacket garbage(av_packet_alloc());
  ASSERT_EQ(av_new_packet(garbage.get(), 500), 0);
  std::fill_n(garbage->data, 500, uint8_t{0x5A});
  packets[4].native = std::shared_ptr<const AVPacket>(garbage.release(), FfmpegDelete<av_packet_free>());
  SendAll(packets);
  Finish();
  EXPECT_EQ(back_.errors, 1);
  ASSERT_EQ(back_.pictures.size(), 9U);
  EXPECT_NEAR(back_.pictures[4].luma, ClipLuma(5), 3);
  EXPECT_EQ(back_.pictures[4].pts_us, 5 * 40'000);
}

TEST_F(DecoderTest, PacketsWithoutDataAreErrors) {
  EXPECT_FALSE(decoder_->Send({}).ok());
  Packet packet;
  packet.format = std::make_shared<const StreamFormat>();
  EXPECT_FALSE(decoder_->Send(packet).ok());
  const auto nothing = decoder_->Receive();
  ASSERT_TRUE(nothing.ok());
  EXPECT_FALSE(nothing.value().has_value());
  decoder_->Drain();
}

TEST_F(DecoderTest, PicturesOutliveTheDecoder) {
  const auto packets = PacketsOf("h.mp4", {.frames = 3});
  std::vector<DecodedPicture> kept;
  for (const Packet& packet : packets) {
    ASSERT_TRUE(decoder_->Send(packet).ok());
    while (true) {
      auto received = decoder_->Receive();
      ASSERT_TRUE(received.ok());
      if (!received.value()) break;
      kept.push_back(std::move(*received.value()));
    }
  }
  decoder_.reset();
  ASSERT_GE(kept.size(), 2U);
  EXPECT_NEAR(MeanLuma(kept[0].picture), ClipLuma(0), 3);
  EXPECT_NEAR(MeanLuma(kept[1].picture), ClipLuma(1), 3);
}

TEST_F(DecoderTest, EveryPixelFormatBecomesOneThatMediaKnows) {
  struct Case {
    const char* name;
    const char* arguments;
    PixelFormat expected;
    bool full_range;
  };
  const Case cases[] = {
      {"a.mkv", "-c:v rawvideo -pix_fmt yuv420p", PixelFormat::kYuv420p, false},
      {"b.nut", "-c:v rawvideo -pix_fmt nv12", PixelFormat::kNv12, false},
      {"c.mkv", "-c:v rawvideo -pix_fmt yuyv422", PixelFormat::kYuv422p, false},
      {"d.mkv", "-c:v ffv1 -pix_fmt yuv444p", PixelFormat::kYuv444p, false},
      {"e.mkv", "-c:v ffv1 -pix_fmt yuv420p10le", PixelFormat::kYuv420p, false},
      {"f.mkv", "-c:v ffv1 -pix_fmt bgr0", PixelFormat::kRgb24, true},
      {"g.mkv", "-c:v png -pix_fmt rgb24", PixelFormat::kRgb24, true},
      {"h.mkv", "-c:v mjpeg -pix_fmt yuvj422p", PixelFormat::kYuv422p, true},
      {"i.mkv", "-c:v ffv1 -pix_fmt yuv410p", PixelFormat::kYuv420p, false},
      {"j.mov", "-c:v qtrle -pix_fmt rgb24", PixelFormat::kRgb24, true},
  };
  // One colour, known in RGB: what every format must show in the end, whatever its own numbers are.
  const std::string source = "color=c=0x3CA050:size=64x48:rate=25:duration=0.12";
  for (const Case& c : cases) {
    SCOPED_TRACE(c.arguments);
    const auto back = Encode(c.name, c.arguments, source);
    if (!back) GTEST_SKIP() << "the ffmpeg program is not there";
    ASSERT_EQ(back->pictures.size(), 3U) << back->end.message;
    EXPECT_EQ(back->pictures[0].format, c.expected);
    if (c.expected != PixelFormat::kRgb24) {
      EXPECT_EQ(back->pictures[0].color.full_range, c.full_range);
    }
    ASSERT_TRUE(decoder_->Send(back->packets[0]).ok());
    auto received = decoder_->Receive();
    ASSERT_TRUE(received.ok() && received.value());
    const auto rgb = ToRgb(received.value()->picture);
    ASSERT_TRUE(rgb.ok());
    const size_t middle = (24 * 64 + 32) * 3;
    EXPECT_NEAR(rgb.value().pixels[middle], 0x3C, 6);
    EXPECT_NEAR(rgb.value().pixels[middle + 1], 0xA0, 6);
    EXPECT_NEAR(rgb.value().pixels[middle + 2], 0x50, 6);
  }
}

TEST_F(DecoderTest, MatrixAndRangeAreTakenFromTheStream) {
  struct Case {
    const char* name;
    const char* arguments;
    ColorSpace expected;
  };
  const Case cases[] = {
      {"a.mp4", "-c:v libx264 -pix_fmt yuv420p", {ColorMatrix::kBt601, false}},
      {"b.mp4", "-c:v libx264 -pix_fmt yuv420p -colorspace bt709 -color_range tv", {ColorMatrix::kBt709, false}},
      {"c.mp4", "-c:v libx264 -pix_fmt yuv420p -colorspace smpte170m -color_range pc", {ColorMatrix::kBt601, true}},
      {"d.mp4", "-c:v libx264 -pix_fmt yuvj420p -colorspace bt709", {ColorMatrix::kBt709, true}},
  };
  for (const Case& c : cases) {
    const auto back = Encode(c.name, c.arguments);
    if (!back) GTEST_SKIP() << "the ffmpeg program with libx264 is not there";
    ASSERT_FALSE(back->pictures.empty());
    EXPECT_EQ(back->pictures[0].format, PixelFormat::kYuv420p);
    EXPECT_TRUE(back->pictures[0].color == c.expected) << c.arguments;
  }
}

TEST_F(DecoderTest, H264AndH265GiveEveryPicture) {
  for (const char* encoder : {"libx264 -bf 3", "libx264 -tune zerolatency", "libx265 -x265-params log-level=none"}) {
    const auto back = Encode("k.mp4", std::string("-pix_fmt yuv420p -g 25 -c:v ") + encoder,
                             "testsrc2=size=160x120:rate=25:duration=3");
    if (!back) GTEST_SKIP() << "the ffmpeg program with " << encoder << " is not there";
    ASSERT_EQ(back->pictures.size(), 75U) << encoder;
    for (size_t i = 0; i < 75; ++i) ASSERT_EQ(back->pictures[i].pts_us, static_cast<int64_t>(i) * 40'000) << encoder;
    EXPECT_EQ(back->errors, 0);
  }
}

TEST_F(DecoderTest, ASizeChangeInMidStreamShowsInThePictures) {
  const auto small =
      Encode("s.h264", "-pix_fmt yuv420p -c:v libx264 -bf 0", "testsrc=size=128x96:rate=25:duration=0.4");
  const auto large =
      Encode("l.h264", "-pix_fmt yuv420p -c:v libx264 -bf 0", "testsrc=size=320x240:rate=25:duration=0.4");
  if (!small || !large) GTEST_SKIP() << "the ffmpeg program with libx264 is not there";
  const Path both = folder_.path() / "both.h264";
  std::ofstream out(both, std::ios::binary);
  for (const char* part : {"s.h264", "l.h264"}) {
    const auto content = ReadFile(folder_.path() / part);
    ASSERT_TRUE(content.ok());
    out << content.value();
  }
  out.close();
  const ReadBack back = ReadAll(both.string());
  ASSERT_EQ(back.pictures.size(), 20U) << back.end.message;
  for (size_t i = 0; i < 20; ++i) {
    EXPECT_EQ(back.pictures[i].width, i < 10 ? 128 : 320);
    EXPECT_EQ(back.pictures[i].pts_us, static_cast<int64_t>(i) * 40'000);
  }
}

TEST_F(DecoderTest, JoiningInMidStreamGivesPicturesFromTheNextKeyFrameOn) {
  const auto back =
      Encode("m.mp4", "-pix_fmt yuv420p -c:v libx264 -bf 2 -g 25", "testsrc2=size=160x120:rate=25:duration=3");
  if (!back) GTEST_SKIP() << "the ffmpeg program with libx264 is not there";
  const std::vector<Packet> late(back->packets.begin() + 5, back->packets.end());
  SendAll(late);
  Finish();
  ASSERT_GE(back_.pictures.size(), 50U);
  EXPECT_LE(back_.pictures.size(), 70U);
  EXPECT_EQ(back_.pictures.back().pts_us, 74 * 40'000);
}

}  // namespace
}  // namespace deepedge
