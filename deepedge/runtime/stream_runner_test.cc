#include "deepedge/runtime/stream_runner.h"

#include <gtest/gtest.h>

#include <latch>
#include <semaphore>

#include "deepedge/runtime/test_fakes.h"

namespace deepedge {
namespace {

using testing::FakeDecoder;
using testing::MakeFakeModel;
using testing::MakePacket;
using testing::MakePacketShownAt;
using testing::PacketFate;
using testing::RememberingSink;

class FinishedLatch final : public StreamRunner::Listener {
 public:
  void HandleStreamFinished() override { finished_.count_down(); }
  void Wait() { finished_.wait(); }

 private:
  std::latch finished_{1};
};

// One stream with one or more tasks on two lanes, driven by hand.
class StreamRunnerTest : public ::testing::Test {
 protected:
  void Build(bool lossless, std::vector<std::function<Status()>> models, size_t decoder_delay = 0,
             size_t queue_capacity = 64, int64_t queue_bytes = 8 << 20) {
    lanes_ = std::make_unique<Lanes>(Lanes::Options{.cpus = {AllowedCpus().front(), AllowedCpus().back()}}, clock_);
    tools_.resize(2);
    stream_ = std::make_unique<StreamRunner>(
        StreamRunner::Options{.id = {0},
                              .name = "gate",
                              .lossless = lossless,
                              .queue_capacity = queue_capacity,
                              .queue_bytes = queue_bytes},
        std::make_unique<FakeDecoder>(decoder_delay),
        TaskEnvironment{.lanes = *lanes_, .clock = clock_, .events = sink_, .tools = tools_}, finished_);
    for (size_t i = 0; i < models.size(); ++i) {
      models_.push_back(MakeFakeModel("model" + std::to_string(i), 1, std::move(models[i])));
      stream_->AddTask(task_options_, *models_.back(), lanes_->AddResource(1));
    }
  }

  void Push(Packet packet) { stream_->HandlePacket(std::move(packet), stop_.get_token()); }
  void End() { stream_->HandleEnded({ErrorCode::kEndOfStream, "end of file"}); }
  FrameCounts Counts(size_t task = 0) const { return stream_->CountsOf(*stream_->tasks()[task]); }
  void StopAll() {
    stop_.request_stop();
    lanes_->Stop();
    stream_->DropWaiting();
  }

