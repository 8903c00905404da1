// SqlFile and SqlStatement: SQLite's handles with an owner, and its failures as errors that name the file.
//
//   DE_TRY(SqlFile db, SqlFile::Open(path, SqlFile::Mode::kReadWrite, 2000));
//   DE_TRY(SqlStatement select, db.Prepare("SELECT json FROM profiles WHERE box = ?"));
//   select.Bind(1, box);
//   while (true) {
//     DE_TRY(const bool is_row, select.Step());
//     ...
//   }
//
// Errors: kBadInput where the file is damaged, no database, or lacks what a statement names, and for nothing else;
// kExhausted where the disk (or the room that LimitBytes gives) is full; kUnavailable for all that may pass. Threads:
// owned by one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "deepedge/base/file.h"
#include "deepedge/base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace deepedge {

class SqlStatement {
 public:
  // Text is borrowed until the next Reset, and at most SqlFile::kLongestText.
  SqlStatement& Bind(int index, int64_t value);
  SqlStatement& Bind(int index, std::string_view text);

  // True: there is a row, to be read with the functions below; false: done.
  Result<bool> Step();
  // For statements without rows: steps and resets.
  Status Run();
  void Reset();

  int64_t Integer(int column) const;
  std::string_view Text(int column) const;  // until the next Step or Reset

 private:
  friend class SqlFile;
  struct Finalizer {
    void operator()(sqlite3_stmt* statement) const;
  };
  explicit SqlStatement(sqlite3_stmt* statement) : statement_(statement) {}
  std::unique_ptr<sqlite3_stmt, Finalizer> statement_;
};

class SqlFile {
 public:
  // Bytes; what claims to be longer is damaged.
  static constexpr int kLongestText = 64 << 20;
  // kSettled: reads a file that nobody has open; takes no locks and makes no files beside it. kMemory: no file at all.
  enum class Mode { kReadWrite, kReadOnly, kSettled, kMemory };
  // kReadWrite creates the file, and fails where it may not be written. Waits up to `busy_ms` for others that hold it
  // locked, here and later.
  static Result<SqlFile> Open(const Path& path, Mode mode, int busy_ms);

  Status Execute(const char* sql);
  Result<SqlStatement> Prepare(std::string_view sql);
  // The number that a statement such as "PRAGMA page_count" gives; 0 where it gives no row.
  Result<int64_t> Number(std::string_view sql);
  // Rows that the last statement changed.
  int64_t changes() const;

  // The file grows no further than this; a file that is larger already does not grow.
  Status LimitBytes(int64_t bytes);
  // Whether all pages hang together and, with kReadWrite, the file's header lets it be written; takes as long as
  // reading the file. Errors: kBadInput where not.
  Status Check();

 private:
  struct Closer {
    void operator()(sqlite3* handle) const;
  };
  SqlFile(sqlite3* handle, Mode mode) : handle_(handle), mode_(mode) {}
  std::unique_ptr<sqlite3, Closer> handle_;
  Mode mode_;
};

}  // namespace deepedge
