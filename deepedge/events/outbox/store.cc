#include "deepedge/events/outbox/store.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <optional>

namespace deepedge {
namespace {

constexpr int kSchemaVersion = 1;
constexpr int64_t kTables = 4;                     // kSchema's, and SQLite's for AUTOINCREMENT
constexpr int64_t kLastNumber = int64_t{1} << 62;  // no outbox gets there; room to count on
constexpr int64_t kApplicationId = 0x6445764F;     // in the file's header: told from other programs' databases
constexpr int kBusyMs = 250;                       // the writer tries again by itself, and must close within a second
constexpr int kReaderBusyMs = 2000;
constexpr int64_t kRowsAPage = 4096;
constexpr int64_t kFirstPlausibleUs = 1'577'836'800'000'000;  // 2020, Unix epoch: nothing was written before

constexpr const char* kSchema = R"(
  PRAGMA auto_vacuum = INCREMENTAL;
  PRAGMA journal_mode = WAL;
  BEGIN IMMEDIATE;
  CREATE TABLE schema_version (version INTEGER NOT NULL);
  INSERT INTO schema_version VALUES (1);
  CREATE TABLE events (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at_us INTEGER NOT NULL,
    type TEXT NOT NULL,
    stream TEXT NOT NULL,
    id TEXT NOT NULL,
    json TEXT NOT NULL,
    picture BLOB);
  CREATE INDEX events_by_time ON events (at_us);
  CREATE TABLE couriers (name TEXT PRIMARY KEY, cursor INTEGER NOT NULL) WITHOUT ROWID;
  PRAGMA application_id = 1682273871;
  COMMIT;
)";
static_assert(kApplicationId == 1682273871);

// Whether the file is an outbox that we may use. True: yes; false: there is nothing in it yet.
Result<bool> IsOutbox(Database& db, const Path& path) {
  DE_TRY(const int64_t tables, db.Number("SELECT count(*) FROM sqlite_master"));
  if (tables == 0) return false;
  DE_TRY(const int64_t application, db.Number("PRAGMA application_id"));
  if (application != kApplicationId) {
    return Error{ErrorCode::kUnsupported,
                 fmt::format("{}: a database of another program, not an outbox", path.string())};
  }
  // A view or a trigger would run as long as whoever made the file likes; a virtual table has no page.
  DE_TRY(const int64_t ours, db.Number("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND rootpage > 0 AND "
                                       "name IN ('schema_version', 'events', 'couriers', 'sqlite_sequence')"));
  DE_TRY(const int64_t others, db.Number("SELECT count(*) FROM sqlite_master WHERE type NOT IN ('table', 'index')"));
  if (ours != kTables || others != 0) {
    return Error{ErrorCode::kBadInput, fmt::format("{}: damaged (not the tables of an outbox)", path.string())};
  }
  DE_TRY(const int64_t version, db.Number("SELECT version FROM schema_version"));
  if (version != kSchemaVersion) {
    return Error{ErrorCode::kUnsupported,
                 fmt::format("{}: written by another version of deepedge (schema {}, this one knows {})", path.string(),
                             version, kSchemaVersion)};
  }
  return true;
}

// The lowest number of an event of this time or later.
Result<int64_t> FirstNumberSince(Database& db, int64_t since_us) {
  if (since_us <= 0) return 0;
  DE_TRY(Statement select, db.Prepare("SELECT min(number) FROM events WHERE at_us >= ?"));
  DE_TRY(const bool is_row, select.Bind(1, since_us).Step());
  return is_row ? select.Integer(0) : 0;
}

StoredEvent EventOf(const Statement& row) {
  StoredEvent event;
  event.number = row.Integer(0);
  event.type = row.Text(1);
  event.at_us = row.Integer(2);
  event.stream = row.Text(3);
  event.id = row.Text(4);
  event.json = row.Text(5);
  return event;
}

}  // namespace

bool Wants(const EventTypes& types, std::string_view type) {
  return types.empty() || std::ranges::find(types, type) != types.end();
}

