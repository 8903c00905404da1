#include "deepedge/formats/torch7/torch7_reader.h"

#include <fmt/format.h>

#include <openvino/core/model.hpp>

namespace deepedge {

Result<std::shared_ptr<ov::Model>> ReadTorch7(const ModelFiles& files) {
  return Error{ErrorCode::kUnsupported,
               fmt::format("{}: {} is not read yet", files.graph.string(), ToString(files.format))};
}

}  // namespace deepedge
