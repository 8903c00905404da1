// From what lanes do to what the profiler knows: two lanes that slow each other by a known law, moment by moment, and
// the whole way of their runs through OverlapWindow and Observer.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <optional>
#include <random>
#include <vector>

#include "deepedge/profiler/interference/overlap.h"
#include "deepedge/profiler/online/observer.h"

namespace deepedge {
namespace {

constexpr double kStepUs = 20;

struct Kind {
  const char* model;
  double solo_us;
  Boundness bound;
};

const std::array<Kind, 5> kKinds = {{{"yolox", 9000, {.compute = 0.85, .cache = 0.1, .memory = 0.05}},
                                     {"resnet", 4000, {.compute = 0.8, .cache = 0.1, .memory = 0.1}},
                                     {"mobilenet", 3000, {.compute = 0.4, .cache = 0.5, .memory = 0.1}},
                                     {"alexnet", 2000, {.compute = 0.05, .cache = 0.1, .memory = 0.85}},
                                     {"vgg", 5000, {.compute = 0.1, .cache = 0.1, .memory = 0.8}}}};

double TrueSlowdown(const Boundness& own, const Boundness& other) {
  return 1 + 0.03 * own.compute * other.compute + 0.2 * own.cache * other.cache + 0.1 * own.compute * other.memory +
         0.1 * own.memory * other.compute + 0.2 * own.memory * other.cache + 0.25 * own.cache * other.memory +
         0.95 * own.memory * other.memory;
}

// Work is done in steps; what is left of a run shrinks by less beside a neighbour.
class Lanes {
 public:
  // Runs that ended in this step.
  std::vector<StageRun> Step() {
    now_us_ += kStepUs;
    std::vector<StageRun> ended;
    for (size_t lane = 0; lane < running_.size(); ++lane) {
      std::optional<Running>& own = running_[lane];
      if (!own) {
        if (uniform_(random_) < 0.004) own = Begin();  // idle for 5 ms on average
        continue;
      }
      const std::optional<Running>& other = running_[1 - lane];
      own->left_us -= kStepUs / (other ? TrueSlowdown(own->kind->bound, other->kind->bound) : 1);
      if (own->left_us > 0) continue;
      ended.push_back({.key = {.model = own->kind->model},
                       .generation = 1,
                       .lane = static_cast<int>(lane),
                       .start = {static_cast<int64_t>(own->start_us)},
                       .end = {static_cast<int64_t>(now_us_)},
                       .solo_us = own->kind->solo_us,
                       .solo_log_sd = 0.05,
                       .bound = own->kind->bound});
      own.reset();
    }
    return ended;
  }

  Time Settled() const {
    double settled = now_us_;
    for (const auto& running : running_) {
      if (running) settled = std::min(settled, running->start_us);
    }
    return {static_cast<int64_t>(settled)};
  }

 private:
  struct Running {
    const Kind* kind = nullptr;
    double start_us = 0;
    double left_us = 0;
  };

  Running Begin() {
    const Kind& kind = kKinds[random_() % kKinds.size()];
    return {.kind = &kind, .start_us = now_us_, .left_us = kind.solo_us * std::exp(0.03 * normal_(random_))};
  }

  std::mt19937 random_{11};
  std::uniform_real_distribution<double> uniform_;
  std::normal_distribution<double> normal_;
  std::array<std::optional<Running>, 2> running_;
  double now_us_ = 1e9;
};

struct Errors {
  double learned = 0;
  double ignored = 0;  // if nobody minded neighbours
};

// Mean error of the slowdown of every pair, side by side for the whole run.
Errors PairErrors(const CoLocation& neighbours) {
  Errors errors;
  for (const Kind& own : kKinds) {
    for (const Kind& other : kKinds) {
      NeighbourLoad load;
      AddNeighbour(load, other.bound);
      const double truth = TrueSlowdown(own.bound, other.bound);
      errors.learned += std::abs(neighbours.Predict(own.bound, load).factor / truth - 1) / 25;
      errors.ignored += std::abs(1 / truth - 1) / 25;
    }
  }
  return errors;
}

TEST(Trace, FromLanesToWhatNeighboursCost) {
  Lanes lanes;
  OverlapWindow window;
  Observer observer;
  const Errors prior = PairErrors(observer.neighbours());
  size_t runs = 0;
  constexpr int kSteps = 20'000'000 / static_cast<int>(kStepUs);  // 20 s of the box
  for (int step = 1; step <= kSteps; ++step) {
    for (StageRun& run : lanes.Step()) {
      window.Add(std::move(run));
      ++runs;
    }
    if (step % 5000 != 0) continue;  // ten times a second
    for (const JudgedRun& judged : window.Take(lanes.Settled())) observer.Observe(judged.run, judged.neighbours);
    EXPECT_TRUE(observer.Questions(lanes.Settled()).empty());
  }
  EXPECT_LE(static_cast<size_t>(observer.observed()), runs);
  EXPECT_GE(static_cast<size_t>(observer.observed()), runs - 2);
  EXPECT_EQ(window.lost(), 0);
  const Errors after = PairErrors(observer.neighbours());
  EXPECT_LT(after.learned, 0.02) << "prior " << prior.learned << ", ignoring neighbours " << after.ignored << ", "
                                 << runs << " runs";
  EXPECT_LT(after.learned, 0.5 * prior.learned);
  EXPECT_LT(after.learned, 0.2 * after.ignored);
  EXPECT_NEAR(observer.box().kappa, 1, 0.02);
  for (const StageReport& report : observer.Report()) EXPECT_NEAR(report.ratio, 1, 0.04) << report.key.model;
}

}  // namespace
}  // namespace deepedge
