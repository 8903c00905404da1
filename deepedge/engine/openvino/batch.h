// Several pictures in one run: whether a graph that was made for one can, and proof that it does so rightly. A graph
// may hold its batch of 1 in constants; it then fails with more, or mixes pictures up without an error.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <openvino/core/model.hpp>
#include <vector>

#include "deepedge/model/tensor.h"
#include "deepedge/model/variant.h"

namespace deepedge {

// Whether the graph's fully connected weights are at least so many bytes and half of all (CompileOptions); fully
// connected are a product with constants and a convolution of a whole map.
bool BatchPays(const ov::Model& model, int64_t from_bytes);

// A copy of `model`, whose only input is [1, ..], that takes 1 to `max_batch` of them; constants are shared with it.
// Where an operation gives its result a first dimension of 1 by a constant, it keeps that of its input instead. Null
// where an output does not follow. Throws what the engine throws.
std::shared_ptr<ov::Model> WithBatch(const ov::Model& model, int max_batch);

// Two packed pictures [1, height, width, channels] that look different to any network: fine noise and coarse, darker
// noise. Always the same.
std::array<std::vector<uint8_t>, 2> BatchTestPictures(const Shape& input);

// Whether `together`, what a run on `count` pictures gave, the first and the second one in turns, is what each alone
// gave, within what rounding does in that precision and by far less than the two differ. Pure. False as well where the
// two do not differ at all, for that proves nothing.
bool SameAnswers(const std::vector<Tensor>& first, const std::vector<Tensor>& second,
                 const std::vector<Tensor>& together, int count, Precision precision);

}  // namespace deepedge
