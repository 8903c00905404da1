#include "deepedge/app/engines.h"

#include "deepedge/engine/openvino/openvino_engine.h"

namespace deepedge {

Result<std::unique_ptr<Engine>> MakeDefaultEngine() { return CreateOpenVinoEngine(); }

}  // namespace deepedge
