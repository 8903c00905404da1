// CourierLane: a courier's own thread in the outbox, and what passes between it and the outbox's thread: a batch of
// events one way, the number up to which they have arrived the other.
//
//   hungry ──Give──► delivering ──all arrived──► hungry
//                      │      ▲
//                   failed    │ pause over
//                      ▼      │
//                     resting ─┘          any state ──Stop (resting: BeginClose)──► ended
//
// A batch stays here until it has arrived: the file is read once. What retention removes meanwhile may still arrive
// with the attempt that is under way; when that fails it is lost, so that an event which never arrives does not hold up
// the others for ever. Threads: Stop and the destructor by the outbox's owner, the rest by any.
#pragma once

#include <functional>
#include <random>

#include "deepedge/base/log.h"
#include "deepedge/base/mutex.h"
#include "deepedge/base/thread.h"
#include "deepedge/events/outbox/outbox.h"

namespace deepedge {

class CourierLane {
 public:
  struct Options {
    EventTypes types;
    BackoffRule backoff;
    uint64_t seed = 1;
  };
  // `wake` is called, without a lock, whenever this lane has become hungry, idle, or has something to save.
  CourierLane(std::unique_ptr<Courier> courier, Options options, const Clock& clock, std::function<void()> wake);
  ~CourierLane() { Stop(); }

  const std::string& name() const { return name_; }
  const EventTypes& types() const { return options_.types; }

  bool IsHungry() const DE_EXCLUDES(mutex_);
  // Only when hungry.
  void Give(std::vector<StoredEvent> events) DE_EXCLUDES(mutex_);
  // The number of the last event that has arrived; 0: none yet in this run.
  int64_t arrived() const DE_EXCLUDES(mutex_);

  // For the counts: events have been stored for it, or are gone from the file before it was given them.
  void AddWaiting(int64_t events) DE_EXCLUDES(mutex_);
  void AddLost(int64_t events) DE_EXCLUDES(mutex_);
  // The file is gone, and with it all that waits but is not in hand. Returns how many. One step: a delivery that
  // arrives between counting the one and the other would be booked as lost.
  int64_t LoseAllButInHand() DE_EXCLUDES(mutex_);
  // Retention has removed all up to this number from the file.
  void RemovedUpTo(int64_t number) DE_EXCLUDES(mutex_);
  // How many it has in hand, at most `up_to` by number.
  int64_t InHand(int64_t up_to) const DE_EXCLUDES(mutex_);
  CourierCounts counts() const DE_EXCLUDES(mutex_);

  // From now on it ends rather than rests.
  void BeginClose() DE_EXCLUDES(mutex_);
  // Nothing is under way: hungry, or ended.
  bool IsIdle() const DE_EXCLUDES(mutex_);
  // Interrupts a delivery and joins the thread.
  void Stop() DE_EXCLUDES(mutex_);

 private:
  enum class State { kHungry, kDelivering, kResting, kEnded };

  void Run();
  // Waits for events; false: stop.
  bool WaitForEvents() DE_EXCLUDES(mutex_);
  // Books what became of the batch; false: it failed.
  bool Book(const Result<Delivery>& result) DE_EXCLUDES(mutex_);
  void SaySuccess() DE_EXCLUDES(mutex_);
  // False: stop.
  bool Rest() DE_EXCLUDES(mutex_);
  // Drops from the batch, which has failed, what is no longer in the file.
  void DropRemoved() DE_EXCLUDES(mutex_);
  void Enter(State state) DE_EXCLUDES(mutex_);

  const std::unique_ptr<Courier> courier_;
  const std::string name_;
  const Options options_;
  const Clock& clock_;
  const std::function<void()> wake_;
  std::stop_source stop_;

  mutable Mutex mutex_;
  CondVar changed_;
  State state_ DE_GUARDED_BY(mutex_) = State::kHungry;
  bool closing_ DE_GUARDED_BY(mutex_) = false;
  bool stopping_ DE_GUARDED_BY(mutex_) = false;
  std::vector<StoredEvent> inbox_ DE_GUARDED_BY(mutex_);  // given, not taken yet
  std::vector<int64_t> in_hand_ DE_GUARDED_BY(mutex_);    // numbers of what has been given and has not arrived
  int64_t arrived_ DE_GUARDED_BY(mutex_) = 0;
  int64_t removed_up_to_ DE_GUARDED_BY(mutex_) = 0;
  CourierCounts counts_ DE_GUARDED_BY(mutex_);

  // Of the thread alone.
  std::vector<StoredEvent> batch_;
  std::minstd_rand random_;
  int failures_ = 0;
  bool said_failure_ = false;
  LogLimiter failure_limit_, refused_limit_, dropped_limit_;
  int64_t unsaid_refused_ = 0;
  int64_t unsaid_dropped_ = 0;

  Thread thread_;  // last
};

}  // namespace deepedge
