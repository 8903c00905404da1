// Notes: what others wrote about a model, read as evidence. In the file: Ultralytics' and other metadata of ONNX,
// OpenVINO's model_info, Darknet's and Caffe's own descriptions. Beside it: DL Streamer's model_proc, Triton's
// config.pbtxt, DeepStream's nvinfer keys, Hugging Face's config.json and preprocessor_config.json, Ultralytics'
// metadata.yaml, lists of labels.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "deepedge/pipeline/card/evidence.h"

namespace deepedge {

// Pure. Values that cannot be read are passed over.
Notes NotesInMetadata(const std::map<std::string, std::string>& metadata);

// Reads the small files beside the model (and, of a version folder, above it): text of up to 1 MB, at most 64 of them.
// What is not understood is passed over.
Notes NotesBeside(const ModelFiles& files);

// `first` where it says something, else `second`; label lists of both.
Notes Merge(Notes first, Notes second);

// Each by the content of one file. Pure; `where` is what reasons call it.
Notes NotesInModelProc(std::string_view text, const std::string& where);
Notes NotesInDeepStream(std::string_view text, const std::string& where, std::string* label_file);
Notes NotesInHuggingFace(std::string_view text, const std::string& where);
Notes NotesInUltralyticsYaml(std::string_view text, const std::string& where);

// The file that a Triton config.pbtxt names as its labels; empty where it names none. Pure.
std::string LabelFileInTritonConfig(std::string_view text);

// Text that is not UTF-8 is read as Latin-1; lists with control characters are none.
//
// One label a line; numbers in front of every line ("0: person", "1 bicycle") are dropped. Empty when it is no list.
std::vector<std::string> ParseLabelLines(std::string_view text);
// "{0: 'person', 1: 'bicycle'}", '["a", "b"]'. Empty when it is neither.
std::vector<std::string> ParseNameDictionary(std::string_view text);

}  // namespace deepedge
