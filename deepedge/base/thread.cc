#include "deepedge/base/thread.h"

#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

namespace deepedge {
namespace {

std::vector<int> ToList(const cpu_set_t& set) {
  std::vector<int> cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(static_cast<size_t>(cpu), &set)) cpus.push_back(cpu);
  }
  return cpus;
}

std::vector<int> AffinityOf(int tid) {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(tid, sizeof(set), &set) != 0) return {};
  return ToList(set);
}

void BindCurrentThread(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<size_t>(cpu), &set);
  // May fail when the cpuset of a container changed since start; the thread then runs unbound, which is correct too.
  pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

// A thread may always step back. Where the kernel refuses all the same, it stays as it is, which is correct too.
void LowerPriority(ThreadPriority priority) {
  constexpr int kBackgroundNice = 10;
  constexpr int kLowestNice = 19;
  switch (priority) {
    case ThreadPriority::kNormal: return;
    case ThreadPriority::kBackground:
      setpriority(PRIO_PROCESS, 0, kBackgroundNice);  // 0: on Linux the calling thread alone
      return;
    case ThreadPriority::kIdle:
      const sched_param none{};
      if (sched_setscheduler(0, SCHED_IDLE, &none) != 0) setpriority(PRIO_PROCESS, 0, kLowestNice);
      return;
  }
}

}  // namespace

Thread::Thread(Options options, std::function<void(std::stop_token)> loop)
    : thread_([options = std::move(options), loop = std::move(loop)](std::stop_token stop) {
        pthread_setname_np(pthread_self(), options.name.substr(0, 15).c_str());
        if (options.cpu) BindCurrentThread(*options.cpu);
        LowerPriority(options.priority);
        loop(std::move(stop));
      }) {}

std::vector<int> AllowedCpus() {
  // The main thread's mask: a lane is bound to one CPU, the process is not.
  std::vector<int> cpus = AffinityOf(getpid());
  if (cpus.empty()) cpus.push_back(0);
  return cpus;
}

std::vector<int> CallingThreadCpus() { return AffinityOf(0); }

std::vector<ThreadInfo> ListThreads() {
  std::vector<ThreadInfo> threads;
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  std::error_code ec;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task", ec)) {
    std::ifstream file(entry.path() / "stat");
    std::string line;
    if (!std::getline(file, line)) continue;  // the thread ended meanwhile
    // "tid (name) state ppid ... utime stime": the name may hold blanks and parentheses, so count from the last ')'.
    const size_t open = line.find('(');
    const size_t close = line.rfind(')');
    if (open == std::string::npos || close == std::string::npos) continue;
    ThreadInfo info;
    info.tid = std::stoi(line.substr(0, open));
    info.name = line.substr(open + 1, close - open - 1);
    std::istringstream rest(line.substr(close + 1));
    rest >> info.state;
    std::string skipped;
    for (int i = 0; i < 10; ++i) rest >> skipped;
    double user = 0;
    double system = 0;
    rest >> user >> system;
    info.cpu = Duration(static_cast<int64_t>((user + system) / ticks * 1e6));
    info.affinity = AffinityOf(info.tid);
    threads.push_back(std::move(info));
  }
  return threads;
}

void PreferSmallHeap() {
  mallopt(M_ARENA_MAX, 2);
  // Engines take and give back scratch memory in every run: trimmed each time, its pages would have to be cleared
  // again.
  // Setting one threshold stops the other from adapting, so both are set.
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
}

void ReleaseFreeMemory() { malloc_trim(0); }

MemoryUse ReadMemoryUse() {
  MemoryUse use;
  std::ifstream file("/proc/self/status");
  std::string key;
  int64_t kilobytes = 0;
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    fields >> key >> kilobytes;
    if (key == "VmRSS:") use.resident = kilobytes * 1024;
    if (key == "VmHWM:") use.peak_resident = kilobytes * 1024;
  }
  return use;
}

}  // namespace deepedge
