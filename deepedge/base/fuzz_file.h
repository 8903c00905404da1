// What the fuzz targets share: an input of libFuzzer as a file in memory that the readers open by its path, and the
// entry point that each target defines. For the folders fuzz/ only.
#pragma once

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "deepedge/base/file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace deepedge {

// Why a target drops the reader's answer.
constexpr const char* kOnlyCrashesCount = "only crashes, hangs, leaks and memory count";

// A file that lives as long as the object.
class FuzzFile {
 public:
  explicit FuzzFile(std::string_view content) : fd_(memfd_create("fuzz", MFD_CLOEXEC)) {
    if (fd_ < 0) std::abort();
    while (!content.empty()) {
      const ssize_t written = write(fd_, content.data(), content.size());
      if (written <= 0) std::abort();
      content.remove_prefix(static_cast<size_t>(written));
    }
  }
  FuzzFile(const FuzzFile&) = delete;
  FuzzFile& operator=(const FuzzFile&) = delete;
  ~FuzzFile() { close(fd_); }

  Path path() const { return fmt::format("/proc/self/fd/{}", fd_); }

 private:
  int fd_;
};

inline std::string_view FuzzInput(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// The two files of an input: what comes before the first zero byte and what comes after it. For formats whose first
// file is text.
inline std::pair<std::string_view, std::string_view> SplitAtZero(std::string_view input) {
  const size_t zero = input.find('\0');
  if (zero == std::string_view::npos) return {input, {}};
  return {input.substr(0, zero), input.substr(zero + 1)};
}

}  // namespace deepedge
