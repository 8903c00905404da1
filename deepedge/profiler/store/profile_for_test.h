// Profiles for tests of the store and the report.
#pragma once

#include <string>

#include "deepedge/plan/profile.h"

namespace deepedge {

// Numbers that no rounding leaves as they are, in every field.
inline Profile ProfileForTest(std::string model = "yolox_tiny", std::string box = "box-1") {
  Profile profile{.model = std::move(model),
                  .sha256 = std::string(64, 'a'),
                  .box = std::move(box),
                  .generation = 3,
                  .created_us = 1'700'000'000'123'456};
  const TimeEstimate time{Duration(41'234), Duration(45'017), 0.1 / 3};
  const StageCost stage{.after_op = 117,
                        .time = {Duration(20'001), Duration(21'003), 1.0 / 7},
                        .bound = {1.0 / 3, 1.0 / 7, 1 - 1.0 / 3 - 1.0 / 7},
                        .flops = 6'450'000'001,
                        .weight_bytes = 20'300'001,
                        .live_bytes = 9'007'199'254'740'993,  // no double holds it
                        .border_bytes = 409'601,
                        .layers = "convolution 12, pointwise 8"};
  StageCost last = stage;
  last.after_op = -1;
  last.border_bytes = 0;
  profile.costs.push_back({.setting = {.variant = {Precision::kFp32, 416, 416}, .batch = 1, .cores = 1},
                           .time = time,
                           .cold = Duration(71'003),
                           .bound = {0.7, 0.1 + 0.2, 1e-9},
                           .probes = 20,
                           .memory_bytes = 61'000'001,
                           .memory_log_sd = 0.02,
                           .traffic_bytes = 131'000'007,
                           .stages = {stage, last}});
  profile.costs.push_back({.setting = {.variant = {Precision::kInt8, 416, 256}, .batch = 4, .cores = 2},
                           .time = {Duration(61'234), Duration(95'017), 0.25},
                           .stages = {last}});
  profile.costs.push_back(
      {.setting = {.variant = {.precision = Precision::kBf16}}, .time = {Duration(900), Duration(1'001), 0.01}});
  return profile;
}

}  // namespace deepedge
