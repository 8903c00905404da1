// `deepedge model infer`: raw tensors through a model, in the model's own layout and type, to compare it with the
// framework that it came from.
#pragma once

#include <string>
#include <vector>

#include "deepedge/base/file.h"
#include "deepedge/engine/engine.h"
#include "deepedge/model/tensor.h"

namespace deepedge {

struct InferOptions {
  std::string model;
  std::vector<std::string> inputs;  // "[NAME=]FILE.npy"
  std::string output;
  std::string repository;
  bool json = false;
};

// Pure. The name of the file that an output is written to: '/' and ':' become '_'.
std::string OutputFileName(const std::string& tensor_name);

// Pure. Whether a tensor of shape `given` may be used for an input of shape `wanted`: equal where `wanted` is fixed,
// and dimensions of size 1 may be added or left out when all of `wanted` is fixed. Returns the shape to use.
Result<Shape> FitShape(const Shape& given, const Shape& wanted);

// Errors name the input or file, and what the model wants.
Status InferTensors(Engine& engine, const Path& model, const InferOptions& options);

}  // namespace deepedge
