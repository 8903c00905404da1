// What every reader must do with damaged files. For tests only.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <string>
#include <string_view>

#include "deepedge/base/result.h"

namespace deepedge {

// Damages some bytes of `whole` again and again, for as long as `time`, and has it read: whatever comes of it is a
// graph or an error of damage that names `file`; most often an error.
template <typename Read>
void ExpectSurvivesMutations(const std::string& whole, std::string_view file, std::chrono::seconds time,
                             const Read& read) {
  std::mt19937 random(20261125);
  const auto until = std::chrono::steady_clock::now() + time;
  int errors = 0;
  for (int round = 0; round < 20000 && std::chrono::steady_clock::now() < until; ++round) {
    std::string bytes = whole;
    for (size_t changes = 1 + random() % 4; changes > 0; --changes) {
      const size_t at = random() % bytes.size();
      bytes[at] = random() % 2 == 0 ? static_cast<char>(random()) : static_cast<char>(bytes[at] ^ (1 << random() % 8));
    }
    const auto result = read(bytes);
    if (result.ok()) continue;
    ++errors;
    ASSERT_NE(result.error().message.find(file), std::string::npos) << result.error().message;
    ASSERT_TRUE(result.error().code == ErrorCode::kBadInput || result.error().code == ErrorCode::kUnsupported)
        << result.error().message;
  }
  EXPECT_GT(errors, 10);
}

// `damage(i)` makes the i-th damaged form of a file and gives the function that reads it. Each of a thousand is
// answered within a second, by a graph or by an error in one line; some of them by a graph.
template <typename Damage>
void ExpectAnswersQuickly(const Damage& damage) {
  size_t read = 0;
  for (int i = 0; i < 1000; ++i) {
    const auto read_it = damage(i);
    const auto start = std::chrono::steady_clock::now();
    const auto result = read_it();
    ASSERT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(1)) << i;
    if (result.ok()) {
      ++read;
    } else {
      ASSERT_TRUE(result.error().code == ErrorCode::kBadInput || result.error().code == ErrorCode::kUnsupported)
          << result.error().message;
      ASSERT_EQ(result.error().message.find('\n'), std::string::npos) << result.error().message;
    }
  }
  EXPECT_GT(read, 0U);
  EXPECT_LT(read, 900U);
}

}  // namespace deepedge
