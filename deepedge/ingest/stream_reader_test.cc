#include "deepedge/ingest/stream_reader.h"

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <vector>

namespace deepedge {
namespace {

constexpr Duration kFrame = std::chrono::milliseconds(40);

Packet PacketAt(Duration pts, std::optional<Duration> dts = std::nullopt) {
  static const auto format =
      std::make_shared<const StreamFormat>(StreamFormat{.codec = "fake", .width = 8, .height = 6});
  Packet packet;
  packet.format = format;
  packet.pts_us = pts.count();
  packet.dts_us = dts.value_or(pts).count();
  return packet;
}

std::vector<Packet> Frames(int count, Duration start = Duration(0)) {
  std::vector<Packet> packets;
  for (int i = 0; i < count; ++i) packets.push_back(PacketAt(start + i * kFrame));
  return packets;
}

// One connection: fails to open, or gives packets and then an error.
struct Connection {
  Status open;
  std::vector<Packet> packets;
  Error end{ErrorCode::kEndOfStream, "end of file"};
};

class FakeSource final : public Source {
 public:
  FakeSource(std::vector<Connection> script, const Clock& clock)
      : script_(script.begin(), script.end()), clock_(clock) {}

  Status Open(std::stop_token stop) override {
    EXPECT_FALSE(open_);
    ++opened;
    if (stop.stop_requested()) return Error{ErrorCode::kCancelled, "stopped"};
    if (script_.empty()) return Error{ErrorCode::kUnavailable, "refused"};
    current_ = script_.front();
    script_.pop_front();
    next_ = 0;
    open_ = current_.open.ok();
    return current_.open;
  }
  Status SeekTo(Duration offset) override {
    EXPECT_TRUE(open_);
    if (offset > std::chrono::seconds(100)) return Error{ErrorCode::kUnsupported, "cannot seek"};
    sought.push_back(offset);
    return {};
  }
  Result<Packet> Read(std::stop_token stop) override {
    EXPECT_TRUE(open_);
    if (stop.stop_requested()) return Error{ErrorCode::kCancelled, "stopped"};
    if (next_ == current_.packets.size()) return current_.end;
    Packet packet = current_.packets[next_++];
    packet.captured = clock_.Now();
    return packet;
  }
  void Close() override { open_ = false; }

  int opened = 0;
  std::vector<Duration> sought;

 private:
  std::deque<Connection> script_;
  const Clock& clock_;
  Connection current_;
  size_t next_ = 0;
  bool open_ = false;
};

// Moves the clock instead of sleeping.
class FakeWaiter final : public Waiter {
 public:
  explicit FakeWaiter(ManualClock& clock) : clock_(clock) {}
  bool WaitUntil(Time until, std::stop_token stop) override {
    if (stop.stop_requested()) return false;
    EXPECT_GE(until, clock_.Now());
    waits.push_back(until - clock_.Now());
    clock_.Set(until);
    return true;
  }
  std::vector<Duration> waits;

 private:
  ManualClock& clock_;
};

struct Recorder final : PacketHandler {
  struct Got {
    Packet packet;
    Time at;
  };
  explicit Recorder(const Clock& c) : clock(c) {}
  void HandleConnected(const StreamFormat& format) override {
    EXPECT_EQ(format.codec, "fake");
    log += "C";
  }
  void HandlePacket(Packet packet, std::stop_token stop) override {
    got.push_back({packet, clock.Now()});
    log += "p";
    if (on_packet) on_packet(stop);
  }
  void HandleLost(const Error& why, Duration retry_in) override {
    log += "L";
    lost.push_back(why);
    delays.push_back(retry_in);
    if (on_lost) on_lost();
  }
  void HandleEnded(const Error& why) override {
    log += "E";
    ended = why;
  }

  const Clock& clock;
  std::string log;
  std::vector<Got> got;
  std::vector<Error> lost;
  std::vector<Duration> delays;
  Error ended;
  std::function<void(std::stop_token)> on_packet;
  std::function<void()> on_lost;
};

class StreamReaderTest : public ::testing::Test {
 protected:
  static constexpr Time kStart{5'000'000};

  StreamReader& Make(StreamReader::Options options, std::vector<Connection> script) {
    auto source = std::make_unique<FakeSource>(std::move(script), clock_);
    source_ = source.get();
    options.name = "gate";
    reader_ = std::make_unique<StreamReader>(options, std::move(source), handler_, clock_, waiter_);
    return *reader_;
  }
  void Run(StreamReader::Options options, std::vector<Connection> script) {
    StreamReader& reader = Make(options, std::move(script));
    reader.Start();
    reader.Join();
  }

