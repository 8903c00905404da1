// StreamRunner: the data plane of one stream. It takes packets from the I/O thread into a bounded queue, decodes them
// as jobs on the lanes, once however many tasks look at the stream, and offers each frame to every task.
//
//   I/O thread --HandlePacket--> packet queue --decode job--> frames --Offer--> tasks
//
// The queue is full when it holds as many packets, or as many bytes, as it may; a packet of any size finds room in an
// empty one.
// Live pace: the I/O thread never waits. When the queue is full, packets are refused (and counted) until a key frame
// finds room, because a decoder cannot go on in the middle of a group of pictures.
// Lossless pace (`--pace fast`): the I/O thread waits for room in the queue, and no frame is decoded before every task
// has taken the one before, so each task sees every frame.
//
// Threads: PacketHandler functions on the I/O thread, Run on lanes, the rest from anyone.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "deepedge/base/mutex.h"
#include "deepedge/events/sink.h"
#include "deepedge/ingest/decoder.h"
#include "deepedge/ingest/stream_reader.h"
#include "deepedge/runtime/frame_account.h"
#include "deepedge/runtime/task_runner.h"
#include "deepedge/scheduler/lanes.h"

namespace deepedge {

enum class StreamState { kConnecting, kUp, kLost, kEnded };

std::string_view ToString(StreamState state);

struct StreamStatus {
  StreamState state = StreamState::kConnecting;
  std::string detail;  // why it is lost or ended
  std::string codec;
  int width = 0;
  int height = 0;
  int64_t connects = 0;
  Duration decode_cost{0};  // CPU time
  size_t queued_packets = 0;
};

class StreamRunner final : public PacketHandler, public Job, public TaskListener {
 public:
  struct Options {
    StreamId id;
    std::string name;
    bool lossless = false;
    size_t queue_capacity = 64;     // packets
    int64_t queue_bytes = 8 << 20;  // of all packets that wait
  };

  // Told once when the stream has ended and all its frames have, too.
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void HandleStreamFinished() = 0;
  };

  StreamRunner(Options options, std::unique_ptr<Decoder> decoder, TaskEnvironment environment, Listener& listener);
  ~StreamRunner() override;

  // Before the first packet only.
  TaskRunner& AddTask(TaskRunner::Options options, LoadedModel& model, ResourceId model_slots);

  void HandleConnected(const StreamFormat& format) override DE_EXCLUDES(mutex_);
  void HandlePacket(Packet packet, std::stop_token stop) override DE_EXCLUDES(mutex_);
  void HandleLost(const Error& why, Duration retry_in) override DE_EXCLUDES(mutex_);
  void HandleEnded(const Error& why) override DE_EXCLUDES(mutex_);

  void Run(const RunContext& context) override DE_EXCLUDES(mutex_);
  void HandleTaskProgress() override DE_EXCLUDES(mutex_);

  // After reader and lanes have stopped: what is still on its way is counted as dropped.
  void DropWaiting() DE_EXCLUDES(mutex_);

  const Options& options() const { return options_; }
  const std::vector<std::unique_ptr<TaskRunner>>& tasks() const { return tasks_; }
  StreamStatus Status() const DE_EXCLUDES(mutex_);
  // The whole story of one task: what the stream captured and lost, and what became of the rest.
  FrameCounts CountsOf(const TaskRunner& task) const;

 private:
  // An entry of the packet queue; no packet: the decoder gives what is still inside, then starts anew.
  struct QueueEntry {
    std::optional<Packet> packet;
    int64_t lost_before = 0;  // shown packets that the queue refused since the packet before; they have numbers too
  };
  // A decoded picture that has not been offered yet.
  struct NumberedPicture {
    DecodedPicture picture;
    int64_t number = 0;
  };

  // Both return why the packet was refused, or nothing when it is in the queue.
  std::optional<EndReason> Enqueue(Packet packet) DE_EXCLUDES(mutex_);
  std::optional<EndReason> EnqueueWhenRoom(Packet packet, std::stop_token stop) DE_EXCLUDES(mutex_);
  bool HasRoomFor(const Packet& packet) const DE_REQUIRES(mutex_);
  bool WantsToRun() const DE_REQUIRES(mutex_);
  void SubmitIfReady() DE_EXCLUDES(mutex_);
  void DecodeNext() DE_EXCLUDES(mutex_);
  void Send(Packet packet, int64_t lost_before);
  void ReceivePictures();
  void GiveUpOlderThan(const DecodedPicture& picture);
  void GiveUpAll(EndReason reason);
  void GiveUp(int64_t lost_before, EndReason reason);
  void DeliverPictures();
  void FinishIfDone() DE_EXCLUDES(mutex_);

  const Options options_;
  const TaskEnvironment environment_;
  Listener& listener_;
  FrameAccount account_;  // captured, and what was lost before it became a frame
  std::vector<std::unique_ptr<TaskRunner>> tasks_;

  mutable Mutex mutex_;
  CondVar room_ DE_GUARDED_BY(mutex_);
  std::deque<QueueEntry> queue_ DE_GUARDED_BY(mutex_);
  int64_t queued_bytes_ DE_GUARDED_BY(mutex_) = 0;
  bool queued_or_running_ DE_GUARDED_BY(mutex_) = false;  // as a job on the lanes
  bool waiting_for_key_ DE_GUARDED_BY(mutex_) = false;    // the queue was full
  int64_t refused_ DE_GUARDED_BY(mutex_) = 0;             // shown packets refused since the last one that found room
  bool has_pictures_ DE_GUARDED_BY(mutex_) = false;       // pictures_ is not empty, while no job runs
  bool ended_ DE_GUARDED_BY(mutex_) = false;              // no packet will follow
  bool finished_ DE_GUARDED_BY(mutex_) = false;           // the listener has been told
  StreamStatus status_ DE_GUARDED_BY(mutex_);

  // Used by the decode job only, of which at most one runs.
  std::unique_ptr<Decoder> decoder_;
  struct Outstanding {
    int64_t pts_us = 0;
    int64_t lost_before = 0;
  };
  std::map<int64_t, Outstanding> outstanding_;  // by sequence: packets whose pictures have not come out
  int64_t next_sequence_ = 0;
  std::deque<NumberedPicture> pictures_;
  int64_t next_frame_ = 0;
  bool drained_ = false;  // the decoder has given its last pictures: the scene is over when they are delivered
};

}  // namespace deepedge
