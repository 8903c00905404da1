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
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const DetectedObject& a, const DetectedObject& b) { return a.score > b.score; });
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

}  // namespace deepedge
