#include "deepedge/events/outbox/courier_lane.h"

#include <algorithm>

namespace deepedge {

CourierLane::CourierLane(std::unique_ptr<Courier> courier, Options options, const Clock& clock,
                         std::function<void()> wake)
    : courier_(std::move(courier)),
      name_(courier_->name()),
      options_(std::move(options)),
      clock_(clock),
      wake_(std::move(wake)),
      random_(static_cast<std::minstd_rand::result_type>(options_.seed + std::hash<std::string>()(name_))) {
  counts_.name = name_;
  thread_ = Thread({.name = name_}, [this](const std::stop_token&) { Run(); });
}

bool CourierLane::IsHungry() const {
  MutexLock lock(mutex_);
  return state_ == State::kHungry && in_hand_.empty() && !stopping_;
}

void CourierLane::Give(std::vector<StoredEvent> events) {
  {
    MutexLock lock(mutex_);
    for (const StoredEvent& event : events) in_hand_.push_back(event.number);
    inbox_ = std::move(events);
  }
  changed_.NotifyAll();
}

int64_t CourierLane::arrived() const {
  MutexLock lock(mutex_);
  return arrived_;
}

void CourierLane::AddWaiting(int64_t events) {
  MutexLock lock(mutex_);
  counts_.waiting += events;
}

void CourierLane::AddLost(int64_t events) {
  MutexLock lock(mutex_);
  counts_.lost += events;
  counts_.waiting -= events;
}

int64_t CourierLane::LoseAllButInHand() {
  MutexLock lock(mutex_);
  const int64_t lost = std::max(int64_t{0}, counts_.waiting - static_cast<int64_t>(in_hand_.size()));
  counts_.lost += lost;
  counts_.waiting -= lost;
  return lost;
}

void CourierLane::RemovedUpTo(int64_t number) {
  MutexLock lock(mutex_);
  removed_up_to_ = number;
}

int64_t CourierLane::InHand(int64_t up_to) const {
  MutexLock lock(mutex_);
  return std::ranges::count_if(in_hand_, [&](int64_t number) { return number <= up_to; });
}

CourierCounts CourierLane::counts() const {
  MutexLock lock(mutex_);
  return counts_;
}

void CourierLane::BeginClose() {
  {
    MutexLock lock(mutex_);
    closing_ = true;
  }
  changed_.NotifyAll();
}

bool CourierLane::IsIdle() const {
  MutexLock lock(mutex_);
  return state_ == State::kEnded || (state_ == State::kHungry && in_hand_.empty());
}

void CourierLane::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  stop_.request_stop();
  changed_.NotifyAll();
  thread_.Join();
}

void CourierLane::Run() {
  while (WaitForEvents()) {
    if (Book(courier_->Deliver(batch_, stop_.get_token()))) continue;
    if (!Rest()) break;
    DropRemoved();
  }
  Enter(State::kEnded);
}

bool CourierLane::WaitForEvents() {
  if (batch_.empty()) Enter(State::kHungry);
  MutexLock lock(mutex_);
  while (batch_.empty() && inbox_.empty() && !stopping_) changed_.Wait(mutex_);
  if (batch_.empty()) std::swap(batch_, inbox_);
  state_ = State::kDelivering;
  return !stopping_;
}

bool CourierLane::Book(const Result<Delivery>& result) {
  if (!result.ok()) {
    MutexLock lock(mutex_);
    counts_.last_error = result.error().message;
    return false;
  }
  size_t arrived = 0;
  size_t refused = 0;
  {
    MutexLock lock(mutex_);
    arrived = std::min(result.value().arrived, batch_.size());
    refused = std::min(result.value().refused, arrived);
    if (arrived > 0) arrived_ = batch_[arrived - 1].number;
    in_hand_.erase(in_hand_.begin(), in_hand_.begin() + static_cast<std::ptrdiff_t>(arrived));
    counts_.delivered += static_cast<int64_t>(arrived - refused);
    counts_.refused += static_cast<int64_t>(refused);
    counts_.waiting -= static_cast<int64_t>(arrived);
    counts_.last_error = arrived > 0 ? "" : "nothing arrived";
  }
  batch_.erase(batch_.begin(), batch_.begin() + static_cast<std::ptrdiff_t>(arrived));
  unsaid_refused_ += static_cast<int64_t>(refused);
  if (unsaid_refused_ > 0 && refused_limit_.Allow(clock_.Now())) {
    LogWarning("events: {}: {} events refused by the other side for good; they are lost", name_, unsaid_refused_);
    unsaid_refused_ = 0;
  }
  if (arrived == 0) return false;
  SaySuccess();
  wake_();  // the cursor is to be saved
  return true;
}

void CourierLane::SaySuccess() {
  if (std::exchange(said_failure_, false))
    LogInfo("events: {}: delivers again, {} events wait", name_, counts().waiting);
  failures_ = 0;
}

bool CourierLane::Rest() {
  ++failures_;
  const double chance = std::uniform_real_distribution<>(0, 1)(random_);
  const Duration pause = BackoffDelay(options_.backoff, failures_, chance);
  CourierCounts now;
  {
    MutexLock lock(mutex_);
    if (stopping_) return false;
    now = counts_;
  }
  constexpr double kMicrosPerSecond = 1e6;
  if (failure_limit_.Allow(clock_.Now())) {
    LogWarning("events: {}: {}; {} events wait in the outbox, next attempt in {:.1f} s", name_, now.last_error,
               now.waiting, static_cast<double>(pause.count()) / kMicrosPerSecond);
    said_failure_ = true;
  }
  Enter(State::kResting);
  const Time until = clock_.Now() + pause;
  MutexLock lock(mutex_);
  while (!closing_ && !stopping_ && clock_.Now() < until) changed_.WaitUntil(mutex_, until);
  return !closing_ && !stopping_;
}

void CourierLane::DropRemoved() {
  {
    MutexLock lock(mutex_);
    const auto is_removed = [this](int64_t number) DE_REQUIRES(mutex_) { return number <= removed_up_to_; };
    const auto end = std::ranges::find_if_not(in_hand_, is_removed);
    const auto dropped = end - in_hand_.begin();
    in_hand_.erase(in_hand_.begin(), end);
    batch_.erase(batch_.begin(), batch_.begin() + dropped);
    counts_.lost += dropped;
    counts_.waiting -= dropped;
    unsaid_dropped_ += dropped;
  }
  if (unsaid_dropped_ == 0 || !dropped_limit_.Allow(clock_.Now())) return;
  LogWarning("events: {}: {} events given up: older or more than the outbox may keep", name_, unsaid_dropped_);
  unsaid_dropped_ = 0;
}

void CourierLane::Enter(State state) {
  {
    MutexLock lock(mutex_);
    state_ = state;
  }
  wake_();
}

}  // namespace deepedge
