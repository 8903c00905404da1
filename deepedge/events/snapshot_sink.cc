#include "deepedge/events/snapshot_sink.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <vector>

#include "deepedge/base/log.h"
#include "deepedge/base/mutex.h"
#include "deepedge/base/thread.h"
#include "deepedge/events/line_writer.h"

namespace deepedge {
namespace {

constexpr Duration kCloseTime = std::chrono::milliseconds(900);
constexpr std::string_view kSuffix = ".jpg";
constexpr size_t kIdPrefixLength = 15;  // of IdPrefix, event_bus.h

struct StoredPicture {
  std::string name;
  int64_t bytes = 0;
  int64_t changed_us = 0;
};

// What a write that was cut short has left: "ID.jpg.tmp17".
bool IsOwnLeftover(std::string_view name) {
  const size_t end = name.rfind(".tmp");
  if (end == std::string_view::npos || !IsSnapshotName(name.substr(0, end))) return false;
  const std::string_view digits = name.substr(end + 4);
  return !digits.empty() && std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
}

// The pictures of earlier runs, the oldest first.
Result<std::deque<StoredPicture>> FindPictures(const Path& folder) {
  std::deque<StoredPicture> found;
  std::error_code ec;
  std::filesystem::directory_iterator files(folder, ec);
  for (; !ec && files != std::filesystem::directory_iterator(); files.increment(ec)) {
    const std::string name = files->path().filename().string();
    struct stat status{};
    if (lstat(files->path().c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    if (IsOwnLeftover(name)) {
      std::error_code ignored;
      std::filesystem::remove(files->path(), ignored);
    } else if (IsSnapshotName(name)) {
      found.push_back({name, status.st_size, status.st_mtim.tv_sec * 1'000'000 + status.st_mtim.tv_nsec / 1000});
    }
  }
  if (ec) {
    return Error{ErrorCode::kBadInput,
                 fmt::format("{}: cannot be read as a folder of snapshots: {}", folder.string(), ec.message())};
  }
  std::ranges::sort(found, [](const StoredPicture& a, const StoredPicture& b) {
    return std::tie(a.changed_us, a.name) < std::tie(b.changed_us, b.name);
  });
  return found;
}

}  // namespace

bool IsSnapshotId(std::string_view id) {
  const auto may_stand = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  };
  return !id.empty() && id.size() <= 128 && id[0] != '.' && std::ranges::all_of(id, may_stand);
}

bool IsSnapshotName(std::string_view name) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto is_prefix = [&](char c) { return is_digit(c) || (c >= 'a' && c <= 'z'); };
  if (!name.ends_with(kSuffix)) return false;
  name.remove_suffix(kSuffix.size());
  const size_t dash = name.rfind('-');
  if (dash != kIdPrefixLength) return false;
  const std::string_view number = name.substr(dash + 1);
  return std::ranges::all_of(name.substr(0, dash), is_prefix) && !number.empty() && number.size() <= 20 &&
         std::ranges::all_of(number, is_digit);
}

class SnapshotSink::Impl {
 public:
  Impl(Options options, std::deque<StoredPicture> stored, const Clock& clock)
      : options_(std::move(options)), clock_(clock), stored_(std::move(stored)) {
    for (const StoredPicture& picture : stored_) stored_bytes_ += picture.bytes;
    RemoveOldest();
    thread_ = Thread({.name = "snapshots"}, [this](const std::stop_token&) { Run(); });
  }
  ~Impl() { Close().Ignore("the owner did not ask"); }

  void Publish(const Event& event) DE_EXCLUDES(mutex_) {
    auto picture = PictureOf(event);
    const bool has_picture = picture && !picture->empty();
    const int64_t bytes = has_picture ? static_cast<int64_t>(picture->size()) : 0;
    MutexLock lock(mutex_);
    ++counts_.accepted;
    const bool is_full =
        waiting_ >= static_cast<int64_t>(options_.queue_capacity) || waiting_bytes_ + bytes > options_.queue_bytes;
    if (closing_ || (has_picture && is_full)) {
      ++counts_.lost;
      return;
    }
    if (!has_picture) {
      ++counts_.delivered;
      return;
    }
    ++waiting_;
    waiting_bytes_ += bytes;
    queue_.push_back({IdOf(event), std::move(picture)});
    changed_.NotifyOne();
  }

  Status Close() DE_EXCLUDES(mutex_) {
    {
      MutexLock lock(mutex_);
      if (closing_) return {};
      closing_ = true;
      close_by_ = clock_.Now() + kCloseTime;
      changed_.NotifyOne();
    }
    thread_.Join();
    MutexLock lock(mutex_);
    if (unwritten_ == 0) return {};
    return Error{error_code_, fmt::format("{}: {} snapshots could not be written: {}", options_.folder.string(),
                                          unwritten_, last_error_)};
  }

  SinkCounts counts() const DE_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return counts_;
  }

 private:
  struct Waiting {
    std::string id;
    std::shared_ptr<const std::vector<uint8_t>> picture;
  };

  // The thread: ends when closing and the queue is empty, or the time to close is over.
  void Run() DE_EXCLUDES(mutex_) {
    BlockWriteSignals();
    while (const std::optional<Waiting> next = Take()) {
      const Status written =
          IsTimeOver() ? Status(Error{ErrorCode::kUnavailable, "the disk is too slow"}) : Write(*next);
      Book(*next, written);
    }
  }

