#include "deepedge/profiler/interference/overlap.h"

#include <algorithm>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace deepedge {
namespace {

// Boundness that is going on, or its integral over time.
struct Sum {
  double compute = 0;
  double cache = 0;
  double memory = 0;

  void Add(const Boundness& bound, double factor) { Add(Sum{bound.compute, bound.cache, bound.memory}, factor); }
  void Add(const Sum& other, double factor) {
    compute += factor * other.compute;
    cache += factor * other.cache;
    memory += factor * other.memory;
  }
};

struct Lane {
  Sum now;
  Sum integral;
  int64_t integral_until_us = 0;
  int running = 0;
};

struct Event {
  int64_t us = 0;
  bool is_start = false;
  size_t run = 0;
};

// Ends first: runs that touch do not overlap.
bool IsBefore(const Event& a, const Event& b) {
  return std::tie(a.us, a.is_start, a.run) < std::tie(b.us, b.is_start, b.run);
}

std::vector<Event> EventsOf(std::span<const StageRun> runs) {
  std::vector<Event> events;
  events.reserve(2 * runs.size());
  for (size_t i = 0; i < runs.size(); ++i) {
    if (runs[i].end <= runs[i].start) continue;
    events.push_back({.us = runs[i].start.us, .is_start = true, .run = i});
    events.push_back({.us = runs[i].end.us, .is_start = false, .run = i});
  }
  std::sort(events.begin(), events.end(), IsBefore);
  return events;
}

// Integrals up to the moment that the sweep has reached.
class Sweep {
 public:
  explicit Sweep(int64_t start_us) : until_us_(start_us), start_us_(start_us) {}

  struct Reading {
    Sum others;
    double accompanied_us = 0;  // more than one lane at work
  };

  void MoveTo(int64_t us) {
    const auto passed = static_cast<double>(us - until_us_);
    integral_.Add(now_, passed);
    if (lanes_at_work_ > 1) accompanied_us_ += passed;
    until_us_ = us;
  }

  Reading ReadFrom(int lane) {
    const Lane& own = Settled(lane);
    Reading reading{.others = integral_, .accompanied_us = accompanied_us_};
    reading.others.Add(own.integral, -1);
    return reading;
  }

  void Change(const StageRun& run, bool is_start) {
    Lane& own = Settled(run.lane);
    const double sign = is_start ? 1 : -1;
    if (own.running == 0) ++lanes_at_work_;
    own.running += is_start ? 1 : -1;
    if (own.running == 0) --lanes_at_work_;
    own.now.Add(run.bound, sign);
    now_.Add(run.bound, sign);
    if (own.running == 0) own.now = {};
    if (lanes_at_work_ == 0) now_ = {};
  }

 private:
  Lane& Settled(int lane) {
    Lane& own = lanes_.try_emplace(lane, Lane{.integral_until_us = start_us_}).first->second;
    own.integral.Add(own.now, static_cast<double>(until_us_ - own.integral_until_us));
    own.integral_until_us = until_us_;
    return own;
  }

  int64_t until_us_;
  int64_t start_us_;
  Sum now_;
  Sum integral_;
  double accompanied_us_ = 0;
  int lanes_at_work_ = 0;
  std::unordered_map<int, Lane> lanes_;
};

}  // namespace

std::vector<NeighbourLoad> NeighboursOf(std::span<const StageRun> runs) {
  std::vector<NeighbourLoad> loads(runs.size());
  const std::vector<Event> events = EventsOf(runs);
  if (events.empty()) return loads;
  Sweep sweep(events.front().us);
  std::vector<Sweep::Reading> at_start(runs.size());
  for (const Event& event : events) {
    const StageRun& run = runs[event.run];
    sweep.MoveTo(event.us);
    if (event.is_start) {
      at_start[event.run] = sweep.ReadFrom(run.lane);
    } else {
      const Sweep::Reading before = at_start[event.run];
      const Sweep::Reading after = sweep.ReadFrom(run.lane);
      const auto took = static_cast<double>(run.end.us - run.start.us);
      const auto share = [&](double a, double b) { return std::max(0.0, (b - a) / took); };
      loads[event.run] = {.compute = share(before.others.compute, after.others.compute),
                          .cache = share(before.others.cache, after.others.cache),
                          .memory = share(before.others.memory, after.others.memory),
                          .share = std::min(1.0, share(before.accompanied_us, after.accompanied_us))};
    }
    sweep.Change(run, event.is_start);
  }
  return loads;
}

void OverlapWindow::Add(StageRun run) {
  if (runs_.size() >= most_runs_ && !runs_.empty()) {
    const auto oldest = std::min_element(runs_.begin(), runs_.end(),
                                         [](const Kept& a, const Kept& b) { return a.run.end < b.run.end; });
    if (!oldest->judged) ++lost_;
    runs_.erase(oldest);
  }
  runs_.push_back({.run = std::move(run)});
}

std::vector<JudgedRun> OverlapWindow::Take(Time settled) {
  std::vector<StageRun> all;
  all.reserve(runs_.size());
  for (const Kept& kept : runs_) all.push_back(kept.run);
  const std::vector<NeighbourLoad> loads = NeighboursOf(all);

  std::vector<JudgedRun> judged;
  Time needed = settled;  // what ended before can be nobody's neighbour any more
  for (size_t i = 0; i < runs_.size(); ++i) {
    if (runs_[i].judged) continue;
    if (runs_[i].run.end <= settled) {
      runs_[i].judged = true;
      judged.push_back({.run = std::move(all[i]), .neighbours = loads[i]});
    } else {
      needed = std::min(needed, runs_[i].run.start);
    }
  }
  std::erase_if(runs_, [&](const Kept& kept) { return kept.judged && kept.run.end <= needed; });
  std::stable_sort(judged.begin(), judged.end(),
                   [](const JudgedRun& a, const JudgedRun& b) { return a.run.end < b.run.end; });
  return judged;
}

}  // namespace deepedge
