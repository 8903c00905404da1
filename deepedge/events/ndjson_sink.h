// NdjsonSink writes events to a file (or standard output), one JSON object a line, from a thread of its own. A line is
// written whole or not at all: when the disk is full, the half-written tail is cut off, the sink says so (at most once
// a second), keeps what its queue holds and tries again every second. When the reader of a pipe is gone, what follows
// is counted as lost.
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
    Path path;  // "-": standard output
    size_t queue_capacity = 8192;
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
