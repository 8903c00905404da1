#include "deepedge/ingest/source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace deepedge {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(KindOfTest, FollowsTheTable) {
  const std::pair<const char*, SourceKind> cases[] = {
      {"rtsp://10.0.0.7/main", SourceKind::kRtsp},
      {"rtsps://user:pw@10.0.0.7:322/main?x=1", SourceKind::kRtsp},
      {"http://10.0.0.7/video.mjpg", SourceKind::kHttp},
      {"https://10.0.0.7/video.mjpg", SourceKind::kHttp},
      {"barn.mp4", SourceKind::kFile},
      {"/var/video/a b:c.mp4", SourceKind::kFile},
      {"file:///var/video/barn.mp4", SourceKind::kFile},
      {"/dev/video0", SourceKind::kV4l2},
      {"file:///dev/video2", SourceKind::kV4l2},
      {"video0", SourceKind::kFile},
  };
  for (const auto& [address, expected] : cases) {
    const auto kind = KindOf(address);
    ASSERT_TRUE(kind.ok()) << address;
    EXPECT_EQ(kind.value(), expected) << address;
  }
}

TEST(KindOfTest, AnUnknownSchemeNamesTheAllowedOnesAndNoPassword) {
  for (const char* address : {"ftp://user:secret@host/a.mp4", "udp://239.0.0.1:1234", "RTSP2://x", "://", ""}) {
    const auto kind = KindOf(address);
    ASSERT_FALSE(kind.ok()) << address;
    EXPECT_EQ(kind.error().code, ErrorCode::kBadInput);
    EXPECT_THAT(kind.error().message, Not(HasSubstr("secret")));
    if (*address != '\0') {
      EXPECT_THAT(kind.error().message, HasSubstr("rtsp://"));
    }
  }
  const RealClock clock;
  EXPECT_FALSE(MakeSource({.address = "ftp://host/a"}, clock).ok());
  EXPECT_FALSE(CheckSource({.address = "ftp://host/a"}).ok());
}

TEST(DeadlinesOfTest, ASlowDiskIsNotADeadCamera) {
  const SourceOptions options{.open_deadline = std::chrono::seconds(5), .read_deadline = std::chrono::minutes(3)};
  EXPECT_EQ(DeadlinesOf(SourceKind::kFile, options).open, std::chrono::seconds(60));
  EXPECT_EQ(DeadlinesOf(SourceKind::kFile, options).read, std::chrono::minutes(3));
  for (const SourceKind camera : {SourceKind::kRtsp, SourceKind::kHttp, SourceKind::kV4l2}) {
    EXPECT_EQ(DeadlinesOf(camera, options).open, std::chrono::seconds(5));
    EXPECT_EQ(DeadlinesOf(camera, {}).read, std::chrono::seconds(3));
  }
}

TEST(CheckSourceTest, CamerasAreNotContacted) {
  EXPECT_TRUE(CheckSource({.address = "rtsp://192.0.2.1/nobody"}).ok());
  EXPECT_TRUE(CheckSource({.address = "http://192.0.2.1/nobody"}).ok());
  EXPECT_TRUE(CheckSource({.address = "/dev/video987"}).ok());
}

}  // namespace
}  // namespace deepedge
