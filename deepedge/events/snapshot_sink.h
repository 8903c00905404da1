// SnapshotSink writes the pictures of events as files, FOLDER/ID.jpg by the event's id, from a thread of its own. A
// file is there whole or not at all.
//
// The folder is bounded: when its pictures take more than `max_bytes`, the oldest go. What an earlier run has left
// counts and goes too, told by the form of the ids that the EventBus gives: 15 small letters and digits, '-', a number.
// Other files are left alone.
//
// An event without a picture counts as delivered: nothing of it belongs here. A picture is lost, and counted, when the
// queue is full (of events, or of bytes), when the event has no id that can be a file's name, or when the file cannot
// be written: a full disk is said once a second and not tried again, since the next picture matters more than this one.
#pragma once

#include <memory>

#include "deepedge/base/clock.h"
#include "deepedge/base/file.h"
#include "deepedge/events/sink.h"

namespace deepedge {

class SnapshotSink final : public EventSink {
 public:
  struct Options {
    Path folder;                           // made where it is missing
    int64_t max_bytes = int64_t{1} << 30;  // of all pictures in it
    size_t queue_capacity = 256;           // pictures
    int64_t queue_bytes = int64_t{64} << 20;
  };
  // Errors: kBadInput / kExhausted naming the folder, when it cannot be made, read or written into.
  static Result<std::unique_ptr<SnapshotSink>> Create(Options options, const Clock& clock);
  // Closes, if Close was not called.
  ~SnapshotSink() override;

  void Publish(Event event) override;
  Status Close() override;
  SinkCounts counts() const override;

 private:
  class Impl;
  explicit SnapshotSink(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Whether an event's id can be a file's name as it is: letters, digits, '-', '_' and '.', at most 128, not beginning
// with '.'.
bool IsSnapshotId(std::string_view id);
// Whether it is the name of a picture of an earlier run.
bool IsSnapshotName(std::string_view name);

}  // namespace deepedge
