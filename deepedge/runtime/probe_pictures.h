// The pictures that readings of a model are tried on: those that the user names, else those that lie in the repository.
#pragma once

#include <string>
#include <vector>

#include "deepedge/base/file.h"
#include "deepedge/base/result.h"
#include "deepedge/media/picture.h"

namespace deepedge {

// Where an operator puts pictures once, best stills of the own cameras: `<repository>/_probe`. No model can be called
// so (CheckModelName).
Path ProbeFolder(const Path& repository);

// The files: pictures as given, and of a folder the first few pictures (JPEG, PNG, BMP, WebP) by name. Errors:
// kNotFound; kBadInput where a folder holds no picture.
Result<std::vector<Path>> FindProbePictures(const std::vector<std::string>& given);

// Errors: those of ReadPicture, for the first that cannot be read.
Result<std::vector<RgbPicture>> ReadPictures(const std::vector<Path>& files);

// The first few of ProbeFolder; none where there is no such folder. One that cannot be read is logged and left out, so
// that it is not in the way of every model.
std::vector<RgbPicture> ReadRepositoryPictures(const Path& repository);

}  // namespace deepedge
