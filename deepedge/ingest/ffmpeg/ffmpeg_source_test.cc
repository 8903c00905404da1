#include "deepedge/ingest/ffmpeg/ffmpeg_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "deepedge/ingest/ffmpeg/test_clip.h"

namespace deepedge {
namespace {

using ::testing::HasSubstr;

class FileSourceTest : public ::testing::Test {
 protected:
  Path Clip(const std::string& name, const ClipOptions& options = {}) {
    Path path = folder_.path() / name;
    const Status written = WriteClip(path, options);
    EXPECT_TRUE(written.ok()) << (written.ok() ? "" : written.error().message);
    return path;
  }
  Path Text(const std::string& name, const std::string& content) {
    Path path = folder_.path() / name;
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }
  static Error Check(const Path& path) {
    const Status status = CheckSource({.address = path.string()});
    return status.ok() ? Error{ErrorCode::kEndOfStream, "it is accepted"} : status.error();
  }

  TemporaryFolder folder_ = [] {
    auto created = TemporaryFolder::Create("deepedge_ingest_");
    DE_CHECK(created.ok());
    return std::move(created).value();
  }();
};

void ExpectAllPictures(const ReadBack& back, const ClipOptions& options) {
  ASSERT_EQ(back.pictures.size(), static_cast<size_t>(options.frames)) << back.end.message;
  for (int i = 0; i < options.frames; ++i) {
    const auto& picture = back.pictures[static_cast<size_t>(i)];
    ASSERT_NEAR(picture.luma, ClipLuma(i), 3) << i;
    ASSERT_NEAR(static_cast<double>(picture.pts_us), i * 1e6 / options.frame_rate, 1000) << i;
    EXPECT_EQ(picture.width, options.width);
    EXPECT_EQ(picture.height, options.height);
  }
  EXPECT_EQ(back.errors, 0);
}

TEST_F(FileSourceTest, GivesEveryPictureAtItsTimeInEveryContainer) {
  for (const char* name : {"a.mp4", "a.avi", "a.mkv", "a.ts"}) {
    const ClipOptions options;
    const ReadBack back = ReadAll(Clip(name, options).string());
    EXPECT_EQ(back.end.code, ErrorCode::kEndOfStream) << name << back.end.message;
    ExpectAllPictures(back, options);
    ASSERT_FALSE(back.packets.empty());
    const StreamFormat& format = *back.packets[0].format;
    EXPECT_EQ(format.codec, "mpeg4");
    EXPECT_EQ(format.width, 160);
    EXPECT_EQ(format.height, 120);
    EXPECT_NEAR(format.frame_rate, 25, 0.01) << name;
    for (size_t i = 0; i < back.packets.size(); ++i) {
      ASSERT_EQ(back.packets[i].key, i % 10 == 0) << name << " " << i;
      EXPECT_GT(back.packets[i].bytes, 0);
    }
  }
}

TEST_F(FileSourceTest, ReorderedPicturesComeInOrderWithTheirOwnTimes) {
  for (const char* name : {"b.mp4", "b.avi", "b.mkv", "b.ts"}) {
    const ClipOptions options{.b_frames = 2};
    const ReadBack back = ReadAll(Clip(name, options).string());
    SCOPED_TRACE(name);
    ExpectAllPictures(back, options);
    int64_t last_dts = INT64_MIN;
    for (const Packet& packet : back.packets) {
      EXPECT_LE(packet.dts_us, packet.pts_us);
      EXPECT_GE(packet.dts_us, last_dts);
      last_dts = packet.dts_us;
    }
  }
}

TEST_F(FileSourceTest, RawStreamsWithoutStampsAreCountedByTheirFrameRate) {
  const ClipOptions mjpeg{.codec = "mjpeg"};
  ExpectAllPictures(ReadAll(Clip("c.mjpeg", mjpeg).string()), mjpeg);
}

TEST_F(FileSourceTest, HighFrameRatesKeepTheirTimes) {
  const ClipOptions options{.frames = 240, .frame_rate = 120};
  for (const char* name : {"d.mp4", "d.mkv"}) {
    const ReadBack back = ReadAll(Clip(name, options).string());
    ExpectAllPictures(back, options);
    EXPECT_NEAR(back.packets[0].format->frame_rate, 120, 0.5);
  }
}

TEST_F(FileSourceTest, OddAndTinySizesWork) {
  for (const auto& [width, height] : {std::pair{162, 122}, {16, 16}, {34, 18}}) {
    const ClipOptions options{.width = width, .height = height, .frames = 5};
    ExpectAllPictures(ReadAll(Clip("e.avi", options).string()), options);
  }
  const ClipOptions odd{.codec = "mjpeg", .width = 101, .height = 77, .frames = 5};
  ExpectAllPictures(ReadAll(Clip("odd.avi", odd).string()), odd);
}

TEST_F(FileSourceTest, SeekStartsAtTheKeyFrameBeforeWithTheFilesOwnTimes) {
  const ClipOptions options{.frames = 100};  // key frames every 0.4 s
  for (const char* name : {"f.mp4", "f.mkv", "f.avi"}) {
    const std::string path = Clip(name, options).string();
    for (const auto& [offset_ms, first] : {std::pair{1000, 20}, {1200, 30}, {1650, 40}, {100, 0}, {3999, 90}}) {
      const ReadBack back = ReadAll(path, std::chrono::milliseconds(offset_ms));
      ASSERT_EQ(back.pictures.size(), static_cast<size_t>(100 - first)) << name << offset_ms << back.end.message;
      EXPECT_NEAR(static_cast<double>(back.pictures[0].pts_us), first * 40'000.0, 1000);
      EXPECT_NEAR(back.pictures[0].luma, ClipLuma(first), 3);
    }
  }
}

TEST_F(FileSourceTest, SeekIntoARawStreamIsRefused) {
  const ReadBack back = ReadAll(Clip("g.mjpeg", {.codec = "mjpeg"}).string(), std::chrono::seconds(1));
  EXPECT_EQ(back.end.code, ErrorCode::kUnsupported);
}

TEST_F(FileSourceTest, MediaTimeGoesOnWhenTheFileIsOpenedAgain) {
  const RealClock clock;
  auto source = MakeSource({.address = Clip("h.mp4", {.b_frames = 2}).string()}, clock);
  ASSERT_TRUE(source.ok());
  ASSERT_TRUE(source.value()->Open({}).ok());
  const ReadBack first = ReadAll(*source.value());
  ASSERT_TRUE(source.value()->Open({}).ok());
  const ReadBack second = ReadAll(*source.value());
  ASSERT_EQ(second.pictures.size(), 50U);
  EXPECT_EQ(first.pictures.back().pts_us, 49 * 40'000);
  EXPECT_EQ(second.pictures.front().pts_us, 50 * 40'000);
  EXPECT_EQ(second.pictures.back().pts_us, 99 * 40'000);
  EXPECT_NE(first.packets[0].format, second.packets[0].format);
}

TEST_F(FileSourceTest, AFileCutShortGivesItsPicturesAndThenAReason) {
  const ClipOptions options{.frames = 200};
  for (const char* name : {"i.avi", "i.mkv"}) {
    const Path path = Clip(name, options);
    std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
    const ReadBack back = ReadAll(path.string());
    EXPECT_GT(back.pictures.size(), 60U) << name;
    EXPECT_LT(back.pictures.size(), 140U) << name;
    EXPECT_EQ(back.end.code, ErrorCode::kBadInput) << name << ": " << back.end.message;
    EXPECT_THAT(back.end.message, HasSubstr(name));
  }
  const Path mp4 = Clip("i.mp4", options);  // its index is at the end and lost
  std::filesystem::resize_file(mp4, std::filesystem::file_size(mp4) / 2);
  const Error error = Check(mp4);
  EXPECT_EQ(error.code, ErrorCode::kBadInput);
  EXPECT_THAT(error.message, HasSubstr("moov"));
}

TEST_F(FileSourceTest, AFileWithEmptyPicturesIsNotCutShort) {
  // Three of four pictures are left out; AVI has an empty one in each's place, and its header counts them.
  const Path path = folder_.path() / "gaps.avi";
  if (!RunFfmpegProgram("-f lavfi -i testsrc=duration=12:size=160x120:rate=25,select='not(mod(n\\,4))' -vsync vfr "
                        "-r 25 -c:v mpeg4 " +
                        path.string())) {
    GTEST_SKIP() << "the ffmpeg program is not there";
  }
  const ReadBack whole = ReadAll(path.string());
  EXPECT_EQ(whole.pictures.size(), 75U);
  EXPECT_EQ(whole.end.code, ErrorCode::kEndOfStream) << whole.end.message;
  std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
  EXPECT_EQ(ReadAll(path.string()).end.code, ErrorCode::kBadInput);
}

TEST_F(FileSourceTest, CorruptDataIsCountedAndDecodingGoesOn) {
  const Path path = Clip("j.avi", {.frames = 200});
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  const auto size = static_cast<std::streamoff>(std::filesystem::file_size(path));
  uint32_t random = 1;
  for (std::streamoff at = size / 4; at < size / 2; at += 97) {
    file.seekp(at);
    random = random * 1664525 + 1013904223;
    file.put(static_cast<char>(random >> 24));
  }
  file.close();
  const ReadBack back = ReadAll(path.string());
  EXPECT_GT(back.pictures.size(), 100U);
  EXPECT_LE(back.pictures.size(), 200U);
  EXPECT_NEAR(back.pictures.back().luma, ClipLuma(199), 3);
  const auto damaged =
      std::count_if(back.pictures.begin(), back.pictures.end(), [](const auto& p) { return p.damaged; });
  EXPECT_GT(back.errors + damaged, 0);
}

TEST_F(FileSourceTest, CheckSourceNamesTheFileAndTheFault) {
  EXPECT_EQ(Check(Clip("good.mp4")).message, "it is accepted");

  const Error missing = Check(folder_.path() / "missing.mp4");
  EXPECT_EQ(missing.code, ErrorCode::kNotFound);
  EXPECT_THAT(missing.message, HasSubstr("missing.mp4"));

  const Error folder = Check(folder_.path());
  EXPECT_EQ(folder.code, ErrorCode::kBadInput);
  EXPECT_THAT(folder.message, HasSubstr("folder"));

  const Error empty = Check(Text("empty.mp4", ""));
  EXPECT_EQ(empty.code, ErrorCode::kBadInput);
  EXPECT_THAT(empty.message, HasSubstr("empty"));

  std::string words;
  for (int i = 0; i < 500; ++i) words += "These are words and no video at all.\n";
  for (const char* name : {"words.txt", "words.mp4", "words.h264", "words.yaml", "words"}) {
    const Error text = Check(Text(name, words));
    EXPECT_EQ(text.code, ErrorCode::kBadInput) << name << ": " << text.message;
    EXPECT_THAT(text.message, HasSubstr(name));
  }
  const Error zeros = Check(Text("zeros.mp4", std::string(5000, '\0')));
  EXPECT_EQ(zeros.code, ErrorCode::kBadInput) << zeros.message;

  if (RunFfmpegProgram("-f lavfi -i sine=duration=1 " + (folder_.path() / "sound.wav").string())) {
    const Error sound = Check(folder_.path() / "sound.wav");
    EXPECT_EQ(sound.code, ErrorCode::kBadInput);
    EXPECT_THAT(sound.message, HasSubstr("no video"));
  }
}

TEST_F(FileSourceTest, OnlyTheVideoStreamIsRead) {
  const Path path = folder_.path() / "av.mp4";
  if (!RunFfmpegProgram("-f lavfi -i sine=duration=2 -f lavfi -i testsrc=duration=2:size=128x96:rate=10 -c:v mpeg4 "
                        "-c:a aac -map 0 -map 1 " +
                        path.string())) {
    GTEST_SKIP() << "the ffmpeg program is not there";
  }
  const ReadBack back = ReadAll(path.string());
  EXPECT_EQ(back.packets.size(), 20U);
  EXPECT_EQ(back.pictures.size(), 20U);
}

TEST_F(FileSourceTest, AStopEndsOpenAndRead) {
  std::stop_source stop;
  stop.request_stop();
  const RealClock clock;
  auto source = MakeSource({.address = Clip("k.mp4").string()}, clock);
  ASSERT_TRUE(source.ok());
  ASSERT_TRUE(source.value()->Open({}).ok());
  const auto read = source.value()->Read(stop.get_token());
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code, ErrorCode::kCancelled);
  const Status opened = source.value()->Open(stop.get_token());
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::kCancelled);
}

TEST_F(FileSourceTest, RawH264WithReorderedPicturesIsRight) {
  const Path path = folder_.path() / "raw.h264";
  if (!RunFfmpegProgram("-f lavfi -i testsrc2=duration=3:size=160x120:rate=30 -c:v libx264 -g 30 -bf 3 " +
                        path.string())) {
    GTEST_SKIP() << "the ffmpeg program with libx264 is not there";
  }
  const ReadBack back = ReadAll(path.string());
  ASSERT_EQ(back.pictures.size(), 90U);
  for (size_t i = 0; i < 90; ++i)
    ASSERT_NEAR(static_cast<double>(back.pictures[i].pts_us), static_cast<double>(i) * 1e6 / 30, 50) << i;
}

TEST(CameraSourceTest, AMissingDeviceIsNamed) {
  const RealClock clock;
  auto source = MakeSource({.address = "/dev/video987"}, clock);
  ASSERT_TRUE(source.ok());
  const Status opened = source.value()->Open({});
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(opened.error().message, HasSubstr("/dev/video987"));
  EXPECT_THAT(opened.error().message, HasSubstr("no such camera"));
}

TEST(CameraSourceTest, ADeviceGivesPictures) {
  std::error_code ec;
  if (!std::filesystem::exists("/dev/video0", ec)) GTEST_SKIP() << "no /dev/video0 here";
  const RealClock clock;
  auto source = MakeSource({.address = "/dev/video0"}, clock);
  ASSERT_TRUE(source.ok());
  if (const Status opened = source.value()->Open({}); !opened.ok()) GTEST_SKIP() << opened.error().message;
  const auto decoder = MakeDecoder();
  ReadBack back;
  for (int i = 0; i < 5; ++i) {
    auto read = source.value()->Read({});
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_TRUE(decoder->Send(read.value()).ok());
    ReceiveAll(*decoder, back);
  }
  EXPECT_FALSE(back.pictures.empty());
}

}  // namespace
}  // namespace deepedge
