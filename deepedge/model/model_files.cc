#include "deepedge/model/model_files.h"

namespace deepedge {

std::string_view ToString(ModelFormat format) {
  switch (format) {
    case ModelFormat::kOnnx: return "ONNX";
    case ModelFormat::kTfFrozen: return "TensorFlow frozen graph";
    case ModelFormat::kTfSavedModel: return "TensorFlow SavedModel";
    case ModelFormat::kTflite: return "TFLite";
    case ModelFormat::kPaddle: return "Paddle";
    case ModelFormat::kOpenVinoIr: return "OpenVINO IR";
  }
  return "?";
}

}  // namespace deepedge
