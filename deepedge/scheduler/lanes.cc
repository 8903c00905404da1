#include "deepedge/scheduler/lanes.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "deepedge/base/check.h"

namespace deepedge {

Lanes::Lanes(Options options, const Clock& clock) : options_(std::move(options)), clock_(clock) {
  DE_CHECK(!options_.cpus.empty());
  MutexLock lock(mutex_);
  running_since_.assign(count(), kTimeNever);
  for (const int cpu : options_.cpus) use_.push_back({.cpu = cpu});
}

Lanes::~Lanes() { Stop(); }

ResourceId Lanes::AddResource(int slots) {
  DE_CHECK(threads_.empty() && slots > 0);
  MutexLock lock(mutex_);
  std::vector<int> free;
  for (int slot = slots - 1; slot >= 0; --slot) free.push_back(slot);  // taken from the back: slot 0 first
  free_slots_.push_back(std::move(free));
  return {static_cast<uint32_t>(free_slots_.size() - 1)};
}

void Lanes::Start() {
  DE_CHECK(threads_.empty());
  threads_.reserve(count());
  for (uint32_t i = 0; i < count(); ++i) {
    threads_.emplace_back(Thread::Options{.name = fmt::format("lane-{}", i), .cpu = options_.cpus[i]},
                          [this, i](std::stop_token) { RunLane({i}); });
  }
}

void Lanes::Submit(Job& job, const JobTerms& terms) {
  MutexLock lock(mutex_);
  if (stopping_) return;
  ready_.push_back({.kind = terms.kind, .deadline = terms.deadline, .ready_at = clock_.Now()});
  waiting_.push_back({.job = &job, .resource = terms.resource});
  // A job whose resource is taken is picked up by the lane that frees it: nobody is woken for nothing.
  if (sleeping_ > 0 && IsEligible(waiting_.back())) work_.NotifyOne();
}

bool Lanes::IsEligible(const Waiting& waiting) const {
  return !waiting.resource.valid() || !free_slots_[waiting.resource.value].empty();
}

std::optional<Lanes::Picked> Lanes::TryPick(LaneId lane) {
  eligible_.clear();
  eligible_index_.clear();
  for (size_t i = 0; i < ready_.size(); ++i) {
    if (!IsEligible(waiting_[i])) continue;
    eligible_.push_back(ready_[i]);
    eligible_index_.push_back(i);
  }
  if (eligible_.empty()) return std::nullopt;
  const size_t choice = options_.policy({.ready = eligible_, .decode_over_share = decode_share_.IsOver()});
  DE_CHECK(choice < eligible_.size());
  const size_t index = eligible_index_[choice];

  Picked picked{.job = waiting_[index].job,
                .kind = ready_[index].kind,
                .resource = waiting_[index].resource,
                .context = {.lane = lane}};
  if (picked.resource.valid()) {
    // The slot that the lane had before, if it is free: what a slot works on is still in its core's cache.
    auto& free = free_slots_[picked.resource.value];
    const auto own = std::find(free.begin(), free.end(), static_cast<int>(lane.value));
    const auto slot = own != free.end() ? own : std::prev(free.end());
    picked.context.slot = *slot;
    free.erase(slot);
  }
  ready_[index] = ready_.back();
  ready_.pop_back();
  waiting_[index] = waiting_.back();
  waiting_.pop_back();
  // More to do and somebody asleep: pass the wake-up on. Only one job at a time was announced.
  if (eligible_.size() > 1 && sleeping_ > 0) work_.NotifyOne();
  return picked;
}

void Lanes::RunLane(LaneId lane) {
  const size_t index = lane.value;
  mutex_.Lock();
  while (true) {
    if (stopping_) break;
    const std::optional<Picked> picked = TryPick(lane);
    if (!picked) {
      ++sleeping_;
      work_.Wait(mutex_);
      --sleeping_;
      ++use_[index].wakeups;
      continue;
    }
    const Time start = clock_.Now();
    running_since_[index] = start;
    mutex_.Unlock();
    picked->job->Run(picked->context);
    mutex_.Lock();
    const Duration ran = clock_.Now() - start;
    use_[index].busy += ran;
    decode_share_.Add(picked->kind, ran);
    ++use_[index].jobs;
    running_since_[index] = kTimeNever;
    if (picked->resource.valid()) free_slots_[picked->resource.value].push_back(picked->context.slot);
  }
  mutex_.Unlock();
}

void Lanes::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    ready_.clear();
    waiting_.clear();
    work_.NotifyAll();
  }
  for (Thread& thread : threads_) thread.Join();
}

std::vector<Lanes::LaneUse> Lanes::Use() const {
  MutexLock lock(mutex_);
  std::vector<LaneUse> use = use_;
  const Time now = clock_.Now();
  for (size_t i = 0; i < use.size(); ++i) {
    if (running_since_[i] != kTimeNever) use[i].busy += now - running_since_[i];
  }
  return use;
}

}  // namespace deepedge
