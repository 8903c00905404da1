// ModelFiles: where a network lies on disk and in which format, found out from the content (formats/sniff.h).
#pragma once

#include <string_view>

#include "deepedge/base/file.h"

namespace deepedge {

enum class ModelFormat {
  kOnnx,
  kTfFrozen,
  kTfSavedModel,
  kTflite,
  kPaddle,
  kOpenVinoIr,
  kOpenVinoIrOld,  // versions 5 to 9
  kCaffe,
  kCntkV1,
  kCntkV2,
  kDarknet,
  kTorch7,
};

std::string_view ToString(ModelFormat format);  // "ONNX", "TensorFlow frozen graph", ...

struct ModelFiles {
  ModelFormat format = ModelFormat::kOnnx;
  Path graph;  // the file; for a SavedModel its folder
  // Second file of IR (.bin), Paddle (.pdiparams, __params__), Caffe (.caffemodel) and Darknet (.weights); of a Paddle
  // model with a file for each parameter the folder that holds them; of a TensorFlow graph as text the frozen one that
  // holds its weights; empty otherwise.
  Path weights;
};

// The folder that the model's files lie in: of a SavedModel the folder itself.
Path FolderOfModel(const ModelFiles& files);

// The file that the model is known by, whose SHA-256 its card has: of a SavedModel the saved_model.pb in it.
Path GraphFileOf(const ModelFiles& files);

// Whether a folder is one version of a model: its name is a number.
bool IsVersionFolder(const Path& folder);

}  // namespace deepedge
