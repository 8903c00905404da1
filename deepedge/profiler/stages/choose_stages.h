// Where a network is cut into stages: short ones let an urgent task wait less, but every border costs a change of
// layout, in proportion to the bytes that cross it. Pure: from the layers, what each takes, and a rule.
//
// The choice is exact: of all sets of legal cuts that keep the rule it has the shortest longest stage, as far as that
// is longer than the rule wants it, and of those the least cost.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "deepedge/model/layer_graph.h"

namespace deepedge {

// Costs of borders are measured: 0.4 to 0.6 us a kB where the tensor stays in the cache, and 2 us to start a stage.
struct StageRule {
  double longest_us = 15000;      // no stage shall be longer
  double shortest_us = 5000;      // nor shorter, unless it is all that lies before the tail, or the tail
  double whole_below_us = 10000;  // a net that takes less is not cut, but for its tail
  double most_cost = 0.03;        // of all cuts together, as a share of the net's time
  double us_per_kb = 0.5;         // of 1000 bytes that cross a border
  double us_per_stage = 2;
  // The fully connected layers at the end become a stage of their own, which can be batched over streams, where they
  // take more than this share of the time and have more than so many bytes of weights.
  double tail_share = 0.1;
  int64_t tail_bytes = int64_t{1} << 20;
};

// Why the longest stage is as long as it is.
enum class StageBound {
  kShortEnough,  // no longer than the rule wants it
  kWhole,        // the net is so short that it stays whole
  kNoPlace,      // there is no legal cut that would shorten it
  kCost,         // cuts that would shorten it cost too much
  kTooShort,     // they would leave a stage that is too short
};
std::string_view ToString(StageBound bound);  // "short enough", "whole", ...

struct StageChoice {
  std::vector<size_t> cuts;      // indices into LayerGraph::cuts, ascending
  std::vector<double> stage_us;  // of each stage, without what borders cost
  double cost_us = 0;            // of all borders
  bool tail = false;             // the last stage is the fully connected tail
  size_t longest = 0;            // index of the longest stage
  StageBound bound = StageBound::kShortEnough;
  std::string reason;  // the same in words, naming the layers of the longest stage; empty where it is short enough
};

// `layer_us` is of graph.layers, none below 0.
StageChoice ChooseStages(const LayerGraph& graph, std::span<const double> layer_us, const StageRule& rule);

// CutPoint::after_op of the choice, as CompileOptions::cuts takes them.
std::vector<int> PlacesOf(const LayerGraph& graph, const StageChoice& choice);

}  // namespace deepedge
