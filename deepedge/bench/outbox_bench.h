// What the outbox carries: events of a detection with some objects, published by one thread, committed to disk, read
// back and handed to a courier that acknowledges at once.
#pragma once

#include "deepedge/base/file.h"
#include "deepedge/base/result.h"

namespace deepedge {

struct OutboxBenchOptions {
  Path folder;  // where the file is made; empty: the system's folder for temporary files
  int events = 50'000;
  int rate = 0;  // events a second; 0: as fast as they are committed
  int repetitions = 5;
};

struct OutboxSample {
  double events_per_s = 0;    // from the first event published to the last one acknowledged
  double cpu_us = 0;          // of the whole process, for each event
  double latency_ms_p50 = 0;  // from publishing to the courier
  double latency_ms_p99 = 0;
  int64_t lost = 0;
};

// Errors: what opening and writing the outbox say.
Result<OutboxSample> MeasureOutbox(const OutboxBenchOptions& options);

}  // namespace deepedge
