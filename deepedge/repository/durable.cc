#include "deepedge/repository/durable.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "deepedge/base/log.h"
#include "deepedge/repository/part_file.h"

namespace deepedge {
namespace fs = std::filesystem;

Status SyncPath(const Path& path) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd.valid()) return FileError(path, "cannot be opened", errno);
  // Some file systems cannot do this for folders, and say so.
  if (fsync(fd.get()) != 0 && errno != EINVAL) return FileError(path, "cannot be written", errno);
  return {};
}

Status SyncTree(const Path& folder) {
  std::error_code ec;
  for (auto it = fs::recursive_directory_iterator(folder, ec); !ec && it != fs::recursive_directory_iterator();
       it.increment(ec)) {
    const fs::file_type type = it->symlink_status(ec).type();
    if (type == fs::file_type::regular || type == fs::file_type::directory) DE_TRY_STATUS(SyncPath(it->path()));
  }
  if (ec) return FileError(folder, "cannot be listed", ec.value());
  return SyncPath(folder);
}

Status WriteDurably(const Path& path, std::string_view content) {
  const Path temporary = path.string() + fmt::format(".tmp{}", getpid());
  const auto write_all = [&]() -> Status {
    const UniqueFd fd(open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (!fd.valid()) return FileError(path, "cannot be created", errno);
    while (!content.empty()) {
      const ssize_t written = write(fd.get(), content.data(), content.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return FileError(path, "cannot be written", errno);
      content.remove_prefix(static_cast<size_t>(written));
    }
    if (fsync(fd.get()) != 0) return FileError(path, "cannot be written", errno);
    return {};
  };
  Status done = write_all();
  if (done.ok()) done = RenameDurably(temporary, path);
  if (!done.ok()) unlink(temporary.c_str());
  return done;
}

Status RenameDurably(const Path& from, const Path& to) {
  if (rename(from.c_str(), to.c_str()) != 0) return FileError(to, "cannot be put in place", errno);
  return SyncPath(to.parent_path());
}

Status CopyContent(const Path& from, const Path& to) {
  const UniqueFd in(open(from.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!in.valid()) return FileError(from, "cannot be read", errno);
  const UniqueFd out(open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!out.valid()) return FileError(to, "cannot be created", errno);
  std::string buffer(1 << 18, '\0');
  while (true) {
    const ssize_t count = read(in.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return FileError(from, "cannot be read", errno);
    if (count == 0) return {};
    std::string_view rest(buffer.data(), static_cast<size_t>(count));
    while (!rest.empty()) {
      const ssize_t written = write(out.get(), rest.data(), rest.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return FileError(to, fmt::format("cannot be copied from {}", from.string()), errno);
      rest.remove_prefix(static_cast<size_t>(written));
    }
  }
}

Status CreateFolders(const Path& folder) {
  std::error_code ec;
  fs::create_directories(folder, ec);
  if (ec) return FileError(folder, "cannot be created", ec.value());
  return {};
}

Result<UniqueFd> LockFile(const Path& path, int wait_ms) {
  constexpr int kStepMs = 20;
  UniqueFd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!fd.valid()) return FileError(path, "cannot be created", errno);
  for (int waited = 0; flock(fd.get(), LOCK_EX | LOCK_NB) != 0; waited += kStepMs) {
    if (errno != EWOULDBLOCK && errno != EINTR) return FileError(path, "cannot be locked", errno);
    if (waited >= wait_ms) {
      return Error{ErrorCode::kUnavailable, fmt::format("{}: another program has it", path.string())};
    }
    poll(nullptr, 0, kStepMs);
  }
  return fd;
}

Status LockWhileItGrows(int fd, const Path& path, int stall_ms) {
  constexpr int kStepMs = 20;
  constexpr int kSayAfterMs = 1000;
  off_t size = -1;
  int stalled_ms = 0;
  for (int waited = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; waited += kStepMs) {
    if (errno != EWOULDBLOCK && errno != EINTR) return FileError(path, "cannot be locked", errno);
    struct stat now{};
    if (fstat(fd, &now) != 0) return FileError(path, "cannot be read", errno);
    stalled_ms = now.st_size == size ? stalled_ms + kStepMs : 0;
    size = now.st_size;
    if (stalled_ms >= stall_ms) {
      return Error{ErrorCode::kUnavailable,
                   fmt::format("{}: another program has been downloading it and got nothing for {} s", path.string(),
                               (stall_ms + 999) / 1000)};
    }
    if (waited == kSayAfterMs) LogInfo("{}: another program is downloading it; waiting for that one", path.string());
    poll(nullptr, 0, kStepMs);
  }
  return {};
}

}  // namespace deepedge
