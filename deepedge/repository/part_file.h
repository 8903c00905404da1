// PartFile: a download that is not whole yet, on disk, so that a later run goes on where this one stopped. One process
// at a time has it; others wait until it is let go.
//
//   <folder>/<key>.part       the bytes so far
//   <folder>/<key>.state      what the server called this content (entity tag or time), one line
//
// The key says nothing of the address. Thread-compatible.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "deepedge/base/file.h"
#include "deepedge/base/unique_fd.h"

namespace deepedge {

class PartFile {
 public:
  // Waits for another process that has it. Errors: kExhausted (disk full), kBadInput (the folder cannot be written).
  static Result<PartFile> Open(const Path& folder, std::string_view key);

  const Path& path() const { return path_; }
  int64_t size() const { return size_; }
  const std::string& tag() const { return tag_; }

  // Notes what the server calls this content. An empty tag: it cannot be resumed by it.
  Status SetTag(const std::string& tag);
  // Appends. A full disk is kExhausted; what was written before it stays.
  Status Append(std::string_view bytes);
  // Starts anew.
  Status Clear();
  Status Sync();
  // Moves the whole file to `target`, on the same file system, and forgets the rest.
  Status MoveTo(const Path& target);
  // Takes both files away.
  void Remove();

 private:
  PartFile(Path path, UniqueFd fd, int64_t size) : path_(std::move(path)), fd_(std::move(fd)), size_(size) {}
  Path StatePath() const { return Path(path_).replace_extension(".state"); }

  Path path_;
  UniqueFd fd_;
  int64_t size_ = 0;
  std::string tag_;
};

// What a failed system call on `path` means: kExhausted where a disk or quota is full, else kBadInput.
Error FileError(const Path& path, std::string_view what, int error);

}  // namespace deepedge
