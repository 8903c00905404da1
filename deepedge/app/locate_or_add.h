// LocateOrAdd: a model of a configuration that is named by its address and hash is looked for in the repository and,
// the first time, added to it.
#pragma once

#include "deepedge/app/run_specs.h"
#include "deepedge/engine/engine.h"

namespace deepedge {

// Where the model lies. `request.sha256` is emptied where the repository vouches for it. Errors: those of LocateModel
// and AddModel.
Result<Path> LocateOrAdd(Engine& engine, ModelRequest& request, const Path& repository);

}  // namespace deepedge
