// EventBus gives every event its id and hands it to each of several sinks.
//
//   EventBus bus(NewIdPrefix(clock));
//   bus.Add("file", std::move(ndjson));
//   bus.Add("outbox", std::move(outbox));
//   bus.Publish(event);                   // "t0u4k1a7xw3f9-1", "t0u4k1a7xw3f9-2", ...
//
// An event that has an id already keeps it. Threads: Add before the first Publish; the rest as EventSink says.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "deepedge/base/clock.h"
#include "deepedge/events/sink.h"

namespace deepedge {

// What the ids of one run begin with: the second of its start and 40 bits of chance, in letters and digits. Ids of
// later runs sort behind those of earlier ones.
std::string IdPrefix(int64_t epoch_us, uint64_t chance);
// The same from the clock and the system's source of chance.
std::string NewIdPrefix(const Clock& clock);

class EventBus final : public EventSink {
 public:
  struct NamedCounts {
    std::string name;
    SinkCounts counts;
  };

  explicit EventBus(std::string id_prefix) : id_prefix_(std::move(id_prefix)) {}

  void Add(std::string name, std::unique_ptr<EventSink> sink);

  void Publish(Event event) override;
  // Closes all sinks, one after the other; the error joins what each of them says, and has the code of the first.
  Status Close() override;
  // The sum over all sinks: an event that goes to two of them is accepted twice.
  SinkCounts counts() const override;
  std::vector<NamedCounts> CountsOfSinks() const;

 private:
  struct Target {
    std::string name;
    std::unique_ptr<EventSink> sink;
  };

  const std::string id_prefix_;
  std::atomic<uint64_t> next_{1};
  std::vector<Target> targets_;
};

}  // namespace deepedge
