// TensorFlow graphs whose loops collect results of different lengths: a TensorArray that gets one element in each turn
// of a `while` loop and is joined by a TensorArrayConcat behind it (pyramids of detectors such as MTCNN).
// The engine holds a TensorArray as one tensor, so all elements need one shape, and where that is open it loses even
// the number of dimensions: what follows is refused or computed wrongly. A copy of the graph is read instead in which
// the loop carries the joined elements themselves:
//
//   TensorArray                  -> an empty constant
//   TensorArrayWrite(i, value)   -> Concat(what there is so far, value)
//   TensorArrayConcat            -> what the loop leaves
#pragma once

#include "deepedge/base/file.h"
#include "deepedge/model/model_files.h"

namespace deepedge {

// Whether a graph holds a TensorArrayConcat; one quick pass over its nodes. Errors: kNotFound, kBadInput when damaged.
Result<bool> HasJoinedArrays(const Path& graph);

// Writes the graph as `arrays.pb` into `folder` with every array replaced of which it is certain that both forms give
// the same: written once in each turn, at the number of the turn, never read, and with elements whose further
// dimensions are known. Other nodes stay as they are; a graph without such an array is not written, and `files` come
// back. Errors: kBadInput when damaged, kUnsupported for too many nodes, kExhausted when the disk is full.
Result<ModelFiles> RewriteJoinedArrays(const ModelFiles& files, const Path& folder);

}  // namespace deepedge
