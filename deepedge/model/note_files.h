// NoteFiles: which files beside a model may say something about it, by their names. What they say is read by
// pipeline/card/notes.h; adding a model takes them along.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "deepedge/base/file.h"

namespace deepedge {

constexpr int64_t kLargestNote = 1 << 20;  // bytes

enum class NoteKind {
  kNone,
  kLabels,      // a list of labels: labels.txt, x.names
  kJson,        // model_proc, config.json, preprocessor_config.json
  kTriton,      // config.pbtxt
  kMetadata,    // metadata.yaml of Ultralytics
  kDeepStream,  // config_infer_primary.txt; may be taken for labels too
};

// Pure. A DeepStream file whose name also speaks of labels is kDeepStream.
NoteKind NoteKindOf(const std::string& file_name);

// Whether the name is that of a list of labels, whatever else it may be.
bool IsLabelFileName(const std::string& file_name);

// Small regular files of a folder by name: at most 64 of its first 1000 entries, of at most kLargestNote.
std::vector<Path> SmallFilesOf(const Path& folder);

}  // namespace deepedge
