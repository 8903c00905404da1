// Labels and notes inside a TFLite file: the tools that add metadata append text files to it as a zip archive.
#pragma once

#include <string>

#include "deepedge/base/file.h"

namespace deepedge {

// The content of the archive's text file, of that with "label" in its name where there are several; empty when there is
// none, or it is damaged. Errors: kNotFound, kBadInput when the file cannot be read.
Result<std::string> ReadTfliteLabels(const Path& path);

// The same of what Ultralytics' exports append: a dictionary of names, task, size, ... as Python or JSON writes it.
Result<std::string> ReadTfliteNotes(const Path& path);

}  // namespace deepedge
