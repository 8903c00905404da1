#include "deepedge/events/outbox/outbox.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <list>
#include <optional>

#include "deepedge/base/log.h"
#include "deepedge/base/mutex.h"
#include "deepedge/base/thread.h"
#include "deepedge/events/event_json.h"
#include "deepedge/events/line_writer.h"
#include "deepedge/events/outbox/courier_lane.h"
#include "deepedge/events/outbox/outbox_file.h"

namespace deepedge {
namespace {

constexpr Duration kCloseTime = std::chrono::seconds(1);
constexpr Duration kLanesCloseTime = std::chrono::milliseconds(700);
constexpr Duration kRetryEvery = std::chrono::seconds(1);
constexpr Duration kFirstRetainAfter = std::chrono::seconds(2);  // couriers are there by then, to be told their losses
constexpr Duration kRetainEvery = std::chrono::seconds(30);
constexpr Duration kGather = std::chrono::milliseconds(5);
constexpr size_t kBatchEvents = 256;  // for a courier
constexpr size_t kBatchBytes = size_t{8} << 20;
constexpr size_t kEventsAWrite = 1024;  // one transaction: short enough for readers and for Close
constexpr int64_t kRowsARemoval = 500;
constexpr int64_t kLongestEvent = int64_t{64} << 20;  // bytes; the store would refuse it time and again
static_assert(kLongestEvent < Database::kLongestRow);

UnstoredEvent ToStore(const Event& event) {
  UnstoredEvent unstored;
  unstored.id = IdOf(event);
  unstored.type = TypeOf(event);
  unstored.stream = StreamOf(event);
  unstored.at_us = TimeOf(event);
  AppendJson(event, unstored.json);
  unstored.picture = PictureOf(event);
  return unstored;
}

// How many rows have to go so that about `limit` of `used` bytes remain, at most one portion.
int64_t RowsToRemove(int64_t used, int64_t limit, int64_t rows) {
  const double share = static_cast<double>(used - limit) / static_cast<double>(used);
  return std::clamp(static_cast<int64_t>(share * static_cast<double>(rows)), int64_t{1}, kRowsARemoval);
}

}  // namespace

class Outbox::Impl {
 public:
  Impl(Options options, OutboxFile file, OutboxStore store, const Clock& clock)
      : options_(std::move(options)), clock_(clock), file_(std::move(file)), store_(std::move(store)) {
    last_number_ = retained_at_ = store_->last_number();
    removed_up_to_ = store_->first_number() - 1;
    next_retain_ = clock_.Now() + kFirstRetainAfter;
    thread_ = Thread({.name = "outbox"}, [this](const std::stop_token&) { Run(); });
  }
  ~Impl() { Close().Ignore("the owner did not ask"); }

  void AddCourier(std::unique_ptr<Courier> courier, EventTypes types) DE_EXCLUDES(mutex_) {
    auto lane = std::make_unique<CourierLane>(std::move(courier),
                                              CourierLane::Options{std::move(types), options_.backoff, options_.seed},
                                              clock_, [this] { Wake(); });
    {
      MutexLock lock(mutex_);
      for (const auto& other : lanes_) DE_CHECK(other->name() != lane->name());
      lanes_.push_back(std::move(lane));
    }
    Wake();
  }

  // JSON is made in the caller's thread, a lane: computing belongs there, the outbox's own thread only writes.
  void Publish(const Event& event) DE_EXCLUDES(mutex_) {
    UnstoredEvent unstored = ToStore(event);
    const auto bytes = static_cast<int64_t>(unstored.bytes());
    {
      MutexLock lock(mutex_);
      ++counts_.accepted;
      const int64_t queued = counts_.accepted - counts_.delivered - counts_.lost;
      const bool is_full = queued > static_cast<int64_t>(options_.queue_capacity) ||
                           queued_bytes_ + bytes > options_.queue_bytes || bytes > kLongestEvent;
      if (closing_ || is_full) {
        ++counts_.lost;
        ++refused_;
        return;
      }
      queued_bytes_ += bytes;
      queue_.push_back(std::move(unstored));
      if (!sleeping_) return;
    }
    changed_.NotifyOne();
  }

