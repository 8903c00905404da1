// What reading a file may cost. For tests of files that are made to cost much.
#pragma once

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdint>
#include <functional>

namespace deepedge {

struct Cost {
  std::chrono::milliseconds time{0};
  int64_t grown_mb = 0;  // by how much the process has become larger than it ever was
};

inline Cost CostOf(const std::function<void()>& work) {
  const auto largest_kb = [] {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return int64_t{usage.ru_maxrss};
  };
  const int64_t before = largest_kb();
  const auto start = std::chrono::steady_clock::now();
  work();
  return {.time = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start),
          .grown_mb = (largest_kb() - before) / 1024};
}

// Bounds that hold on a busy machine in a build for debugging, and that no file made to do harm keeps if it can.
inline void ExpectCheap(const std::function<void()>& work, int64_t most_mb = 400) {
  const Cost cost = CostOf(work);
  ::testing::Test::RecordProperty("time_ms", static_cast<int>(cost.time.count()));
  ::testing::Test::RecordProperty("grown_mb", static_cast<int>(cost.grown_mb));
  EXPECT_LT(cost.time, std::chrono::seconds(30));
  EXPECT_LT(cost.grown_mb, most_mb);
}

}  // namespace deepedge