  ManualClock clock_{kStart};
  FakeWaiter waiter_{clock_};
  Recorder handler_{clock_};
  std::unique_ptr<StreamReader> reader_;
  FakeSource* source_ = nullptr;
};

TEST_F(StreamReaderTest, AFileIsPacedByItsTimes) {
  Run({.is_file = true}, {{.packets = Frames(4, std::chrono::seconds(7))}});
  EXPECT_EQ(handler_.log, "CppppE");
  EXPECT_EQ(handler_.ended.code, ErrorCode::kEndOfStream);
  for (int i = 0; i < 4; ++i) {
    const auto& got = handler_.got[static_cast<size_t>(i)];
    EXPECT_EQ(got.at, kStart + i * kFrame);
    EXPECT_EQ(got.packet.captured, kStart + i * kFrame);
  }
}

TEST_F(StreamReaderTest, ReorderedPicturesAreDecodedEarlyAndDueByTheirPts) {
  // As a file with two B-frames: decoding starts 80 ms before the first picture.
  const std::vector<Packet> packets = {PacketAt(0 * kFrame, -2 * kFrame), PacketAt(3 * kFrame, -1 * kFrame),
                                       PacketAt(1 * kFrame, 0 * kFrame), PacketAt(2 * kFrame, 1 * kFrame),
                                       PacketAt(6 * kFrame, 2 * kFrame)};
  Run({.is_file = true}, {{.packets = packets}});
  const int due[] = {0, 3, 1, 2, 6};
  const int handed_over[] = {0, 0, 0, 1, 2};
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(handler_.got[i].packet.captured, kStart + due[i] * kFrame);
    EXPECT_EQ(handler_.got[i].at, kStart + handed_over[i] * kFrame);
  }
}

TEST_F(StreamReaderTest, SpeedMakesItFaster) {
  Run({.is_file = true, .speed = 4}, {{.packets = Frames(5)}});
  EXPECT_EQ(handler_.got[4].at, kStart + kFrame);
  EXPECT_EQ(handler_.got[2].packet.captured, kStart + kFrame / 2);
}

TEST_F(StreamReaderTest, ASlowHandlerDoesNotSlowDownTime) {
  int packets = 0;
  handler_.on_packet = [&](const std::stop_token&) {
    if (++packets == 2) clock_.Advance(3 * kFrame);
  };
  Run({.is_file = true}, {{.packets = Frames(7)}});
  const int at[] = {0, 1, 4, 4, 4, 5, 6};  // two come late and at once, then it is in time again
  for (int i = 0; i < 7; ++i) {
    EXPECT_EQ(handler_.got[static_cast<size_t>(i)].at, kStart + at[i] * kFrame) << i;
    EXPECT_EQ(handler_.got[static_cast<size_t>(i)].packet.captured, kStart + i * kFrame);
  }
}

TEST_F(StreamReaderTest, FastHandsOverAtOnce) {
  handler_.on_packet = [&](const std::stop_token&) { clock_.Advance(Duration(100)); };
  Run({.is_file = true, .pace = Pace::kFast}, {{.packets = Frames(3)}});
  EXPECT_TRUE(waiter_.waits.empty());
  EXPECT_EQ(handler_.got[2].packet.captured, kStart + Duration(200));
}

TEST_F(StreamReaderTest, ALoopedFileGoesOn) {
  StreamReader& reader =
      Make({.is_file = true, .loop = true},
           {{.packets = Frames(3)}, {.packets = Frames(3, 3 * kFrame)}, {.packets = Frames(3, 6 * kFrame)}});
  handler_.on_packet = [&](const std::stop_token&) {
    if (handler_.got.size() == 8) reader.RequestStop();
  };
  reader.Start();
  reader.Join();
  EXPECT_EQ(handler_.log, "CppppppppE");
  EXPECT_EQ(handler_.ended.code, ErrorCode::kCancelled);
  EXPECT_EQ(handler_.got[7].at, kStart + 7 * kFrame);
  EXPECT_EQ(source_->opened, 3);
}

TEST_F(StreamReaderTest, ALoopedFileWithoutPicturesEnds) {
  Run({.is_file = true, .loop = true}, {{.packets = {}}, {.packets = {}}});
  EXPECT_EQ(handler_.log, "E");
  EXPECT_EQ(source_->opened, 1);
}

TEST_F(StreamReaderTest, AFileThatFailsEndsWithTheReason) {
  const Error broken{ErrorCode::kBadInput, "cut short"};
  Run({.is_file = true, .loop = true}, {{.packets = Frames(2), .end = broken}});
  EXPECT_EQ(handler_.log, "CppE");
  EXPECT_EQ(handler_.ended.message, "cut short");
}

TEST_F(StreamReaderTest, AFileThatDoesNotOpenEnds) {
  Run({.is_file = true}, {{.open = Error{ErrorCode::kNotFound, "no such file"}}});
  EXPECT_EQ(handler_.log, "E");
  EXPECT_EQ(handler_.ended.code, ErrorCode::kNotFound);
}

TEST_F(StreamReaderTest, TheStartOffsetIsForTheFirstRoundOnly) {
  StreamReader& reader =
      Make({.is_file = true, .loop = true, .start_offset = std::chrono::seconds(9)},
           {{.packets = Frames(2, std::chrono::seconds(8))}, {.packets = Frames(2, std::chrono::milliseconds(8080))}});
  handler_.on_packet = [&](const std::stop_token&) {
    if (handler_.got.size() == 4) reader.RequestStop();
  };
  reader.Start();
  reader.Join();
  EXPECT_EQ(source_->sought, std::vector<Duration>{std::chrono::seconds(9)});
  EXPECT_EQ(handler_.got[0].at, kStart);
  EXPECT_EQ(handler_.got[3].at, kStart + 3 * kFrame);
}

TEST_F(StreamReaderTest, AStartOffsetThatCannotBeReachedEndsTheFile) {
  Run({.is_file = true, .start_offset = std::chrono::seconds(1000)}, {{.packets = Frames(2)}});
  EXPECT_EQ(handler_.log, "E");
  EXPECT_EQ(handler_.ended.code, ErrorCode::kUnsupported);
}

TEST_F(StreamReaderTest, ACameraIsReconnectedWithGrowingDelays) {
  const Error refused{ErrorCode::kUnavailable, "connection refused"};
  const Error timeout{ErrorCode::kUnavailable, "no answer within 3 s"};
  const Connection failing{.open = refused};
  StreamReader& reader =
      Make({.reconnect = {.jitter = 0}},
           {failing, failing, {.packets = Frames(3), .end = timeout}, failing, {.packets = Frames(1)}});
  handler_.on_lost = [&] {
    if (handler_.lost.size() == 5) reader.RequestStop();
  };
  reader.Start();
  reader.Join();
  EXPECT_EQ(handler_.log, "LLCpppLLCpLE");
  EXPECT_EQ(handler_.lost[0].message, "connection refused");
  EXPECT_EQ(handler_.lost[2].message, "no answer within 3 s");
  EXPECT_EQ(handler_.lost[4].code, ErrorCode::kEndOfStream);  // a camera that hung up is reconnected as well
  using std::chrono::milliseconds;
  EXPECT_EQ(handler_.delays, (std::vector<Duration>{milliseconds(500), milliseconds(1000), milliseconds(500),
                                                    milliseconds(1000), milliseconds(500)}));
  // The last wait is cut off by the stop.
  EXPECT_EQ(waiter_.waits, (std::vector<Duration>(handler_.delays.begin(), handler_.delays.end() - 1)));
  EXPECT_EQ(handler_.ended.code, ErrorCode::kCancelled);
}

TEST_F(StreamReaderTest, ACameraThatConnectsButNeverSendsBacksOffToo) {
  const Connection silent{.packets = {}, .end = {ErrorCode::kUnavailable, "no answer"}};
  StreamReader& reader = Make({.reconnect = {.jitter = 0}}, {silent, silent, silent});
  handler_.on_lost = [&] {
    if (handler_.lost.size() == 3) reader.RequestStop();
  };
  reader.Start();
  reader.Join();
  EXPECT_EQ(handler_.log, "LLLE");
  EXPECT_EQ(handler_.delays[2], std::chrono::milliseconds(2000));
}

TEST_F(StreamReaderTest, JitterFollowsTheSeed) {
  const auto delays = [&](uint64_t seed) {
    ManualClock clock;
    FakeWaiter waiter(clock);
    Recorder handler(clock);
    StreamReader reader({.name = "x", .seed = seed}, std::make_unique<FakeSource>(std::vector<Connection>{}, clock),
                        handler, clock, waiter);
    handler.on_lost = [&] {
      if (handler.lost.size() == 4) reader.RequestStop();
    };
    reader.Start();
    reader.Join();
    return handler.delays;
  };
  EXPECT_EQ(delays(1), delays(1));
  EXPECT_NE(delays(1), delays(2));
  EXPECT_GE(delays(3)[0], std::chrono::milliseconds(400));
  EXPECT_LE(delays(3)[0], std::chrono::milliseconds(600));
}

TEST_F(StreamReaderTest, PacketsOfACameraKeepTheirArrivalAndAreNotPaced) {
  StreamReader& reader = Make({}, {{.packets = Frames(3)}});
  handler_.on_packet = [&](const std::stop_token&) { clock_.Advance(Duration(7)); };
  handler_.on_lost = [&] { reader.RequestStop(); };
  reader.Start();
  reader.Join();
  EXPECT_EQ(handler_.got[2].packet.captured, kStart + Duration(14));
}

TEST_F(StreamReaderTest, AStopWakesAReaderThatWaits) {
  // With the real clock: the next packet is due in ten minutes.
  const RealClock clock;
  Recorder handler(clock);
  StreamReader reader(
      {.name = "gate", .is_file = true},
      std::make_unique<FakeSource>(
          std::vector<Connection>{{.packets = {PacketAt(Duration(0)), PacketAt(std::chrono::minutes(10))}}}, clock),
      handler, clock);
  handler.on_packet = [&](const std::stop_token&) { reader.RequestStop(); };
  const Time start = clock.Now();
  reader.Start();
  reader.Join();
  EXPECT_LT(clock.Now() - start, std::chrono::minutes(1));
  EXPECT_EQ(handler.log, "CpE");
  EXPECT_EQ(handler.ended.code, ErrorCode::kCancelled);
}

TEST_F(StreamReaderTest, ReaderThatNeverStartedIsDestroyed) { Make({}, {}); }

}  // namespace
}  // namespace deepedge
