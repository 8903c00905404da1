// Database and Statement: SQLite's handles with an owner, and its failures as errors that name the file.
//
//   DE_TRY(Database db, Database::Open(path, Database::Mode::kReadWrite));
//   DE_TRY(Statement select, db.Prepare("SELECT json FROM events WHERE number > ?"));
//   select.Bind(1, 17);
//   while (true) {
//     DE_TRY(const bool is_row, select.Step());
//     ...
//   }
//
// Errors: kBadInput where the file is damaged, no database, or lacks the tables that a statement names, kExhausted
// where the disk is full, kUnavailable for all that may pass (locked, refused, input and output errors). Threads: owned
// by one.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "deepedge/base/file.h"
#include "deepedge/base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace deepedge {

class Statement {
 public:
  // Text and bytes are borrowed until the next Reset.
  Statement& Bind(int index, int64_t value);
  Statement& Bind(int index, std::string_view text);
  Statement& Bind(int index, std::span<const uint8_t> bytes);
  Statement& BindNull(int index);

  // True: there is a row, to be read with the functions below; false: done.
  Result<bool> Step();
  // For statements without rows: steps and resets.
  Status Run();
  void Reset();

  int64_t Integer(int column) const;
  std::string_view Text(int column) const;  // until the next Step or Reset
  std::string_view Bytes(int column) const;

 private:
  friend class Database;
  struct Finalizer {
    void operator()(sqlite3_stmt* statement) const;
  };
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  std::unique_ptr<sqlite3_stmt, Finalizer> statement_;
};

class Database {
 public:
  // kSettled: for reading a file that nobody has open; takes no locks and makes no files beside it.
  // Bytes; what claims to be longer is damaged.
  static constexpr int kLongestRow = 80 << 20;
  enum class Mode { kReadWrite, kReadOnly, kSettled };
  // kReadWrite creates the file. Waits up to `busy` for others that hold it locked, here and later.
  static Result<Database> Open(const Path& path, Mode mode, int busy_ms);

  std::string_view name() const;  // the file's, for messages

  Status Execute(const char* sql);
  Result<Statement> Prepare(std::string_view sql);
  // The number that a statement such as "PRAGMA page_count" gives; 0 where it gives no row.
  Result<int64_t> Number(std::string_view sql);

 private:
  struct Closer {
    void operator()(sqlite3* handle) const;
  };
  explicit Database(sqlite3* handle) : handle_(handle) {}
  std::unique_ptr<sqlite3, Closer> handle_;
};

}  // namespace deepedge
