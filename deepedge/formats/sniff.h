// Finds out what a model file is from its content, before any reader is tried: a reader given a foreign file wastes
// time, prints to standard error, or guesses.
#pragma once

#include "deepedge/base/result.h"
#include "deepedge/model/model_files.h"

namespace deepedge {

// `path` is a model file, or a folder that holds exactly one model (a SavedModel, or a folder with one model file and
// its weights, also inside one version folder such as `1/`). Finds the second file of IR and Paddle models beside the
// first. Errors: kNotFound (no such path), kBadInput ("x.jpg: a JPEG picture, not a model"; "folder: holds two models:
// a, b"; an IR without its .bin), kUnsupported for formats recognised but not read yet (named: Caffe, Darknet, ...).
Result<ModelFiles> FindModelFiles(const Path& path);

}  // namespace deepedge
