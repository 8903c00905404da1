#include "deepedge/profiler/store/store_schema.h"

#include <fmt/format.h>

#include <iterator>

namespace deepedge {
namespace {

constexpr int64_t kApplicationId = 0x64455072;  // in the file's header: told from other programs' databases

struct Step {
  const char* sql;
  int tables;  // that there are after it
};

constexpr Step kSteps[] = {
    {R"(
  CREATE TABLE boxes (
    box TEXT PRIMARY KEY,
    description TEXT NOT NULL,
    first_seen_us INTEGER NOT NULL,
    last_seen_us INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE calibration (
    box TEXT NOT NULL,
    name TEXT NOT NULL,
    created_us INTEGER NOT NULL,
    complete INTEGER NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (box, name));
  CREATE TABLE profiles (
    number INTEGER PRIMARY KEY,
    box TEXT NOT NULL,
    model TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    generation INTEGER NOT NULL,
    created_us INTEGER NOT NULL,
    reason TEXT NOT NULL,
    json TEXT NOT NULL,
    UNIQUE (box, model, generation));
  CREATE INDEX profiles_by_file ON profiles (box, sha256);
)",
     3},
    {R"(
  CREATE TABLE measurements (
    number INTEGER PRIMARY KEY,
    box TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    setting TEXT NOT NULL,
    at_us INTEGER NOT NULL,
    json TEXT NOT NULL);
  CREATE INDEX measurements_by_file ON measurements (box, sha256);
  CREATE TABLE statistics (
    box TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    setting TEXT NOT NULL,
    stage INTEGER NOT NULL,
    updated_us INTEGER NOT NULL,
    json TEXT NOT NULL,
    PRIMARY KEY (box, sha256, setting, stage));
)",
     5},
};
static_assert(std::size(kSteps) == kStoreSchemaVersion);

// The version of a file that is ours; 0: there is nothing in it yet.
Result<int> VersionOf(SqlFile& db, const Path& path) {
  DE_TRY(const int64_t things, db.Number("SELECT count(*) FROM sqlite_master"));
  if (things == 0) return 0;
  DE_TRY(const int64_t known, db.Number("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND rootpage > 0 AND "
                                        "name IN ('boxes', 'calibration', 'profiles', 'measurements', 'statistics')"));
  DE_TRY(const int64_t application, db.Number("PRAGMA application_id"));
  if (application != kApplicationId && known == 0) {
    return Error{ErrorCode::kUnsupported,
                 fmt::format("{}: a database of another program, not a store of profiles", path.string())};
  }
  DE_TRY(const int64_t version, db.Number("PRAGMA user_version"));
  if (application == kApplicationId && version > kStoreSchemaVersion) {
    return Error{ErrorCode::kUnsupported,
                 fmt::format("{}: written by a later version of deepedge (schema {}, this one knows {})", path.string(),
                             version, kStoreSchemaVersion)};
  }
  // A view or a trigger would run as long as whoever made the file likes; a virtual table has no page.
  DE_TRY(const int64_t others, db.Number("SELECT count(*) FROM sqlite_master WHERE type NOT IN ('table', 'index')"));
  const bool is_ours = application == kApplicationId && version >= 1 && others == 0 &&
                       known == kSteps[static_cast<size_t>(version - 1)].tables;
  if (!is_ours) {
    return Error{ErrorCode::kBadInput, fmt::format("{}: damaged (not the tables of a store)", path.string())};
  }
  return static_cast<int>(version);
}

Status RunSteps(SqlFile& db, const Path& path, int version) {
  DE_TRY(const int has, VersionOf(db, path));
  for (int i = has; i < version; ++i) DE_TRY_STATUS(db.Execute(kSteps[static_cast<size_t>(i)].sql));
  if (has >= version) return {};
  DE_TRY_STATUS(db.Execute(fmt::format("PRAGMA application_id = {}", kApplicationId).c_str()));
  return db.Execute(fmt::format("PRAGMA user_version = {}", version).c_str());
}

}  // namespace

Status MigrateStore(SqlFile& db, const Path& path, int version) {
  DE_TRY(const int has, VersionOf(db, path));
  if (has >= version) return {};
  if (has == 0) DE_TRY_STATUS(db.Execute("PRAGMA journal_mode = WAL"));
  // Another program may be doing the same: what is there is asked for again inside.
  DE_TRY_STATUS(db.Execute("BEGIN IMMEDIATE"));
  Status status = RunSteps(db, path, version);
  if (status.ok()) status = db.Execute("COMMIT");
  if (!status.ok()) db.Execute("ROLLBACK").Ignore("SQLite has rolled back by itself after some errors");
  return status;
}

Status CheckStoreSchema(SqlFile& db, const Path& path) {
  DE_TRY(const int version, VersionOf(db, path));
  if (version == kStoreSchemaVersion) return {};
  return Error{ErrorCode::kUnsupported,
               fmt::format("{}: written by an earlier version of deepedge, and may not be changed", path.string())};
}

}  // namespace deepedge
