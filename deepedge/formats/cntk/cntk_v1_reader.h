// Reads CNTK v1 models; rules and errors in foreign_reader.h.
#pragma once

#include <memory>
#include <string_view>

#include "deepedge/base/file.h"
#include "deepedge/base/result.h"
#include "deepedge/model/model_files.h"

namespace ov {
class Model;
}

namespace deepedge {

Result<std::shared_ptr<ov::Model>> ReadCntkV1(const ModelFiles& files);
// The same of bytes in memory, which are not needed afterwards; `name` is for messages.
Result<std::shared_ptr<ov::Model>> ReadCntkV1(const Path& name, std::string_view bytes);

}  // namespace deepedge
