#include "deepedge/profiler/stages/choose_stages.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <random>

namespace deepedge {
namespace {

struct Spec {
  double ms = 0;
  LayerClass kind = LayerClass::kConvolution;
  int64_t border_kb = 10;  // behind it; below 0: it cannot be cut there
  int64_t weight_bytes = 0;
};

struct Net {
  LayerGraph graph;
  std::vector<double> us;
};

Net MakeNet(const std::vector<Spec>& specs) {
  Net net;
  for (size_t i = 0; i < specs.size(); ++i) {
    net.graph.layers.push_back(
        {.name = fmt::format("l{}", i), .kind = specs[i].kind, .weight_bytes = specs[i].weight_bytes});
    net.us.push_back(specs[i].ms * 1000);
    if (i + 1 == specs.size() || specs[i].border_kb < 0) continue;
    net.graph.cuts.push_back({.after_op = static_cast<int>(10 * i + 5),
                              .bytes = specs[i].border_kb * 1000,
                              .tensors = 1,
                              .next_layer = static_cast<int>(i) + 1});
  }
  net.graph.operations = static_cast<int>(10 * specs.size());
  return net;
}

StageChoice Choose(const Net& net, const StageRule& rule = {}) { return ChooseStages(net.graph, net.us, rule); }

// After which layers it is cut.
std::vector<int> CutsAfter(const Net& net, const StageChoice& choice) {
  std::vector<int> layers;
  for (const size_t cut : choice.cuts) layers.push_back(net.graph.cuts[cut].next_layer - 1);
  return layers;
}

struct Case {
  const char* name;
  std::vector<Spec> layers;
  StageRule rule;
  std::vector<int> cuts_after;
  StageBound bound = StageBound::kShortEnough;
};

constexpr auto kConv = LayerClass::kConvolution;
constexpr auto kFull = LayerClass::kFullyConnected;
constexpr auto kSmall = LayerClass::kElementwise;
constexpr int64_t kMb = 1 << 20;

TEST(ChooseStages, FollowsTheRule) {
  const Case cases[] = {
      {"nothing", {}, {}, {}},
      {"one layer", {{4}}, {}, {}},
      {"short nets stay whole", {{3}, {3}, {3}}, {.longest_us = 4000}, {}, StageBound::kWhole},
      {"what fits into one stage stays whole", {{7}, {7}}, {}, {}},
      {"in the middle, at the cheaper border", {{8, kConv, 50}, {2, kConv, 40}, {2, kConv, 30}, {8}}, {}, {2}},
      {"no more cuts than needed", {{7}, {7}, {7}, {7}}, {}, {1}},
      {"as even as can be, no more cuts", {{20}, {5}, {5}, {30}}, {}, {2}, StageBound::kNoPlace},
      {"a block that has no cut", {{10}, {10, kConv, -1}, {10, kConv, -1}, {10}}, {}, {0}, StageBound::kNoPlace},
      {"a border that costs too much", {{12, kConv, 3000}, {12}}, {}, {}, StageBound::kCost},
      {"the same where it may cost more", {{12, kConv, 3000}, {12}}, {.most_cost = 0.1}, {0}},
      {"no stage that is too short", {{14}, {2}}, {}, {}, StageBound::kTooShort},
      {"a connected tail", {{4, kConv, 5}, {2, kFull, 1, 4 * kMb}, {1, kFull, 1, 2 * kMb}, {0.1, kSmall}}, {}, {0}},
      {"a tail that takes little", {{40, kConv, 5}, {1, kFull, 1, 4 * kMb}}, {.longest_us = 1e6}, {}},
      {"a tail of few weights", {{4, kConv, 5}, {2, kFull, 1, kMb / 2}}, {}, {}},
      {"a tail behind a pooling and its cheapest border",
       {{4, kConv, 50}, {0.1, LayerClass::kPooling, 2}, {3, kFull, 1, 4 * kMb}},
       {},
       {1}},
      {"a tail whose border costs too much", {{4, kConv, 5000}, {3, kFull, 1, 4 * kMb}}, {}, {}},
      {"connected layers that are not at the end", {{4, kFull, 1, 4 * kMb}, {4}}, {}, {}},
  };
  for (const Case& c : cases) {
    const Net net = MakeNet(c.layers);
    const StageChoice choice = Choose(net, c.rule);
    EXPECT_EQ(CutsAfter(net, choice), c.cuts_after) << c.name;
    EXPECT_EQ(choice.bound, c.bound) << c.name << ": " << ToString(choice.bound) << ": " << choice.reason;
    EXPECT_EQ(choice.reason.empty(), c.bound == StageBound::kShortEnough) << c.name;
    ASSERT_EQ(choice.stage_us.size(), choice.cuts.size() + 1) << c.name;
    EXPECT_NEAR(std::accumulate(choice.stage_us.begin(), choice.stage_us.end(), 0.0),
                std::accumulate(net.us.begin(), net.us.end(), 0.0), 1e-6)
        << c.name;
    EXPECT_EQ(*std::ranges::max_element(choice.stage_us), choice.stage_us[choice.longest]) << c.name;
  }
}

TEST(ChooseStages, SaysWhichLayersStayTogether) {
  const Net net = MakeNet({{10}, {10, kConv, -1}, {10, kConv, -1}, {10}});
  EXPECT_EQ(Choose(net).reason,
            "30.0 ms from 'l1' to 'l3' stay together: there is no place to cut it at that would make it shorter");
}

TEST(ChooseStages, GivesPlacesAsTheEngineTakesThem) {
  const Net net = MakeNet({{7}, {7}, {7}, {7}});
  EXPECT_EQ(PlacesOf(net.graph, Choose(net)), std::vector<int>{15});
}

// What the best of all sets of cuts has: its longest stage, if that is longer than wanted, and its cost.
std::optional<std::pair<double, double>> Best(const Net& net, const StageRule& rule) {
  const double total = std::accumulate(net.us.begin(), net.us.end(), 0.0);
  std::optional<std::pair<double, double>> best;
  for (uint32_t chosen = 0; chosen < 1U << net.graph.cuts.size(); ++chosen) {
    double cost = 0;
    double longest = 0;
    double shortest = 1e18;
    size_t from = 0;
    const auto add = [&](size_t to) {
      const double us =
          std::accumulate(net.us.begin() + static_cast<int64_t>(from), net.us.begin() + static_cast<int64_t>(to), 0.0);
      longest = std::max(longest, us);
      shortest = std::min(shortest, us);
      from = to;
    };
    for (size_t i = 0; i < net.graph.cuts.size(); ++i) {
      if ((chosen >> i & 1U) == 0) continue;
      cost += static_cast<double>(net.graph.cuts[i].bytes) / 1000 * rule.us_per_kb + rule.us_per_stage;
      add(static_cast<size_t>(net.graph.cuts[i].next_layer));
    }
    add(net.us.size());
    const bool good = chosen == 0 || (shortest >= rule.shortest_us && cost <= rule.most_cost * total);
    const std::pair<double, double> value(std::max(longest, rule.longest_us), cost);
    if (good && (!best || value < *best)) best = value;
  }
  return best;
}

TEST(ChooseStages, IsTheBestOfAllSetsOfCuts) {
  std::mt19937 random(11);
  int cut = 0;
  for (int round = 0; round < 300; ++round) {
    std::vector<Spec> layers(2 + random() % 11);
    // Whole milliseconds, so that sums are exact in any order.
    for (Spec& layer : layers) {
      layer = {.ms = static_cast<double>(random() % 8), .border_kb = static_cast<int64_t>(random() % 900) - 100};
    }
    const Net net = MakeNet(layers);
    const StageRule rule{.longest_us = static_cast<double>(2000 + random() % 12000),
                         .shortest_us = static_cast<double>(random() % 4000),
                         .whole_below_us = 0,
                         .most_cost = static_cast<double>(random() % 60) / 1000};
    const StageChoice choice = Choose(net, rule);
    const auto best = Best(net, rule);
    ASSERT_TRUE(best);
    const double longest = std::max(choice.stage_us[choice.longest], rule.longest_us);
    EXPECT_NEAR(longest, best->first, 1e-6) << "round " << round;
    EXPECT_NEAR(choice.cost_us, best->second, 1e-6) << "round " << round;
    cut += choice.cuts.empty() ? 0 : 1;
  }
  EXPECT_GT(cut, 100);
}

}  // namespace
}  // namespace deepedge
