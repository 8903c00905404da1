// The files beside an ONNX model that hold its weights, wherever in the model they are named: initialisers, attributes
// of nodes, graphs inside of nodes. Names are relative to the model's folder; those that leave it are refused, so that
// no model makes the engine read another file of this machine.
#pragma once

#include <vector>

#include "deepedge/base/file.h"

namespace deepedge {

// Each once, relative to the model's folder, whether it is there or not. Errors: kBadInput (damaged, a name that leaves
// the folder), kUnsupported.
Result<std::vector<Path>> NamesOfOnnxExternalFiles(const Path& model);

// The same, all of which are there. Errors: kNotFound too.
Result<std::vector<Path>> FindOnnxExternalFiles(const Path& model);

// Gives `folder` these files, for a copy of the model there that is called "model.onnx". Errors: kExhausted too.
Status PlaceOnnxExternalFiles(const Path& model, const Path& folder);

}  // namespace deepedge
