// Source: where packets come from. It only connects and reads; pacing, retries and counting live once, in StreamReader.
//
// Threads: owned by one I/O thread, which calls Open, Read and Close. Every call returns within its deadline, and
// within about 0.1 s after `stop` was requested, whatever the camera does. One exception: looking up a host name in DNS
// cannot be interrupted and takes as long as the system's resolver lets it.
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "deepedge/base/clock.h"
#include "deepedge/base/result.h"
#include "deepedge/ingest/camera_mode.h"
#include "deepedge/ingest/packet.h"

namespace deepedge {

class Source {
 public:
  virtual ~Source() = default;

  // Connects. A source may be opened again after Close; its media time then goes on (for a camera, by the time that it
  // was away). Errors: kBadInput (no video in it, unknown codec, wrong password), kNotFound, kUnavailable (refused,
  // timed out), kCancelled. Messages name the address without its password. After an error the source is closed.
  virtual Status Open(std::stop_token stop) = 0;

  // Continues at the key frame at or before `offset` from the start of a file. After Open, before the first Read.
  // Errors: kUnsupported for what cannot be entered in the middle.
  virtual Status SeekTo(Duration offset) = 0;

  // The next packet of the video stream, with raw times turned into a continuous line and `captured` = now. Errors:
  // kEndOfStream (a file's end, a camera that hung up in order), kUnavailable (timed out, connection lost), kBadInput
  // (a file that is damaged or ends too early), kCancelled.
  virtual Result<Packet> Read(std::stop_token stop) = 0;

  // Never blocks, also when the camera is dead.
  virtual void Close() = 0;
};

struct SourceOptions {
  std::string address;  // rtsp(s)://, http(s)://, a file (also as file://), /dev/videoN
  Duration open_deadline = std::chrono::seconds(5);
  Duration read_deadline = std::chrono::seconds(3);  // of a camera; for a file see DeadlinesOf
  CameraWish camera;                                 // what is asked of a USB camera
};

// What an address is, without opening it.
enum class SourceKind { kFile, kRtsp, kHttp, kV4l2 };

// Pure. Errors: kBadInput naming the address for an unknown scheme.
Result<SourceKind> KindOf(const std::string& address);

// How long one call may take.
struct SourceDeadlines {
  Duration open{0};
  Duration read{0};
};

// Pure. A camera that is silent for seconds is lost and is connected anew. A file is there or it is not, and is given
// at least a minute: a disk that has to spin up, or a network drive under load, is slow without anything being wrong,
// and giving up would end the stream for good.
SourceDeadlines DeadlinesOf(SourceKind kind, const SourceOptions& options);

// Checks what can be checked before start: a file exists, is a regular file and holds video. Cameras are not contacted.
// Errors: kBadInput, kNotFound, naming the address.
Status CheckSource(const SourceOptions& options);

// `clock` must outlive the source. Errors: as KindOf.
Result<std::unique_ptr<Source>> MakeSource(SourceOptions options, const Clock& clock);

}  // namespace deepedge
