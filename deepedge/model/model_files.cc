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
    case ModelFormat::kOpenVinoIrOld: return "OpenVINO IR before version 10";
    case ModelFormat::kCaffe: return "Caffe";
    case ModelFormat::kCntkV1: return "CNTK v1";
    case ModelFormat::kCntkV2: return "CNTK v2";
    case ModelFormat::kDarknet: return "Darknet";
    case ModelFormat::kTorch7: return "Torch7";
  }
  return "?";
}

Path FolderOfModel(const ModelFiles& files) {
  const Path folder = files.format == ModelFormat::kTfSavedModel ? files.graph : files.graph.parent_path();
  return folder.empty() ? Path(".") : folder;
}

Path GraphFileOf(const ModelFiles& files) {
  return files.format == ModelFormat::kTfSavedModel ? files.graph / "saved_model.pb" : files.graph;
}

bool IsVersionFolder(const Path& folder) {
  const std::string name = folder.filename().string();
  return !name.empty() && name.find_first_not_of("0123456789") == std::string::npos;
}

}  // namespace deepedge
