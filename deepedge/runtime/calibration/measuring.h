// What all measurements of a calibration share: when to stop, and the time of one call.
#pragma once

#include <algorithm>
#include <functional>
#include <limits>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "deepedge/base/clock.h"

namespace deepedge {

// Asked between measurements. Owned by the thread that measures.
class Measuring {
 public:
  Measuring(const Clock& clock, Time deadline, std::stop_token stop)
      : clock_(clock), deadline_(deadline), stop_(std::move(stop)) {}

  bool GoOn() const { return !stop_.stop_requested() && clock_.Now() < deadline_; }
  bool stopped() const { return stop_.stop_requested(); }
  const std::stop_token& stop() const { return stop_; }
  const Clock& clock() const { return clock_; }

  // What could not be measured, for the operator.
  void Note(std::string note) { notes_.push_back(std::move(note)); }
  std::vector<std::string> TakeNotes() { return std::move(notes_); }

 private:
  const Clock& clock_;
  Time deadline_;
  std::stop_token stop_;
  std::vector<std::string> notes_;
};

// CPU time of this thread that one call takes: the least of `rounds`, after one that warms up. Calls that are short for
// the clock, which counts microseconds, are repeated within a round.
template <typename Call>
double LeastCpuUs(int rounds, Call&& call) {
  constexpr double kLeastRoundUs = 300;
  const Duration start = ThreadCpuTime();
  call();
  const double first_us = static_cast<double>((ThreadCpuTime() - start).count());
  const int repeats = static_cast<int>(std::clamp(kLeastRoundUs / std::max(first_us, 0.5), 1.0, 600.0));
  double least = std::numeric_limits<double>::infinity();
  for (int round = 0; round < rounds; ++round) {
    const Duration from = ThreadCpuTime();
    for (int i = 0; i < repeats; ++i) call();
    least = std::min(least, static_cast<double>((ThreadCpuTime() - from).count()) / repeats);
  }
  return least;
}

}  // namespace deepedge
