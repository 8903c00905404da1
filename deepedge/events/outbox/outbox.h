// Outbox: an EventSink that keeps events on disk until couriers have delivered them, over outages of networks and of
// this program.
//
//   DE_TRY(auto outbox, Outbox::Create({.file = "/var/lib/deepedge/outbox.db"}, clock));
//   outbox->AddCourier(std::move(mqtt), {"track_ended", "counts"});
//   outbox->Publish(event);
//
//   Publish ─► queue, bounded ─► thread "outbox": the file ─► inbox ─► thread of each courier ─► Courier::Deliver
//   (caller)                     commits, reads, removes      a batch
//
// Delivered, for the sink, means committed to the file: then it survives the program's death (store.h says what a power
// cut may cost). Each courier gets the events of its types in order, at least once: what it has not acknowledged comes
// again, also in the next run, with the same id. A courier that is new starts behind the last event that is there. One
// that fails is asked again after a pause that grows (backoff.h), others go on meanwhile.
//
// Retention: events older than `max_age`, and the oldest when the file outgrows `max_bytes`, are removed; what a
// courier had not got by then is counted as lost for it, and said; what it has in hand when its attempt fails, too.
// Events of a clock that was wrong (store.h) are not removed for their age. A full disk or a locked file makes events
// wait in the queue, then the newest are lost and counted; the file is tried again every second. A damaged file is put
// aside (outbox_file.h) and a new one begun.
//
// Close takes a second at most: what is queued is committed, couriers that get on go on for 0.7 s, then are stopped.
// What they have not delivered stays for the next run and is not lost.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "deepedge/base/clock.h"
#include "deepedge/events/backoff.h"
#include "deepedge/events/courier.h"
#include "deepedge/events/outbox/store.h"
#include "deepedge/events/sink.h"

namespace deepedge {

// What a courier has done in this run.
struct CourierCounts {
  std::string name;
  int64_t delivered = 0;   // arrived and taken
  int64_t refused = 0;     // arrived, but the other side will never take them
  int64_t lost = 0;        // removed from the outbox before they arrived
  int64_t waiting = 0;     // in the file, not arrived yet
  std::string last_error;  // empty: the last attempt went well
};

// Threads: as EventSink; AddCourier, couriers from any thread, AddCourier not after Close.
class Outbox final : public EventSink {
 public:
  struct Options {
    Path file;
    size_t queue_capacity = 8192;  // events; refuses the newest
    int64_t queue_bytes = int64_t{64} << 20;
    Duration max_age = std::chrono::hours(7 * 24);  // 0: for ever
    int64_t max_bytes = int64_t{1} << 30;           // 0: no limit
    bool sync_each_write = false;                   // store.h
    BackoffRule backoff = {};
    uint64_t seed = 1;  // of the pauses' chance
  };
  // `clock` is the real one, since threads wait on it. Errors: OutboxFile's and OutboxStore's.
  static Result<std::unique_ptr<Outbox>> Create(Options options, const Clock& clock);
  // Closes, if Close was not called.
  ~Outbox() override;

  // Gets the events of these types (empty: all). Its name must not be in use.
  void AddCourier(std::unique_ptr<Courier> courier, EventTypes types);

  void Publish(Event event) override;
  Status Close() override;
  SinkCounts counts() const override;
  std::vector<CourierCounts> couriers() const;

 private:
  class Impl;
  explicit Outbox(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace deepedge
