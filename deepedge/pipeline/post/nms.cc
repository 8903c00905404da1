#include "deepedge/pipeline/post/nms.h"

#include <algorithm>
#include <utility>

namespace deepedge {
namespace {

constexpr size_t kMostCandidates = 2000;

bool Overlaps(const DetectedObject& kept, const DetectedObject& other, float iou, bool per_label) {
  return (!per_label || kept.label == other.label) && Iou(kept.box, other.box) > iou;
}

}  // namespace

std::vector<DetectedObject> SuppressOverlaps(std::vector<DetectedObject> candidates, float iou, bool per_label,
                                             size_t limit) {
  SortBestFirst(&candidates);
  if (candidates.size() > kMostCandidates) candidates.resize(kMostCandidates);
  size_t kept = 0;
  for (size_t i = 0; i < candidates.size() && kept < limit; ++i) {
    const bool hidden =
        std::any_of(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(kept),
                    [&](const DetectedObject& better) { return Overlaps(better, candidates[i], iou, per_label); });
    if (hidden) continue;
    if (i != kept) candidates[kept] = std::move(candidates[i]);
    ++kept;
  }
  candidates.resize(kept);
  return candidates;
}

void SortBestFirst(std::vector<DetectedObject>* objects) {
  // By place where scores are equal. Not std::stable_sort: Clang warns of what libstdc++ 12 builds it from.
  std::vector<std::pair<float, size_t>> order;
  order.reserve(objects->size());
  for (size_t i = 0; i < objects->size(); ++i) order.emplace_back(-(*objects)[i].score, i);
  std::sort(order.begin(), order.end());
  std::vector<DetectedObject> sorted;
  sorted.reserve(objects->size());
  for (const auto& [score, i] : order) sorted.push_back(std::move((*objects)[i]));
  *objects = std::move(sorted);
}

}  // namespace deepedge
