#include "deepedge/events/ndjson_sink.h"

#include <fmt/format.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <vector>

#include "deepedge/base/check.h"
#include "deepedge/base/log.h"
#include "deepedge/base/mutex.h"
#include "deepedge/base/thread.h"
#include "deepedge/base/unique_fd.h"
#include "deepedge/events/event_json.h"
#include "deepedge/events/line_writer.h"
#include "deepedge/events/rotate_files.h"

namespace deepedge {
namespace {

constexpr Duration kCloseTime = std::chrono::seconds(1);
constexpr Duration kRetryEvery = std::chrono::seconds(1);
constexpr size_t kChunkBytes = 64 * 1024;  // written with one call

}  // namespace

class NdjsonSink::Impl {
 public:
  Impl(Options options, LineWriter writer, UniqueFd give_up, const Clock& clock)
      : options_(std::move(options)),
        capacity_(static_cast<int64_t>(options_.queue_capacity)),
        clock_(clock),
        writer_(std::move(writer)),
        give_up_(std::move(give_up)) {
    thread_ = Thread({.name = "events"}, [this](const std::stop_token&) { Run(); });
  }
  ~Impl() { Close().Ignore("the owner did not ask"); }

  // The line is made in the caller's thread, a lane: computing belongs there, the sink's own thread only writes.
  void Publish(const Event& event) DE_EXCLUDES(mutex_) {
    std::string line;
    AppendJson(event, line);
    line += '\n';
    const auto bytes = static_cast<int64_t>(line.size());
    bool wake = false;
    {
      MutexLock lock(mutex_);
      ++counts_.accepted;
      const bool is_full = counts_.accepted - counts_.delivered - counts_.lost > capacity_ ||
                           queued_bytes_ + bytes > options_.queue_bytes;
      if (closing_ || is_full) {
        ++counts_.lost;
        return;
      }
      queued_bytes_ += bytes;
      queue_.push_back(std::move(line));
      wake = idle_;
    }
    if (wake) changed_.NotifyOne();
  }

  Status Close() DE_EXCLUDES(mutex_) {
    {
      MutexLock lock(mutex_);
      if (closing_) return {};
      closing_ = true;
      close_by_ = clock_.Now() + kCloseTime;
    }
    changed_.NotifyOne();
    eventfd_write(give_up_.get(), 1);
    thread_.Join();
    MutexLock lock(mutex_);
    if (undelivered_ == 0) return {};
    return Error{
        last_error_ == ENOSPC || last_error_ == EDQUOT ? ErrorCode::kExhausted : ErrorCode::kUnavailable,
        fmt::format("{}: {} events could not be written: {}", writer_.name(), undelivered_, Explain(last_error_))};
  }

  SinkCounts counts() const DE_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return counts_;
  }

 private:
  static std::string Explain(int error) {
    if (error == EAGAIN) return "the reader does not take them";
    if (error == EPIPE) return "the reader is gone";
    return std::strerror(error);
  }

  // The thread: ends when closing and the queue is empty.
  void Run() DE_EXCLUDES(mutex_) {
    BlockWriteSignals();
    std::vector<std::string> batch;
    while (true) {
      batch.clear();
      {
        MutexLock lock(mutex_);
        idle_ = true;
        while (queue_.empty() && !closing_) changed_.Wait(mutex_);
        idle_ = false;
        std::swap(batch, queue_);
      }
      if (batch.empty()) return;
      Deliver(batch);
      LogRefused();
    }
  }

  void Deliver(const std::vector<std::string>& batch) DE_EXCLUDES(mutex_) {
    for (size_t next = 0; next < batch.size();) {
      text_.clear();
      const size_t room = RoomInFile();
      while (next < batch.size() && text_.size() < room) text_ += batch[next++];
      const std::string_view failed = WriteText();
      if (failed.empty()) continue;
      const int64_t lost = std::ranges::count(failed, '\n') + static_cast<int64_t>(batch.size() - next);
      auto lost_bytes = static_cast<int64_t>(failed.size());
      for (; next < batch.size(); ++next) lost_bytes += static_cast<int64_t>(batch[next].size());
      MutexLock lock(mutex_);
      queued_bytes_ -= lost_bytes;
      counts_.lost += lost;
      undelivered_ += lost;
      return;
    }
  }

  // How many bytes may be written before the file has its size; more than 0. Puts it aside where it has it already.
  size_t RoomInFile() {
    if (options_.rotate_bytes <= 0) return kChunkBytes;
    std::optional<int64_t> size = writer_.FileSize();
    if (!size) return kChunkBytes;
    if (*size >= options_.rotate_bytes) {
      if (clock_.Now() < next_rotation_) return kChunkBytes;
      const Status rotated = Rotate();
      if (!rotated.ok()) {
        next_rotation_ = clock_.Now() + kRetryEvery;
        LogWarning("events: {}; events go on into the file as it is", rotated.error().message);
        return kChunkBytes;
      }
      size = 0;
    }
    return std::min(kChunkBytes, static_cast<size_t>(options_.rotate_bytes - *size));
  }

  Status Rotate() {
    // Somebody else may have moved it away already.
    if (StatusOf(options_.path).ok()) DE_TRY_STATUS(RotateFiles(options_.path, options_.rotate_keep));
    auto fresh = LineWriter::Open(options_.path);
    if (fresh.ok()) {
      writer_ = std::move(fresh).value();
      return {};
    }
    // The old one is still open, so only its name has to come back.
    std::error_code ec;
    std::filesystem::rename(options_.path.string() + ".1", options_.path, ec);
    return fresh.error();
  }

