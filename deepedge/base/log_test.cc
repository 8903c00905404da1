#include "deepedge/base/log.h"

#include <gtest/gtest.h>

namespace deepedge {
namespace {

TEST(RedactUrl, HidesUserAndPassword) {
  const struct {
    const char* url;
    const char* expected;
  } cases[] = {
      {"rtsp://user:secret@10.0.0.7/main", "rtsp://***@10.0.0.7/main"},
      {"rtsp://user:p@ss@10.0.0.7/main", "rtsp://***@10.0.0.7/main"},
      {"rtsp://user:s#e@10.0.0.7/main", "rtsp://***@10.0.0.7/main"},
      {"rtsp://user:s/e@10.0.0.7/main", "rtsp://***@10.0.0.7/main"},
      {"rtsp://user:s?e@10.0.0.7/main", "rtsp://***@10.0.0.7/main"},
      {"rtsp://user:a/b@c#d?e@10.0.0.7/main?x=1", "rtsp://***@10.0.0.7/main?x=1"},
      {"rtsp://10.0.0.7/main", "rtsp://10.0.0.7/main"},
      {"rtsp://10.0.0.7/a@b", "rtsp://***@b"},  // more than needed, rather than too little
      {"http://u:p@host", "http://***@host"},
      {"barn.mp4", "barn.mp4"},
      {"/data/a@b.mp4", "/data/a@b.mp4"},
  };
  for (const auto& c : cases) EXPECT_EQ(RedactUrl(c.url), c.expected);
}

TEST(LogLimiter, LetsOneASecondThrough) {
  LogLimiter limiter;
  EXPECT_TRUE(limiter.Allow({0}));
  EXPECT_FALSE(limiter.Allow({999'999}));
  EXPECT_TRUE(limiter.Allow({1'000'000}));
}

}  // namespace
}  // namespace deepedge
