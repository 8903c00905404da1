// What one file is, from its bytes alone: the first half of FindModelFiles (sniff.h).
#pragma once

#include <string>

#include "deepedge/formats/bounded_file.h"
#include "deepedge/model/model_files.h"

namespace deepedge {

enum class ContentKind {
  kModel,        // a format that is read: `format` says which
  kUnsupported,  // a model in a format, or a version of one, that is not read yet
  kTextGraph,    // a TensorFlow graph as text; read where a frozen graph beside it holds its weights
  kWeights,      // the second file of a model whose graph lies in another file
  kOther,        // something else that is well known
  kUnknown,
};

struct FileContent {
  ContentKind kind = ContentKind::kUnknown;
  ModelFormat format = ModelFormat::kOnnx;  // kModel and kWeights only
  std::string what;           // "a JPEG picture", "a Caffe model", ...: completes the sentence "the file is ..."
  int64_t missing_bytes = 0;  // the file is shorter than its own fields say, by at least so much
};

// `name` is the file's name without folders; it only decides between kinds whose content has no mark of its own.
FileContent IdentifyContent(BoundedFile& file, const std::string& name);

}  // namespace deepedge
