// Small file helpers with errors that name the file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "deepedge/base/result.h"

namespace deepedge {

using Path = std::filesystem::path;

// What lies at `path`, a link followed. Errors: kNotFound "PATH: <missing>" where there is nothing, kBadInput with the
// reason where it cannot be told (a folder above may not be entered, links in a circle).
Result<std::filesystem::file_status> StatusOf(const Path& path, std::string_view missing = "no such file");

// Reads a whole regular file of at most `max_bytes`. Errors: kNotFound, kBadInput (a directory, a
// pipe or device, too large, unreadable); none of these functions waits for somebody to write into a pipe.
Result<std::string> ReadFile(const Path& path, int64_t max_bytes = int64_t{1} << 31);

// Reads at most `count` bytes from the start of a regular file; shorter files give fewer.
Result<std::string> ReadFilePrefix(const Path& path, size_t count);

// Writes through a temporary file in the same folder and renames it, so that readers see the old or the new content.
Status WriteFileAtomically(const Path& path, std::string_view content);

// Lower-case hexadecimal SHA-256 of a file's content.
Result<std::string> Sha256OfFile(const Path& path);

// A folder that is created empty, under the system's temporary folder or in `parent`, and removed with all its content
// at destruction.
class TemporaryFolder {
 public:
  static Result<TemporaryFolder> Create(std::string_view prefix);
  static Result<TemporaryFolder> CreateIn(const Path& parent, std::string_view prefix);
  TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryFolder& operator=(TemporaryFolder&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
  }
  ~TemporaryFolder();
  const Path& path() const { return path_; }

 private:
  explicit TemporaryFolder(Path path) : path_(std::move(path)) {}
  Path path_;
};

}  // namespace deepedge
