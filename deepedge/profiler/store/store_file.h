// StoreFile: the profile store's file on disk, kept open, and what becomes of it when it is damaged, may not be
// written, or is taken away.
//
//   closed ──OpenToWrite──► writable ──damaged──► put aside, a new one begun ──► writable
//      │                        ▲
//      └──cannot be written──► read only (or empty, where it cannot be read either) ──next write, it can──┘
//
// Every program that has the file open holds a shared lock on "profiles.db.lock"; who finds the file damaged takes the
// lock alone, renames the file to "profiles.db.damaged-N" (the newest two are kept) and begins a new one. While others
// have it open it stays as it is, and that is the error. Locks go with their process, however it ends.
// Threads: owned by one at a time.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "deepedge/base/unique_fd.h"
#include "deepedge/profiler/store/sql_file.h"

namespace deepedge {

class StoreFile {
 public:
  struct Options {
    int64_t max_bytes = int64_t{512} << 20;  // the file grows no further; writing more fails
    int busy_ms = 2000;                      // how long to wait for another program that writes
  };
  StoreFile(Path folder, Options options);

  // Opens it, to be read at least. Errors: kUnsupported where it belongs to another program or to a later version of
  // this one; nothing else fails, it goes into notes.
  Status Open();

  // A file that was taken away meanwhile is begun anew. Whatever a caller has of `db` ends with the next call.
  Result<SqlFile*> ToRead();
  // Errors: why it cannot be written.
  Result<SqlFile*> ToWrite();
  // To be called when `db` has failed as damaged: puts it aside. Errors: why that cannot be done.
  Status PutAside(const Error& damage);

  bool writable() const { return mode_ == Mode::kWritable; }
  const Path& path() const { return path_; }
  // What happened to it that somebody should know; bounded, the same text once.
  void AddNote(std::string text);
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  enum class Mode { kClosed, kWritable, kReadOnly, kEmpty };
  // What tells one file from another, and a settled one from a changed one.
  struct Identity {
    uint64_t device = 0, inode = 0;
    int64_t bytes = 0, changed_ns = 0;
    bool has_log = false;
    bool IsSameFile(const Identity& other) const { return device == other.device && inode == other.inode; }
    friend bool operator==(const Identity&, const Identity&) = default;
  };
  std::optional<Identity> Look() const;

  Status OpenToWrite();
  Status OpenWithLock();
  void OpenToRead(const Error& why);
  Status TryToRead();
  Status TakeLock(int how);
  Status RenameDamaged(const Error& damage);
  void RemoveOldDamaged();
  std::vector<int64_t> DamagedNumbers() const;
  void Close();

  const Path folder_, path_;
  const Options options_;
  UniqueFd lock_;
  std::optional<SqlFile> db_;
  Mode mode_ = Mode::kClosed;
  std::optional<Identity> opened_;  // what was opened
  std::vector<std::string> notes_;
};

}  // namespace deepedge
