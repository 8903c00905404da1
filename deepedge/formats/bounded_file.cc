#include "deepedge/formats/bounded_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace deepedge {

Result<BoundedFile> BoundedFile::Open(const Path& path) {
  // Not blocking: a named pipe would otherwise wait for a writer.
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    if (errno == ENOENT || errno == ENOTDIR) {
      return Error{ErrorCode::kNotFound, fmt::format("{}: no such file", path.string())};
    }
    return Error{ErrorCode::kBadInput, fmt::format("{}: {}", path.string(), std::strerror(errno))};
  }
  struct stat status{};
  if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
    close(fd);
    return Error{ErrorCode::kBadInput, fmt::format("{}: is not a regular file", path.string())};
  }
  return BoundedFile(fd, status.st_size);
}

BoundedFile::BoundedFile(BoundedFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      size_(other.size_),
      buffer_(std::move(other.buffer_)),
      start_(other.start_),
      filled_(other.filled_) {}

BoundedFile::~BoundedFile() {
  if (fd_ >= 0) close(fd_);
}

std::string_view BoundedFile::ReadAt(int64_t offset, size_t count) {
  DE_CHECK(count <= kMaxRead);
  if (offset < 0 || offset >= size_) return {};
  const auto inside = [&] { return offset >= start_ && offset - start_ <= static_cast<int64_t>(filled_); };
  if (!inside() || filled_ - static_cast<size_t>(offset - start_) < count) {
    start_ = offset;
    filled_ = 0;
    while (filled_ < kMaxRead) {
      const ssize_t got =
          pread(fd_, buffer_.data() + filled_, kMaxRead - filled_, start_ + static_cast<off_t>(filled_));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) break;
      filled_ += static_cast<size_t>(got);
    }
  }
  return std::string_view(buffer_.data(), filled_).substr(static_cast<size_t>(offset - start_), count);
}

}  // namespace deepedge
