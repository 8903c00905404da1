#include "deepedge/pipeline/cascade/suppress_across.h"

#include <algorithm>
#include <functional>
#include <vector>

namespace deepedge {

void SuppressAcross(std::span<InferenceResult* const> results, float iou) {
  struct Entry {
    size_t part;
    size_t object;
    const DetectedObject* found;
    bool keep = true;
  };
  std::vector<Entry> entries;
  for (size_t part = 0; part < results.size(); ++part) {
    for (size_t i = 0; i < results[part]->objects.size(); ++i) entries.push_back({part, i, &results[part]->objects[i]});
  }
  std::ranges::stable_sort(entries, std::greater(), [](const Entry& entry) { return entry.found->score; });
  for (size_t i = 0; i < entries.size(); ++i) {
    for (size_t k = 0; k < i && entries[i].keep; ++k) {
      const bool same_thing = entries[k].keep && entries[k].part != entries[i].part &&
                              entries[k].found->label == entries[i].found->label &&
                              Iou(entries[k].found->box, entries[i].found->box) > iou;
      if (same_thing) entries[i].keep = false;
    }
  }
  std::vector<std::vector<bool>> kept;
  for (const InferenceResult* result : results) kept.emplace_back(result->objects.size(), true);
  for (const Entry& entry : entries) kept[entry.part][entry.object] = entry.keep;
  for (size_t part = 0; part < results.size(); ++part) {
    size_t index = 0;
    std::erase_if(results[part]->objects, [&](const DetectedObject&) { return !kept[part][index++]; });
  }
}

}  // namespace deepedge
