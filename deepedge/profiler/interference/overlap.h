// Who ran beside whom: from a trace of stage runs to what CoLocation learns from. Pure.
//
//   OverlapWindow window;
//   window.Add(run);                                      // as runs end
//   for (const JudgedRun& judged : window.Take(settled))  // whose neighbours are all known
//     observer.Observe(judged.run, judged.neighbours);
//
// Thread-compatible.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "deepedge/profiler/interference/stage_run.h"

namespace deepedge {

// For every run, in the order given, what the other lanes ran meanwhile. Runs of one lane are no neighbours of each
// other. A run that ends before it starts has no neighbours and is none. One sorted sweep with running integrals:
// n log n, whatever overlaps.
std::vector<NeighbourLoad> NeighboursOf(std::span<const StageRun> runs);

struct JudgedRun {
  StageRun run;
  NeighbourLoad neighbours;
};

// Runs as they end, given back once everybody who ran beside them has ended, too.
class OverlapWindow {
 public:
  // `most_runs`: that wait or are kept as neighbours; one more pushes out the oldest, judged or not.
  explicit OverlapWindow(size_t most_runs = 4096) : most_runs_(most_runs) {}

  // Runs may be added in any order before the Take that covers them.
  void Add(StageRun run);

  // Runs that ended at `settled` or earlier, in the order of their end, each once. `settled`: when the run that has
  // been going on for longest began; now, where none is going on.
  std::vector<JudgedRun> Take(Time settled);

  int64_t lost() const { return lost_; }  // pushed out before they were judged
  size_t size() const { return runs_.size(); }

 private:
  struct Kept {
    StageRun run;
    bool judged = false;
  };

  size_t most_runs_;
  std::vector<Kept> runs_;
  int64_t lost_ = 0;
};

}  // namespace deepedge
