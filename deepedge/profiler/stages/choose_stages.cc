#include "deepedge/profiler/stages/choose_stages.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "deepedge/base/check.h"

namespace deepedge {
namespace {

// Where a stage may begin or end: 0 is the beginning of the net, then its cuts, last its end.
struct Places {
  std::vector<double> at_us;    // of the net's time that lies before
  std::vector<double> cost_us;  // of cutting there; 0 at both ends
  std::vector<bool> must;       // both ends, and the cut in front of the tail

  size_t last() const { return at_us.size() - 1; }
};

struct Limits {
  double longest_us = 0;
  double shortest_us = 0;
  double most_cost_us = 0;
};

struct Path {
  std::vector<size_t> stops;  // places between the ends
  double cost_us = 0;
  double longest_us = 0;
};

constexpr double kInfinite = std::numeric_limits<double>::infinity();

bool IsArithmetic(LayerClass kind) {
  return kind == LayerClass::kConvolution || kind == LayerClass::kPointwise || kind == LayerClass::kDepthwise ||
         kind == LayerClass::kMatrixProduct;
}

// The cut in front of the fully connected layers at the end, where they are worth a stage.
std::optional<size_t> TailCut(const LayerGraph& graph, std::span<const double> layer_us, const StageRule& rule) {
  size_t body = graph.layers.size();  // layers up to the last that is neither fully connected nor small change
  size_t first = graph.layers.size();
  double us = 0;
  int64_t bytes = 0;
  while (body > 0 && !IsArithmetic(graph.layers[body - 1].kind)) {
    --body;
    if (graph.layers[body].kind != LayerClass::kFullyConnected) continue;
    first = body;
    us += layer_us[body];
    bytes += graph.layers[body].weight_bytes;
  }
  double total = 0;
  for (const double layer : layer_us) total += layer;
  if (bytes <= rule.tail_bytes || us <= rule.tail_share * total) return std::nullopt;
  std::optional<size_t> found;
  for (size_t i = 0; i < graph.cuts.size(); ++i) {
    const auto next = static_cast<size_t>(graph.cuts[i].next_layer);
    if (next < body || next > first || next == 0) continue;
    if (!found || graph.cuts[i].bytes <= graph.cuts[*found].bytes) found = i;
  }
  return found;
}

Places MakePlaces(const LayerGraph& graph, std::span<const double> layer_us, const StageRule& rule) {
  std::vector<double> before(1, 0.0);
  for (const double us : layer_us) before.push_back(before.back() + us);
  Places places{.at_us = {0}, .cost_us = {0}, .must = {true}};
  for (const CutPoint& cut : graph.cuts) {
    places.at_us.push_back(before[static_cast<size_t>(cut.next_layer)]);
    places.cost_us.push_back(static_cast<double>(cut.bytes) / 1000 * rule.us_per_kb + rule.us_per_stage);
    places.must.push_back(false);
  }
  places.at_us.push_back(before.back());
  places.cost_us.push_back(0);
  places.must.push_back(true);
  return places;
}

// The way of least cost from end to end by stages within the limits; nothing where there is none that is cheap enough.
std::optional<Path> CheapestPath(const Places& places, const Limits& limits) {
  std::vector<double> cost(places.at_us.size(), kInfinite);
  std::vector<size_t> from(places.at_us.size(), 0);
  cost[0] = 0;
  for (size_t to = 1; to < cost.size(); ++to) {
    for (size_t i = to; i-- > 0;) {
      const double us = places.at_us[to] - places.at_us[i];
      if (us > limits.longest_us) break;
      const bool whole_part = places.must[i] && places.must[to];
      const double sum = cost[i] + places.cost_us[to];
      if ((us >= limits.shortest_us || whole_part) && sum < cost[to]) {
        cost[to] = sum;
        from[to] = i;
      }
      if (places.must[i]) break;
    }
  }
  if (cost.back() > limits.most_cost_us) return std::nullopt;
  Path path{.cost_us = cost.back()};
  for (size_t to = places.last(); to > 0; to = from[to]) {
    path.longest_us = std::max(path.longest_us, places.at_us[to] - places.at_us[from[to]]);
    if (from[to] > 0) path.stops.insert(path.stops.begin(), from[to]);
  }
  return path;
}

// Of the paths that keep the other limits one whose longest stage is the shortest, or no longer than the limit.
Path ShortestStages(const Places& places, const Limits& limits) {
  if (auto path = CheapestPath(places, limits)) return *path;
  const double total = places.at_us.back();
  Limits tried = limits;
  tried.longest_us = total;
  Path best = CheapestPath(places, tried).value();  // as few cuts as may be
  double too_short = limits.longest_us;
  while (best.longest_us - too_short > 1e-9 * total) {
    tried.longest_us = (best.longest_us + too_short) / 2;
    if (auto path = CheapestPath(places, tried)) {
      best = *path;
    } else {
      too_short = tried.longest_us;
    }
  }
  return best;
}

StageBound WhatBounds(const Places& places, const Limits& limits, double longest_us) {
  const auto shorter = [&](const Limits& others) {
    return ShortestStages(places, others).longest_us < longest_us * (1 - 1e-6);
  };
  if (longest_us <= limits.longest_us) return StageBound::kShortEnough;
  Limits free = limits;
  free.most_cost_us = kInfinite;
  if (shorter(free)) return StageBound::kCost;
  free.shortest_us = 0;
  if (!shorter(free)) return StageBound::kNoPlace;
  free.most_cost_us = limits.most_cost_us;
  return shorter(free) ? StageBound::kTooShort : StageBound::kCost;
}

std::string Reason(const LayerGraph& graph, const StageChoice& choice, const StageRule& rule, double total_us) {
  if (choice.bound == StageBound::kShortEnough) return {};
  if (choice.bound == StageBound::kWhole) {
    return fmt::format("it takes {:.1f} ms in all: below {:.1f} ms a net is not cut", total_us / 1e3,
                       rule.whole_below_us / 1e3);
  }
  const size_t first =
      choice.longest == 0 ? 0 : static_cast<size_t>(graph.cuts[choice.cuts[choice.longest - 1]].next_layer);
  const size_t end = choice.longest == choice.cuts.size()
                         ? graph.layers.size()
                         : static_cast<size_t>(graph.cuts[choice.cuts[choice.longest]].next_layer);
  std::string why;
  if (choice.bound == StageBound::kNoPlace) why = "there is no place to cut it at that would make it shorter";
  if (choice.bound == StageBound::kCost) {
    why = fmt::format("cuts that would make it shorter cost more than {:.1f} % of the net", rule.most_cost * 100);
  }
  if (choice.bound == StageBound::kTooShort) {
    why = fmt::format("cuts that would make it shorter leave a stage below {:.1f} ms", rule.shortest_us / 1e3);
  }
  return fmt::format("{:.1f} ms from '{}' to '{}' stay together: {}", choice.stage_us[choice.longest] / 1e3,
                     graph.layers[first].name, graph.layers[end - 1].name, why);
}

}  // namespace

std::string_view ToString(StageBound bound) {
  switch (bound) {
    case StageBound::kShortEnough: return "short enough";
    case StageBound::kWhole: return "whole";
    case StageBound::kNoPlace: return "no place to cut";
    case StageBound::kCost: return "cuts cost too much";
    case StageBound::kTooShort: return "stages would be too short";
  }
  return "";
}

StageChoice ChooseStages(const LayerGraph& graph, std::span<const double> layer_us, const StageRule& rule) {
  DE_CHECK(layer_us.size() == graph.layers.size());
  StageChoice choice;
  if (graph.layers.empty()) {
    choice.stage_us = {0};
    return choice;
  }
  Places places = MakePlaces(graph, layer_us, rule);
  const double total = places.at_us.back();
  Limits limits{rule.longest_us, rule.shortest_us, rule.most_cost * total};
  if (const auto tail = TailCut(graph, layer_us, rule); tail && places.cost_us[*tail + 1] <= limits.most_cost_us) {
    places.must[*tail + 1] = true;
    choice.tail = true;
  }
  const bool whole = total < rule.whole_below_us;
  if (whole) limits.longest_us = total;
  const Path path = ShortestStages(places, limits);
  choice.cost_us = path.cost_us;
  size_t from = 0;
  for (const size_t stop : path.stops) {
    choice.cuts.push_back(stop - 1);
    choice.stage_us.push_back(places.at_us[stop] - places.at_us[from]);
    from = stop;
  }
  choice.stage_us.push_back(total - places.at_us[from]);
  choice.longest =
      static_cast<size_t>(std::max_element(choice.stage_us.begin(), choice.stage_us.end()) - choice.stage_us.begin());
  const bool long_enough_to_ask = path.longest_us > rule.longest_us;
  choice.bound = whole && long_enough_to_ask ? StageBound::kWhole : WhatBounds(places, limits, path.longest_us);
  choice.reason = Reason(graph, choice, rule, total);
  return choice;
}

std::vector<int> PlacesOf(const LayerGraph& graph, const StageChoice& choice) {
  std::vector<int> places;
  for (const size_t cut : choice.cuts) places.push_back(graph.cuts[cut].after_op);
  return places;
}

}  // namespace deepedge
