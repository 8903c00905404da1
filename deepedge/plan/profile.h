// Profile: what we believe about a variant's cost on this box. Plain data; measured by the profiler, read by the
// allocator, and answered from by the fake engine.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "deepedge/base/clock.h"
#include "deepedge/model/tensor.h"

namespace deepedge {

struct Profile {
  std::string model;
  std::vector<TensorSpec> inputs;
  std::vector<TensorSpec> outputs;
  Duration run_time{0};  // one run on one core, with nothing beside it
  int64_t weight_bytes = 0;
};

}  // namespace deepedge
