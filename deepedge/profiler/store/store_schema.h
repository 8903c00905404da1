// The tables of the profile store, and the steps by which an older file becomes one of today.
//
// A file's version is the number of steps it has been through (PRAGMA user_version). A new file goes through all of
// them; what a step says is never changed once it has been released, a change of the tables is a further step. A file
// with more steps than this program knows is left alone.
#pragma once

#include "deepedge/profiler/store/sql_file.h"

namespace deepedge {

inline constexpr int kStoreSchemaVersion = 2;

// Brings a file up to `version`, in one transaction. Errors: kUnsupported where it belongs to another program or to a
// later version of this one; kBadInput where its tables are not what they should be; others as SqlFile.
Status MigrateStore(SqlFile& db, const Path& path, int version = kStoreSchemaVersion);

// The same without changing anything; kUnsupported also where the file is older, or has no tables yet.
Status CheckStoreSchema(SqlFile& db, const Path& path);

}  // namespace deepedge
