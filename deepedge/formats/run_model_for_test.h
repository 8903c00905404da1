// Runs a graph that a reader built, on the CPU in full precision. For tests only.
#pragma once

#include <algorithm>
#include <openvino/runtime/core.hpp>
#include <openvino/runtime/properties.hpp>
#include <string>
#include <vector>

#include "deepedge/base/check.h"

namespace deepedge {

struct RunResult {
  ov::Shape shape;
  std::vector<float> values;
};

// Inputs in the order of the model's; each must have as many numbers as the model wants.
inline std::vector<RunResult> RunForTest(const std::shared_ptr<ov::Model>& model,
                                         const std::vector<std::vector<float>>& inputs) {
  static ov::Core core;
  auto request =
      core.compile_model(model, "CPU", ov::hint::inference_precision(ov::element::f32)).create_infer_request();
  DE_CHECK(model->inputs().size() == inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    ov::Tensor tensor = request.get_input_tensor(i);
    DE_CHECK(tensor.get_size() == inputs[i].size());
    std::copy(inputs[i].begin(), inputs[i].end(), tensor.data<float>());
  }
  request.infer();
  std::vector<RunResult> results;
  for (size_t i = 0; i < model->outputs().size(); ++i) {
    const ov::Tensor tensor = request.get_output_tensor(i);
    const auto* values = tensor.data<float>();
    results.push_back({tensor.get_shape(), {values, values + tensor.get_size()}});
  }
  return results;
}

}  // namespace deepedge
