// What becomes of the objects that a model of a cascade is asked about: asked = answered + dropped + failed + waiting.
#pragma once

#include <cstdint>
#include <string>

#include "deepedge/base/histogram.h"
#include "deepedge/runtime/model_inference.h"

namespace deepedge {

enum class CascadeEnding {
  kReplaced,  // dropped: a newer frame came before a lane was free
  kTooLate,   // dropped: older than the task's deadline when its turn came
  kStopped,   // dropped: the program stopped first
  kFailed,    // cropping, scaling, engine or post-processing said no
};

struct CascadeCounts {
  int64_t offered = 0;  // objects that the model above has found
  int64_t asked = 0;    // of those: gate open, and no answer that holds
  int64_t answered = 0;
  int64_t replaced = 0;
  int64_t too_late = 0;
  int64_t stopped = 0;
  int64_t failed = 0;

  int64_t Dropped() const { return replaced + too_late + stopped; }
  int64_t Waiting() const { return asked - answered - Dropped() - failed; }
  void End(CascadeEnding ending, int64_t objects) {
    switch (ending) {
      case CascadeEnding::kReplaced: replaced += objects; break;
      case CascadeEnding::kTooLate: too_late += objects; break;
      case CascadeEnding::kStopped: stopped += objects; break;
      case CascadeEnding::kFailed: failed += objects; break;
    }
  }
};

struct CascadeReport {
  std::string stream;
  std::string path;  // "person > face > mood"
  CascadeCounts counts;
  Histogram latency;  // capture to answer
  InferenceCost cost;
  std::string last_error;
};

}  // namespace deepedge
