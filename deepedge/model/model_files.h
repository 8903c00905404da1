// ModelFiles: where a network lies on disk and in which format, found out from the content (formats/sniff.h).
#pragma once

#include <string_view>

#include "deepedge/base/file.h"

namespace deepedge {

enum class ModelFormat { kOnnx, kTfFrozen, kTfSavedModel, kTflite, kPaddle, kOpenVinoIr };

std::string_view ToString(ModelFormat format);  // "ONNX", "TensorFlow frozen graph", ...

struct ModelFiles {
  ModelFormat format = ModelFormat::kOnnx;
  Path graph;    // the file; for a SavedModel its folder
  Path weights;  // second file of IR (.bin) and Paddle (.pdiparams, __params__); empty otherwise
};

}  // namespace deepedge
