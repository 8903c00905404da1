// Galleries as JSON files.
//
//   {"deepedge_gallery": 1,
//    "model": {"name": "osnet", "sha256": "..", "named": "osnet", "detector": "person"},
//    "threshold": 0.4, "threshold_by": "user" | "evidence",
//    "embeddings": [{"name": "Ann", "source": "ann.jpg", "values": [0.01, ..]}, ..]}
#pragma once

#include "deepedge/base/file.h"
#include "deepedge/pipeline/gallery/gallery.h"

namespace deepedge {

// Errors: kNotFound, kBadInput naming the file and what was expected where.
Result<Gallery> ReadGallery(const Path& file);

// Through a temporary file beside it, so that readers see the old or the new gallery. Of two that write at once the
// last one wins.
Status WriteGallery(const Path& file, const Gallery& gallery);

// Both without the file, whose path is for messages.
Result<Gallery> ParseGallery(const std::string& text, const Path& file);
std::string GalleryText(const Gallery& gallery);

}  // namespace deepedge