  Status Close() DE_EXCLUDES(mutex_) {
    std::vector<CourierLane*> lanes;
    Time lanes_until;
    {
      MutexLock lock(mutex_);
      if (closing_) return {};
      closing_ = true;
      close_by_ = clock_.Now() + kCloseTime;
      lanes_until = clock_.Now() + kLanesCloseTime;
      for (const auto& lane : lanes_) lanes.push_back(lane.get());
    }
    for (CourierLane* lane : lanes) lane->BeginClose();
    Wake();
    {
      MutexLock lock(mutex_);
      while (!quiet_ && clock_.Now() < lanes_until) became_quiet_.WaitUntil(mutex_, lanes_until);
    }
    for (CourierLane* lane : lanes) lane->Stop();
    {
      MutexLock lock(mutex_);
      finish_ = true;
    }
    Wake();
    thread_.Join();
    MutexLock lock(mutex_);
    if (undelivered_ == 0) return {};
    return Error{last_error_.code,
                 fmt::format("outbox: {} events could not be kept: {}", undelivered_, last_error_.message)};
  }

  SinkCounts counts() const DE_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return counts_;
  }

  std::vector<CourierCounts> couriers() const DE_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    std::vector<CourierCounts> all;
    all.reserve(lanes_.size());
    for (const auto& lane : lanes_) all.push_back(lane->counts());
    return all;
  }

 private:
  // A lane as the outbox's thread sees it.
  struct Feed {
    CourierLane* lane;
    int64_t position = 0;  // all up to this number has been given to it, or is of no interest to it
    int64_t saved = -1;    // the cursor in the file
    int64_t before = 0;    // position before it was given what it has in hand

    // The number up to which all that is of interest to it has arrived.
    int64_t cursor() const { return lane->IsHungry() ? position : std::max(lane->arrived(), before); }
  };

  void Wake() DE_EXCLUDES(mutex_) {
    {
      MutexLock lock(mutex_);
      woken_ = true;
    }
    changed_.NotifyOne();
  }

  // The thread.
  void Run() DE_EXCLUDES(mutex_) {
    BlockWriteSignals();
    while (true) {
      const bool finish = WaitForWork();
      const int64_t failures_before = failures_;
      const bool is_due = clock_.Now() >= retry_at_;
      // Nothing is written before all couriers are known, or a new one would miss what came after it.
      const bool all_known = (is_due || finish) && RegisterAdded();
      Take();
      if (all_known || finish) WriteTaken();
      FeedLanes();
      if (is_due && !finish) Retain();
      if (is_due && failures_ == failures_before) SayRecovered();
      SayRefused();
      if (finish && IsDone()) break;
      LookWhetherQuiet();
    }
    CountLostInHand();
    store_.reset();
  }

  // True: the owner waits for the end.
  bool WaitForWork() DE_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    const bool failing = is_failing_;
    const Time due = failing ? retry_at_ : next_retain_;
    sleeping_ = true;
    while (!woken_ && !finish_ && (queue_.empty() || failing) && clock_.Now() < due) {
      changed_.WaitUntil(mutex_, due);
    }
    sleeping_ = false;
    // Under load what comes in a few milliseconds is written together; a single event is written at once.
    const Time gather_until = last_work_ + kGather;
    while (!closing_ && clock_.Now() < gather_until) changed_.WaitUntil(mutex_, gather_until);
    last_work_ = clock_.Now();
    woken_ = false;
    return finish_;
  }

  void Take() DE_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    if (taken_.empty()) std::swap(taken_, queue_);
  }

  // In the order in which they were added, up to the first that fails. True: there is no other.
  bool RegisterAdded() DE_EXCLUDES(mutex_) {
    std::vector<CourierLane*> added;
    {
      MutexLock lock(mutex_);
      auto next = lanes_.begin();
      std::advance(next, feeds_.size());
      for (; next != lanes_.end(); ++next) added.push_back(next->get());
    }
    for (CourierLane* lane : added) {
      const Status status = Register(*lane);
      if (status.ok()) continue;
      Failed(status.error());
      return false;
    }
    return true;
  }

  // Only a lane whose cursor was read becomes a feed: a guess would be written over the cursor that is in the file.
  Status Register(CourierLane& lane) DE_EXCLUDES(mutex_) {
    if (!store_) DE_TRY_STATUS(Reopen());
    Feed feed{.lane = &lane, .position = last_number_};
    DE_TRY(const std::optional<int64_t> cursor, store_->CursorOf(lane.name()));
    if (cursor) feed.position = feed.saved = *cursor;
    feed.before = feed.position;
    if (feed.position < last_number_) {
      DE_TRY(const int64_t waiting, store_->CountAfter(feed.position, lane.types()));
      lane.AddWaiting(waiting);
    }
    feeds_.push_back(feed);
    return {};
  }

  // Writes what was taken from the queue and the cursors, some events at a time.
  void WriteTaken() DE_EXCLUDES(mutex_) {
    while (!taken_.empty() || HasCursorsToSave()) {
      const size_t count = std::min(taken_.size(), kEventsAWrite);
      const Status status = WriteSome(std::span(taken_).first(count));
      if (!status.ok()) {
        Failed(status.error());
        return;
      }
    }
  }

  Status WriteSome(std::span<const UnstoredEvent> events) DE_EXCLUDES(mutex_) {
    if (!store_) DE_TRY_STATUS(Reopen());
    std::vector<CourierCursor> cursors;
    for (const Feed& feed : feeds_) {
      if (feed.cursor() != feed.saved) cursors.push_back({feed.lane->name(), feed.cursor()});
    }
    DE_TRY_STATUS(store_->Write(events, cursors));
    for (const CourierCursor& cursor : cursors) {
      for (Feed& feed : feeds_) {
        if (feed.lane->name() == cursor.courier) feed.saved = cursor.number;
      }
    }
    int64_t bytes = 0;
    for (const UnstoredEvent& event : events) bytes += static_cast<int64_t>(event.bytes());
    for (const Feed& feed : feeds_) {
      feed.lane->AddWaiting(std::ranges::count_if(
          events, [&](const UnstoredEvent& event) { return Wants(feed.lane->types(), event.type); }));
    }
    last_number_ = store_->last_number();
    {
      MutexLock lock(mutex_);
      counts_.delivered += static_cast<int64_t>(events.size());
      queued_bytes_ -= bytes;
    }
    taken_.erase(taken_.begin(), taken_.begin() + static_cast<std::ptrdiff_t>(events.size()));
    return {};
  }

  // A cursor that only passed over events of no interest can wait for the next write.
  bool HasCursorsToSave() const {
    return std::ranges::any_of(feeds_,
                               [](const Feed& feed) { return feed.saved < 0 || feed.lane->arrived() > feed.saved; });
  }

  void FeedLanes() DE_EXCLUDES(mutex_) {
    for (Feed& feed : feeds_) {
      if (!store_ || feed.position >= last_number_ || !feed.lane->IsHungry()) continue;
      Result<OutboxStore::Page> page = store_->ReadAfter(feed.position, feed.lane->types(), kBatchEvents, kBatchBytes);
      if (!page.ok()) {
        Failed(page.error());
        continue;  // tried again with the next write or at the next look
      }
      if (page.value().looked_up_to == feed.position) {
        feed.position = last_number_;  // nothing left: the rest has been removed
        continue;
      }
      if (page.value().events.empty()) {
        feed.position = page.value().looked_up_to;
        Wake();  // the next some thousand rows
      } else {
        feed.before = feed.position;
        feed.position = page.value().looked_up_to;
        feed.lane->Give(std::move(page.value().events));
      }
    }
  }

  void Retain() DE_EXCLUDES(mutex_) {
    if (clock_.Now() < next_retain_ && last_number_ - retained_at_ < kRowsARemoval) return;
    next_retain_ = clock_.Now() + kRetainEvery;
    retained_at_ = last_number_;
    if (!store_) return;
    Result<bool> more = RemoveSome();
    if (!more.ok()) return Failed(more.error());
    if (!more.value()) return;
    next_retain_ = clock_.Now();  // the rest after what waits meanwhile
    Wake();
  }

  // One portion of what is too old or too much. True: there is more.
  Result<bool> RemoveSome() DE_EXCLUDES(mutex_) {
    std::vector<OutboxStore::Row> rows;
    if (options_.max_age.count() > 0) {
      const int64_t now = clock_.EpochMicros(clock_.Now());
      DE_TRY(rows, store_->RowsTooOld(now, options_.max_age, kRowsARemoval));
    }
    if (rows.empty() && options_.max_bytes > 0) {
      DE_TRY(const int64_t used, store_->UsedBytes());
      if (used > options_.max_bytes) {
        DE_TRY(rows, store_->OldestRows(RowsToRemove(used, options_.max_bytes, last_number_ - removed_up_to_)));
      }
    }
    if (rows.empty()) return false;
    DE_TRY_STATUS(store_->Remove(rows));
    CountLost(rows);
    DE_TRY_STATUS(store_->GiveBackSpace());
    return true;
  }

  void CountLost(const std::vector<OutboxStore::Row>& rows) DE_EXCLUDES(mutex_) {
    removed_up_to_ = std::max(removed_up_to_, std::ranges::max(rows, {}, &OutboxStore::Row::number).number);
    for (const Feed& feed : feeds_) {
      feed.lane->RemovedUpTo(removed_up_to_);
      const int64_t lost = std::ranges::count_if(rows, [&](const OutboxStore::Row& row) {
        return row.number > feed.position && Wants(feed.lane->types(), row.type);
      });
      if (lost == 0) continue;
      feed.lane->AddLost(lost);
      unsaid_lost_ += lost;
    }
    if (unsaid_lost_ == 0 || !lost_limit_.Allow(clock_.Now())) return;
    LogWarning("events: outbox {}: {} events removed before they were delivered: older or more than it may keep",
               file_.path().string(), unsaid_lost_);
    unsaid_lost_ = 0;
  }

  // At the end: what lanes have in hand comes again in the next run, except what is no longer in the file.
  void CountLostInHand() {
    for (const Feed& feed : feeds_) {
      const int64_t lost = feed.lane->InHand(removed_up_to_);
      if (lost > 0) feed.lane->AddLost(lost);
    }
  }

  // Says what failed; a damaged file is closed, to be put aside before the next write.
  void Failed(const Error& error) DE_EXCLUDES(mutex_) {
    bool closing = false;
    {
      MutexLock lock(mutex_);
      last_error_ = error;
      closing = closing_;
    }
    if (!is_failing_ || failure_limit_.Allow(clock_.Now())) {
      LogWarning("events: outbox {}; events wait{}", error.message, closing ? "" : ", next attempt in a second");
    }
    is_failing_ = true;
    ++failures_;
    retry_at_ = clock_.Now() + kRetryEvery;
    if (error.code == ErrorCode::kBadInput && store_) {
      store_.reset();
      is_damaged_ = true;
    }
  }

  void SayRecovered() {
    if (std::exchange(is_failing_, false)) LogInfo("events: outbox {}: written again", file_.path().string());
  }

  Status Reopen() DE_EXCLUDES(mutex_) {
    const int64_t now = clock_.EpochMicros(clock_.Now());
    if (is_damaged_) {
      DE_TRY_STATUS(file_.PutAside(now));
      is_damaged_ = false;
      // What the couriers had not read is gone with the file.
      for (Feed& feed : feeds_) {
        const int64_t lost = feed.lane->LoseAllButInHand();
        if (lost > 0) {
          LogError("events: {}: {} undelivered events are lost with the damaged outbox", feed.lane->name(), lost);
        }
        feed.position = last_number_;
        feed.saved = -1;
      }
      removed_up_to_ = last_number_;
    }
    DE_TRY(OutboxStore store, file_.Open(options_.sync_each_write, now));
    store_.emplace(std::move(store));
    store_->SkipNumbersUpTo(last_number_);
    return {};
  }

  void SayRefused() DE_EXCLUDES(mutex_) {
    int64_t refused = 0;
    {
      MutexLock lock(mutex_);
      refused = refused_;
    }
    if (refused == said_refused_ || !refused_limit_.Allow(clock_.Now())) return;
    LogWarning("events: outbox {}: queue full, {} events lost", file_.path().string(), refused - said_refused_);
    said_refused_ = refused;
  }

  // While closing: nothing is queued and no courier gets on any more.
  void LookWhetherQuiet() DE_EXCLUDES(mutex_) {
    const bool idle = std::ranges::all_of(feeds_, [](const Feed& feed) { return feed.lane->IsIdle(); });
    MutexLock lock(mutex_);
    const bool fed = std::ranges::all_of(
        feeds_, [&](const Feed& feed) { return feed.position >= last_number_ || !feed.lane->IsHungry(); });
    if (!closing_ || !taken_.empty() || !queue_.empty() || !idle || !fed) return;
    quiet_ = true;
    became_quiet_.NotifyAll();
  }

  // After the lanes have stopped: all is written, or the time is up and the rest is lost.
  bool IsDone() DE_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    const auto left = static_cast<int64_t>(taken_.size() + queue_.size());
    if (left > 0 && clock_.Now() < close_by_) {
      woken_ = false;
      changed_.WaitUntil(mutex_, std::min(close_by_, clock_.Now() + std::chrono::milliseconds(50)));
      return false;
    }
    counts_.lost += left;
    undelivered_ += left;
    return true;
  }

  const Options options_;
  const Clock& clock_;

  mutable Mutex mutex_;
  CondVar changed_;
  CondVar became_quiet_;
  std::vector<UnstoredEvent> queue_ DE_GUARDED_BY(mutex_);
  int64_t queued_bytes_ DE_GUARDED_BY(mutex_) = 0;
  std::list<std::unique_ptr<CourierLane>> lanes_ DE_GUARDED_BY(mutex_);  // only ever grows
  bool sleeping_ DE_GUARDED_BY(mutex_) = false;
  bool woken_ DE_GUARDED_BY(mutex_) = false;
  bool closing_ DE_GUARDED_BY(mutex_) = false;
  bool quiet_ DE_GUARDED_BY(mutex_) = false;
  bool finish_ DE_GUARDED_BY(mutex_) = false;
  Time close_by_ DE_GUARDED_BY(mutex_);
  SinkCounts counts_ DE_GUARDED_BY(mutex_);
  int64_t refused_ DE_GUARDED_BY(mutex_) = 0;      // part of counts_.lost
  int64_t undelivered_ DE_GUARDED_BY(mutex_) = 0;  // part of counts_.lost: queued, but never written
  Error last_error_ DE_GUARDED_BY(mutex_);

  // Of the thread alone.
  OutboxFile file_;
  std::optional<OutboxStore> store_;  // not set: damaged, or could not be opened again
  bool is_damaged_ = false;
  std::vector<UnstoredEvent> taken_;  // from the queue, not written yet
  std::vector<Feed> feeds_;
  int64_t last_number_ = 0;
  int64_t removed_up_to_ = 0;
  int64_t retained_at_ = 0;  // last_number_ then
  Time next_retain_;
  Time retry_at_;
  Time last_work_;
  bool is_failing_ = false;
  int64_t failures_ = 0;
  LogLimiter failure_limit_, refused_limit_, lost_limit_;
  int64_t said_refused_ = 0;
  int64_t unsaid_lost_ = 0;

  Thread thread_;  // last: joined before what it uses goes away
};

Result<std::unique_ptr<Outbox>> Outbox::Create(Options options, const Clock& clock) {
  DE_TRY(OutboxFile file, OutboxFile::Claim(options.file));
  DE_TRY(OutboxStore store, file.Open(options.sync_each_write, clock.EpochMicros(clock.Now())));
  return std::unique_ptr<Outbox>(
      new Outbox(std::make_unique<Impl>(std::move(options), std::move(file), std::move(store), clock)));
}

Outbox::Outbox(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Outbox::~Outbox() = default;
void Outbox::AddCourier(std::unique_ptr<Courier> courier, EventTypes types) {
  impl_->AddCourier(std::move(courier), std::move(types));
}
void Outbox::Publish(Event event) { impl_->Publish(event); }
Status Outbox::Close() { return impl_->Close(); }
SinkCounts Outbox::counts() const { return impl_->counts(); }
std::vector<CourierCounts> Outbox::couriers() const { return impl_->couriers(); }

}  // namespace deepedge
