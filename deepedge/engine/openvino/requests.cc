#include "deepedge/engine/openvino/requests.h"

#include <chrono>
#include <cstring>

#include "deepedge/engine/openvino/ov_types.h"

namespace deepedge {

ov::Tensor MakeTensor(const TensorSpec& spec, const Shape& shape) {
  ov::Tensor tensor(ToOv(spec.type), ov::Shape(shape.begin(), shape.end()));
  if (tensor.get_byte_size() > 0) std::memset(tensor.data(), 0, tensor.get_byte_size());
  return tensor;
}

MutableTensorView ViewOf(const ov::Tensor& tensor, ElementType type) {
  ov::Tensor same = tensor;  // the same memory; only what is not constant gives a pointer to write by
  return {type, FromOv(same.get_shape()), {static_cast<std::byte*>(same.data()), same.get_byte_size()}};
}

std::vector<LayerTime> ReadLayerTimes(const std::vector<ov::InferRequest>& requests,
                                      const std::map<std::string, std::string>& layers) {
  std::map<std::string, double> times;
  for (const ov::InferRequest& request : requests) {
    for (const ov::ProfilingInfo& kernel : request.get_profiling_info()) {
      if (kernel.status != ov::ProfilingInfo::Status::EXECUTED) continue;
      const auto found = layers.find(kernel.node_name);
      times[found == layers.end() ? std::string() : found->second] +=
          std::chrono::duration<double, std::micro>(kernel.real_time).count();
    }
  }
  std::vector<LayerTime> result;
  for (const auto& [layer, us] : times) result.push_back({layer, us});
  return result;
}

}  // namespace deepedge
