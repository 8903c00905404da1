// CatalogueFile: a list of models that anybody can host, beside the files or far from them, as YAML:
//
//   models:
//     yolox_nano:
//       licence: Apache-2.0
//       description: 80 classes of everyday objects
//       files:
//         - name: yolox_nano.onnx
//           sha256: c789…
//           size: 3659407
//           urls: [ "opencv/opencv_zoo@371cb2497001:models/object_detection_yolox/yolox_nano.onnx",
//           nets/yolox_nano.onnx ]
//       card: { output: { decoder: yolox }, … }       # as model.yaml; may be left out for models that DeepEdge knows
//
// `urls` are tried in their order; each is what ParseModelSource takes for a server, or a path relative to the
// catalogue. Values; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "deepedge/base/file.h"
#include "deepedge/model/model_card.h"
#include "deepedge/repository/model_source.h"

namespace deepedge {

struct CatalogueModelFile {
  std::string name;  // relative to the model's folder: "net.onnx", "variables/variables.index"
  std::string sha256;
  int64_t size = 0;
  std::vector<std::string> urls;
};

struct CatalogueModel {
  std::string name;
  std::string licence;
  std::string description;
  std::vector<CatalogueModelFile> files;
  std::optional<ModelCard> card;

  int64_t Bytes() const;
};

struct CatalogueFileContent {
  std::string where;  // path or address; "built-in"
  std::vector<CatalogueModel> models;

  // Borrowed; null: none of that name.
  const CatalogueModel* Find(std::string_view name) const;
};

// Errors: kBadInput naming `where`, line, key and what was expected. Unknown keys are errors.
Result<CatalogueFileContent> ParseCatalogue(std::string_view text, const std::string& where);

// The catalogue that comes with the program: models from GitHub that it was tried on.
Result<CatalogueFileContent> BuiltInCatalogue();

// What to ask for: `url` of a catalogue at `where` (a path or an address). Errors: kBadInput: a path that leads out of
// the catalogue's folder, or a relative one in the built-in catalogue.
Result<ModelSource> ResolveCatalogueUrl(const std::string& url, const std::string& where, const HostSettings& hosts);

// The models that have every word of `text` in name, description, licence, task or labels; case does not count.
std::vector<const CatalogueModel*> SearchCatalogue(const CatalogueFileContent& catalogue, std::string_view text);

}  // namespace deepedge
