#include "deepedge/scheduler/lanes.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <latch>
#include <mutex>
#include <semaphore>

namespace deepedge {
namespace {

class FunctionJob final : public Job {
 public:
  explicit FunctionJob(std::function<void(const RunContext&)> run) : run_(std::move(run)) {}
  void Run(const RunContext& context) override { run_(context); }

 private:
  std::function<void(const RunContext&)> run_;
};

// Two lanes on whatever CPUs there are: the tests need two threads, not two cores.
std::vector<int> TwoLanes() { return {AllowedCpus().front(), AllowedCpus().back()}; }

TEST(Lanes, RunsWhatThePolicyPicks) {
  RealClock clock;
  Lanes lanes({.cpus = {AllowedCpus().front()}}, clock);
  std::vector<int> order;
  std::latch done(3);
  FunctionJob late([&](const RunContext&) { order.push_back(3), done.count_down(); });
  FunctionJob early([&](const RunContext&) { order.push_back(1), done.count_down(); });
  FunctionJob middle([&](const RunContext&) { order.push_back(2), done.count_down(); });
  lanes.Submit(late, {.deadline = {300}});
  lanes.Submit(early, {.deadline = {100}});
  lanes.Submit(middle, {.deadline = {200}});
  lanes.Start();
  done.wait();
  lanes.Stop();
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(lanes.Use()[0].jobs, 3);
}

TEST(Lanes, BindsOneThreadToEachCpu) {
  RealClock clock;
  Lanes lanes({.cpus = AllowedCpus()}, clock);
  lanes.Start();
  // A thread names and binds itself first of all, some time after it was started: as many jobs as lanes, each of which
  // waits for the others, show that all have come that far.
  std::latch all_run(static_cast<std::ptrdiff_t>(AllowedCpus().size()));
  std::vector<std::unique_ptr<FunctionJob>> jobs;
  for (size_t i = 0; i < AllowedCpus().size(); ++i) {
    jobs.push_back(std::make_unique<FunctionJob>([&](const RunContext&) { all_run.arrive_and_wait(); }));
    lanes.Submit(*jobs.back(), {.deadline = {0}});
  }
  all_run.wait();
  size_t found = 0;
  for (const ThreadInfo& info : ListThreads()) {
    if (info.name.rfind("lane-", 0) != 0) continue;
    ++found;
    EXPECT_EQ(info.affinity.size(), 1u) << info.name;
  }
  EXPECT_EQ(found, AllowedCpus().size());
  lanes.Stop();
}

TEST(Lanes, NeverRunsMoreJobsOfAResourceThanItHasSlots) {
  RealClock clock;
  Lanes lanes({.cpus = TwoLanes()}, clock);
  const ResourceId model = lanes.AddResource(1);
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  std::latch done(100);
  std::vector<std::unique_ptr<FunctionJob>> jobs;
  for (int i = 0; i < 100; ++i) {
    jobs.push_back(std::make_unique<FunctionJob>([&](const RunContext& context) {
      EXPECT_EQ(context.slot, 0);
      most = std::max(most.load(), ++running);
      std::this_thread::yield();
      --running;
      done.count_down();
    }));
  }
  lanes.Start();
  for (auto& job : jobs) lanes.Submit(*job, {.deadline = {1}, .resource = model});
  done.wait();
  EXPECT_EQ(most, 1);
}

TEST(Lanes, GivesEachRunningJobASlotOfItsOwn) {
  RealClock clock;
  Lanes lanes({.cpus = TwoLanes()}, clock);
  const ResourceId model = lanes.AddResource(2);
  std::latch both_running(2);
  std::array<std::atomic<int>, 2> used{};
  const auto body = [&](const RunContext& context) {
    ++used[static_cast<size_t>(context.slot)];
    both_running.arrive_and_wait();
  };
  FunctionJob a(body);
  FunctionJob b(body);
  lanes.Start();
  lanes.Submit(a, {.deadline = {1}, .resource = model});
  lanes.Submit(b, {.deadline = {1}, .resource = model});
  both_running.wait();
  lanes.Stop();
  EXPECT_EQ(used[0], 1);
  EXPECT_EQ(used[1], 1);
}

TEST(Lanes, AJobWhoseResourceIsTakenDoesNotHoldUpOthers) {
  RealClock clock;
  Lanes lanes({.cpus = TwoLanes()}, clock);
  const ResourceId model = lanes.AddResource(1);
  std::latch holder_runs(1);
  std::latch other_ran(1);
  std::latch blocked_ran(1);
  FunctionJob holder([&](const RunContext&) {
    holder_runs.count_down();
    other_ran.wait();  // ends only when the job behind the blocked one has run
  });
  FunctionJob blocked([&](const RunContext&) { blocked_ran.count_down(); });
  FunctionJob other([&](const RunContext&) { other_ran.count_down(); });
  lanes.Start();
  lanes.Submit(holder, {.deadline = {1}, .resource = model});
  holder_runs.wait();
  lanes.Submit(blocked, {.deadline = {2}, .resource = model});
  lanes.Submit(other, {.deadline = {3}});
  blocked_ran.wait();
  lanes.Stop();
}

TEST(Lanes, AJobMaySubmitItselfAgain) {
  RealClock clock;
  Lanes lanes({.cpus = TwoLanes()}, clock);
  std::atomic<int> runs = 0;
  std::latch done(1);
  FunctionJob* self = nullptr;
  FunctionJob job([&](const RunContext&) {
    if (++runs < 1000) {
      lanes.Submit(*self, {.deadline = {runs}});
    } else {
      done.count_down();
    }
  });
  self = &job;
  lanes.Start();
  lanes.Submit(job, {.deadline = {0}});
  done.wait();
  EXPECT_EQ(runs, 1000);
}

TEST(Lanes, StopFinishesRunningJobsAndDiscardsWaitingOnes) {
  RealClock clock;
  Lanes lanes({.cpus = {AllowedCpus().front()}}, clock);
  std::latch running(1);
  std::atomic<bool> finished = false;
  std::atomic<bool> second_ran = false;
  std::binary_semaphore release(0);
  FunctionJob first([&](const RunContext&) {
    running.count_down();
    release.acquire();
    finished = true;
  });
  FunctionJob second([&](const RunContext&) { second_ran = true; });
  lanes.Start();
  lanes.Submit(first, {.deadline = {1}});
  running.wait();
  lanes.Submit(second, {.deadline = {2}});
  Thread stopper({.name = "stopper"}, [&](std::stop_token) { lanes.Stop(); });
  // The stopper may or may not have begun when the first job ends; the second one was ready first either way, so it may
  // run only if the stop came too late to discard it.
  release.release();
  stopper.Join();
  EXPECT_TRUE(finished);
  lanes.Submit(second, {.deadline = {2}});
  EXPECT_LE(lanes.Use()[0].jobs, 2);
}

TEST(Lanes, SleepingLanesAreNotWokenForNothing) {
  RealClock clock;
  Lanes lanes({.cpus = TwoLanes()}, clock);
  lanes.Start();
  constexpr int kJobs = 50;
  for (int i = 0; i < kJobs; ++i) {
    std::latch ran(1);
    FunctionJob job([&](const RunContext&) { ran.count_down(); });
    lanes.Submit(job, {.deadline = {i}});
    ran.wait();
  }
  lanes.Stop();
  int64_t wakeups = 0;
  for (const auto& use : lanes.Use()) wakeups += use.wakeups;
  // One for each job at most, and one a lane for the stop.
  EXPECT_LE(wakeups, kJobs + 2);
}

}  // namespace
}  // namespace deepedge
