// The Engine on OpenVINO's CPU device. No OpenVINO type leaves this folder.
#pragma once

#include <memory>

#include "deepedge/engine/engine.h"

namespace deepedge {

// Create it in a thread that is not bound to a CPU, before lanes start: threads that the device needs later may run on
// the CPUs this thread may run on now. Errors: kInternal when the device's library cannot be loaded.
Result<std::unique_ptr<Engine>> CreateOpenVinoEngine();

}  // namespace deepedge
