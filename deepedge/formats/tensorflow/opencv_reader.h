// Reads TensorFlow graphs in the form of OpenCV: a text (.pbtxt) says what is computed, with layers of OpenCV's own for
// boxes (PriorBox, DetectionOutput), and a frozen graph (.pb) holds the weights under the names that the text uses.
#pragma once

#include <memory>

#include "deepedge/base/result.h"
#include "deepedge/model/model_files.h"

namespace ov {
class Model;
}

namespace deepedge {

// `files.graph` is the text, `files.weights` the .pb. As in OpenCV inputs are planar, f32 [1, channels, height, width];
// sizes are free where the text names none. Outputs are the nodes that no other uses, by their names. Errors:
// kNotFound, kBadInput, kUnsupported, naming file and node.
Result<std::shared_ptr<ov::Model>> ReadOpenCvGraph(const ModelFiles& files);

}  // namespace deepedge
