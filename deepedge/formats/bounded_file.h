// BoundedFile: small reads anywhere in a file of unknown origin, through one buffer. Used by the format recognisers,
// which look at a few bytes of files that may be gigabytes long, truncated or hostile.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "deepedge/base/file.h"

namespace deepedge {

// Thread-compatible. Owns the open file.
class BoundedFile {
 public:
  // Errors: kNotFound, kBadInput (a folder, a device, unreadable).
  static Result<BoundedFile> Open(const Path& path);
  BoundedFile(BoundedFile&& other) noexcept;
  BoundedFile& operator=(BoundedFile&&) = delete;
  ~BoundedFile();

  int64_t size() const { return size_; }

  // The `count` (at most kMaxRead) bytes at `offset`, fewer where the file ends or cannot be read. Valid until the next
  // call.
  std::string_view ReadAt(int64_t offset, size_t count);

  static constexpr size_t kMaxRead = 4096;

 private:
  BoundedFile(int fd, int64_t size) : fd_(fd), size_(size), buffer_(kMaxRead, '\0') {}

  int fd_;
  int64_t size_;
  std::string buffer_;  // holds the `filled_` bytes at `start_`
  int64_t start_ = 0;
  size_t filled_ = 0;
};

}  // namespace deepedge
