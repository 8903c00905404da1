// Every source that libavformat and libavdevice can open: RTSP over TCP, HTTP, files, Video4Linux.
#pragma once

#include <memory>

#include "deepedge/ingest/source.h"

namespace deepedge {

// `options.address` is an address of this kind; for a file and a camera device the plain path.
std::unique_ptr<Source> MakeFfmpegSource(SourceKind kind, SourceOptions options, const Clock& clock);

}  // namespace deepedge
