#include "deepedge/profiler/store/store_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include "deepedge/base/mutex.h"
#include "deepedge/profiler/store/store_schema.h"

namespace deepedge {
namespace {

constexpr const char* kFileName = "profiles.db";
constexpr std::string_view kDamaged = ".damaged-";
constexpr std::array<std::string_view, 3> kSuffixes = {"", "-wal", "-shm"};
constexpr size_t kKeptDamaged = 2;
constexpr size_t kMostNotes = 32;

Path Beside(const Path& path, std::string_view suffix) { return Path(path).concat(suffix); }

void Pause(Duration duration) {
  const RealClock clock;
  Mutex mutex;
  CondVar never;
  MutexLock lock(mutex);
  never.WaitUntil(mutex, clock.Now() + duration);
}

// A damaged file stays in the way of everything else; what else fails may pass.
bool IsDamage(const Status& status) { return !status.ok() && status.error().code == ErrorCode::kBadInput; }

}  // namespace

StoreFile::StoreFile(Path folder, Options options)
    : folder_(std::move(folder)), path_(folder_ / kFileName), options_(options) {}

void StoreFile::AddNote(std::string text) {
  if (notes_.size() >= kMostNotes || std::ranges::find(notes_, text) != notes_.end()) return;
  notes_.push_back(std::move(text));
}

std::optional<StoreFile::Identity> StoreFile::Look() const {
  struct stat status{};
  if (stat(path_.c_str(), &status) != 0) return std::nullopt;
  struct stat log{};
  return Identity{.device = status.st_dev,
                  .inode = status.st_ino,
                  .bytes = status.st_size,
                  .changed_ns = status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec,
                  .has_log = stat(Beside(path_, "-wal").c_str(), &log) == 0};
}

void StoreFile::Close() {
  db_.reset();
  mode_ = Mode::kClosed;
}

Status StoreFile::Open() {
  Status opened = OpenToWrite();
  if (opened.ok() || opened.error().code == ErrorCode::kUnsupported) return opened;
  OpenToRead(opened.error());
  return {};
}

// Shared locks are many, one that excludes the others lasts as long as a file is opened: worth waiting for.
Status StoreFile::TakeLock(int how) {
  constexpr Duration kPause = std::chrono::milliseconds(10);
  for (Duration waited{0};; waited += kPause) {
    if (flock(lock_.get(), how | LOCK_NB) == 0) return {};
    if (how == LOCK_EX || errno != EWOULDBLOCK || waited >= std::chrono::milliseconds(options_.busy_ms)) break;
    Pause(kPause);
  }
  return Error{ErrorCode::kUnavailable, path_.string() + ": in use by another program"};
}

Status StoreFile::OpenToWrite() {
  Close();
  std::error_code failed;
  std::filesystem::create_directories(folder_, failed);
  if (failed) {
    return Error{ErrorCode::kUnavailable,
                 fmt::format("{}: folder cannot be made: {}", folder_.string(), failed.message())};
  }
  if (!lock_.valid()) {
    const Path lock_path = Beside(path_, ".lock");
    lock_ = UniqueFd(open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640));
    if (!lock_.valid()) {
      return Error{ErrorCode::kUnavailable, fmt::format("{}: {}", lock_path.string(), std::strerror(errno))};
    }
  }
  // Alone, if nobody else is there: then a damaged file can be put aside. Else beside the others.
  const bool alone = TakeLock(LOCK_EX).ok();
  if (!alone) DE_TRY_STATUS(TakeLock(LOCK_SH));
  Status status = OpenWithLock();
  if (IsDamage(status) && alone) {
    const Error damage = status.error();
    Close();
    status = RenameDamaged(damage);
    if (status.ok()) status = OpenWithLock();
  } else if (IsDamage(status)) {
    status = Error{ErrorCode::kUnavailable,
                   status.error().message + "; it is put aside as soon as no other program " + "has it open"};
  }
  if (!status.ok()) {
    Close();
    flock(lock_.get(), LOCK_UN);
    return status;
  }
  if (alone && !TakeLock(LOCK_SH).ok()) {  // between the two another may have come first
    Close();
    return Error{ErrorCode::kUnavailable, path_.string() + ": in use by another program"};
  }
  mode_ = Mode::kWritable;
  opened_ = Look();
  return {};
}

Status StoreFile::OpenWithLock() {
  const auto before = Look();
  DE_TRY(db_, SqlFile::Open(path_, SqlFile::Mode::kReadWrite, options_.busy_ms));
  DE_TRY_STATUS(MigrateStore(*db_, path_));
  DE_TRY_STATUS(db_->Check());
  DE_TRY_STATUS(
      db_->Execute("PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 4194304; PRAGMA cache_size = -512"));
  DE_TRY_STATUS(db_->LimitBytes(options_.max_bytes));
  if (before && before->bytes == 0 && !before->has_log) {
    AddNote(path_.string() + ": was empty; it is begun anew, and what it held is found out again");
  }
  return {};
}

void StoreFile::OpenToRead(const Error& why) {
  const Status read = TryToRead();
  if (read.ok()) {
    AddNote(fmt::format("{}; profiles are read, but not kept", why.message));
    mode_ = Mode::kReadOnly;
    opened_ = Look();
    return;
  }
  AddNote(fmt::format("{}; profiles are not kept", why.message));
  if (read.error().code != ErrorCode::kNotFound && read.error().message != why.message) AddNote(read.error().message);
  // Empty, so that whoever asks is answered as by a new store.
  auto empty = SqlFile::Open("no file", SqlFile::Mode::kMemory, 0);
  DE_CHECK(empty.ok() && MigrateStore(empty.value(), "no file").ok());
  db_ = std::move(empty).value();
  mode_ = Mode::kEmpty;
  opened_ = Look();
}

