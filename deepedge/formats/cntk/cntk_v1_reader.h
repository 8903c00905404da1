// Reads CNTK v1 models; rules and errors in foreign_reader.h.
#pragma once

#include <memory>

#include "deepedge/base/result.h"
#include "deepedge/model/model_files.h"

namespace ov {
class Model;
}

namespace deepedge {

Result<std::shared_ptr<ov::Model>> ReadCntkV1(const ModelFiles& files);

}  // namespace deepedge
