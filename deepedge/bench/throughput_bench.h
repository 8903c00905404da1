// How much of the cores' power reaches the models: the data plane at `--pace fast` over N files, against plain
// single-thread loops (decode, scale, infer, post-process, next frame), one a core, with the same kernels. The two take
// turns in one process, so that the ratio holds on a noisy machine.
#pragma once

#include <string>
#include <vector>

#include "deepedge/base/result.h"
#include "deepedge/engine/engine.h"

namespace deepedge {

struct ThroughputOptions {
  std::vector<std::string> files;
  std::vector<std::string> models;  // paths
  std::vector<int> cpus;
  int repetitions = 5;
};

struct ThroughputSample {
  double plain_fps = 0;  // jobs (frame x model) a second, all loops together, each over the time that it ran
  double plane_fps = 0;
};

// Pure. Splits `count` files over `loops` so that each loop gets whole files in turn: loop of each file.
std::vector<size_t> DealFiles(size_t count, size_t loops);

// Pure. The cores that both sides use: no more than there are files, because a plain loop without a file does nothing.
std::vector<int> CpusToUse(std::vector<int> cpus, size_t files);

// Errors: kBadInput without a file, and what loading and running say.
Result<std::vector<ThroughputSample>> MeasureThroughput(Engine& engine, ThroughputOptions options);

// The middle value, or the mean of the two middle ones. `values` is not empty.
double Median(std::vector<double> values);

}  // namespace deepedge
