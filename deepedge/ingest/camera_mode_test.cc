#include "deepedge/ingest/camera_mode.h"

#include <gtest/gtest.h>

#include <vector>

namespace deepedge {
namespace {

CameraMode Raw(int width, int height, double rate) { return {CameraCodec::kRaw, "YUYV", width, height, rate}; }
CameraMode Mjpeg(int width, int height, double rate) { return {CameraCodec::kMjpeg, "MJPG", width, height, rate}; }
CameraMode H264(int width, int height, double rate) { return {CameraCodec::kH264, "H264", width, height, rate}; }

TEST(ChooseCameraModeTest, FollowsTheTable) {
  struct Case {
    const char* rule;
    std::vector<CameraMode> offered;
    CameraWish wish;
    CameraMode expected;
  };
  const Case cases[] = {
      {"a usual USB 2 camera: raw is too slow at 720p",
       {Raw(640, 480, 30), Raw(1280, 720, 10), Mjpeg(640, 480, 30), Mjpeg(1280, 720, 30), Mjpeg(1920, 1080, 30)},
       {},
       Mjpeg(1280, 720, 30)},
      {"raw where it is as fast",
       {Mjpeg(1280, 720, 30), Raw(1280, 720, 30), H264(1280, 720, 30)},
       {},
       Raw(1280, 720, 30)},
      {"Motion JPEG before H.264", {H264(1280, 720, 30), Mjpeg(1280, 720, 30)}, {}, Mjpeg(1280, 720, 30)},
      {"the rate counts more than the size", {Raw(1280, 720, 5), Raw(640, 480, 30)}, {}, Raw(640, 480, 30)},
      {"else the fastest", {Raw(1280, 720, 5), Raw(320, 240, 15)}, {}, Raw(320, 240, 15)},
      {"29.97 will do for 30", {Raw(640, 480, 30), Raw(1280, 720, 29.97)}, {}, Raw(1280, 720, 29.97)},
      {"no more pictures than asked for", {Mjpeg(1280, 720, 60), Mjpeg(1280, 720, 30)}, {}, Mjpeg(1280, 720, 30)},
      {"a faster one where that is all", {Mjpeg(1280, 720, 60), Mjpeg(1280, 720, 15)}, {}, Mjpeg(1280, 720, 60)},
      {"the nearest size", {Raw(640, 360, 30), Raw(1920, 1080, 30)}, {.width = 640, .height = 480}, Raw(640, 360, 30)},
      {"a wish that is met exactly",
       {Raw(1920, 1080, 5), Mjpeg(1920, 1080, 30), Raw(1280, 720, 30)},
       {.width = 1920, .height = 1080, .frame_rate = 5},
       Raw(1920, 1080, 5)},
  };
  for (const Case& c : cases) {
    const auto chosen = ChooseCameraMode(c.offered, c.wish);
    ASSERT_TRUE(chosen.has_value());
    EXPECT_EQ(*chosen, c.expected) << c.rule << ": " << chosen->fourcc << " " << chosen->width << "x" << chosen->height
                                   << " at " << chosen->frame_rate;
  }
}

TEST(ChooseCameraModeTest, NothingOfNothing) { EXPECT_FALSE(ChooseCameraMode({}, {}).has_value()); }

}  // namespace
}  // namespace deepedge