  // Writes the lines of text_, trying again until they are written or there is no more use in it. Returns those
  // that were not written, of the first perhaps only the rest.
  std::string_view WriteText() DE_EXCLUDES(mutex_) {
    std::string_view rest = text_;
    while (!is_gone_) {
      const std::optional<Duration> time_left = TimeLeft();
      const int error = WriteSome(rest, time_left);
      if (rest.empty()) {
        if (std::exchange(is_failing_, false)) LogInfo("events: {}: written again", writer_.name());
        return {};
      }
      if (time_left && (error != 0 || *time_left == Duration(0))) break;
      const bool was_told_to_close = error == EAGAIN;
      if (error == 0 || is_gone_ || was_told_to_close) continue;
      LogFailure("events wait, next attempt in a second");
      LogRefused();
      WaitForRetry();
    }
    LogFailure("events are lost");
    return rest;
  }

  // One attempt. Takes what is written from the front of `lines` and returns the errno that stopped it, or 0.
  int WriteSome(std::string_view& lines, std::optional<Duration> patience) DE_EXCLUDES(mutex_) {
    const LineWriter::Outcome outcome = writer_.Write(lines, give_up_.get(), patience);
    const auto delivered = std::ranges::count(lines.substr(0, outcome.done), '\n');
    lines.remove_prefix(outcome.done);
    is_gone_ = outcome.error == EPIPE;
    MutexLock lock(mutex_);
    counts_.delivered += delivered;
    queued_bytes_ -= static_cast<int64_t>(outcome.done);
    if (outcome.error != 0) last_error_ = outcome.error;
    return outcome.error;
  }

  // While closing, the time in which it has to be done.
  std::optional<Duration> TimeLeft() const DE_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    if (!closing_) return std::nullopt;
    return std::max(close_by_ - clock_.Now(), Duration(0));
  }

  void WaitForRetry() DE_EXCLUDES(mutex_) {
    const Time until = clock_.Now() + kRetryEvery;
    MutexLock lock(mutex_);
    while (!closing_ && clock_.Now() < until) changed_.WaitUntil(mutex_, until);
  }

  void LogFailure(std::string_view consequence) DE_EXCLUDES(mutex_) {
    is_failing_ = true;
    int error = 0;
    {
      MutexLock lock(mutex_);
      error = last_error_;
    }
    if (failure_limit_.Allow(clock_.Now())) {
      LogWarning("events: {}: {}; {}", writer_.name(), Explain(error), consequence);
    }
  }

  void LogRefused() DE_EXCLUDES(mutex_) {
    int64_t refused = 0;
    {
      MutexLock lock(mutex_);
      refused = counts_.lost - undelivered_;
    }
    if (refused == logged_refused_ || !refused_limit_.Allow(clock_.Now())) return;
    LogWarning("events: {}: queue full, {} events lost", writer_.name(), refused - logged_refused_);
    logged_refused_ = refused;
  }

  const Options options_;
  const int64_t capacity_;  // events
  const Clock& clock_;

  mutable Mutex mutex_;
  CondVar changed_;
  std::vector<std::string> queue_ DE_GUARDED_BY(mutex_);  // whole lines
  int64_t queued_bytes_ DE_GUARDED_BY(mutex_) = 0;        // also of what the thread has taken and not written yet
  bool idle_ DE_GUARDED_BY(mutex_) = false;               // the thread sleeps and has to be woken
  bool closing_ DE_GUARDED_BY(mutex_) = false;
  Time close_by_ DE_GUARDED_BY(mutex_);
  SinkCounts counts_ DE_GUARDED_BY(mutex_);
  int64_t undelivered_ DE_GUARDED_BY(mutex_) = 0;  // part of counts_.lost: accepted, but never written
  int last_error_ DE_GUARDED_BY(mutex_) = 0;

  // Of the thread alone.
  LineWriter writer_;
  std::string text_;
  bool is_gone_ = false;     // the reader of the pipe
  bool is_failing_ = false;  // the last attempt failed
  Time next_rotation_;       // not before this
  LogLimiter failure_limit_;
  LogLimiter refused_limit_;
  int64_t logged_refused_ = 0;

  UniqueFd give_up_;  // becomes readable when closing, to end waiting for a reader
  Thread thread_;     // last: joined before what it uses goes away
};

Result<std::unique_ptr<NdjsonSink>> NdjsonSink::Create(Options options, const Clock& clock) {
  DE_CHECK(options.rotate_keep >= 1);
  DE_TRY(LineWriter writer, LineWriter::Open(options.path));
  // Put aside is the file itself, not a link to it.
  std::error_code ec;
  if (options.rotate_bytes > 0 && std::filesystem::is_symlink(options.path, ec)) {
    const Path target = std::filesystem::canonical(options.path, ec);
    if (!ec) options.path = target;
  }
  UniqueFd give_up(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!give_up.valid()) {
    return Error{ErrorCode::kExhausted, fmt::format("{}: no descriptor left: {}", writer.name(), std::strerror(errno))};
  }
  return std::unique_ptr<NdjsonSink>(
      new NdjsonSink(std::make_unique<Impl>(std::move(options), std::move(writer), std::move(give_up), clock)));
}

NdjsonSink::NdjsonSink(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
NdjsonSink::~NdjsonSink() = default;
void NdjsonSink::Publish(Event event) { impl_->Publish(event); }
Status NdjsonSink::Close() { return impl_->Close(); }
SinkCounts NdjsonSink::counts() const { return impl_->counts(); }

}  // namespace deepedge
