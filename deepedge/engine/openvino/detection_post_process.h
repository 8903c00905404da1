// Makes TFLite models that end in the custom operation TFLite_Detection_PostProcess readable.
#pragma once

#include <openvino/core/node.hpp>
#include <openvino/runtime/core.hpp>
#include <string>

namespace deepedge {

// What the operation is told by the file.
struct DetectionPostProcess {
  float y_scale = 1;  // box offsets are divided by these
  float x_scale = 1;
  float h_scale = 1;
  float w_scale = 1;
  float least_score = 0;
  float overlap = 0.5F;  // IoU above which the lower score goes
  int64_t classes = 0;   // without background
  int64_t max_detections = 0;
  int64_t max_per_class = 100;  // with suppression by class
  bool by_class = false;        // suppression within each class, rather than among each anchor's best class
};

// The operation built from the engine's own: from box offsets [1, N, 4] (y, x, h, w against the anchors), scores
// [1, N, classes or classes + 1] (the one more is the background, first) and anchors [N, 4] (y, x, h, w) to boxes
// [1, D, 4] (y1, x1, y2, x2), classes [1, D], scores [1, D] and the number of them that count [1], where D is
// max_detections; what does not count is zero. Throws ov::Exception when the shapes do not fit.
ov::OutputVector BuildDetectionPostProcess(const ov::Output<ov::Node>& offsets, const ov::Output<ov::Node>& scores,
                                           const ov::Output<ov::Node>& anchors, const DetectionPostProcess& rule);

// OpenVINO's reader has no translation of that operation; afterwards it has.
void AddDetectionPostProcess(ov::Core& core);

// "TFLite_Detection_PostProcess" for a node that gives an output of that operation, else empty.
std::string MarkedOperation(const ov::Node& node);

}  // namespace deepedge
