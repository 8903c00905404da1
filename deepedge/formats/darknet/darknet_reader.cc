#include "deepedge/formats/darknet/darknet_reader.h"

#include <fmt/format.h>

#include <openvino/core/model.hpp>

namespace deepedge {

Result<std::shared_ptr<ov::Model>> ReadDarknet(const ModelFiles& files) {
  return Error{ErrorCode::kUnsupported,
               fmt::format("{}: {} is not read yet", files.graph.string(), ToString(files.format))};
}

}  // namespace deepedge
