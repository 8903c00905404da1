// Network sources against a small server of our own on the loopback, on a port that the kernel picks.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <thread>

#include "deepedge/base/mutex.h"
#include "deepedge/ingest/ffmpeg/native.h"
#include "deepedge/ingest/ffmpeg/test_clip.h"
#include "deepedge/ingest/stream_reader.h"

namespace deepedge {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Accepts connections one after the other; the `serve` function gets each one's socket and number.
class Server {
 public:
  explicit Server(std::function<void(int socket, int number)> serve) : serve_(std::move(serve)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    DE_CHECK(bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    DE_CHECK(listen(listener_, 8) == 0);
    DE_CHECK(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this](const std::stop_token& stop) {
      for (int number = 0; !stop.stop_requested(); ++number) {
        const int connection = accept(listener_, nullptr, nullptr);
        if (connection < 0) return;
        serve_(connection, number);
        close(connection);
      }
    });
  }
  ~Server() {
    thread_.request_stop();
    shutdown(listener_, SHUT_RDWR);  // wakes accept
    thread_.join();
    close(listener_);
  }
  std::string Address(const std::string& scheme) const {
    return scheme + "://user:secret@127.0.0.1:" + std::to_string(port_) + "/video";
  }

  // Reads the request's header.
  static void ReadRequest(int socket) {
    std::string request;
    char c = 0;
    while (!request.ends_with("\r\n\r\n") && recv(socket, &c, 1, 0) == 1) request += c;
  }
  static bool Send(int socket, std::string_view data) {
    while (!data.empty()) {
      const ssize_t sent = send(socket, data.data(), data.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      data.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }
  // Until the other side hangs up.
  static void Hang(int socket) {
    char buffer[256];
    while (recv(socket, buffer, sizeof(buffer), 0) > 0) {
    }
  }

 private:
  std::function<void(int, int)> serve_;
  int listener_ = -1;
  int port_ = 0;
  std::jthread thread_;
};

// A multipart JPEG camera.
class Camera {
 public:
  Camera() {
    auto folder = TemporaryFolder::Create("deepedge_http_");
    DE_CHECK(folder.ok());
    const Path path = folder.value().path() / "a.mjpeg";
    // FFmpeg does not open a stream before it has seen 2 kB of it: not smaller than that.
    DE_CHECK(WriteClip(path, {.codec = "mjpeg", .width = 640, .height = 480, .frames = 5}).ok());
    for (const Packet& packet : ReadAll(path.string()).packets) {
      const auto* native = static_cast<const AVPacket*>(packet.native.get());
      jpegs_.emplace_back(reinterpret_cast<const char*>(native->data), static_cast<size_t>(native->size));
    }
  }
  void SendHeader(int socket) const {
    Server::ReadRequest(socket);
    Server::Send(socket, "HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n");
  }
  bool SendPicture(int socket, size_t index) const {
    const std::string& jpeg = jpegs_[index % jpegs_.size()];
    return Server::Send(socket, "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: " +
                                    std::to_string(jpeg.size()) + "\r\n\r\n" + jpeg + "\r\n");
  }

 private:
  std::vector<std::string> jpegs_;
};

std::unique_ptr<Source> Make(const std::string& address, const Clock& clock) {
  auto source = MakeSource({.address = address,
                            .open_deadline = std::chrono::milliseconds(700),
                            .read_deadline = std::chrono::milliseconds(300)},
                           clock);
  DE_CHECK(source.ok());
  return std::move(source).value();
}

const RealClock kClock;

TEST(HttpSourceTest, MultipartJpegGivesPicturesAsTheyArrive) {
  const Camera camera;
  Server server([&](int socket, int) {
    camera.SendHeader(socket);
    for (size_t i = 0; i < 5; ++i) camera.SendPicture(socket, i);
  });
  const auto source = Make(server.Address("http"), kClock);
  const Time start = kClock.Now();
  const Status opened = source->Open({});
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  const ReadBack back = ReadAll(*source);
  RecordProperty("all_pictures_ms", static_cast<int>((kClock.Now() - start).count() / 1000));
  ASSERT_EQ(back.pictures.size(), 5U) << back.end.message;
  EXPECT_EQ(back.end.code, ErrorCode::kUnavailable);
  EXPECT_THAT(back.end.message, HasSubstr("closed the connection"));
  EXPECT_EQ(back.packets[0].format->codec, "mjpeg");
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_NEAR(back.pictures[i].luma, ClipLuma(static_cast<int>(i)), 3);
    EXPECT_TRUE(back.packets[i].key);
    // Without stamps of its own the stream's time is that of arrival.
    EXPECT_NEAR(static_cast<double>(back.pictures[i].pts_us - back.pictures[0].pts_us),
                static_cast<double>((back.pictures[i].captured - back.pictures[0].captured).count()), 1.0);
  }
}

TEST(HttpSourceTest, AStalledCameraTimesOutAndClosesAtOnce) {
  const Camera camera;
  Server server([&](int socket, int) {
    camera.SendHeader(socket);
    for (size_t i = 0; i < 3; ++i) camera.SendPicture(socket, i);
    Server::Hang(socket);
  });
  const auto source = Make(server.Address("http"), kClock);
  ASSERT_TRUE(source->Open({}).ok());
  ReadBack back;
  while (true) {
    const Time start = kClock.Now();
    auto read = source->Read({});
    if (read.ok()) {
      back.packets.push_back(read.value());
      continue;
    }
    EXPECT_EQ(read.error().code, ErrorCode::kUnavailable);
    EXPECT_THAT(read.error().message, HasSubstr("no answer within 0.3 s"));
    EXPECT_THAT(read.error().message, Not(HasSubstr("secret")));
    EXPECT_GE(kClock.Now() - start, std::chrono::milliseconds(250));
    break;
  }
  EXPECT_GE(back.packets.size(), 2U);
  const Time start = kClock.Now();
  source->Close();
  EXPECT_LT(kClock.Now() - start, std::chrono::milliseconds(200));
}

TEST(HttpSourceTest, AStalledStreamThatIsParsedIsWaitedForOnlyOnce) {
  auto folder = TemporaryFolder::Create("deepedge_http_");
  ASSERT_TRUE(folder.ok());
  const Path path = folder.value().path() / "a.avi";
  ASSERT_TRUE(WriteClip(path, {.frames = 100}).ok());
  std::string content;  // a raw stream: where a picture ends is seen when the next one begins
  for (const Packet& packet : ReadAll(path.string()).packets) {
    const auto* native = static_cast<const AVPacket*>(packet.native.get());
    content.append(reinterpret_cast<const char*>(native->data), static_cast<size_t>(native->size));
  }
  Server server([&](int socket, int) {
    Server::ReadRequest(socket);
    Server::Send(socket, "HTTP/1.0 200 OK\r\nContent-Type: video/mp4v-es\r\n\r\n" + content);
    Server::Hang(socket);
  });
  const auto source = Make(server.Address("http"), kClock);
  const Status opened = source->Open({});
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  int packets = 0;
  int waits = 0;
  while (true) {
    const Time start = kClock.Now();
    const auto read = source->Read({});
    if (kClock.Now() - start >= std::chrono::milliseconds(250)) ++waits;
    if (!read.ok()) {
      EXPECT_EQ(read.error().code, ErrorCode::kUnavailable) << read.error().message;
      break;
    }
    ++packets;
  }
  EXPECT_EQ(packets, 99);  // the last one's end is never seen; it must not come as late as the time-out
  EXPECT_EQ(waits, 1);
}

TEST(HttpSourceTest, AServerThatNeverAnswersTimesOut) {
  for (const char* scheme : {"http", "rtsp"}) {
    Server server([](int socket, int) { Server::Hang(socket); });
    const auto source = Make(server.Address(scheme), kClock);
    const Time start = kClock.Now();
    const Status opened = source->Open({});
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().code, ErrorCode::kUnavailable) << opened.error().message;
    EXPECT_THAT(opened.error().message, Not(HasSubstr("secret")));
    EXPECT_LT(kClock.Now() - start, std::chrono::seconds(5));
  }
}

TEST(HttpSourceTest, AStopEndsAReadThatWaits) {
  const Camera camera;
  std::stop_source stop;
  Server server([&](int socket, int) {
    camera.SendHeader(socket);
    camera.SendPicture(socket, 0);
    camera.SendPicture(socket, 1);
    stop.request_stop();
    Server::Hang(socket);
  });
  auto made = MakeSource({.address = server.Address("http"), .read_deadline = std::chrono::minutes(5)}, kClock);
  ASSERT_TRUE(made.ok());
  ASSERT_TRUE(made.value()->Open({}).ok());
  while (true) {
    const auto read = made.value()->Read(stop.get_token());
    if (read.ok()) continue;
    EXPECT_EQ(read.error().code, ErrorCode::kCancelled);
    break;
  }
}

TEST(HttpSourceTest, RefusalsHaveTheirReasons) {
  struct Case {
    const char* answer;
    ErrorCode code;
    const char* text;
  };
  const Case cases[] = {
      {"HTTP/1.0 404 Not Found\r\n\r\n", ErrorCode::kNotFound, "nothing under this address"},
      {"HTTP/1.0 401 Unauthorized\r\n\r\n", ErrorCode::kBadInput, "password refused"},
      {"HTTP/1.0 403 Forbidden\r\n\r\n", ErrorCode::kBadInput, "password refused"},
      {"HTTP/1.0 503 Busy\r\n\r\n", ErrorCode::kUnavailable, "5XX"},
      {"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<html>Please log in</html>", ErrorCode::kUnavailable, ""},
  };
  for (const Case& c : cases) {
    Server server([&](int socket, int) {
      Server::ReadRequest(socket);
      Server::Send(socket, c.answer);
    });
    const Status opened = Make(server.Address("http"), kClock)->Open({});
    ASSERT_FALSE(opened.ok()) << c.answer;
    EXPECT_EQ(opened.error().code, c.code) << c.answer << opened.error().message;
    EXPECT_THAT(opened.error().message, HasSubstr(c.text));
    EXPECT_THAT(opened.error().message, Not(HasSubstr("secret")));
  }
}

TEST(HttpSourceTest, NobodyThereIsRefused) {
  std::string http;
  std::string rtsp;
  {
    const Server gone([](int, int) {});
    http = gone.Address("http");
    rtsp = gone.Address("rtsp");
  }
  for (const std::string& address : {http, rtsp}) {
    const Status opened = Make(address, kClock)->Open({});
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().code, ErrorCode::kUnavailable);
    EXPECT_THAT(opened.error().message, HasSubstr("connection refused"));
  }
}

