#include "deepedge/events/rotate_files.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace deepedge {
namespace {

Path Numbered(const Path& file, int number) { return fmt::format("{}.{}", file.string(), number); }

Status Rename(const Path& from, const Path& to) {
  if (std::rename(from.c_str(), to.c_str()) == 0) return {};
  return Error{ErrorCode::kUnavailable, fmt::format("{}: cannot be renamed to {}: {}", from.string(),
                                                    to.filename().string(), std::strerror(errno))};
}

}  // namespace

Status RotateFiles(const Path& file, int keep) {
  int free = 1;  // or the last, which is written over
  std::error_code ec;
  while (free < keep && std::filesystem::exists(std::filesystem::symlink_status(Numbered(file, free), ec))) ++free;
  for (int number = free; number > 1; --number)
    DE_TRY_STATUS(Rename(Numbered(file, number - 1), Numbered(file, number)));
  return Rename(file, Numbered(file, 1));
}

}  // namespace deepedge
