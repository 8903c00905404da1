// OutboxFile: who may use an outbox's file, and what becomes of it when it is damaged.
//
// One process at a time: it holds a lock on "FILE.lock", which the system gives up when the process ends, however it
// ends. A damaged file is renamed to "FILE.damaged-TIME" (with its write-ahead log) and a new one is begun; the
// newest two of those are kept, older ones removed, and said. A file that
// never was an outbox, told by its first bytes and by the lock file missing, is left alone.
#pragma once

#include <string>

#include "deepedge/base/unique_fd.h"
#include "deepedge/events/outbox/store.h"

namespace deepedge {

class OutboxFile {
 public:
  // Makes the folders above it. Errors: kUnavailable when another process has it (the message names it), kBadInput
  // where no file can be made.
  static Result<OutboxFile> Claim(const Path& path);

  // Opens the store; of a damaged file a new one is begun, and said. `epoch_us` names what is put aside. Errors:
  // kBadInput where the file is no outbox; others as OutboxStore::Open.
  Result<OutboxStore> Open(bool sync_each_write, int64_t epoch_us);
  // No store may be open on it.
  Status PutAside(int64_t epoch_us);

  const Path& path() const { return path_; }

 private:
  OutboxFile(Path path, UniqueFd lock, bool was_used)
      : path_(std::move(path)), lock_(std::move(lock)), was_used_(was_used) {}

  Path path_;
  UniqueFd lock_;
  bool was_used_;  // there was a lock file before
};

}  // namespace deepedge
