#include "deepedge/bench/profiler/pairs.h"

#include <fmt/format.h>

#include <algorithm>
#include <barrier>
#include <cmath>
#include <random>

#include "deepedge/base/thread.h"
#include "deepedge/profiler/fit/predictor.h"
#include "deepedge/profiler/interference/co_location.h"
#include "deepedge/profiler/probe/probe_target.h"

namespace deepedge {
namespace {

double MedianOf(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

struct Ready {
  std::string name;
  std::unique_ptr<CompiledModel> model;
  Boundness bound;
};

Result<Ready> MakeReady(Engine& engine, const BoxModel& box, const ProbeTarget& target) {
  Setting setting{{Precision::kFp32, 0, 0}};
  if (target.picture) setting.variant = {Precision::kFp32, target.picture->width, target.picture->height};
  MeasuredModel measured{.name = target.name};
  DE_TRY_STATUS(AddForm(engine, target, setting, measured));
  DE_TRY(const CompileRequest request, RequestFor(target, setting));
  Ready ready{.name = target.name};
  DE_TRY(ready.model, engine.Compile(request.files, request.options));
  ready.bound = Predictor(box, measured).Predict(setting).bound;
  return ready;
}

// Runs both for the given time, each on its CPU, or one alone; times of each run by the clock on the wall.
struct Times {
  std::vector<double> us;
};

void RunUntil(CompiledModel& model, const Clock& clock, Time end, Times& times) {
  for (Time start = clock.Now(); start < end; start = clock.Now()) {
    if (!model.Run(0).ok()) return;
    times.us.push_back(static_cast<double>((clock.Now() - start).count()));
  }
}

// Runs `a` on the first CPU and, where it is given, `b` on the second at the same time.
void RunSide(Ready& a, Ready* b, const std::vector<int>& cpus, double seconds, const Clock& clock, Times& of_a,
             Times& of_b) {
  const Duration length(static_cast<int64_t>(seconds * 1e6));
  std::barrier begin(b != nullptr ? 2 : 1);
  std::vector<Thread> threads;
  const auto start = [&](Ready& ready, int cpu, Times& times) {
    threads.emplace_back(Thread::Options{.name = "pair", .cpu = cpu}, [&](const std::stop_token&) {
      ready.model->Run(0).Ignore("warms the caches");
      begin.arrive_and_wait();
      RunUntil(*ready.model, clock, clock.Now() + length, times);
    });
  };
  start(a, cpus[0], of_a);
  if (b != nullptr) start(*b, cpus[1], of_b);
  threads.clear();  // joins them
}

NeighbourLoad Beside(const Boundness& neighbour) {
  return {.compute = neighbour.compute, .cache = neighbour.cache, .memory = neighbour.memory, .share = 1};
}

}  // namespace

Result<std::vector<PairSide>> MeasurePairs(Engine& engine, const BoxModel& box, const std::vector<ProbeTarget>& targets,
                                           const PairOptions& options, const Clock& clock) {
  const std::vector<int> cpus = AllowedCpus();
  if (cpus.size() < 2) return Error{ErrorCode::kUnsupported, "pairs need two CPUs"};
  std::vector<Ready> models;
  for (const ProbeTarget& target : targets) {
    auto ready = MakeReady(engine, box, target);
    if (ready.ok()) {
      models.push_back(std::move(ready).value());
    } else {
      options.tell(fmt::format("{}: left out: {}", target.name, ready.error().message));
    }
  }
  if (models.size() < 2) return Error{ErrorCode::kUnsupported, "pairs need two models"};
  std::mt19937 random(4);
  std::vector<PairSide> sides;
  for (int pair = 0; pair < options.pairs; ++pair) {
    const size_t i = random() % models.size();
    const size_t j = (i + 1 + random() % (models.size() - 1)) % models.size();
    Times alone_a, alone_b, both_a, both_b, unused;
    for (int round = 0; round < options.rounds; ++round) {
      RunSide(models[i], nullptr, cpus, options.seconds, clock, alone_a, unused);
      RunSide(models[j], nullptr, {cpus[1], cpus[0]}, options.seconds, clock, alone_b, unused);
      RunSide(models[i], &models[j], cpus, options.seconds, clock, both_a, both_b);
    }
    const bool learned = pair % 2 == 0;
    const auto add = [&](const Ready& own, const Ready& other, const Times& alone, const Times& both) {
      sides.push_back({.model = own.name,
                       .beside = other.name,
                       .alone_us = MedianOf(alone.us),
                       .together_us = MedianOf(both.us),
                       .own = own.bound,
                       .neighbour = other.bound,
                       .learned = learned});
    };
    add(models[i], models[j], alone_a, both_a);
    add(models[j], models[i], alone_b, both_b);
    options.tell(fmt::format("pair {} of {}", pair + 1, options.pairs));
  }
  CoLocation law;
  for (PairSide& side : sides) side.prior = law.Predict(side.own, Beside(side.neighbour)).factor;
  // As often as a running box meets a pair within some seconds.
  constexpr int kOverlaps = 50;
  for (int overlap = 0; overlap < kOverlaps; ++overlap) {
    for (const PairSide& side : sides) {
      if (side.learned) law.Learn({.own = side.own, .neighbours = Beside(side.neighbour), .slowdown = side.slowdown()});
    }
  }
  for (PairSide& side : sides) side.predicted = law.Predict(side.own, Beside(side.neighbour)).factor;
  return sides;
}

std::string PairsText(const std::vector<PairSide>& sides) {
  std::string text =
      fmt::format("{:<36} {:<36} {:>9} {:>9} {:>9}\n", "model", "beside", "alone", "slower", "predicted");
  double ours = 0;
  double prior = 0;
  double ignored = 0;
  int count = 0;
  for (const PairSide& side : sides) {
    if (side.learned || side.alone_us <= 0 || side.together_us <= 0) continue;
    text += fmt::format("{:<36.36} {:<36.36} {:>6.2f} ms {:>9.3f} {:>9.3f}\n", side.model, side.beside,
                        side.alone_us / 1e3, side.slowdown(), side.predicted);
    ours += std::abs(side.predicted / side.slowdown() - 1);
    prior += std::abs(side.prior / side.slowdown() - 1);
    ignored += std::abs(1 / side.slowdown() - 1);
    ++count;
  }
  const double n = std::max(count, 1);
  text += fmt::format(
      "\n{} times beside another: error {:.1f} % (before anything was learned {:.1f} %), ignoring neighbours {:.1f} "
      "%\n",
      count, 100 * ours / n, 100 * prior / n, 100 * ignored / n);
  return text;
}

}  // namespace deepedge
