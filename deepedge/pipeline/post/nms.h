// Greedy non-maximum suppression: of two boxes of one label (of any label where `per_label` is false) that overlap by
// more than `iou`, the one with the lower score goes. Keeps at most `limit`, best first. Equal scores keep the order of
// the input, so results repeat. Only the best 2000 candidates are compared, which bounds the time on noise.
#pragma once

#include <vector>

#include "deepedge/model/inference_result.h"

namespace deepedge {

std::vector<DetectedObject> SuppressOverlaps(std::vector<DetectedObject> candidates, float iou, bool per_label = true,
                                             size_t limit = 300);

// Equal scores keep their order.
void SortBestFirst(std::vector<DetectedObject>* objects);

}  // namespace deepedge
