// Greedy non-maximum suppression per label: of two boxes of one label that overlap by more than `iou`, the one with the
// lower score goes. Keeps at most `limit`, best first. Equal scores keep the order of the input, so results repeat.
#pragma once

#include <vector>

#include "deepedge/model/inference_result.h"

namespace deepedge {

std::vector<DetectedObject> SuppressOverlaps(std::vector<DetectedObject> candidates, float iou, size_t limit = 300);

}  // namespace deepedge
