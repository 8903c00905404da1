// Labels inside a TFLite file: the tool that adds metadata appends text files to it as a zip archive.
#pragma once

#include <string>

#include "deepedge/base/file.h"

namespace deepedge {

// The content of the archive's text file, of that with "label" in its name where there are several; empty when there is
// none, or it is compressed. Errors: kNotFound, kBadInput when the file cannot be read.
Result<std::string> ReadTfliteLabels(const Path& path);

}  // namespace deepedge
