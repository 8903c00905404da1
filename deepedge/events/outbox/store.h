// OutboxStore: the outbox's file. Rows of events, numbered in the order of their arrival, and for each courier the
// number up to which its events have arrived (its cursor).
//
// The file is SQLite's, with a write-ahead log (two files beside it while it is open). A transaction is handed to the
// operating system before Write returns (synchronous = NORMAL), so it survives the program's death at any moment
// (kill -9). It is not forced to the disk each time: when the power fails, the events since the last checkpoint (one
// every 4 MB of log) that the system has not written back by itself, mostly those of the last 30 seconds, may be gone;
// the file stays whole. `sync_each_write` (synchronous = FULL) flushes the disk with each transaction instead: slower
// by the disk's flush each time, and it wears flash, for the sake of the seconds before an outage in which cameras and
// network are mostly down as well; so it is not the default.
//
// Errors: as Database; kBadInput is a damaged file. Threads: owned by one.
#pragma once

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "deepedge/events/courier.h"
#include "deepedge/events/outbox/database.h"

namespace deepedge {

// An event on its way into the file.
struct UnstoredEvent {
  std::string id;
  std::string type;
  std::string stream;
  int64_t at_us = 0;
  std::string json;
  std::shared_ptr<const std::vector<uint8_t>> picture;

  size_t bytes() const { return id.size() + json.size() + (picture ? picture->size() : 0); }  // about
};

struct CourierCursor {
  std::string courier;
  int64_t number = 0;
};

// The types of events that somebody wants; empty: all.
using EventTypes = std::vector<std::string>;
bool Wants(const EventTypes& types, std::string_view type);

class OutboxStore {
 public:
  struct Page {
    std::vector<StoredEvent> events;
    int64_t looked_up_to = 0;  // what follows this number has not been looked at
  };
  struct Row {
    int64_t number = 0;
    std::string type;
  };

  // kUnsupported: the file belongs to another version of this program or to another program; it is left alone.
  static Result<OutboxStore> Open(const Path& path, bool sync_each_write);

  // The last number that was ever given; the next event gets the one behind it.
  int64_t last_number() const { return last_number_; }
  // The first that was there when the file was opened; behind the last where there is none.
  int64_t first_number() const { return first_number_; }
  void SkipNumbersUpTo(int64_t number) { last_number_ = std::max(last_number_, number); }

  // All or nothing.
  Status Write(std::span<const UnstoredEvent> events, std::span<const CourierCursor> cursors);

  // In order, those of the types; stops at so many events or bytes (but takes one at least), or after it has looked at
  // some thousand rows.
  Result<Page> ReadAfter(int64_t number, const EventTypes& types, size_t max_events, size_t max_bytes);
  Result<std::optional<int64_t>> CursorOf(const std::string& courier);
  Result<int64_t> CountAfter(int64_t number, const EventTypes& types);

  // For retention. All of `rows` go in one transaction.
  Result<std::vector<Row>> OldestRows(int64_t limit);
  // The first rows, while they are older than `max_age`, and at most `limit`. A time before 2020 or behind `now_us` is
  // that of a wrong clock (a box without a battery starts in 1970): such an event is as old as what came behind it, and
  // stays while nothing that is too old did. `now_us`: Unix epoch; where it is wrong itself, nothing is too old.
  Result<std::vector<Row>> RowsTooOld(int64_t now_us, std::chrono::microseconds max_age, int64_t limit);
  Status Remove(std::span<const Row> rows);
  // Of the file, less what is free in it.
  Result<int64_t> UsedBytes();
  // Gives free pages back to the file system, at most a few MB a call.
  Status GiveBackSpace();

 private:
  explicit OutboxStore(Database database) : db_(std::move(database)) {}
  Status Prepare();
  Status WriteRows(std::span<const UnstoredEvent> events, std::span<const CourierCursor> cursors);
  Status RemoveRows(std::span<const Row> rows);
  static Result<std::vector<Row>> Rows(Statement& select);
  // Runs `work` in a transaction; what fails is rolled back.
  template <typename Work>
  Status InTransaction(Work work);

  Database db_;  // before its statements
  std::optional<Statement> insert_, save_cursor_, select_, select_cursor_, count_, oldest_, times_, remove_;
  std::optional<Statement> begin_, commit_, rollback_;
  int64_t last_number_ = 0;
  int64_t first_number_ = 1;
  int64_t page_bytes_ = 0;
};

// What the verb `deepedge events` asks for.
struct EventQuery {
  int64_t since_us = 0;     // Unix epoch; 0: from the beginning
  EventTypes types = {};    // empty: all
  std::string stream = {};  // empty: all
  int64_t after = 0;        // number: only what follows
  size_t limit = 1000;      // at most so many events
  // No further event after so many bytes: fewer than `limit` need not be all, none is.
  size_t max_bytes = size_t{64} << 20;
  bool newest = false;  // the last `limit` rather than the first; the order stays ascending
  bool with_pictures = false;
};

// Reads an outbox that another process may be writing. Waits for nobody, changes nothing and leaves no files behind.
// Errors: kNotFound where there is no file, kUnsupported where it is none of ours, kBadInput where it is damaged,
// kUnavailable.
Result<std::vector<StoredEvent>> ReadEvents(const Path& file, const EventQuery& query);

}  // namespace deepedge
