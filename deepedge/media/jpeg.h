// Pictures, or parts of them, as JPEG: for snapshots that go with events. By TurboJPEG.
//
// JPEG's colours are BT.601 in full range. A picture that has them already, as many cameras send, and packed RGB go in
// as they are; other colours are converted first.
#pragma once

#include <cstdint>
#include <vector>

#include "deepedge/base/result.h"
#include "deepedge/media/geometry.h"
#include "deepedge/media/picture.h"

namespace deepedge {

struct JpegOptions {
  int quality = 80;      // 1 to 100
  int longest_side = 0;  // larger pictures are made smaller; 0: as it is
};

// The part of `source` inside `crop` (pixel_ops.h says how it is rounded to whole pixels). Thread-safe. Errors:
// kUnsupported for a picture without pixels or with a side above 65,500; kExhausted.
Result<std::vector<uint8_t>> EncodeJpeg(const PictureView& source, const Box& crop, const JpegOptions& options);

}  // namespace deepedge
