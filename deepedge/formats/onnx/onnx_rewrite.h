// Makes ONNX files readable whose operations the engine gets wrong or refuses: a copy with those operations written
// out otherwise. Weights are copied from file to file.
#pragma once

#include "deepedge/formats/onnx/onnx_graph.h"
#include "deepedge/model/model_files.h"

namespace deepedge {

// Whether the file holds operations that RewriteOnnx takes apart.
bool NeedsRewriting(const OnnxOutline& outline);

// Writes `model.onnx` into `folder`, beside the files that hold its weights; `folder` must exist until the
// model has been read. Operations on quantized numbers become plain ones between DequantizeLinear and QuantizeLinear;
// inputs that are initialisers too are no inputs any more. Errors: kBadInput, kUnsupported (named by node), kExhausted
// when the disk is full.
Result<ModelFiles> RewriteOnnx(const ModelFiles& files, const Path& folder);

}  // namespace deepedge
