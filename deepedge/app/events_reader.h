// EventsReader: the events of an outbox that fit what the user asked for, while another process may be writing it.
// Never creates or changes the file.
//
//   EventsReader reader(request);
//   DE_TRY_STATUS(reader.ReadFirst(show));          // what is there
//   while (...) DE_TRY_STATUS(reader.ReadNext(show));  // what has come since
//
// Threads: owned by one.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "deepedge/app/wakeup.h"
#include "deepedge/base/clock.h"
#include "deepedge/base/file.h"
#include "deepedge/events/courier.h"

namespace deepedge {

struct EventsRequest {
  Path file;
  int64_t since_us = 0;  // Unix epoch
  int64_t until_us = std::numeric_limits<int64_t>::max();
  std::vector<std::string> types = {};  // empty: all
  std::string stream = {};              // empty: all
  std::string label = {};               // empty: all
  std::optional<size_t> limit = {};     // of ReadFirst: the newest so many
};

// Pure.
bool Fits(const EventsRequest& request, const StoredEvent& event);

class EventsReader {
 public:
  // An error ends the reading and is passed on.
  using Show = std::function<Status(const StoredEvent&)>;

  explicit EventsReader(EventsRequest request) : request_(std::move(request)) {}

  // Errors: kNotFound where there is no file; kBadInput, kUnsupported where it is no outbox; kUnavailable.
  Status ReadFirst(const Show& show);
  // A file that is not there, or cannot be read at the moment, has no events yet. One that has been put aside for a new
  // one is left; the new one is read from its start.
  Status ReadNext(const Show& show);

 private:
  Status ReadAll(const Show& show);
  Status ReadNewest(const Show& show);
  // Puts the events behind after_ through `take`, and moves after_ behind them.
  Status Walk(const Show& take);

  const EventsRequest request_;
  int64_t after_ = 0;  // number of the last event that was looked at
  uint64_t inode_ = 0;
};

// Reads what comes, looking every half second, until `wakeup` says stop.
Status FollowEvents(EventsReader& reader, const EventsReader::Show& show, Wakeup& wakeup, const Clock& clock);

}  // namespace deepedge
