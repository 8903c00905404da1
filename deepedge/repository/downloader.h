// Downloader: gets one file from a web server, safely.
//
//   Downloader downloader({.folder = repository / ".downloads"});
//   DE_TRY(PartFile file, downloader.Fetch({.url = url, .sha256 = hash}, progress));
//   DE_TRY_STATUS(file.MoveTo(staging / "net.onnx"));
//
// - https, and http where CheckMayConnect allows it; redirects only where CheckMayRedirect does. Passwords go to the
//   host that they were given for and to no other.
// - Bounded: size (told or received), redirects, time without progress, attempts.
// - Resumed: a connection that breaks is taken up where it broke, in this run and in later ones, if the server says
//   that the content is the same; a server that cannot resume is read from the start.
// - Nothing is handed out before its hash and size fit. A file with another hash is thrown away.
//
// Errors name the address (without secrets), the answer and the cause: kNotFound (404, 410), kUnavailable (no answer,
// 403, 429, 5xx, cut off; what came is kept for the next run), kBadInput (refused redirect, too large, wrong hash or
// size), kExhausted (disk full; what came is kept). Thread-compatible; blocks.
#pragma once

#include <functional>
#include <string>

#include "deepedge/base/clock.h"
#include "deepedge/base/file.h"
#include "deepedge/repository/part_file.h"

namespace deepedge {

struct DownloadRequest {
  std::string url;
  std::string sha256;  // empty: any
  int64_t size = -1;   // -1: any
};

// Called while bytes come in; `total` is -1 while it is not known.
using DownloadProgress = std::function<void(const std::string& file_name, int64_t done, int64_t total)>;

class Downloader {
 public:
  struct Options {
    Path folder;  // for files that are not whole yet; on the file system where they will end
    int64_t max_bytes = int64_t{2} << 30;
    Duration connect_timeout = std::chrono::seconds(15);
    Duration stall_timeout = std::chrono::seconds(30);  // less than 100 bytes a second for so long
    int max_redirects = 8;
    int max_attempts = 5;  // in a row without a new byte
    bool allow_http = false;
    std::string ca_file;  // empty: the system's list of certificate authorities
  };

  explicit Downloader(Options options) : options_(std::move(options)) {}

  Result<PartFile> Fetch(const DownloadRequest& request, const DownloadProgress& progress) const;

 private:
  Options options_;
};

}  // namespace deepedge
