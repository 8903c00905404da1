// model.yaml in and out. A card looks like this; everything not said has the default of model_card.h:
//
//   name: yolox_nano
//   licence: Apache-2.0
//   source: https://...
//   sha256: c789...                  # of the graph file
//   input: { layout: nchw, width: 416, height: 416, color: bgr, resize: letterbox_top_left }
//   output: { decoder: yolox, strides: [8, 16, 32], nms_iou: 0.45 }
//   labels_file: coco80.txt          # one a line, beside the card; or  labels: [cat, dog]
//   threshold: 0.4
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "deepedge/base/file.h"
#include "deepedge/model/model_card.h"
#include "deepedge/model/model_files.h"

namespace deepedge {

// Reads the card at `path`, and its label file beside it. Errors: kNotFound, kBadInput with file, line, path of the key
// and the allowed values. Unknown keys are errors.
Result<ModelCard> LoadModelCard(const Path& path);

// Gives the content of a label file by its plain name.
using LabelFileReader = std::function<Result<std::string>(const std::string& name)>;

// The same for a text that is already here; `file_name` is what errors call it.
Result<ModelCard> ParseModelCard(const std::string& text, const std::string& file_name,
                                 const LabelFileReader& read_label_file);

// The card as model.yaml. Fields at their default are left out; ParseModelCard gives back the same card.
std::string ToYaml(const ModelCard& card);

// The name of a task or decoder as the card writes it.
std::string_view ToString(OutputDecoderKind kind);

// A model as the user names it, found and described.
struct ResolvedModel {
  ModelCard card;
  ModelFiles files;
};

}  // namespace deepedge