Result<OutboxStore> OutboxStore::Open(const Path& path, bool sync_each_write) {
  DE_TRY(Database db, Database::Open(path, Database::Mode::kReadWrite, kBusyMs));
  DE_TRY(const bool exists, IsOutbox(db, path));
  if (!exists) DE_TRY_STATUS(db.Execute(kSchema));
  DE_TRY_STATUS(db.Execute(sync_each_write ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL"));
  DE_TRY_STATUS(db.Execute("PRAGMA journal_size_limit = 16777216"));
  OutboxStore store(std::move(db));
  DE_TRY_STATUS(store.Prepare());
  return store;
}

Status OutboxStore::Prepare() {
  struct Text {
    std::optional<Statement>& statement;
    std::string_view sql;
  };
  const Text texts[] = {
      {insert_, "INSERT INTO events (number, at_us, type, stream, id, json, picture) VALUES (?, ?, ?, ?, ?, ?, ?)"},
      {save_cursor_, "INSERT OR REPLACE INTO couriers (name, cursor) VALUES (?, ?)"},
      {select_,
       "SELECT number, type, at_us, stream, id, json, picture FROM events WHERE number > ? ORDER BY number LIMIT ?"},
      {select_cursor_, "SELECT cursor FROM couriers WHERE name = ?"},
      {count_, "SELECT type, count(*) FROM events WHERE number > ? GROUP BY type"},
      {oldest_, "SELECT number, type FROM events ORDER BY number LIMIT ?"},
      {times_, "SELECT number, type, at_us FROM events ORDER BY number LIMIT ?"},
      {remove_, "DELETE FROM events WHERE number = ?"},
      {begin_, "BEGIN IMMEDIATE"},
      {commit_, "COMMIT"},
      {rollback_, "ROLLBACK"},
  };
  for (const Text& text : texts) {
    DE_TRY(text.statement, db_.Prepare(text.sql));
  }
  DE_TRY(page_bytes_, db_.Number("PRAGMA page_size"));
  DE_TRY(const int64_t given, db_.Number("SELECT seq FROM sqlite_sequence WHERE name = 'events'"));
  DE_TRY(const int64_t stored, db_.Number("SELECT max(number) FROM events"));
  DE_TRY(const int64_t arrived, db_.Number("SELECT max(cursor) FROM couriers"));
  DE_TRY(const int64_t first, db_.Number("SELECT min(number) FROM events"));
  last_number_ = std::max({int64_t{0}, given, stored, arrived});
  if (last_number_ > kLastNumber) {
    return Error{ErrorCode::kBadInput, fmt::format("{}: damaged (event number {})", db_.name(), last_number_)};
  }
  first_number_ = first > 0 ? first : last_number_ + 1;
  return {};
}

template <typename Work>
Status OutboxStore::InTransaction(Work work) {
  DE_TRY_STATUS(begin_->Run());
  Status status = work();
  if (status.ok()) status = commit_->Run();
  if (!status.ok()) rollback_->Run().Ignore("SQLite has rolled back by itself after some errors");
  return status;
}

Status OutboxStore::Write(std::span<const UnstoredEvent> events, std::span<const CourierCursor> cursors) {
  DE_TRY_STATUS(InTransaction([&] { return WriteRows(events, cursors); }));
  last_number_ += static_cast<int64_t>(events.size());
  return {};
}

Status OutboxStore::WriteRows(std::span<const UnstoredEvent> events, std::span<const CourierCursor> cursors) {
  int64_t number = last_number_;
  for (const UnstoredEvent& event : events) {
    insert_->Bind(1, ++number).Bind(2, event.at_us).Bind(3, event.type).Bind(4, event.stream);
    insert_->Bind(5, event.id).Bind(6, event.json);
    insert_->Bind(7, event.picture ? std::span<const uint8_t>(*event.picture) : std::span<const uint8_t>());
    DE_TRY_STATUS(insert_->Run());
  }
  for (const CourierCursor& cursor : cursors) {
    DE_TRY_STATUS(save_cursor_->Bind(1, cursor.courier).Bind(2, cursor.number).Run());
  }
  return {};
}

Result<OutboxStore::Page> OutboxStore::ReadAfter(int64_t number, const EventTypes& types, size_t max_events,
                                                 size_t max_bytes) {
  Page page{.events = {}, .looked_up_to = number};
  select_->Bind(1, number).Bind(2, kRowsAPage);
  size_t bytes = 0;
  while (page.events.size() < max_events && bytes < max_bytes) {
    DE_TRY(const bool is_row, select_->Step());
    if (!is_row) break;
    page.looked_up_to = select_->Integer(0);
    if (!Wants(types, select_->Text(1))) continue;
    page.events.push_back(EventOf(*select_));
    page.events.back().picture = select_->Bytes(6);
    bytes += page.events.back().bytes();
  }
  select_->Reset();
  return page;
}

Result<std::optional<int64_t>> OutboxStore::CursorOf(const std::string& courier) {
  select_cursor_->Bind(1, courier);
  DE_TRY(const bool is_row, select_cursor_->Step());
  const std::optional<int64_t> cursor =
      is_row ? std::optional(std::max(int64_t{0}, select_cursor_->Integer(0))) : std::nullopt;
  select_cursor_->Reset();
  return cursor;
}

Result<int64_t> OutboxStore::CountAfter(int64_t number, const EventTypes& types) {
  count_->Bind(1, number);
  int64_t sum = 0;
  while (true) {
    DE_TRY(const bool is_row, count_->Step());
    if (!is_row) break;
    if (Wants(types, count_->Text(0))) sum += count_->Integer(1);
  }
  count_->Reset();
  return sum;
}

Result<std::vector<OutboxStore::Row>> OutboxStore::Rows(Statement& select) {
  std::vector<Row> rows;
  while (true) {
    DE_TRY(const bool is_row, select.Step());
    if (!is_row) break;
    rows.push_back({select.Integer(0), std::string(select.Text(1))});
  }
  select.Reset();
  return rows;
}

Result<std::vector<OutboxStore::Row>> OutboxStore::OldestRows(int64_t limit) {
  oldest_->Bind(1, limit);
  return Rows(*oldest_);
}

Result<std::vector<OutboxStore::Row>> OutboxStore::RowsTooOld(int64_t now_us, std::chrono::microseconds max_age,
                                                              int64_t limit) {
  std::vector<Row> rows;
  size_t too_old = 0;  // so many of `rows`: up to the last that is known to be
  times_->Bind(1, kRowsAPage);
  while (too_old < static_cast<size_t>(limit)) {
    DE_TRY(const bool is_row, times_->Step());
    if (!is_row) break;
    const int64_t at_us = times_->Integer(2);
    const bool is_plausible = at_us >= kFirstPlausibleUs && at_us <= now_us;
    if (is_plausible && now_us - at_us <= max_age.count()) break;
    rows.push_back({times_->Integer(0), std::string(times_->Text(1))});
    if (is_plausible) too_old = rows.size();
  }
  times_->Reset();
  rows.resize(std::min(too_old, static_cast<size_t>(limit)));
  return rows;
}

Status OutboxStore::Remove(std::span<const Row> rows) {
  return InTransaction([&] { return RemoveRows(rows); });
}

Status OutboxStore::RemoveRows(std::span<const Row> rows) {
  for (const Row& row : rows) DE_TRY_STATUS(remove_->Bind(1, row.number).Run());
  return {};
}

Result<int64_t> OutboxStore::UsedBytes() {
  DE_TRY(const int64_t pages, db_.Number("PRAGMA page_count"));
  DE_TRY(const int64_t unused, db_.Number("PRAGMA freelist_count"));
  return (pages - unused) * page_bytes_;
}

Status OutboxStore::GiveBackSpace() { return db_.Execute("PRAGMA incremental_vacuum(1024)"); }

namespace {

// A file that nobody has open: no write-ahead log lies beside it.
struct SettledFile {
  ino_t inode = 0;
  off_t size = 0;
  int64_t changed_ns = 0;
  friend bool operator==(const SettledFile&, const SettledFile&) = default;
};

std::optional<SettledFile> Settled(const Path& file) {
  struct stat status{};
  if (stat((file.string() + "-wal").c_str(), &status) == 0 || stat(file.c_str(), &status) != 0) return std::nullopt;
  return SettledFile{status.st_ino, status.st_size, status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec};
}

Result<std::vector<StoredEvent>> ReadFrom(const Path& file, Database::Mode mode, const EventQuery& query) {
  DE_TRY(Database db, Database::Open(file, mode, kReaderBusyMs));
  DE_TRY(const bool exists, IsOutbox(db, file));
  if (!exists) return std::vector<StoredEvent>();
  DE_TRY(const int64_t first, FirstNumberSince(db, query.since_us));
  // "+at_us": by number, which is the order asked for, and not by the index of times.
  DE_TRY(Statement select,
         db.Prepare(fmt::format("SELECT number, type, at_us, stream, id, json{} FROM events "
                                "WHERE number > ?1 AND +at_us >= ?2 AND (?3 = '' OR stream = ?3) "
                                "ORDER BY number {}",
                                query.with_pictures ? ", picture" : "", query.newest ? "DESC" : "ASC")));
  select.Bind(1, std::max(query.after, first - 1)).Bind(2, query.since_us).Bind(3, query.stream);
  std::vector<StoredEvent> events;
  size_t bytes = 0;
  while (events.size() < query.limit && bytes < query.max_bytes) {
    DE_TRY(const bool is_row, select.Step());
    if (!is_row) break;
    if (!Wants(query.types, select.Text(1))) continue;
    events.push_back(EventOf(select));
    if (query.with_pictures) events.back().picture = select.Bytes(6);
    bytes += events.back().bytes();
  }
  if (query.newest) std::ranges::reverse(events);
  return events;
}

}  // namespace

Result<std::vector<StoredEvent>> ReadEvents(const Path& file, const EventQuery& query) {
  DE_TRY_STATUS(StatusOf(file, "no outbox there").status());
  // In the ordinary way, reading would leave a log and an index beside a file that nobody has open, made by a user who
  // may be another than the writer. Somebody who opened it meanwhile is noticed, and what was read thrown away.
  if (const auto before = Settled(file)) {
    auto events = ReadFrom(file, Database::Mode::kSettled, query);
    if (Settled(file) == before) return events;
  }
  return ReadFrom(file, Database::Mode::kReadOnly, query);
}

}  // namespace deepedge
