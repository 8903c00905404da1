// What compiled models, whole or in stages, do alike with OpenVINO's tensors and requests.
#pragma once

#include <map>
#include <openvino/runtime/infer_request.hpp>
#include <openvino/runtime/tensor.hpp>
#include <string>
#include <vector>

#include "deepedge/engine/engine.h"

namespace deepedge {

inline constexpr const char* kDevice = "CPU";

// Zeros, so that nothing is computed from memory that nobody wrote.
ov::Tensor MakeTensor(const TensorSpec& spec, const Shape& shape);

MutableTensorView ViewOf(const ov::Tensor& tensor, ElementType type);

// What each layer took. `layers` names the layer of each kernel (LayersOfKernels); one that runs in several of the
// requests takes the sum. What the engine throws goes through.
std::vector<LayerTime> ReadLayerTimes(const std::vector<ov::InferRequest>& requests,
                                      const std::map<std::string, std::string>& layers);

}  // namespace deepedge
