// Mutex, MutexLock and CondVar: the standard ones with Clang's thread-safety annotations, so that a field read without
// its lock is a compile error under Clang.
//
//   Mutex mutex_;
//   int waiting_ DE_GUARDED_BY(mutex_) = 0;
//   void Wake() { MutexLock lock(mutex_); ++waiting_; changed_.NotifyOne(); }
//
// CondVar::WaitUntil takes a time of the real clock only: machinery that sleeps is machinery, never a decision.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "deepedge/base/clock.h"

#if defined(__clang__)
#define DE_ATTRIBUTE(x) __attribute__((x))
#else
#define DE_ATTRIBUTE(x)
#endif
#define DE_GUARDED_BY(m) DE_ATTRIBUTE(guarded_by(m))
#define DE_REQUIRES(...) DE_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define DE_EXCLUDES(...) DE_ATTRIBUTE(locks_excluded(__VA_ARGS__))

namespace deepedge {

class DE_ATTRIBUTE(capability("mutex")) Mutex {
 public:
  void Lock() DE_ATTRIBUTE(acquire_capability()) { mutex_.lock(); }
  void Unlock() DE_ATTRIBUTE(release_capability()) { mutex_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

class DE_ATTRIBUTE(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) DE_ATTRIBUTE(acquire_capability(mutex)) : mutex_(mutex) { mutex_.Lock(); }
  ~MutexLock() DE_ATTRIBUTE(release_capability()) { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

class CondVar {
 public:
  void Wait(Mutex& mutex) DE_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    cv_.wait(lock);
    lock.release();
  }
  // Returns false when `until` was reached without a notification.
  bool WaitUntil(Mutex& mutex, Time until) DE_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    const auto status = cv_.wait_until(lock, std::chrono::steady_clock::time_point(Duration(until.us)));
    lock.release();
    return status == std::cv_status::no_timeout;
  }
  void NotifyOne() { cv_.notify_one(); }
  void NotifyAll() { cv_.notify_all(); }

 private:
  std::condition_variable cv_;
};

}  // namespace deepedge
