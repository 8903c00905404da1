// Measures networks of random shape: what the profiler learns this box from, once. Each network is measured in its own
// form and in some settings drawn from all that there are. In the second half of the time the next network is the one
// of several whose layers the first half knows least about (active learning, as in nn-Meter, Zhang et al., MobiSys
// 2021).
//
// Owned by one thread that may take minutes; not for lanes.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "deepedge/base/clock.h"
#include "deepedge/engine/engine.h"
#include "deepedge/profiler/probe/measured_model.h"

namespace deepedge {

struct NetworkOptions {
  Duration budget = std::chrono::seconds(150);
  int most_networks = 400;
  int cores = 2;  // the most that one run is computed on
  int forms = 5;  // of each network: precision, size and cores; each in several batches
  int64_t most_flops = 1'000'000'000;
  uint32_t seed = 1;
  // Asked between measurements: true ends it; what was measured is kept.
  std::function<bool()> stop = [] { return false; };
  // Told after each network: how many there are, and the part of the budget that is spent.
  std::function<void(int networks, double part)> tell = [](int, double) {};
};

// Goes on from `before`, networks that were measured with the same seed. Networks that the engine refuses are left out.
// Errors: a folder for their files cannot be made.
Result<std::vector<MeasuredModel>> MeasureNetworks(Engine& engine, const NetworkOptions& options, const Clock& clock,
                                                   std::vector<MeasuredModel> before = {});

}  // namespace deepedge