// Counts and stops the reader after some packets.
struct Counter final : PacketHandler {
  void HandleConnected(const StreamFormat&) override { log += "C"; }
  void HandlePacket(Packet packet, std::stop_token) override {
    times.push_back(packet.pts_us);
    log += "p";
    if (times.size() == 8) reader->RequestStop();
  }
  void HandleLost(const Error&, Duration) override { log += "L"; }
  void HandleEnded(const Error& why) override { ended = why; }

  StreamReader* reader = nullptr;
  std::string log;
  std::vector<int64_t> times;
  Error ended;
};

TEST(HttpSourceTest, ACameraThatHangsUpIsReconnectedAndTimeGoesOn) {
  const Camera camera;
  Server server([&](int socket, int) {
    camera.SendHeader(socket);
    for (size_t i = 0; i < 3; ++i) camera.SendPicture(socket, i);
  });
  Counter handler;
  StreamReader reader({.name = "gate", .reconnect = {.first = std::chrono::milliseconds(30)}},
                      Make(server.Address("http"), kClock), handler, kClock);
  handler.reader = &reader;
  reader.Start();
  reader.Join();
  EXPECT_EQ(handler.log, "CpppLCpppLCpp");
  EXPECT_EQ(handler.ended.code, ErrorCode::kCancelled);
  for (size_t i = 1; i < handler.times.size(); ++i) {
    EXPECT_GE(handler.times[i], handler.times[i - 1]);
    if (i % 3 == 0) {
      EXPECT_GE(handler.times[i] - handler.times[i - 1], 20'000) << "the pause counts";
    }
  }
}

}  // namespace
}  // namespace deepedge
