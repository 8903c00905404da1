#include "deepedge/runtime/probe_pictures.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "deepedge/ingest/picture_file.h"
#include "deepedge/repository/model_source.h"

namespace deepedge {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ProbePicturesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto folder = TemporaryFolder::Create("de_probe_pictures_test");
    ASSERT_TRUE(folder.ok());
    folder_.emplace(std::move(folder).value());
  }

  Path Write(const Path& name, std::string_view content) {
    const Path path = folder_->path() / name;
    std::filesystem::create_directories(path.parent_path());
    EXPECT_TRUE(WriteFileAtomically(path, content).ok());
    return path;
  }

  // A picture of so many pixels a side.
  Path WritePicture(const Path& name, int side) {
    const Path path = folder_->path() / name;
    std::filesystem::create_directories(path.parent_path());
    RgbPicture picture{.width = side, .height = side, .pixels = {}};
    picture.pixels.resize(static_cast<size_t>(side) * static_cast<size_t>(side) * 3, 90);
    EXPECT_TRUE(WritePng(path, picture).ok());
    return path;
  }

  std::optional<TemporaryFolder> folder_;
};

TEST_F(ProbePicturesTest, AFolderGivesItsFirstPicturesByName) {
  for (const char* name : {"s/c.PNG", "s/a.jpg", "s/e.webp", "s/b.jpeg", "s/f.png", "s/a.txt", "s/.0.png"}) {
    Write(name, "x");
  }
  std::filesystem::create_directories(folder_->path() / "s" / "aa.png");
  const Path folder = folder_->path() / "s";
  const auto files = FindProbePictures({folder.string(), "one.png"});
  ASSERT_TRUE(files.ok()) << files.error().message;
  EXPECT_THAT(files.value(),
              ElementsAre(folder / "a.jpg", folder / "b.jpeg", folder / "c.PNG", folder / "e.webp", Path("one.png")));
}

TEST_F(ProbePicturesTest, AFolderWithoutPicturesIsAnError) {
  const Path folder = Write("s/a.txt", "x").parent_path();
  EXPECT_THAT(FindProbePictures({folder.string()}).error().message, HasSubstr(folder.string() + ": no picture"));
  const auto missing = FindProbePictures({"missing.png"});
  ASSERT_TRUE(missing.ok());
  EXPECT_THAT(ReadPictures(missing.value()).error().message, HasSubstr("missing.png"));
}

TEST_F(ProbePicturesTest, OfARepositoryWhatCannotBeReadIsLeftOut) {
  EXPECT_TRUE(ReadRepositoryPictures(folder_->path()).empty());
  Write("_probe/0.png", "no picture");
  for (int i = 1; i < 7; ++i) WritePicture(fmt::format("_probe/{}.png", i), 8 * i);
  const std::vector<RgbPicture> pictures = ReadRepositoryPictures(folder_->path());
  ASSERT_EQ(pictures.size(), 4U);
  EXPECT_EQ(pictures.front().width, 8);
  EXPECT_EQ(pictures.back().width, 32);
}

TEST_F(ProbePicturesTest, NoModelCanBeCalledLikeTheFolder) {
  EXPECT_FALSE(CheckModelName(ProbeFolder(folder_->path()).filename().string()).ok());
}

}  // namespace
}  // namespace deepedge
