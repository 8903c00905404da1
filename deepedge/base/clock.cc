#include "deepedge/base/clock.h"

#include <ctime>

namespace deepedge {
namespace {

int64_t ReadMicros(clockid_t id) {
  timespec ts{};
  clock_gettime(id, &ts);
  return static_cast<int64_t>(ts.tv_sec) * 1'000'000 + ts.tv_nsec / 1000;
}

}  // namespace

RealClock::RealClock() : epoch_offset_us_(ReadMicros(CLOCK_REALTIME) - ReadMicros(CLOCK_MONOTONIC)) {}

Time RealClock::Now() const { return {ReadMicros(CLOCK_MONOTONIC)}; }

Duration ThreadCpuTime() { return Duration(ReadMicros(CLOCK_THREAD_CPUTIME_ID)); }

Duration ProcessCpuTime() { return Duration(ReadMicros(CLOCK_PROCESS_CPUTIME_ID)); }

}  // namespace deepedge
