// FileSizeLimit: for tests, a disk that is full after so many bytes. Applies to every file this process writes while it
// lives; one at a time. Threads that write call BlockWriteSignals.
#pragma once

#include <sys/resource.h>

#include "deepedge/base/check.h"

namespace deepedge {

class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    DE_CHECK(getrlimit(RLIMIT_FSIZE, &before_) == 0);
    const rlimit limit{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    DE_CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
  }
  ~FileSizeLimit() { setrlimit(RLIMIT_FSIZE, &before_); }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
};

}  // namespace deepedge
