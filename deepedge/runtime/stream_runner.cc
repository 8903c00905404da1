#include "deepedge/runtime/stream_runner.h"

#include <algorithm>
#include <utility>

#include "deepedge/base/check.h"
#include "deepedge/base/log.h"

namespace deepedge {

std::string_view ToString(StreamState state) {
  switch (state) {
    case StreamState::kConnecting: return "connecting";
    case StreamState::kUp: return "up";
    case StreamState::kLost: return "lost";
    case StreamState::kEnded: return "ended";
  }
  return "?";
}

StreamRunner::StreamRunner(Options options, std::unique_ptr<Decoder> decoder, TaskEnvironment environment,
                           Listener& listener)
    : options_(std::move(options)), environment_(environment), listener_(listener), decoder_(std::move(decoder)) {}

StreamRunner::~StreamRunner() = default;

TaskRunner& StreamRunner::AddTask(TaskRunner::Options options, LoadedModel& model, ResourceId model_slots) {
  options.stream = options_.name;
  tasks_.push_back(std::make_unique<TaskRunner>(std::move(options), model, model_slots, environment_, *this));
  return *tasks_.back();
}

void StreamRunner::HandleConnected(const StreamFormat& format) {
  {
    MutexLock lock(mutex_);
    status_.state = StreamState::kUp;
    status_.detail.clear();
    status_.codec = format.codec;
    if (format.width > 0) {
      status_.width = format.width;
      status_.height = format.height;
    }
    ++status_.connects;
  }
  environment_.events.Publish(StreamUpEvent{.stream = options_.name,
                                            .at_us = environment_.clock.EpochMicros(environment_.clock.Now()),
                                            .codec = format.codec,
                                            .width = format.width,
                                            .height = format.height});
}

void StreamRunner::HandlePacket(Packet packet, std::stop_token stop) {
  const bool shown = packet.shown;
  if (shown) account_.Capture();
  const auto refused =
      options_.lossless ? EnqueueWhenRoom(std::move(packet), std::move(stop)) : Enqueue(std::move(packet));
  if (refused) {
    if (shown) account_.End(*refused);
    return;
  }
  SubmitIfReady();
}

std::optional<EndReason> StreamRunner::EnqueueWhenRoom(Packet packet, std::stop_token stop) {
  // Made before the lock is taken and destroyed after it is given back, because the callback takes it too: otherwise a
  // stop between the test and the wait would be missed.
  const std::stop_callback wake(stop, [this] {
    MutexLock lock(mutex_);
    room_.NotifyAll();
  });
  MutexLock lock(mutex_);
  while (!HasRoomFor(packet) && !stop.stop_requested()) room_.Wait(mutex_);
  if (stop.stop_requested()) return EndReason::kStopped;
  queued_bytes_ += packet.bytes;
  queue_.push_back({.packet = std::move(packet)});
  return std::nullopt;
}

std::optional<EndReason> StreamRunner::Enqueue(Packet packet) {
  MutexLock lock(mutex_);
  if (!HasRoomFor(packet) || (waiting_for_key_ && !packet.key)) {
    waiting_for_key_ = true;
    if (packet.shown) ++refused_;
    return EndReason::kDecoderBehind;
  }
  waiting_for_key_ = false;
  queued_bytes_ += packet.bytes;
  queue_.push_back({.packet = std::move(packet), .lost_before = std::exchange(refused_, 0)});
  return std::nullopt;
}

bool StreamRunner::HasRoomFor(const Packet& packet) const {
  if (queue_.size() >= options_.queue_capacity) return false;
  return queued_bytes_ == 0 || queued_bytes_ + packet.bytes <= options_.queue_bytes;
}

void StreamRunner::HandleLost(const Error& why, Duration retry_in) {
  {
    MutexLock lock(mutex_);
    status_.state = StreamState::kLost;
    status_.detail = why.message;
    queue_.emplace_back();
  }
  environment_.events.Publish(StreamDownEvent{.stream = options_.name,
                                              .at_us = environment_.clock.EpochMicros(environment_.clock.Now()),
                                              .reason = why.message,
                                              .retry_in_us = retry_in.count()});
  SubmitIfReady();
}

void StreamRunner::HandleEnded(const Error& why) {
  {
    MutexLock lock(mutex_);
    status_.detail = why.message;
    queue_.emplace_back();
    ended_ = true;
  }
  SubmitIfReady();
}

bool StreamRunner::WantsToRun() const {
  if (queued_or_running_ || (queue_.empty() && !has_pictures_)) return false;
  if (!options_.lossless) return true;
  return std::all_of(tasks_.begin(), tasks_.end(), [](const auto& task) { return task->CanAccept(); });
}

void StreamRunner::SubmitIfReady() {
  Time due;
  {
    MutexLock lock(mutex_);
    if (!WantsToRun()) return;
    queued_or_running_ = true;
    const bool has_packet = !queue_.empty() && queue_.front().packet.has_value();
    due = has_packet ? queue_.front().packet->captured : environment_.clock.Now();
  }
  environment_.lanes.Submit(*this, {.kind = JobKind::kDecode, .deadline = due});
}

void StreamRunner::HandleTaskProgress() {
  if (options_.lossless) SubmitIfReady();
  FinishIfDone();
}

void StreamRunner::Run(const RunContext& /*context*/) {
  if (pictures_.empty()) DecodeNext();
  DeliverPictures();
  if (drained_ && pictures_.empty()) {
    drained_ = false;
    for (const auto& task : tasks_) task->EndTracks();
  }
  {
    MutexLock lock(mutex_);
    has_pictures_ = !pictures_.empty();
    queued_or_running_ = false;
  }
  SubmitIfReady();
  FinishIfDone();
}

void StreamRunner::DecodeNext() {
  QueueEntry entry;
  {
    MutexLock lock(mutex_);
    if (queue_.empty()) return;
    entry = std::move(queue_.front());
    queue_.pop_front();
    if (entry.packet) queued_bytes_ -= entry.packet->bytes;
    // A reader that waits for room is woken when there is much of it, so that it reads many packets at a time.
    const bool much_room = queue_.size() <= options_.queue_capacity / 2 && queued_bytes_ <= options_.queue_bytes / 2;
    if (much_room) room_.NotifyOne();
  }
  const Duration start = ThreadCpuTime();
  if (entry.packet) {
    Send(*std::move(entry.packet), entry.lost_before);
    ReceivePictures();
  } else {
    decoder_->Drain();
    ReceivePictures();
    GiveUpAll(EndReason::kNotDecodable);
    drained_ = true;
  }
  const Duration cost = ThreadCpuTime() - start;
  MutexLock lock(mutex_);
  status_.decode_cost += cost;
}

void StreamRunner::Send(Packet packet, int64_t lost_before) {
  packet.sequence = next_sequence_++;
  // What was lost before a packet is counted when its own picture comes: those still inside the decoder are older.
  if (packet.shown) {
    outstanding_[packet.sequence] = {.pts_us = packet.pts_us, .lost_before = lost_before};
  } else {
    next_frame_ += lost_before;
  }
  if (decoder_->Send(packet).ok() || !packet.shown) return;
  outstanding_.erase(packet.sequence);
  GiveUp(lost_before, EndReason::kNotDecodable);
}

void StreamRunner::ReceivePictures() {
  // A picture that fails is lost; it is counted when a later one comes out. A decoder that does nothing but fail is
  // left alone until it has got another packet.
  constexpr int kMostErrors = 64;
  for (int errors = 0; errors < kMostErrors;) {
    auto received = decoder_->Receive();
    if (!received.ok()) {
      ++errors;
      continue;
    }
    auto picture = std::move(received).value();
    if (!picture) return;
    GiveUpOlderThan(*picture);
    const auto own = outstanding_.find(picture->packet_sequence);
    if (own == outstanding_.end()) continue;  // a second picture of one packet: nobody captured it
    next_frame_ += own->second.lost_before;
    outstanding_.erase(own);
    pictures_.push_back({.picture = std::move(*picture), .number = next_frame_++});
  }
}

void StreamRunner::GiveUpOlderThan(const DecodedPicture& picture) {
  // Pictures come in order of presentation, so what was sent before this one's packet and is shown before it will never
  // come. The time alone does not tell: it runs back where a camera's clock is set back.
  for (auto it = outstanding_.begin(); it != outstanding_.end() && it->first < picture.packet_sequence;) {
    const bool overdue = it->first < picture.packet_sequence - kMostPacketsInside;
    if (!overdue && it->second.pts_us >= picture.packet_pts_us) {
      ++it;
      continue;
    }
    GiveUp(it->second.lost_before, EndReason::kNotDecodable);
    it = outstanding_.erase(it);
  }
}

void StreamRunner::GiveUpAll(EndReason reason) {
  for (const auto& [sequence, packet] : outstanding_) GiveUp(packet.lost_before, reason);
  outstanding_.clear();
}

void StreamRunner::GiveUp(int64_t lost_before, EndReason reason) {
  account_.End(reason);
  next_frame_ += lost_before + 1;
}

void StreamRunner::DeliverPictures() {
  while (!pictures_.empty()) {
    auto [picture, number] = std::move(pictures_.front());
    pictures_.pop_front();
    {
      MutexLock lock(mutex_);
      status_.width = picture.picture.width;
      status_.height = picture.picture.height;
    }
    const auto frame = std::make_shared<const Frame>(Frame{.stream = options_.id,
                                                           .number = number,
                                                           .pts_us = picture.pts_us,
                                                           .captured = picture.captured,
                                                           .picture = picture.picture,
                                                           .owner = std::move(picture.owner)});
    for (const auto& task : tasks_) task->Offer(frame);
    if (options_.lossless) return;  // the next one when all tasks have taken this one
  }
}

void StreamRunner::FinishIfDone() {
  std::string reason;
  {
    MutexLock lock(mutex_);
    if (!ended_ || finished_ || queued_or_running_ || !queue_.empty() || has_pictures_) return;
    if (!std::all_of(tasks_.begin(), tasks_.end(), [](const auto& task) { return task->IsIdle(); })) return;
    finished_ = true;
    status_.state = StreamState::kEnded;
    reason = status_.detail;
  }
  environment_.events.Publish(StreamDownEvent{
      .stream = options_.name, .at_us = environment_.clock.EpochMicros(environment_.clock.Now()), .reason = reason});
  listener_.HandleStreamFinished();
}

void StreamRunner::DropWaiting() {
  int64_t packets = static_cast<int64_t>(pictures_.size());
  pictures_.clear();
  {
    MutexLock lock(mutex_);
    for (const QueueEntry& entry : queue_) packets += entry.packet && entry.packet->shown ? 1 : 0;
    queue_.clear();
    queued_bytes_ = 0;
    has_pictures_ = false;
    queued_or_running_ = false;  // a job that waited for a lane will not run
  }
  account_.End(EndReason::kStopped, packets);
  GiveUpAll(EndReason::kStopped);
  for (const auto& task : tasks_) {
    task->DropWaiting();
    task->EndTracks();
  }
  FinishIfDone();
}

StreamStatus StreamRunner::Status() const {
  MutexLock lock(mutex_);
  StreamStatus status = status_;
  status.queued_packets = queue_.size();
  return status;
}

FrameCounts StreamRunner::CountsOf(const TaskRunner& task) const {
  // Endings before captures, so that no frame shows as ended but not captured.
  FrameCounts counts = task.account().Read();
  counts += account_.Read();
  return counts;
}

}  // namespace deepedge
