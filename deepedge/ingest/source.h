// Source: where packets come from. It only connects and reads; pacing, retries and counting live once, in StreamReader.
//
// Threads: owned by one I/O thread, which calls Open, Read and Close. Every call returns within its deadline, or at
// once after `stop` was requested, whatever the camera does.
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "deepedge/base/clock.h"
#include "deepedge/base/result.h"
#include "deepedge/ingest/packet.h"

namespace deepedge {

class Source {
 public:
  virtual ~Source() = default;

  // Connects. A source may be opened again after Close. Errors: kBadInput (no video in it, unknown codec), kNotFound,
  // kUnavailable (refused, timed out), kCancelled. Messages name the address without its password.
  virtual Status Open(std::stop_token stop) = 0;

  // The next packet of the video stream, with raw times turned into a continuous line and `captured` = now. Errors:
  // kEndOfStream (a file's end, a camera that hung up in order), kUnavailable (timed out, connection lost), kCancelled.
  virtual Result<Packet> Read(std::stop_token stop) = 0;

  // Never blocks, also when the camera is dead.
  virtual void Close() = 0;
};

struct SourceOptions {
  std::string address;  // rtsp://, http(s)://, a file, /dev/videoN
  Duration open_deadline = std::chrono::seconds(5);
  Duration read_deadline = std::chrono::seconds(3);
};

// What an address is, without opening it.
enum class SourceKind { kFile, kRtsp, kHttp, kV4l2 };

// Pure. Errors: kBadInput naming the address for an unknown scheme.
Result<SourceKind> KindOf(const std::string& address);

// Checks what can be checked before start: a file exists, is a regular file and holds video. Cameras are not contacted.
Status CheckSource(const SourceOptions& options);

// Errors: as KindOf.
Result<std::unique_ptr<Source>> MakeSource(SourceOptions options, const Clock& clock);

}  // namespace deepedge
