#include "deepedge/pipeline/cascade/pass_on.h"

#include <algorithm>

namespace deepedge {

bool PassesOn(std::string_view task) { return task == "detection" || task == "classification" || task == "text"; }

std::vector<DetectedObject> ObjectsToPassOn(const InferenceResult& result, const Box& whole) {
  std::vector<DetectedObject> objects = result.objects;
  for (const ClassScore& one : result.classes) {
    objects.push_back({.label = one.label, .score = one.score, .box = whole, .keypoints = {}});
  }
  for (const TextRegion& region : result.text) {
    Box box{1, 1, 0, 0};
    for (const Point& corner : region.corners) {
      box = {std::min(box.x1, corner.x), std::min(box.y1, corner.y), std::max(box.x2, corner.x),
             std::max(box.y2, corner.y)};
    }
    objects.push_back({.label = 0, .score = region.score, .box = box, .keypoints = {}});
  }
  return objects;
}

}  // namespace deepedge
