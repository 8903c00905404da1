// Paddle programs carry the version of the framework that wrote them. The engine refuses programs of Paddle 1.x for
// that number alone: their operators are the same, and the results are right once the number is gone.
#pragma once

#include "deepedge/base/file.h"
#include "deepedge/model/model_files.h"

namespace deepedge {

// The version field of a program, e.g. 1008001 for Paddle 1.8.1; 0 when it has none. Errors: kNotFound, kBadInput when
// the file is no program.
Result<int64_t> ReadPaddleVersion(const Path& program);

// Writes the program with version 0 as `model.pdmodel` into `folder`, beside a link `model.pdiparams` to the weights.
// The folder must exist until the model has been read. Errors: kBadInput, kExhausted when the disk is full.
Result<ModelFiles> RewritePaddleVersion(const ModelFiles& files, const Path& folder);

}  // namespace deepedge
