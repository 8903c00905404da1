// InferenceResult: what one job saw, in the terms of the source picture. Filled by pipeline/post, carried by events.
#pragma once

#include <string>
#include <vector>

#include "deepedge/media/geometry.h"

namespace deepedge {

// A named point, for faces and poses; fractions of the source picture.
struct Keypoint {
  Point point;
  float score = 0;
};

struct DetectedObject {
  int label = 0;  // index into the card's labels
  float score = 0;
  Box box;
  std::vector<Keypoint> keypoints;  // empty unless the model gives some for each object
};

struct ClassScore {
  int label = 0;
  float score = 0;
};

// Which of the parts is filled follows from the card's task; the others stay empty.
struct InferenceResult {
  std::vector<DetectedObject> objects;  // best score first
  std::vector<ClassScore> classes;      // best score first
  std::vector<Keypoint> keypoints;      // one pose of the whole picture, in the model's own order
};

}  // namespace deepedge
