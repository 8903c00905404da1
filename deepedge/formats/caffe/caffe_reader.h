// Reads Caffe networks (.prototxt and .caffemodel); rules and errors in foreign_reader.h.
#pragma once

#include <memory>

#include "deepedge/base/result.h"
#include "deepedge/model/model_files.h"

namespace ov {
class Model;
}

namespace deepedge {

Result<std::shared_ptr<ov::Model>> ReadCaffe(const ModelFiles& files);

}  // namespace deepedge
