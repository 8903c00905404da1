#include "deepedge/pipeline/post/anchors.h"

#include <cmath>

namespace deepedge {
namespace {

float ScaleOf(const SsdAnchorRule& rule, size_t map) {
  const size_t count = rule.strides.size();
  if (count == 1) return (rule.min_scale + rule.max_scale) / 2;
  return rule.min_scale + (rule.max_scale - rule.min_scale) * static_cast<float>(map) / static_cast<float>(count - 1);
}

void AddSizes(const SsdAnchorRule& rule, size_t map, std::vector<std::array<float, 2>>* sizes) {
  const float scale = ScaleOf(rule, map);
  const auto add = [&](float box_scale, float ratio) {
    if (rule.unit_sizes) {
      sizes->push_back({1.0F, 1.0F});
    } else {
      sizes->push_back({box_scale * std::sqrt(ratio), box_scale / std::sqrt(ratio)});
    }
  };
  if (map == 0 && rule.reduce_lowest) {
    add(0.1F, 1.0F);
    add(scale, 2.0F);
    add(scale, 0.5F);
    return;
  }
  for (const float ratio : rule.aspect_ratios) add(scale, ratio);
  if (rule.interpolated_square) {
    const float next = map + 1 == rule.strides.size() ? 1.0F : ScaleOf(rule, map + 1);
    add(std::sqrt(scale * next), 1.0F);
  }
}

}  // namespace

std::vector<AnchorLevel> MakeAnchorLevels(const SsdAnchorRule& rule, int input_width, int input_height) {
  std::vector<AnchorLevel> levels;
  for (size_t map = 0; map < rule.strides.size(); ++map) {
    const int stride = rule.strides[map];
    if (map == 0 || stride != rule.strides[map - 1]) {
      levels.push_back({.columns = (input_width + stride - 1) / stride, .rows = (input_height + stride - 1) / stride});
    }
    AddSizes(rule, map, &levels.back().sizes);
  }
  return levels;
}

int64_t CountAnchors(const std::vector<AnchorLevel>& levels) {
  int64_t count = 0;
  for (const AnchorLevel& level : levels) {
    count += int64_t{level.columns} * level.rows * static_cast<int64_t>(level.sizes.size());
  }
  return count;
}

std::vector<Anchor> ListAnchors(const std::vector<AnchorLevel>& levels) {
  std::vector<Anchor> anchors;
  for (const AnchorLevel& level : levels) {
    const float step_x = level.step[0] > 0 ? level.step[0] : 1.0F / static_cast<float>(level.columns);
    const float step_y = level.step[1] > 0 ? level.step[1] : 1.0F / static_cast<float>(level.rows);
    for (int row = 0; row < level.rows; ++row) {
      for (int column = 0; column < level.columns; ++column) {
        for (const auto& [width, height] : level.sizes) {
          anchors.push_back(
              {(static_cast<float>(column) + 0.5F) * step_x, (static_cast<float>(row) + 0.5F) * step_y, width, height});
        }
      }
    }
  }
  return anchors;
}

}  // namespace deepedge
