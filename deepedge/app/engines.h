// The engines of this program.
#pragma once

#include <memory>

#include "deepedge/base/result.h"
#include "deepedge/engine/engine.h"

namespace deepedge {

Result<std::unique_ptr<Engine>> MakeDefaultEngine();

}  // namespace deepedge