  std::optional<Waiting> Take() DE_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    while (queue_.empty() && !closing_) changed_.Wait(mutex_);
    if (queue_.empty()) return std::nullopt;
    Waiting next = std::move(queue_.front());
    queue_.pop_front();
    return next;
  }

  bool IsTimeOver() const DE_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return closing_ && clock_.Now() >= close_by_;
  }

  Status Write(const Waiting& next) {
    if (!IsSnapshotId(next.id)) {
      return Error{ErrorCode::kBadInput, fmt::format("the event's id, '{}', cannot be a file's name", next.id)};
    }
    const std::string name = next.id + std::string(kSuffix);
    const auto bytes = static_cast<int64_t>(next.picture->size());
    if (bytes > options_.max_bytes) {
      return Error{ErrorCode::kExhausted, fmt::format("{}: {} bytes are more than the folder may hold", name, bytes)};
    }
    const Path path = options_.folder / name;
    const bool comes_again = StatusOf(path).ok();
    DE_TRY_STATUS(
        WriteFileAtomically(path, {reinterpret_cast<const char*>(next.picture->data()), next.picture->size()}));
    if (comes_again) Forget(name);
    stored_.push_back({name, bytes, 0});
    stored_bytes_ += bytes;
    RemoveOldest();
    return {};
  }

  void Forget(const std::string& name) {
    const auto at = std::ranges::find(stored_, name, &StoredPicture::name);
    if (at == stored_.end()) return;
    stored_bytes_ -= at->bytes;
    stored_.erase(at);
  }

  void RemoveOldest() {
    while (stored_bytes_ > options_.max_bytes && !stored_.empty()) {
      std::error_code ec;
      // Where it cannot be removed, it is as if it were not ours: the next run finds it again.
      std::filesystem::remove(options_.folder / stored_.front().name, ec);
      if (ec && remove_limit_.Allow(clock_.Now())) {
        LogWarning("events: snapshots: {}: cannot be removed: {}", (options_.folder / stored_.front().name).string(),
                   ec.message());
      }
      stored_bytes_ -= stored_.front().bytes;
      stored_.pop_front();
    }
  }

  void Book(const Waiting& next, const Status& written) DE_EXCLUDES(mutex_) {
    int64_t refused = 0;
    {
      MutexLock lock(mutex_);
      --waiting_;
      waiting_bytes_ -= static_cast<int64_t>(next.picture->size());
      ++(written.ok() ? counts_.delivered : counts_.lost);
      if (!written.ok()) {
        ++unwritten_;
        error_code_ = written.error().code;
        last_error_ = written.error().message;
      }
      refused = counts_.lost - unwritten_;
    }
    if (!written.ok() && failure_limit_.Allow(clock_.Now())) {
      LogWarning("events: snapshots: {}; the picture is lost", written.error().message);
    }
    if (refused != logged_refused_ && refused_limit_.Allow(clock_.Now())) {
      LogWarning("events: snapshots: queue full, {} pictures lost", refused - logged_refused_);
      logged_refused_ = refused;
    }
  }

  const Options options_;
  const Clock& clock_;

  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<Waiting> queue_ DE_GUARDED_BY(mutex_);
  int64_t waiting_ DE_GUARDED_BY(mutex_) = 0;  // in the queue or being written
  int64_t waiting_bytes_ DE_GUARDED_BY(mutex_) = 0;
  bool closing_ DE_GUARDED_BY(mutex_) = false;
  Time close_by_ DE_GUARDED_BY(mutex_);
  SinkCounts counts_ DE_GUARDED_BY(mutex_);
  int64_t unwritten_ DE_GUARDED_BY(mutex_) = 0;  // part of counts_.lost: taken, but never written
  ErrorCode error_code_ DE_GUARDED_BY(mutex_) = ErrorCode::kUnavailable;
  std::string last_error_ DE_GUARDED_BY(mutex_);

  // Of the thread alone, once it runs.
  std::deque<StoredPicture> stored_;  // the oldest first
  int64_t stored_bytes_ = 0;
  LogLimiter failure_limit_;
  LogLimiter refused_limit_;
  LogLimiter remove_limit_;
  int64_t logged_refused_ = 0;

  Thread thread_;  // last: joined before what it uses goes away
};

Result<std::unique_ptr<SnapshotSink>> SnapshotSink::Create(Options options, const Clock& clock) {
  std::error_code ec;
  std::filesystem::create_directories(options.folder, ec);
  if (ec) {
    return Error{ec == std::errc::no_space_on_device ? ErrorCode::kExhausted : ErrorCode::kBadInput,
                 fmt::format("{}: cannot be made for snapshots: {}", options.folder.string(), ec.message())};
  }
  if (faccessat(AT_FDCWD, options.folder.c_str(), W_OK | X_OK, AT_EACCESS) != 0) {
    return Error{ErrorCode::kBadInput,
                 fmt::format("{}: snapshots cannot be written into this folder", options.folder.string())};
  }
  DE_TRY(std::deque<StoredPicture> stored, FindPictures(options.folder));
  return std::unique_ptr<SnapshotSink>(
      new SnapshotSink(std::make_unique<Impl>(std::move(options), std::move(stored), clock)));
}

SnapshotSink::SnapshotSink(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SnapshotSink::~SnapshotSink() = default;
void SnapshotSink::Publish(Event event) { impl_->Publish(event); }
Status SnapshotSink::Close() { return impl_->Close(); }
SinkCounts SnapshotSink::counts() const { return impl_->counts(); }

}  // namespace deepedge
