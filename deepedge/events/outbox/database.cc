#include "deepedge/events/outbox/database.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cerrno>
#include <cstring>

namespace deepedge {
namespace {

constexpr int kPrimaryBits = 0xFF;  // of an error's code

std::string_view NameOf(sqlite3* handle) {
  const char* name = handle == nullptr ? nullptr : sqlite3_db_filename(handle, "main");
  return name == nullptr ? "database" : name;
}

Error ErrorOf(sqlite3* handle, std::string_view name) {
  const int code = sqlite3_errcode(handle);
  const int system_error = sqlite3_system_errno(handle);
  switch (code & kPrimaryBits) {
    case SQLITE_CORRUPT:
    case SQLITE_TOOBIG:
    case SQLITE_NOTADB: return {ErrorCode::kBadInput, fmt::format("{}: damaged ({})", name, sqlite3_errmsg(handle))};
    case SQLITE_FULL: return {ErrorCode::kExhausted, fmt::format("{}: the disk is full", name)};
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return {ErrorCode::kUnavailable, fmt::format("{}: locked by another program", name)};
    case SQLITE_NOMEM: return {ErrorCode::kExhausted, fmt::format("{}: out of memory", name)};
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
      if (system_error == ENOSPC || system_error == EDQUOT) {
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

}  // namespace

void Statement::Finalizer::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Statement& Statement::Bind(int index, int64_t value) {
  DE_CHECK(sqlite3_bind_int64(statement_.get(), index, value) == SQLITE_OK);
  return *this;
}

// Longer texts than kLongestRow never get here: events are bounded where they are queued.
Statement& Statement::Bind(int index, std::string_view text) {
  DE_CHECK(sqlite3_bind_text64(statement_.get(), index, text.data() == nullptr ? "" : text.data(), text.size(),
                               SQLITE_STATIC, SQLITE_UTF8) == SQLITE_OK);
  return *this;
}

Statement& Statement::Bind(int index, std::span<const uint8_t> bytes) {
  if (bytes.empty()) return BindNull(index);
  DE_CHECK(sqlite3_bind_blob64(statement_.get(), index, bytes.data(), bytes.size(), SQLITE_STATIC) == SQLITE_OK);
  return *this;
}

Statement& Statement::BindNull(int index) {
  DE_CHECK(sqlite3_bind_null(statement_.get(), index) == SQLITE_OK);
  return *this;
}

Result<bool> Statement::Step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  sqlite3* handle = sqlite3_db_handle(statement_.get());
  Error error = ErrorOf(handle, NameOf(handle));
  Reset();
  return error;
}

Status Statement::Run() {
  const Status status = Step().status();
  Reset();
  return status;
}

void Statement::Reset() { sqlite3_reset(statement_.get()); }

int64_t Statement::Integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }

std::string_view Statement::Text(int column) const {
  const auto* text = sqlite3_column_text(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  if (text == nullptr || size <= 0) return {};
  return {reinterpret_cast<const char*>(text), static_cast<size_t>(size)};
}

std::string_view Statement::Bytes(int column) const {
  const void* bytes = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  if (bytes == nullptr || size <= 0) return {};
  return {static_cast<const char*>(bytes), static_cast<size_t>(size)};
}

void Database::Closer::operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }

namespace {

// As an address, which is how this library is told that a file does not change.
std::string SettledName(const Path& path) {
  std::string name = "file:";
  for (const char c : path.string()) {
    const bool has_meaning = c == '%' || c == '?' || c == '#';
    name += has_meaning ? fmt::format("%{:02X}", static_cast<unsigned char>(c)) : std::string(1, c);
  }
  return name + "?immutable=1";
}

// A file from elsewhere may carry code in its schema and lengths that are made up.
void Distrust(sqlite3* handle) {
  sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, Database::kLongestRow);
#ifdef SQLITE_DBCONFIG_DEFENSIVE
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
#endif
#ifdef SQLITE_DBCONFIG_TRUSTED_SCHEMA
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
#endif
}

}  // namespace

Result<Database> Database::Open(const Path& path, Mode mode, int busy_ms) {
  const int flags = SQLITE_OPEN_NOMUTEX | (mode == Mode::kSettled ? SQLITE_OPEN_URI : 0) |
                    (mode == Mode::kReadWrite ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY);
  const std::string name = mode == Mode::kSettled ? SettledName(path) : path.string();
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(name.c_str(), &handle, flags, nullptr);
  Database database(handle);
  if (handle == nullptr) return Error{ErrorCode::kExhausted, path.string() + ": out of memory"};
  if (code != SQLITE_OK) return ErrorOf(handle, path.string());
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, busy_ms);
  Distrust(handle);
  return database;
}

std::string_view Database::name() const { return NameOf(handle_.get()); }

Status Database::Execute(const char* sql) {
  if (sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return ErrorOf(handle_.get(), NameOf(handle_.get()));
}

Result<Statement> Database::Prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  // What is prepared is right, so that what does not fit it is the file.
  if ((code & kPrimaryBits) == SQLITE_ERROR) {
    return Error{ErrorCode::kBadInput,
                 fmt::format("{}: damaged ({})", NameOf(handle_.get()), sqlite3_errmsg(handle_.get()))};
  }
  if (code != SQLITE_OK) return ErrorOf(handle_.get(), NameOf(handle_.get()));
  return Statement(statement);
}

Result<int64_t> Database::Number(std::string_view sql) {
  DE_TRY(Statement statement, Prepare(sql));
  DE_TRY(const bool is_row, statement.Step());
  return is_row ? statement.Integer(0) : 0;
}

}  // namespace deepedge
