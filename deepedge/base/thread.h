// Thread: a named std::jthread with a CPU binding, and what the kernel tells about threads of this process.
//
// A Thread has one owner, which joins it by destroying it (a stop is requested first).
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "deepedge/base/clock.h"
#include "deepedge/base/result.h"

namespace deepedge {

// How a thread stands to others when there are not enough CPUs.
enum class ThreadPriority {
  kNormal,
  kBackground,  // behind normal ones, but it gets on: nice 10
  kIdle,        // what nobody else wants: SCHED_IDLE, or nice 19 where that is not allowed
};

class Thread {
 public:
  struct Options {
    std::string name;        // at most 15 characters are kept by the kernel
    std::optional<int> cpu;  // bind to this CPU; not set: anywhere the process may run
    ThreadPriority priority = ThreadPriority::kNormal;
  };

  Thread() = default;
  Thread(Options options, std::function<void(std::stop_token)> loop);

  void Join() {
    if (thread_.joinable()) thread_.join();
  }
  bool joinable() const { return thread_.joinable(); }

 private:
  std::jthread thread_;
};

// The CPUs that the main thread, and so the process, may run on, in ascending order; the same from every thread. Never
// empty.
std::vector<int> AllowedCpus();

// The CPUs that the calling thread may run on.
std::vector<int> CallingThreadCpus();

// One thread of this process as procfs shows it.
struct ThreadInfo {
  int tid = 0;
  std::string name;
  char state = '?';           // R running or runnable, S sleeping, ...
  Duration cpu{0};            // user + system time used so far, in scheduler ticks (10 ms)
  std::vector<int> affinity;  // CPUs it may run on
};
std::vector<ThreadInfo> ListThreads();

// For programs that run for months: the allocator keeps few pools however many threads there are. Call once, before
// threads start.
void PreferSmallHeap();
// Gives memory that was freed, such as that of loading models, back to the system. Takes some milliseconds.
void ReleaseFreeMemory();

// Resident memory of this process now and its peak, in bytes; 0 where procfs does not tell.
struct MemoryUse {
  int64_t resident = 0;
  int64_t peak_resident = 0;
};
MemoryUse ReadMemoryUse();

}  // namespace deepedge
