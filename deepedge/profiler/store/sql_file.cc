#include "deepedge/profiler/store/sql_file.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace deepedge {
namespace {

constexpr int kPrimaryBits = 0xFF;  // of an error's code

std::string_view NameOf(sqlite3* handle) {
  const char* name = handle == nullptr ? nullptr : sqlite3_db_filename(handle, "main");
  return name == nullptr || *name == '\0' ? "database" : name;
}

bool MeansNoRoom(int system_error) { return system_error == ENOSPC || system_error == EDQUOT || system_error == EFBIG; }

Error ErrorOf(sqlite3* handle, std::string_view name) {
  const int code = sqlite3_errcode(handle);
  const int system_error = sqlite3_system_errno(handle);
  switch (code & kPrimaryBits) {
    case SQLITE_CORRUPT:
    case SQLITE_TOOBIG:
    case SQLITE_NOTADB: return {ErrorCode::kBadInput, fmt::format("{}: damaged ({})", name, sqlite3_errmsg(handle))};
    case SQLITE_FULL:
      return {ErrorCode::kExhausted, fmt::format("{}: the disk, or the room it may take, is full", name)};
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return {ErrorCode::kUnavailable, fmt::format("{}: locked by another program", name)};
    case SQLITE_NOMEM: return {ErrorCode::kExhausted, fmt::format("{}: out of memory", name)};
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
      if (MeansNoRoom(system_error)) {
        return {ErrorCode::kExhausted, fmt::format("{}: {}", name, std::strerror(system_error))};
      }
      if (system_error != 0) {
        return {ErrorCode::kUnavailable,
                fmt::format("{}: {} ({})", name, sqlite3_errmsg(handle), std::strerror(system_error))};
      }
      break;
    default: break;
  }
  return {ErrorCode::kUnavailable, fmt::format("{}: {}", name, sqlite3_errmsg(handle))};
}

// Statements are right, so that what does not fit them is the file: tables that somebody has changed.
Error StatementError(sqlite3* handle, int code) {
  if ((code & kPrimaryBits) != SQLITE_ERROR) return ErrorOf(handle, NameOf(handle));
  return {ErrorCode::kBadInput, fmt::format("{}: damaged ({})", NameOf(handle), sqlite3_errmsg(handle))};
}

// As an address, which is how this library is told that a file does not change.
std::string SettledName(const Path& path) {
  std::string name = "file:";
  for (const char c : path.string()) {
    const bool has_meaning = c == '%' || c == '?' || c == '#';
    name += has_meaning ? fmt::format("%{:02X}", static_cast<unsigned char>(c)) : std::string(1, c);
  }
  return name + "?immutable=1";
}

std::string NameFor(const Path& path, SqlFile::Mode mode) {
  switch (mode) {
    case SqlFile::Mode::kReadWrite:
    case SqlFile::Mode::kReadOnly: return path.string();
    case SqlFile::Mode::kSettled: return SettledName(path);
    case SqlFile::Mode::kMemory: return ":memory:";
  }
  return {};
}

int FlagsFor(SqlFile::Mode mode) {
  switch (mode) {
    case SqlFile::Mode::kReadWrite:
    case SqlFile::Mode::kMemory: return SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    case SqlFile::Mode::kReadOnly: return SQLITE_OPEN_READONLY;
    case SqlFile::Mode::kSettled: return SQLITE_OPEN_READONLY | SQLITE_OPEN_URI;
  }
  return 0;
}

// A file from elsewhere may carry code in its schema and lengths that are made up.
void Distrust(sqlite3* handle) {
  sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, SqlFile::kLongestText);
#ifdef SQLITE_DBCONFIG_DEFENSIVE
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
#endif
#ifdef SQLITE_DBCONFIG_TRUSTED_SCHEMA
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
#endif
}

}  // namespace

void SqlStatement::Finalizer::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

SqlStatement& SqlStatement::Bind(int index, int64_t value) {
  DE_CHECK(sqlite3_bind_int64(statement_.get(), index, value) == SQLITE_OK);
  return *this;
}

SqlStatement& SqlStatement::Bind(int index, std::string_view text) {
  DE_CHECK(sqlite3_bind_text64(statement_.get(), index, text.data() == nullptr ? "" : text.data(), text.size(),
                               SQLITE_STATIC, SQLITE_UTF8) == SQLITE_OK);
  return *this;
}

Result<bool> SqlStatement::Step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  sqlite3* handle = sqlite3_db_handle(statement_.get());
  Error error = StatementError(handle, code);
  Reset();
  return error;
}

Status SqlStatement::Run() {
  const Status status = Step().status();
  Reset();
  return status;
}

void SqlStatement::Reset() { sqlite3_reset(statement_.get()); }

int64_t SqlStatement::Integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }

std::string_view SqlStatement::Text(int column) const {
  const auto* text = sqlite3_column_text(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  if (text == nullptr || size <= 0) return {};
  return {reinterpret_cast<const char*>(text), static_cast<size_t>(size)};
}

void SqlFile::Closer::operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }

Result<SqlFile> SqlFile::Open(const Path& path, Mode mode, int busy_ms) {
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(NameFor(path, mode).c_str(), &handle, FlagsFor(mode) | SQLITE_OPEN_NOMUTEX, nullptr);
  SqlFile file(handle, mode);
  if (handle == nullptr) return Error{ErrorCode::kExhausted, path.string() + ": out of memory"};
  if (code != SQLITE_OK) return ErrorOf(handle, path.string());
  // The library falls back to reading by itself.
  if (mode == Mode::kReadWrite && sqlite3_db_readonly(handle, "main") == 1) {
    return Error{ErrorCode::kUnavailable, path.string() + ": may not be written"};
  }
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, busy_ms);
  Distrust(handle);
  return file;
}

Status SqlFile::Execute(const char* sql) {
  if (sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return ErrorOf(handle_.get(), NameOf(handle_.get()));
}

Result<SqlStatement> SqlFile::Prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(handle_.get(), sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
  if (code != SQLITE_OK) return StatementError(handle_.get(), code);
  return SqlStatement(statement);
}

Result<int64_t> SqlFile::Number(std::string_view sql) {
  DE_TRY(SqlStatement statement, Prepare(sql));
  DE_TRY(const bool is_row, statement.Step());
  return is_row ? statement.Integer(0) : 0;
}

int64_t SqlFile::changes() const { return sqlite3_changes64(handle_.get()); }

Status SqlFile::LimitBytes(int64_t bytes) {
  DE_TRY(const int64_t page_bytes, Number("PRAGMA page_size"));
  const int64_t pages = std::max(int64_t{1}, bytes / std::max(int64_t{512}, page_bytes));
  return Number(fmt::format("PRAGMA max_page_count = {}", pages)).status();
}

Status SqlFile::Check() {
  DE_TRY(SqlStatement check, Prepare("PRAGMA quick_check(1)"));
  DE_TRY(const bool is_row, check.Step());
  const bool has_odd_header = mode_ == Mode::kReadWrite && sqlite3_db_readonly(handle_.get(), "main") != 0;
  if (is_row && check.Text(0) == "ok" && !has_odd_header) return {};
  return Error{ErrorCode::kBadInput, fmt::format("{}: damaged ({})", NameOf(handle_.get()),
                                                 has_odd_header ? "a header of a format that cannot be written"
                                                 : is_row       ? check.Text(0).substr(0, 200)
                                                                : "check gave nothing")};
}

}  // namespace deepedge
