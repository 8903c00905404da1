#include "deepedge/repository/part_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "deepedge/repository/durable.h"

namespace deepedge {
namespace {

constexpr int kStallMs = 90'000;  // over the retries of a download that will yet fail

}  // namespace

Error FileError(const Path& path, std::string_view what, int error) {
  const bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;
  return {full ? ErrorCode::kExhausted : ErrorCode::kBadInput,
          fmt::format("{}: {}: {}", path.string(), what, std::strerror(error))};
}

Result<PartFile> PartFile::Open(const Path& folder, std::string_view key) {
  const Path path = folder / fmt::format("{}.part", key);
  // Whoever had it before may have moved it away while we waited: then our descriptor is of a file that is not here.
  for (int attempt = 0; attempt < 100; ++attempt) {
    UniqueFd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (!fd.valid()) return FileError(path, "cannot be created", errno);
    DE_TRY_STATUS(LockWhileItGrows(fd.get(), path, kStallMs));
    struct stat ours{};
    struct stat there{};
    if (fstat(fd.get(), &ours) != 0 || stat(path.c_str(), &there) != 0) continue;
    if (ours.st_ino != there.st_ino || ours.st_dev != there.st_dev) continue;
    PartFile part(path, std::move(fd), static_cast<int64_t>(ours.st_size));
    if (auto tag = ReadFile(part.StatePath(), 4096); tag.ok()) part.tag_ = std::move(tag).value();
    return part;
  }
  return Error{ErrorCode::kUnavailable, fmt::format("{}: others keep taking it away", path.string())};
}

Status PartFile::SetTag(const std::string& tag) {
  if (tag == tag_) return {};
  DE_TRY_STATUS(WriteFileAtomically(StatePath(), tag));
  tag_ = tag;
  return {};
}

Status PartFile::Append(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = pwrite(fd_.get(), bytes.data(), bytes.size(), size_);
    if (written < 0) {
      if (errno == EINTR) continue;
      return FileError(path_, "cannot be written", errno);
    }
    size_ += written;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return {};
}

Status PartFile::Clear() {
  if (ftruncate(fd_.get(), 0) != 0) return FileError(path_, "cannot be written", errno);
  size_ = 0;
  return SetTag("");
}

Status PartFile::Sync() {
  if (fsync(fd_.get()) != 0) return FileError(path_, "cannot be written", errno);
  return {};
}

Status PartFile::MoveTo(const Path& target) {
  DE_TRY_STATUS(Sync());
  if (rename(path_.c_str(), target.c_str()) != 0) return FileError(target, "cannot be put in place", errno);
  unlink(StatePath().c_str());
  return {};
}

void PartFile::Remove() {
  unlink(path_.c_str());
  unlink(StatePath().c_str());
}

}  // namespace deepedge
