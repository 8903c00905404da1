// NumPy .npy files, version 1 and 2, C order, little-endian: raw tensors in and out of `deepedge model infer`.
#pragma once

#include "deepedge/base/file.h"
#include "deepedge/model/tensor.h"

namespace deepedge {

// Errors: kBadInput naming the file and what is wrong (magic, header, Fortran order, type, size against the shape).
// Sizes are checked against the file's length before anything is allocated.
Result<Tensor> ReadNpy(const Path& path);

Status WriteNpy(const Path& path, const TensorView& tensor);

}  // namespace deepedge