Status StoreFile::TryToRead() {
  Close();
  const auto found = Look();
  const bool has_content = found && (found->bytes > 0 || found->has_log);
  if (!has_content) return Error{ErrorCode::kNotFound, path_.string() + ": nothing there"};
  // In the ordinary way, reading would make a log and an index beside it.
  const auto mode = found->has_log ? SqlFile::Mode::kReadOnly : SqlFile::Mode::kSettled;
  DE_TRY(db_, SqlFile::Open(path_, mode, options_.busy_ms));
  DE_TRY_STATUS(CheckStoreSchema(*db_, path_));
  return db_->Check();
}

Result<SqlFile*> StoreFile::ToRead() {
  const auto now = Look();
  const bool moved = mode_ == Mode::kWritable && !(now && opened_ && now->IsSameFile(*opened_));
  const bool changed = mode_ != Mode::kWritable && now != opened_;
  if (moved) AddNote(path_.string() + ": was taken away while it was open; it is begun anew");
  if (mode_ == Mode::kClosed || moved || changed) DE_TRY_STATUS(Open());
  return &*db_;
}

Result<SqlFile*> StoreFile::ToWrite() {
  DE_TRY(SqlFile * db, ToRead());
  if (writable()) return db;
  const Status status = OpenToWrite();
  if (status.ok()) return &*db_;
  OpenToRead(status.error());
  return status.error();
}

Status StoreFile::PutAside(const Error& damage) {
  if (!writable()) {
    Close();
    OpenToRead(damage);
    return damage;
  }
  Close();
  const Status status = TakeLock(LOCK_EX);
  if (!status.ok()) {  // also lets the shared lock go
    OpenToRead(damage);
    return Error{ErrorCode::kUnavailable, damage.message + "; it is put aside as soon as no other program has it open"};
  }
  // Another program may have come first while nobody held the lock, or be a later version that has changed the tables.
  // Else it does not matter whether a full check finds anything: an answer has failed.
  const auto now = Look();
  const bool is_still_there = now && opened_ && now->IsSameFile(*opened_);
  const Status checked = is_still_there ? OpenWithLock() : Status();
  Close();
  const bool is_of_others = !checked.ok() && checked.error().code == ErrorCode::kUnsupported;
  Status renamed = is_still_there && !is_of_others ? RenameDamaged(damage) : Status();
  if (!renamed.ok()) {
    flock(lock_.get(), LOCK_UN);
    OpenToRead(renamed.error());
    return renamed;
  }
  flock(lock_.get(), LOCK_UN);
  return Open();
}

Status StoreFile::RenameDamaged(const Error& damage) {
  const std::vector<int64_t> numbers = DamagedNumbers();
  const Path target = Beside(path_, fmt::format("{}{}", kDamaged, numbers.empty() ? 1 : numbers.back() + 1));
  for (const std::string_view suffix : kSuffixes) {
    if (rename(Beside(path_, suffix).c_str(), Beside(target, suffix).c_str()) == 0 || errno == ENOENT) continue;
    return Error{ErrorCode::kUnavailable,
                 fmt::format("{}; it cannot be put aside: {}", damage.message, std::strerror(errno))};
  }
  AddNote(fmt::format("{}; put aside as {}, a new store is begun: calibration and profiles are made again",
                      damage.message, target.filename().string()));
  RemoveOldDamaged();
  return {};
}

// Of the files that were put aside, ascending; also where only the log beside one is left.
std::vector<int64_t> StoreFile::DamagedNumbers() const {
  constexpr int64_t kLargest = int64_t{1} << 53;
  const std::string prefix = std::string(kFileName) + std::string(kDamaged);
  std::vector<int64_t> numbers;
  std::error_code failed;
  for (std::filesystem::directory_iterator entry(folder_, failed), end; !failed && entry != end;
       entry.increment(failed)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with(prefix)) continue;
    int64_t number = 0;
    const auto [stop, wrong] = std::from_chars(name.data() + prefix.size(), name.data() + name.size(), number);
    const std::string_view rest = std::string_view(name).substr(static_cast<size_t>(stop - name.data()));
    const bool is_ours = wrong == std::errc() && number >= 0 && number < kLargest &&
                         std::ranges::find(kSuffixes, rest) != kSuffixes.end();
    if (is_ours) numbers.push_back(number);
  }
  std::ranges::sort(numbers);
  numbers.erase(std::ranges::unique(numbers).begin(), numbers.end());
  return numbers;
}

void StoreFile::RemoveOldDamaged() {
  const std::vector<int64_t> numbers = DamagedNumbers();
  for (size_t i = 0; i + kKeptDamaged < numbers.size(); ++i) {
    const Path old = Beside(path_, fmt::format("{}{}", kDamaged, numbers[i]));
    bool removed = true;
    for (const std::string_view suffix : kSuffixes) {
      std::error_code failed;
      std::filesystem::remove(Beside(old, suffix), failed);
      removed = removed && !failed;
    }
    AddNote(fmt::format("{} {}", old.string(),
                        removed ? "removed: the newest two damaged files are kept" : "cannot be removed"));
  }
}

}  // namespace deepedge
