// What TFLite's tables say of quantised tensors: what the numbers of a result mean, and channel axes that have to be
// put right. Converters of 2018 to 2020 gave the bias of a depthwise convolution the axis of its weights (3), though a
// bias has one dimension; TFLite never looks at it there, the engine refuses it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "deepedge/base/file.h"

namespace deepedge {

// Where the file (any content) holds an axis, four bytes, that lies outside of its tensor's shape; empty when nothing
// is wrong or the file is no TFLite model. Reads the tables of the tensors only, not the weights.
// Errors: kNotFound, kBadInput when the file cannot be read.
Result<std::vector<int64_t>> FindWrongTfliteAxes(const Path& model);

// Writes a copy in which these are the last axis of a tensor of one dimension: 0. Errors: kExhausted, kBadInput.
Status RewriteTfliteAxes(const Path& model, const std::vector<int64_t>& places, const Path& copy);

// A result of whole numbers n that mean (n - zero) * scale.
struct TfliteScale {
  std::string name;
  float scale = 1;
  int64_t zero = 0;

  friend bool operator==(const TfliteScale&, const TfliteScale&) = default;
};

// Those of the main graph that have one scale. Errors as above; empty where there are none or the file is none.
Result<std::vector<TfliteScale>> ReadTfliteOutputScales(const Path& model);

}  // namespace deepedge
