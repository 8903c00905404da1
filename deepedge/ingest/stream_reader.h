// StreamReader: the I/O thread of one stream. It opens the source, hands over packets, paces files by their time stamps
// and reconnects cameras. It blocks on I/O and sleeps; it never computes.
//
//           +--------- end of a file, and not looped ---------> ended
//           |
//   connecting --first packet--> streaming --lost--> waiting --back-off over--> connecting
//        |  ^                                          ^
//        +--|------------ failed ----------------------+   (a file that fails: ended; a stop: ended)
//
// Pacing (a file with Pace::kReal): a packet is handed over when the media clock reaches its dts, counted from the
// first picture's pts, so that pictures leave the decoder close to their pts also where they are reordered. `captured`
// is when the picture was due. The media clock does not wait for a slow handler: like a camera, it goes on, and what is
// late is handed over at once.
//
// The handler's functions are called on the I/O thread. HandlePacket may block (that is how `--pace fast` holds a file
// back); it must return soon after the stop token fires.
#pragma once

#include <memory>
#include <string>

#include "deepedge/base/clock.h"
#include "deepedge/base/result.h"
#include "deepedge/base/thread.h"
#include "deepedge/ingest/packet.h"
#include "deepedge/ingest/reconnect_policy.h"
#include "deepedge/ingest/source.h"
#include "deepedge/ingest/waiter.h"

namespace deepedge {

class PacketHandler {
 public:
  virtual ~PacketHandler() = default;
  // Before the first packet, and before the first one after each reconnect; not when a file is looped.
  virtual void HandleConnected(const StreamFormat& format) = 0;
  virtual void HandlePacket(Packet packet, std::stop_token stop) = 0;
  // The connection is gone, or an attempt to connect failed; the next attempt follows after `retry_in`.
  virtual void HandleLost(const Error& why, Duration retry_in) = 0;
  // No packet will follow; called once. `why` has the code kEndOfStream for an ordinary end, kCancelled after a stop,
  // and any other for a file that failed.
  virtual void HandleEnded(const Error& why) = 0;
};

enum class Pace {
  kReal,  // a file's packets are handed over when a camera would deliver them
  kFast,  // at once
};

class StreamReader {
 public:
  struct Options {
    std::string name;      // of the stream, for the thread's name
    bool is_file = false;  // paced, ends; otherwise live: reconnected
    Pace pace = Pace::kReal;
    bool loop = false;         // a file starts again at its end; media time goes on
    double speed = 1.0;        // a paced file runs this much faster; > 0
    Duration start_offset{0};  // a file starts at the key frame at or before this; a loop goes back to the very start
    ReconnectOptions reconnect;
    uint64_t seed = 0;  // of the reconnect jitter
  };

  // Nothing happens before Start. `handler`, `clock` and `waiter` must outlive the reader. Without a waiter it sleeps
  // by the real clock, and `clock` must be a real one.
  StreamReader(Options options, std::unique_ptr<Source> source, PacketHandler& handler, const Clock& clock);
  StreamReader(Options options, std::unique_ptr<Source> source, PacketHandler& handler, const Clock& clock,
               Waiter& waiter);
  ~StreamReader();

  void Start();
  // Asks the thread to stop; returns at once. Any thread, also the handler. The destructor stops and joins.
  void RequestStop();
  void Join();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace deepedge
