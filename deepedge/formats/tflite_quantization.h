// Puts right the channel axes of quantised TFLite tensors. Converters of 2018 to 2020 gave the bias of a depthwise
// convolution the axis of its weights (3), though a bias has one dimension; TFLite never looks at it there, the engine
// refuses it.
#pragma once

#include <cstdint>
#include <vector>

#include "deepedge/base/file.h"

namespace deepedge {

// Where the file (any content) holds an axis, four bytes, that lies outside of its tensor's shape; empty when nothing
// is wrong or the file is no TFLite model. Reads the tables of the tensors only, not the weights.
// Errors: kNotFound, kBadInput when the file cannot be read.
Result<std::vector<int64_t>> FindWrongTfliteAxes(const Path& model);

// Writes a copy in which these are the last axis of a tensor of one dimension: 0. Errors: kExhausted, kBadInput.
Status RewriteTfliteAxes(const Path& model, const std::vector<int64_t>& places, const Path& copy);

}  // namespace deepedge
