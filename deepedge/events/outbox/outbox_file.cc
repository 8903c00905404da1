#include "deepedge/events/outbox/outbox_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <vector>

#include "deepedge/base/log.h"

namespace deepedge {
namespace {

constexpr std::string_view kDamaged = ".damaged-";
constexpr std::array<std::string_view, 3> kSuffixes = {"", "-wal", "-shm"};
constexpr size_t kKeptBesideNewest = 1;
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

// The times in the names of what was put aside of `path`, ascending.
std::vector<int64_t> TimesPutAside(const Path& path) {
  const std::string prefix = Beside(path, kDamaged).filename().string();
  const Path folder = path.has_parent_path() ? path.parent_path() : Path(".");
  std::vector<int64_t> times;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with(prefix)) continue;
    int64_t time = 0;
    const auto [stop, failed] = std::from_chars(name.data() + prefix.size(), name.data() + name.size(), time);
    // Also where only the log beside it is left; other names are somebody else's.
    const std::string_view rest = std::string_view(name).substr(static_cast<size_t>(stop - name.data()));
    if (failed == std::errc() && std::ranges::find(kSuffixes, rest) != kSuffixes.end()) times.push_back(time);
  }
  std::ranges::sort(times);
  times.erase(std::ranges::unique(times).begin(), times.end());
  return times;
}

// Of what was put aside, leaves the newest, which was put aside at `newest_us`, and one more: each may be as large as
// an outbox may grow.
void RemoveOldPutAside(const Path& path, int64_t newest_us) {
  std::vector<int64_t> times = TimesPutAside(path);
  std::erase(times, newest_us);  // by a clock that was set back it might not be the last
  for (size_t i = 0; i + kKeptBesideNewest < times.size(); ++i) {
    const Path old = Beside(path, fmt::format("{}{}", kDamaged, times[i]));
    std::error_code error;
    for (const std::string_view suffix : kSuffixes) {
      std::error_code failed;
      std::filesystem::remove(Beside(old, suffix), failed);
      if (failed) error = failed;
    }
    if (error) {
      LogWarning("outbox {}: {} cannot be removed: {}", path.string(), old.filename().string(), error.message());
    } else {
      LogWarning("outbox {}: removed {}: the newest two damaged files are kept", path.string(),
                 old.filename().string());
    }
  }
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
  const Path target = Beside(path_, fmt::format("{}{}", kDamaged, epoch_us));
  for (const std::string_view suffix : kSuffixes) {
    if (rename(Beside(path_, suffix).c_str(), Beside(target, suffix).c_str()) == 0 || errno == ENOENT) continue;
    return Error{ErrorCode::kUnavailable,
                 fmt::format("{}: damaged, and cannot be renamed: {}", path_.string(), std::strerror(errno))};
  }
  LogError("outbox {}: put aside as {}; a new one is begun", path_.string(), target.filename().string());
  RemoveOldPutAside(path_, epoch_us);
  was_used_ = true;
  return {};
}

}  // namespace deepedge
