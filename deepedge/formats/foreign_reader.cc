#include "deepedge/formats/foreign_reader.h"

#include <openvino/core/model.hpp>

#include "deepedge/base/check.h"
#include "deepedge/formats/caffe/caffe_reader.h"
#include "deepedge/formats/cntk/cntk_v1_reader.h"
#include "deepedge/formats/cntk/cntk_v2_reader.h"
#include "deepedge/formats/darknet/darknet_reader.h"
#include "deepedge/formats/ir/old_ir_reader.h"
#include "deepedge/formats/tensorflow/opencv_reader.h"
#include "deepedge/formats/torch7/torch7_reader.h"

namespace deepedge {

bool HasOwnReader(ModelFormat format) {
  switch (format) {
    case ModelFormat::kOnnx:
    case ModelFormat::kTfFrozen:
    case ModelFormat::kTfSavedModel:
    case ModelFormat::kTflite:
    case ModelFormat::kPaddle:
    case ModelFormat::kOpenVinoIr: return false;
    case ModelFormat::kOpenVinoIrOld:
    case ModelFormat::kCaffe:
    case ModelFormat::kCntkV1:
    case ModelFormat::kCntkV2:
    case ModelFormat::kDarknet:
    case ModelFormat::kTorch7: return true;
  }
  return false;
}

bool HasOwnReader(const ModelFiles& files) {
  return HasOwnReader(files.format) || (files.format == ModelFormat::kTfFrozen && !files.weights.empty());
}

Result<std::shared_ptr<ov::Model>> ReadForeignModel(const ModelFiles& files) {
  DE_CHECK(HasOwnReader(files));
  switch (files.format) {
    case ModelFormat::kTfFrozen: return ReadOpenCvGraph(files);
    case ModelFormat::kOnnx:
    case ModelFormat::kTfSavedModel:
    case ModelFormat::kTflite:
    case ModelFormat::kPaddle:
    case ModelFormat::kOpenVinoIr: break;
    case ModelFormat::kOpenVinoIrOld: return ReadOldIr(files);
    case ModelFormat::kCaffe: return ReadCaffe(files);
    case ModelFormat::kCntkV1: return ReadCntkV1(files);
    case ModelFormat::kCntkV2: return ReadCntkV2(files);
    case ModelFormat::kDarknet: return ReadDarknet(files);
    case ModelFormat::kTorch7: return ReadTorch7(files);
  }
  return Error{ErrorCode::kInternal, "no reader"};
}

}  // namespace deepedge