  TaskRunner::Options task_options_;
  RealClock clock_;
  RememberingSink sink_;
  FinishedLatch finished_;
  std::stop_source stop_;
  std::vector<LaneTools> tools_;
  std::vector<std::unique_ptr<LoadedModel>> models_;
  std::unique_ptr<StreamRunner> stream_;
  std::unique_ptr<Lanes> lanes_;  // last: its threads end before what they use
};

Status Ok() { return {}; }

TEST_F(StreamRunnerTest, LosslessPaceLooksAtEveryFrameInOrder) {
  Build(true, {Ok, Ok}, /*decoder_delay=*/3, /*queue_capacity=*/4);
  lanes_->Start();
  for (int64_t i = 0; i < 300; ++i) Push(MakePacket(i * 40'000));
  End();
  finished_.Wait();
  StopAll();
  for (size_t task = 0; task < 2; ++task) {
    EXPECT_EQ(Counts(task).captured, 300);
    EXPECT_EQ(Counts(task).Of(Ending::kDone), 300);
  }
  std::vector<int64_t> seen;
  for (const auto& event : sink_.All<ResultEvent>()) {
    if (event.model != "model0") continue;
    EXPECT_EQ(event.pts_us, event.frame * 40'000);
    seen.push_back(event.frame);
  }
  ASSERT_EQ(seen.size(), 300u);
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
}

TEST_F(StreamRunnerTest, NewestFrameWinsWhenTheModelIsBusy) {
  std::latch model_runs(1);
  std::binary_semaphore go_on(0);
  std::atomic<int> runs = 0;
  Build(false, {[&]() -> Status {
          if (++runs == 1) {
            model_runs.count_down();
            go_on.acquire();
          }
          return {};
        }});
  lanes_->Start();
  Push(MakePacket(0));
  model_runs.wait();
  for (int64_t i = 1; i <= 10; ++i) Push(MakePacket(i * 40'000));
  End();
  // All packets are decoded on the other lane while the model is busy; nine frames are replaced by the tenth.
  while (Counts().Of(EndReason::kReplaced) < 9) std::this_thread::yield();
  go_on.release();
  finished_.Wait();
  StopAll();
  const auto results = sink_.All<ResultEvent>();
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[0].frame, 0);
  EXPECT_EQ(results[1].frame, 10);
  EXPECT_EQ(Counts().captured, 11);
  EXPECT_EQ(Counts().Of(Ending::kDropped), 9);
  EXPECT_EQ(Counts().InFlight(), 0);
}

TEST_F(StreamRunnerTest, FramesPastTheirDeadlineAreDroppedUnlessLossless) {
  for (const bool lossless : {false, true}) {
    task_options_ = {.deadline = std::chrono::seconds(100), .lossless = lossless};
    Build(false, {Ok});
    Push(MakePacket(0, true, PacketFate::kPicture, clock_.Now() - std::chrono::seconds(101)));
    lanes_->Start();
    while (Counts().Ended() < 1) std::this_thread::yield();
    Push(MakePacket(40'000, true, PacketFate::kPicture, clock_.Now()));
    while (Counts().Ended() < 2) std::this_thread::yield();
    StopAll();
    EXPECT_EQ(Counts().Of(EndReason::kTooLate), lossless ? 0 : 1);
    EXPECT_EQ(Counts().Of(EndReason::kDone), lossless ? 2 : 1);
    lanes_.reset();
    stream_.reset();
    models_.clear();
  }
}

TEST_F(StreamRunnerTest, BrokenPacketsFailAndKeepTheirPlaceInTheCount) {
  Build(true, {Ok});
  lanes_->Start();
  Push(MakePacket(0));
  Push(MakePacket(40'000, true, PacketFate::kBroken));
  Push(MakePacket(80'000, true, PacketFate::kNoPicture));
  Push(MakePacket(120'000));
  Push(MakePacket(160'000, true, PacketFate::kNoPicture));
  End();
  finished_.Wait();
  StopAll();
  EXPECT_EQ(Counts().captured, 5);
  EXPECT_EQ(Counts().Of(Ending::kDone), 2);
  EXPECT_EQ(Counts().Of(EndReason::kNotDecodable), 3);
  const auto results = sink_.All<ResultEvent>();
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[1].frame, 3);
}

TEST_F(StreamRunnerTest, AClockThatIsSetBackLosesNoFrame) {
  Build(true, {Ok});
  lanes_->Start();
  for (const int64_t pts_ms : {1000, 1040, 500, 540, 1080}) Push(MakePacket(pts_ms * 1000));
  End();
  finished_.Wait();
  StopAll();
  EXPECT_EQ(Counts().Of(Ending::kDone), 5);
}

TEST_F(StreamRunnerTest, AClockThatIsSetBackLosesNoFrameOfADecoderThatReorders) {
  Build(true, {Ok}, /*decoder_delay=*/2);
  lanes_->Start();
  // Sent in the order of decoding: of three pictures, the last is sent first. The clock goes back by 0.7 s.
  for (const int64_t place : {0, 3, 1, 2, 6, 4, 5, 9, 7, 8}) {
    Push(MakePacketShownAt(place, 1'000'000 + place * 40'000 - (place > 3 ? 700'000 : 0)));
  }
  End();
  finished_.Wait();
  StopAll();
  EXPECT_EQ(Counts().Of(Ending::kDone), 10);
  EXPECT_EQ(sink_.All<ResultEvent>().back().frame, 9);
}

TEST_F(StreamRunnerTest, PacketsThatAreNotShownAreNotCaptured) {
  Build(true, {Ok});
  lanes_->Start();
  for (int64_t i = 0; i < 10; ++i) {
    Packet packet = MakePacket(i * 40'000, true, i < 3 ? PacketFate::kNoPicture : PacketFate::kPicture);
    packet.shown = i >= 3;
    Push(std::move(packet));
  }
  End();
  finished_.Wait();
  StopAll();
  EXPECT_EQ(Counts().captured, 7);
  EXPECT_EQ(Counts().Of(Ending::kDone), 7);
  EXPECT_EQ(sink_.All<ResultEvent>().front().frame, 0);
}

TEST_F(StreamRunnerTest, AFullQueueRefusesPacketsUntilAKeyFrame) {
  Build(false, {Ok}, 0, /*queue_capacity=*/2);
  // Lanes are not running yet, so nothing leaves the queue.
  Push(MakePacket(0, /*key=*/true));
  Push(MakePacket(40'000, false));
  Push(MakePacket(80'000, false));  // full
  lanes_->Start();
  while (stream_->Status().queued_packets > 0) std::this_thread::yield();
  Push(MakePacket(120'000, false));  // room, but no key frame
  Push(MakePacket(160'000, true));
  End();
  finished_.Wait();
  StopAll();
  EXPECT_EQ(Counts().captured, 5);
  EXPECT_EQ(Counts().Of(EndReason::kDecoderBehind), 2);
  EXPECT_EQ(Counts().InFlight(), 0);
  // What was refused has kept its place in the count.
  const ResultEvent last = sink_.All<ResultEvent>().back();
  EXPECT_EQ(last.pts_us, 160'000);
  EXPECT_EQ(last.frame, 4);
}

Packet PacketOf(int64_t bytes, int64_t pts_us) {
  Packet packet = MakePacket(pts_us);
  packet.bytes = bytes;
  return packet;
}

TEST_F(StreamRunnerTest, TheQueueIsFullByBytesToo) {
  Build(false, {Ok}, 0, /*queue_capacity=*/64, /*queue_bytes=*/1000);
  // Lanes are not running yet, so nothing leaves the queue.
  Push(PacketOf(5000, 0));  // alone, so that a picture of any size passes
  Push(PacketOf(1, 40'000));
  EXPECT_EQ(Counts().Of(EndReason::kDecoderBehind), 1);
  lanes_->Start();
  while (stream_->Status().queued_packets > 0) std::this_thread::yield();
  lanes_->Stop();
  Push(PacketOf(600, 80'000));
  Push(PacketOf(400, 120'000));
  Push(PacketOf(1, 160'000));
  EXPECT_EQ(stream_->Status().queued_packets, 2U);
  EXPECT_EQ(Counts().Of(EndReason::kDecoderBehind), 2);
  StopAll();
  EXPECT_EQ(Counts().InFlight(), 0);
}

TEST_F(StreamRunnerTest, ALosslessReaderWaitsForRoomForItsBytes) {
  Build(true, {Ok}, /*decoder_delay=*/1, /*queue_capacity=*/64, /*queue_bytes=*/1000);
  lanes_->Start();
  for (int64_t i = 0; i < 100; ++i) Push(PacketOf(i % 7 == 0 ? 3000 : 450, i * 40'000));
  End();
  finished_.Wait();
  StopAll();
  EXPECT_EQ(Counts().Of(Ending::kDone), 100);
}

TEST_F(StreamRunnerTest, PicturesInsideTheDecoderKeepTheirNumbersWhenPacketsAreRefused) {
  Build(false, {Ok}, /*decoder_delay=*/2, /*queue_capacity=*/3);
  for (int64_t i = 0; i < 3; ++i) Push(MakePacket(i * 40'000, i == 0));
  for (int64_t i = 3; i < 8; ++i) Push(MakePacket(i * 40'000, false));  // full
  lanes_->Start();
  for (int64_t i = 8; i < 12; ++i) {
    while (!stream_->tasks()[0]->IsIdle() || stream_->Status().queued_packets > 0) std::this_thread::yield();
    Push(MakePacket(i * 40'000, i == 8));
  }
  End();
  finished_.Wait();
  StopAll();
  EXPECT_EQ(Counts().Of(EndReason::kDecoderBehind), 5);
  for (const auto& event : sink_.All<ResultEvent>()) EXPECT_EQ(event.frame, event.pts_us / 40'000);
}

TEST_F(StreamRunnerTest, ALostCameraLosesNoCount) {
  Build(true, {Ok}, /*decoder_delay=*/2);
  lanes_->Start();
  stream_->HandleConnected({.codec = "h264", .width = 64, .height = 64});
  for (int64_t i = 0; i < 5; ++i) Push(MakePacket(i * 40'000));
  Push(MakePacket(5 * 40'000, true, PacketFate::kNoPicture));
  stream_->HandleLost({ErrorCode::kUnavailable, "timed out"}, std::chrono::milliseconds(500));
  EXPECT_EQ(stream_->Status().state, StreamState::kLost);
  stream_->HandleConnected({.codec = "h264", .width = 64, .height = 64});
  for (int64_t i = 6; i < 10; ++i) Push(MakePacket(i * 40'000));
  End();
  finished_.Wait();
  StopAll();
  EXPECT_EQ(Counts().captured, 10);
  EXPECT_EQ(Counts().Of(Ending::kDone), 9);
  EXPECT_EQ(Counts().Of(EndReason::kNotDecodable), 1);
  EXPECT_EQ(sink_.All<StreamUpEvent>().size(), 2u);
  const auto downs = sink_.All<StreamDownEvent>();
  ASSERT_EQ(downs.size(), 2u);
  EXPECT_EQ(downs[0].reason, "timed out");
  EXPECT_EQ(downs[0].retry_in_us, 500'000);
  EXPECT_EQ(downs[1].reason, "end of file");
}

TEST_F(StreamRunnerTest, AFailedInferenceFailsItsFrameOnly) {
  std::atomic<int> runs = 0;
  Build(true, {[&]() -> Status {
          if (++runs == 2) return Error{ErrorCode::kInternal, "engine said no"};
          return {};
        }});
  lanes_->Start();
  for (int64_t i = 0; i < 4; ++i) Push(MakePacket(i * 40'000));
  End();
  finished_.Wait();
  StopAll();
  EXPECT_EQ(Counts().Of(Ending::kDone), 3);
  EXPECT_EQ(Counts().Of(EndReason::kInferenceError), 1);
  EXPECT_EQ(stream_->tasks()[0]->LastError(), "engine said no");
}

TEST_F(StreamRunnerTest, StoppingEndsEveryFrame) {
  std::latch model_runs(1);
  std::binary_semaphore go_on(0);
  Build(false, {[&]() -> Status {
          model_runs.count_down();
          go_on.acquire();
          return {};
        }},
        /*decoder_delay=*/2);
  lanes_->Start();
  for (int64_t i = 0; i < 3; ++i) Push(MakePacket(i * 40'000));
  model_runs.wait();
  for (int64_t i = 3; i < 20; ++i) Push(MakePacket(i * 40'000));
  go_on.release();
  StopAll();
  EXPECT_EQ(Counts().captured, 20);
  EXPECT_EQ(Counts().InFlight(), 0);
}

TEST_F(StreamRunnerTest, AStopThatLeavesFramesWaitingIsToldToo) {
  Build(false, {Ok});
  for (int64_t i = 0; i < 3; ++i) Push(MakePacket(i * 40'000));
  stream_->HandleEnded({ErrorCode::kCancelled, "stopped"});
  StopAll();  // the lanes never ran
  finished_.Wait();
  EXPECT_EQ(Counts().Of(EndReason::kStopped), 3);
  EXPECT_EQ(stream_->Status().state, StreamState::kEnded);
  const auto downs = sink_.All<StreamDownEvent>();
  ASSERT_EQ(downs.size(), 1U);
  EXPECT_EQ(downs[0].reason, "stopped");
}

TEST_F(StreamRunnerTest, AWaitingLosslessReaderIsWokenByTheStop) {
  Build(true, {Ok}, 0, /*queue_capacity=*/1);
  Push(MakePacket(0));
  Thread reader({.name = "reader"}, [&](std::stop_token) { Push(MakePacket(40'000)); });
  stop_.request_stop();
  reader.Join();
  StopAll();
  EXPECT_EQ(Counts().captured, 2);
  EXPECT_EQ(Counts().Of(EndReason::kStopped), 2);
}

// Random packets, speeds and interruptions: whatever happens, the counts add up.
TEST_F(StreamRunnerTest, CountsAddUpUnderOverload) {
  uint32_t random = 12345;
  const auto next = [&random] { return random = random * 1664525 + 1013904223, random >> 16; };
  Build(false,
        {Ok,
         [] {
           const Duration until = ThreadCpuTime() + Duration(200);
           while (ThreadCpuTime() < until) {
           }
           return Status();
         }},
        /*decoder_delay=*/3, /*queue_capacity=*/8);
  lanes_->Start();
  int64_t pushed = 0;
  for (int64_t i = 0; i < 3000; ++i) {
    const uint32_t dice = next() % 100;
    const auto fate = dice < 5 ? PacketFate::kBroken : dice < 10 ? PacketFate::kNoPicture : PacketFate::kPicture;
    Push(MakePacket(i * 40'000, dice % 12 == 0, fate, clock_.Now()));
    ++pushed;
    if (next() % 500 == 0) stream_->HandleLost({ErrorCode::kUnavailable, "gone"}, Duration(0));
    if (next() % 16 == 0) std::this_thread::yield();
  }
  StopAll();
  for (size_t task = 0; task < 2; ++task) {
    EXPECT_EQ(Counts(task).captured, pushed);
    EXPECT_EQ(Counts(task).InFlight(), 0);
    EXPECT_EQ(static_cast<size_t>(Counts(task).Of(EndReason::kDone)), [&] {
      size_t results = 0;
      for (const auto& event : sink_.All<ResultEvent>()) results += event.model.back() == '0' + static_cast<char>(task);
      return results;
    }());
  }
}

}  // namespace
}  // namespace deepedge
