// Picture files: JPEG, PNG, BMP, WebP and what else FFmpeg reads, as RGB; PNG out.
#pragma once

#include "deepedge/base/file.h"
#include "deepedge/media/picture.h"

namespace deepedge {

// Errors: kNotFound, kBadInput naming the file (not a picture, broken, larger than 100 megapixels).
Result<RgbPicture> ReadPicture(const Path& path);

Status WritePng(const Path& path, const RgbPicture& picture);

}  // namespace deepedge
