// Readers for the formats that the engine cannot read: each builds the engine's graph from the file itself. One folder
// for each format, one function for each; this is the door to them.
//
// Rules for every reader: the file is hostile (sizes are checked against its length before anything is allocated,
// counts and recursion are bounded); a layer that cannot be read is named with its type and the file, nothing is
// guessed; inputs and outputs carry the names of the file; no exception leaves.
#pragma once

#include <memory>

#include "deepedge/base/result.h"
#include "deepedge/model/model_files.h"

namespace ov {
class Model;
}

namespace deepedge {

// Whether `format` is read by a reader of ours rather than by the engine's.
bool HasOwnReader(ModelFormat format);
// The same for a model: TensorFlow graphs in OpenCV's form, of two files, are read by ours too.
bool HasOwnReader(const ModelFiles& files);

// The graph of a model with HasOwnReader. Values of its rt_info under "deepedge" say what the file tells
// beyond its operations (GraphInfo::metadata). Errors: kNotFound, kBadInput (not what the format promises),
// kUnsupported (a layer or a version that is not read), naming file and layer. Threads: any.
Result<std::shared_ptr<ov::Model>> ReadForeignModel(const ModelFiles& files);

}  // namespace deepedge
