#include "deepedge/base/url.h"

#include <gtest/gtest.h>

namespace deepedge {
namespace {

TEST(SplitUrl, TakesEverythingBeforeTheLastAtAsSecret) {
  const struct {
    const char* address;
    const char* scheme;
    bool has_user;
    const char* user;
    const char* rest;
  } cases[] = {
      {"rtsp://10.0.0.7/main", "rtsp", false, "", "10.0.0.7/main"},
      {"rtsp://u:secret@10.0.0.7/main", "rtsp", true, "u:secret", "10.0.0.7/main"},
      {"rtsp://u:a#b@10.0.0.7/main", "rtsp", true, "u:a#b", "10.0.0.7/main"},
      {"rtsp://u:a/b@10.0.0.7/main", "rtsp", true, "u:a/b", "10.0.0.7/main"},
      {"rtsp://u:a?b@10.0.0.7/main", "rtsp", true, "u:a?b", "10.0.0.7/main"},
      {"rtsp://u:a@b@10.0.0.7/main", "rtsp", true, "u:a@b", "10.0.0.7/main"},
      {"rtsp://@host", "rtsp", true, "", "host"},
      {"rtsp://", "rtsp", false, "", ""},
      {"/data/a@b.mp4", "", false, "", "/data/a@b.mp4"},
      {"", "", false, "", ""},
  };
  for (const auto& c : cases) {
    const UrlParts parts = SplitUrl(c.address);
    EXPECT_EQ(parts.scheme, c.scheme) << c.address;
    EXPECT_EQ(parts.has_user, c.has_user) << c.address;
    EXPECT_EQ(parts.user, c.user) << c.address;
    EXPECT_EQ(parts.rest, c.rest) << c.address;
  }
}

}  // namespace
}  // namespace deepedge
