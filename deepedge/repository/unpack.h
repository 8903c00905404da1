// Unpack: gets files out of an archive that nobody vouches for: tar (plain, gzip, xz, zstd, bzip2) and zip.
//
// Only regular files and folders are made. Refused, naming the entry: absolute paths, "..", links, devices, pipes,
// names that are not plain text, a file twice. Bounded: bytes unpacked (in all, and against the archive's own size),
// number of files, length and depth of paths. Nothing of an archive is ever run, and no owner, mode or time is taken
// over. Blocks; any thread.
#pragma once

#include <cstdint>
#include <string>

#include "deepedge/base/file.h"

namespace deepedge {

struct UnpackLimits {
  int64_t max_bytes = int64_t{4} << 30;
  int64_t max_ratio = 200;                       // bytes unpacked for each byte of the archive ...
  int64_t ratio_from_bytes = int64_t{64} << 20;  // ... counted from here on: small files may be as dense as they like
  int max_entries = 10'000;
  size_t max_path = 400;
  int max_depth = 16;
};

// Whether a file's first bytes are those of such an archive.
Result<bool> IsArchive(const Path& file);

// Unpacks `archive` into `folder`, which must exist and be empty. After an error the folder holds a part of it. Errors:
// kBadInput naming archive, entry and reason; kExhausted where the disk is full. One compressed file ("m.onnx.gz")
// gives that file, called `name` without its last ending.
Status Unpack(const Path& archive, const Path& folder, const UnpackLimits& limits, const std::string& name);

}  // namespace deepedge
