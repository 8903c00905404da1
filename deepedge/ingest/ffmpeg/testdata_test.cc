// Real clips, where they are: the folder named by DEEPEDGE_TESTDATA, or shared/testdata beside the source tree.
#include <gtest/gtest.h>

#include <cstdlib>

#include "deepedge/base/thread.h"
#include "deepedge/ingest/ffmpeg/test_clip.h"

namespace deepedge {
namespace {

std::optional<Path> FindVideos() {
  const char* named = std::getenv("DEEPEDGE_TESTDATA");  // NOLINT(concurrency-mt-unsafe): tests only
  const Path source_root = DEEPEDGE_SOURCE_DIR;
  for (const Path& root : {named != nullptr ? Path(named) : Path(), source_root / "../shared/testdata",
                           source_root / "../../shared/testdata"}) {
    std::error_code ec;
    if (!root.empty() && std::filesystem::is_directory(root / "videos", ec)) return root / "videos";
  }
  return std::nullopt;
}

struct Clip {
  const char* name;
  size_t frames;
  double frame_rate;
};

class TestdataTest : public ::testing::TestWithParam<Clip> {};

TEST_P(TestdataTest, EveryPictureIsDecodedAtItsTime) {
  const auto videos = FindVideos();
  if (!videos) GTEST_SKIP() << "no test videos here; set DEEPEDGE_TESTDATA";
  const Path path = *videos / GetParam().name;
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not there";
  ASSERT_TRUE(CheckSource({.address = path.string()}).ok());
  const Duration before = ThreadCpuTime();
  const ReadBack back = ReadAll(path.string());
  RecordProperty("cpu_us_per_picture",
                 static_cast<int>((ThreadCpuTime() - before).count() / static_cast<int64_t>(GetParam().frames)));
  EXPECT_EQ(back.pictures.size(), GetParam().frames);
  EXPECT_EQ(back.errors, 0);
  EXPECT_EQ(back.end.code, ErrorCode::kEndOfStream) << back.end.message;
  ASSERT_FALSE(back.pictures.empty());
  EXPECT_NEAR(static_cast<double>(back.pictures[0].pts_us), 0, 1000);
  for (size_t i = 1; i < back.pictures.size(); ++i) {
    const auto step = static_cast<double>(back.pictures[i].pts_us - back.pictures[i - 1].pts_us);
    ASSERT_GT(step, 0) << i;
  }
  const double length = static_cast<double>(back.pictures.back().pts_us) / 1e6;
  EXPECT_NEAR(length, static_cast<double>(GetParam().frames - 1) / GetParam().frame_rate, 0.3);
  EXPECT_NEAR(back.packets[0].format->frame_rate, GetParam().frame_rate, 0.1);
}

INSTANTIATE_TEST_SUITE_P(Clips, TestdataTest,
                         ::testing::Values(Clip{"cows_pasture_640x360.mp4", 1098, 29.97},
                                           Clip{"crowd_faces_800x450.mp4", 460, 23.98},
                                           Clip{"flies_arena_120s_1024x1024.mp4", 3000, 25},
                                           Clip{"masked_students_corridor_960x540.mp4", 240, 25},
                                           Clip{"parking_person_bicycle_car_768x432.mp4", 459, 12},
                                           Clip{"pedestrians_plaza_626x360.mp4", 692, 30},
                                           Clip{"retail_aisle_1920x1080.mp4", 240, 24},
                                           Clip{"single_face_headturn_1920x1080.mp4", 595, 29.97},
                                           Clip{"street_intersection_640x360.mp4", 693, 29.97},
                                           Clip{"traffic_topdown_3lanes_640x360.mp4", 480, 23.98}),
                         [](const auto& param) { return "clip" + std::to_string(param.index); });

}  // namespace
}  // namespace deepedge
