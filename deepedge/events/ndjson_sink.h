// NdjsonSink writes events to a file (or standard output), one JSON object a line, from a thread of its own. A line is
// written whole or not at all: when the disk is full, the half-written tail is cut off, the sink says so (at most once
// a second), keeps what its queue holds and tries again every second. When the reader of a pipe is gone, what follows
// is counted as lost.
//
// With `rotate_bytes`, a file that has reached that size is put aside as FILE.1 before the next event, FILE.1 as FILE.2
// and so on up to `rotate_keep`, between two lines. Where that fails the sink goes on with the file as it is, says so,
// and tries again every second. Standard output and pipes are never put aside.
//
// The thread sleeps until there is an event and writes it at once; what comes meanwhile goes out together.
#pragma once

#include <memory>

#include "deepedge/base/clock.h"
#include "deepedge/base/file.h"
#include "deepedge/events/sink.h"

namespace deepedge {

class NdjsonSink final : public EventSink {
 public:
  struct Options {
    Path path;                     // "-": standard output
    size_t queue_capacity = 8192;  // events; refuses the newest
    int64_t queue_bytes = int64_t{64} << 20;
    int64_t rotate_bytes = 0;  // 0: never
    int rotate_keep = 5;       // files put aside, at least 1
  };
  // Appends to an existing file: a box that starts again keeps its events. `clock` is the real one, since threads wait
  // on it. Errors: kBadInput / kExhausted naming the file.
  static Result<std::unique_ptr<NdjsonSink>> Create(Options options, const Clock& clock);
  // Closes, if Close was not called.
  ~NdjsonSink() override;

  void Publish(Event event) override;
  Status Close() override;
  SinkCounts counts() const override;

 private:
  class Impl;
  explicit NdjsonSink(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace deepedge
