// Log lines to standard error, for state changes and losses only; the per-frame path counts instead of logging.
//
//   LogInfo("stream '{}': connected, {}x{}", name, width, height);
//   static LogLimiter limiter;           // at most one line a second per cause
//   if (limiter.Allow(clock.Now())) LogWarning(...);
//
// Thread-safe. Secrets never go here: print a stream's name or RedactUrl(), not its source.
#pragma once

#include <fmt/format.h>

#include <atomic>
#include <string>
#include <string_view>

#include "deepedge/base/clock.h"

namespace deepedge {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

void WriteLog(LogLevel level, std::string_view message);

template <typename... Args>
void LogInfo(fmt::format_string<Args...> format, Args&&... args) {
  WriteLog(LogLevel::kInfo, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void LogWarning(fmt::format_string<Args...> format, Args&&... args) {
  WriteLog(LogLevel::kWarning, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void LogError(fmt::format_string<Args...> format, Args&&... args) {
  WriteLog(LogLevel::kError, fmt::format(format, std::forward<Args>(args)...));
}

// Lets one call a second through. Thread-safe.
class LogLimiter {
 public:
  bool Allow(Time now) {
    int64_t next = next_us_.load(std::memory_order_relaxed);
    return now.us >= next && next_us_.compare_exchange_strong(next, now.us + 1'000'000);
  }

 private:
  std::atomic<int64_t> next_us_{INT64_MIN};
};

// The address with user name and password (see url.h) replaced by "***".
std::string RedactUrl(std::string_view url);

}  // namespace deepedge
