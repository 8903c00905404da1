#include "deepedge/events/outbox/outbox_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <cerrno>
#include <cstring>

#include "deepedge/base/log.h"

namespace deepedge {
namespace {

constexpr std::string_view kMagic("SQLite format 3\0", 16);

Path Beside(const Path& path, std::string_view suffix) { return Path(path).concat(suffix); }

// The process that holds the lock, as it has written it there: "process 1234", or "another process".
std::string HolderOf(const Path& lock) {
  const Result<std::string> content = ReadFilePrefix(lock, 20);
  if (!content.ok() || content.value().empty()) return "another process";
  std::string digits;
  for (const char c : content.value()) {
    if (c >= '0' && c <= '9') digits += c;
  }
  return "process " + digits;
}

// A crash may leave a file empty or its first page as zeros.
bool LooksLikeDatabase(const Path& path) {
  const Result<std::string> start = ReadFilePrefix(path, kMagic.size());
  if (!start.ok()) return false;
  return start.value() == kMagic || start.value().find_first_not_of('\0') == std::string::npos;
}

}  // namespace

Result<OutboxFile> OutboxFile::Claim(const Path& path) {
  std::error_code error;
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), error);
  if (error) {
    return Error{ErrorCode::kBadInput,
                 fmt::format("outbox {}: folder cannot be made: {}", path.string(), error.message())};
  }
  const Path lock_path = Beside(path, ".lock");
  const bool was_used = std::filesystem::exists(lock_path, error);
  UniqueFd lock(open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640));
  if (!lock.valid()) {
    return Error{ErrorCode::kBadInput,
                 fmt::format("outbox {}: {}: {}", path.string(), lock_path.filename().string(), std::strerror(errno))};
  }
  if (flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    return Error{ErrorCode::kUnavailable, fmt::format("outbox {}: {} uses it; give each process an outbox of its own",
                                                      path.string(), HolderOf(lock_path))};
  }
  const std::string holder = fmt::format("{}\n", getpid());
  if (ftruncate(lock.get(), 0) != 0 ||
      pwrite(lock.get(), holder.data(), holder.size(), 0) != static_cast<ssize_t>(holder.size())) {
    LogWarning("outbox {}: cannot write the lock file: {}", path.string(), std::strerror(errno));
  }
  return OutboxFile(path, std::move(lock), was_used);
}

Result<OutboxStore> OutboxFile::Open(bool sync_each_write, int64_t epoch_us) {
  Result<OutboxStore> store = OutboxStore::Open(path_, sync_each_write);
  if (store.ok() || store.error().code != ErrorCode::kBadInput) return store;
  if (!was_used_ && !LooksLikeDatabase(path_)) {
    return Error{ErrorCode::kBadInput, path_.string() + ": no outbox, but a file of another kind; give another path"};
  }
  LogError("outbox {}", store.error().message);
  DE_TRY_STATUS(PutAside(epoch_us));
  return OutboxStore::Open(path_, sync_each_write);
}

Status OutboxFile::PutAside(int64_t epoch_us) {
  const Path target = Beside(path_, fmt::format(".damaged-{}", epoch_us));
  for (const std::string_view suffix : {"", "-wal", "-shm"}) {
    if (rename(Beside(path_, suffix).c_str(), Beside(target, suffix).c_str()) == 0 || errno == ENOENT) continue;
    return Error{ErrorCode::kUnavailable,
                 fmt::format("{}: damaged, and cannot be renamed: {}", path_.string(), std::strerror(errno))};
  }
  LogError("outbox {}: put aside as {}; a new one is begun", path_.string(), target.filename().string());
  was_used_ = true;
  return {};
}

}  // namespace deepedge
