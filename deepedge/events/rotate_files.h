// Rotation of a file that grows: FILE becomes FILE.1, FILE.1 becomes FILE.2 and so on; the last one is removed.
#pragma once

#include "deepedge/base/file.h"
#include "deepedge/base/result.h"

namespace deepedge {

// Afterwards there is no FILE, and at most `keep` (at least 1) that were put aside. Numbers are moved up to the first
// one that is free only, so that an attempt that failed half-way loses nothing when it is made again. Errors:
// kUnavailable naming the file; FILE is then where it was.
Status RotateFiles(const Path& file, int keep);

}  // namespace deepedge
