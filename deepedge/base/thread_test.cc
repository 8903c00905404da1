#include "deepedge/base/thread.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>

#include <atomic>
#include <latch>

namespace deepedge {
namespace {

TEST(Thread, IsNamedAndBound) {
  const int cpu = AllowedCpus().back();
  std::latch started(1);
  std::latch release(1);
  Thread thread({.name = "de-test", .cpu = cpu}, [&](std::stop_token) {
    started.count_down();
    release.wait();
  });
  started.wait();
  bool found = false;
  for (const ThreadInfo& info : ListThreads()) {
    if (info.name != "de-test") continue;
    found = true;
    EXPECT_EQ(info.affinity, std::vector<int>{cpu});
  }
  EXPECT_TRUE(found);
  release.count_down();
}

TEST(Thread, ABoundThreadStillKnowsWhatTheProcessMayUse) {
  std::vector<int> seen;
  {
    Thread thread({.name = "de-test", .cpu = AllowedCpus().front()}, [&](std::stop_token) { seen = AllowedCpus(); });
  }
  EXPECT_EQ(seen, AllowedCpus());
}

TEST(Thread, OwnerStopsAndJoins) {
  std::atomic<bool> stopped = false;
  {
    Thread thread({.name = "de-test"}, [&](std::stop_token stop) {
      std::latch wait(1);
      std::stop_callback wake(stop, [&] { wait.count_down(); });
      wait.wait();
      stopped = true;
    });
  }
  EXPECT_TRUE(stopped);
}

TEST(Thread, StepsBackAsFarAsItIsTold) {
  int background = 0;
  int policy = -1;
  int nice_of_idle = 0;
  {
    Thread thread({.name = "de-test", .priority = ThreadPriority::kBackground},
                  [&](std::stop_token) { background = getpriority(PRIO_PROCESS, 0); });
  }
  {
    Thread thread({.name = "de-test", .priority = ThreadPriority::kIdle}, [&](std::stop_token) {
      policy = sched_getscheduler(0);
      nice_of_idle = getpriority(PRIO_PROCESS, 0);
    });
  }
  EXPECT_GE(background, 10);
  EXPECT_TRUE(policy == SCHED_IDLE || nice_of_idle == 19) << policy << " " << nice_of_idle;
}

TEST(MemoryUse, IsRead) { EXPECT_GT(ReadMemoryUse().resident, 0); }

}  // namespace
}  // namespace deepedge
