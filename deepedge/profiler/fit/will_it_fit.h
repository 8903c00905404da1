// "Will it fit?", answered from profiles before anything runs: what every task would take at the rate that it would
// like, what the box has, and if that is too little, what all get when they give way alike, or what is missing even
// then.
//
//   rate_k(f) = max(min_rate_k, f * wanted_k)       the largest f <= 1 whose load fits
//
// Pure. This is not a plan: it chooses no variants and knows no importance; those are the Allocator's.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "deepedge/base/result.h"
#include "deepedge/profiler/fit/utilisation.h"

namespace deepedge {

struct FitTask {
  std::string name;     // for the reader: "gate/person"
  UtilisationTask use;  // its rate is not looked at
  double wanted_rate = 0;
  double min_rate = 0;
};

struct FitBox {
  UtilisationOptions options;
  double capacity_cores = 1;       // what may be used: cores, less the reserve, less what others take
  int64_t memory_limit_bytes = 0;  // 0: not known
};

enum class Fit {
  kAll,      // every task at the rate it wants
  kReduced,  // at lower rates, none below its least
  kNot,      // not even at the least rates, or not into memory
};

struct FitRate {
  std::string name;
  double wanted = 0;
  Amount rate;  // what it gets; its error is that of all tasks' times together
};

struct FitAnswer {
  Fit fit = Fit::kAll;
  double share = 1;  // f
  std::vector<FitRate> rates;
  Utilisation wanted;  // at the wanted rates
  Utilisation used;    // at `rates`
  Utilisation least;   // at the least rates
  Amount short_by;     // cores that are missing for the wanted rates
  Amount short_of_least;
  int64_t short_memory_bytes = 0;
};

// Errors: as PredictUtilisation; kBadInput naming the task for a wanted rate below the least.
Result<FitAnswer> WillItFit(std::span<const FitTask> tasks, const FitBox& box);

// Some lines for people: the answer in a sentence, then each task.
std::string FitText(const FitAnswer& answer, const FitBox& box);

}  // namespace deepedge
