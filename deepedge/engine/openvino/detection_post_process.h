// Makes TFLite models that end in the custom operation TFLite_Detection_PostProcess readable.
#pragma once

#include <openvino/core/node.hpp>
#include <openvino/runtime/core.hpp>
#include <string>

namespace deepedge {

// OpenVINO has no translation of that operation (SSD decoding and suppression in one). With this one, its inputs come
// out in place of its four outputs: box offsets [1, N, 4] (y, x, h, w against the anchors, scaled by 10, 10, 5, 5 as a
// rule), scores [1, N, classes] (class 0: background), anchors [N, 4] (y, x, h, w), and one zero for the count.
// Decoding and suppression then happen in our own post-processing, where all SSD heads are read.
void AddDetectionPostProcess(ov::Core& core);

// "TFLite_Detection_PostProcess" for a node that stands for an output of that operation, else empty.
std::string MarkedOperation(const ov::Node& node);

}  // namespace deepedge
