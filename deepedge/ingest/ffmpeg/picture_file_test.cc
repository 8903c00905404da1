#include "deepedge/ingest/picture_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "deepedge/ingest/ffmpeg/test_clip.h"

namespace deepedge {
namespace {

using ::testing::HasSubstr;

class PictureFileTest : public ::testing::Test {
 protected:
  // Red grows to the right, green downwards.
  static RgbPicture Gradient(int width, int height) {
    RgbPicture picture{.width = width, .height = height, .pixels = {}};
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        picture.pixels.push_back(static_cast<uint8_t>(255 * x / width));
        picture.pixels.push_back(static_cast<uint8_t>(255 * y / height));
        picture.pixels.push_back(77);
      }
    }
    return picture;
  }
  Path Png(const std::string& name, const RgbPicture& picture) {
    const Path path = folder_.path() / name;
    EXPECT_TRUE(WritePng(path, picture).ok());
    return path;
  }
  Path Text(const std::string& name, const std::string& content) {
    const Path path = folder_.path() / name;
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }
  static Error Fail(const Path& path) {
    const auto picture = ReadPicture(path);
    return picture.ok() ? Error{ErrorCode::kEndOfStream, "it is accepted"} : picture.error();
  }

  TemporaryFolder folder_ = [] {
    auto created = TemporaryFolder::Create("deepedge_picture_");
    DE_CHECK(created.ok());
    return std::move(created).value();
  }();
};

TEST_F(PictureFileTest, PngComesBackAsItWas) {
  for (const auto& [width, height] : {std::pair{64, 48}, {101, 77}, {1, 1}, {3, 200}}) {
    const RgbPicture picture = Gradient(width, height);
    const auto back = ReadPicture(Png("a.png", picture));
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_EQ(back.value().width, width);
    EXPECT_EQ(back.value().height, height);
    EXPECT_EQ(back.value().pixels, picture.pixels);
  }
}

TEST_F(PictureFileTest, OtherFormatsAreRead) {
  const RgbPicture picture = Gradient(128, 96);
  const Path png = Png("a.png", picture);
  for (const char* name : {"a.jpg", "a.bmp", "a.webp", "a.tiff", "a.gif"}) {
    const Path path = folder_.path() / name;
    if (!RunFfmpegProgram("-i " + png.string() + " -q:v 1 " + path.string())) continue;  // without that encoder
    const auto back = ReadPicture(path);
    ASSERT_TRUE(back.ok()) << back.error().message;
    ASSERT_EQ(back.value().pixels.size(), picture.pixels.size()) << name;
    double error = 0;
    for (size_t i = 0; i < picture.pixels.size(); ++i) error += std::abs(back.value().pixels[i] - picture.pixels[i]);
    EXPECT_LT(error / static_cast<double>(picture.pixels.size()), 16) << name;
  }
}

TEST_F(PictureFileTest, TheContentCountsAndNotTheName) {
  const Path png = Png("really_png.jpg", Gradient(20, 10));
  const auto back = ReadPicture(png);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back.value().width, 20);
  const auto odd_name = ReadPicture(Png("100%d_%03d: x.png", Gradient(20, 10)));
  EXPECT_TRUE(odd_name.ok());
}

TEST_F(PictureFileTest, FaultsNameTheFile) {
  const Error missing = Fail(folder_.path() / "missing.png");
  EXPECT_EQ(missing.code, ErrorCode::kNotFound);
  EXPECT_THAT(missing.message, HasSubstr("missing.png"));

  std::string words;
  for (int i = 0; i < 200; ++i) words += "No picture.\n";
  const Path video = folder_.path() / "video.avi";
  ASSERT_TRUE(WriteClip(video, {.frames = 3}).ok());
  for (const Path& path : {Text("empty.jpg", ""), Text("words.png", words), folder_.path(), video}) {
    const Error error = Fail(path);
    EXPECT_EQ(error.code, ErrorCode::kBadInput) << path << error.message;
    EXPECT_THAT(error.message, HasSubstr(path.filename().string()));
  }
}

TEST_F(PictureFileTest, BrokenAndHugePicturesAreRefused) {
  const auto png = ReadFile(Png("good.png", Gradient(200, 200)));
  ASSERT_TRUE(png.ok());
  EXPECT_EQ(Fail(Text("half.png", png.value().substr(0, png.value().size() / 2))).code, ErrorCode::kBadInput);
  EXPECT_EQ(Fail(Text("head.png", png.value().substr(0, 40))).code, ErrorCode::kBadInput);

  std::string huge = png.value();
  huge[16] = huge[20] = 0;
  huge[17] = huge[21] = 1;  // 65736 x 65736 by its header, whose checksum is wrong as well
  EXPECT_EQ(Fail(Text("huge.png", huge)).code, ErrorCode::kBadInput);
  // A bitmap has no checksum: 40000 x 40000, all in a header.
  std::string bitmap("BM\x36\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x40\x9c\0\0\x40\x9c\0\0\x01\0\x18\0", 30);
  bitmap.resize(5000);
  const Error too_large = Fail(Text("huge.bmp", bitmap));
  EXPECT_EQ(too_large.code, ErrorCode::kBadInput);
  EXPECT_THAT(too_large.message, HasSubstr("huge.bmp"));
}

TEST_F(PictureFileTest, AFolderThatIsNotThereCannotBeWrittenTo) {
  const Status written = WritePng(folder_.path() / "no" / "a.png", Gradient(4, 4));
  ASSERT_FALSE(written.ok());
  EXPECT_THAT(written.error().message, HasSubstr("a.png"));
}

TEST_F(PictureFileTest, APictureIsTurnedAsItsCameraWasHeld) {
  const RgbPicture picture = Gradient(64, 32);
  const Path jpeg = folder_.path() / "held.jpg";
  if (!RunFfmpegProgram("-i " + Png("held.png", picture).string() + " -q:v 1 " + jpeg.string())) {
    GTEST_SKIP() << "the ffmpeg program is not there";
  }
  auto content = ReadFile(jpeg);
  ASSERT_TRUE(content.ok());
  // EXIF with one entry, orientation: 1 upright, 3 upside down, 6 to be turned clockwise, 8 anticlockwise.
  const auto with_orientation = [&](char orientation) {
    std::string exif(
        "\xFF\xE1\0\x22"
        "Exif\0\0"
        "MM\0\x2A\0\0\0\x08"
        "\0\x01"
        "\x01\x12\0\x03\0\0\0\x01\0",
        29);
    exif += orientation;
    exif += std::string("\0\0\0\0\0\0", 6);
    exif[3] = static_cast<char>(exif.size() - 2);
    return content.value().substr(0, 2) + exif + content.value().substr(2);
  };
  struct Case {
    char orientation;
    int width, height;
    int top_left_red, top_left_green;  // roughly
  };
  const Case cases[] = {{1, 64, 32, 0, 0}, {3, 64, 32, 250, 250}, {6, 32, 64, 0, 250}, {8, 32, 64, 250, 0}};
  for (const Case& c : cases) {
    const auto back = ReadPicture(Text("turned.jpg", with_orientation(c.orientation)));
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_EQ(back.value().width, c.width) << static_cast<int>(c.orientation);
    EXPECT_EQ(back.value().height, c.height);
    EXPECT_NEAR(back.value().pixels[0], c.top_left_red, 25) << static_cast<int>(c.orientation);
    EXPECT_NEAR(back.value().pixels[1], c.top_left_green, 25) << static_cast<int>(c.orientation);
  }
}

}  // namespace
}  // namespace deepedge
