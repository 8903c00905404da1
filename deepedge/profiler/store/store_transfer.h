// Export and import of a profile store: lines of JSON, one row each, the first saying what they are.
//
//   {"type": "deepedge_profiles", "schema": 2}
//   {"type": "box", "box": "..", "description": "..", "first_seen_us": .., "last_seen_us": ..}
//   {"type": "calibration", "box": "..", "name": "..", "created_us": .., "complete": true, "text": ".."}
//   {"type": "profile", "reason": "added", "profile": {..}}                                    profile_json.h
//   {"type": "measurement", "box": "..", "sha256": "..", "setting": "fp32@416x416", "at_us": .., "text": ".."}
//   {"type": "statistics", "box": "..", "sha256": "..", "setting": "..", "stage": 0, "updated_us": .., "text": ".."}
//
// A file of a later schema is refused; what an import reads is bounded in bytes and checked before anything is written.
#pragma once

#include <iosfwd>
#include <vector>

#include "deepedge/profiler/store/store_tables.h"

namespace deepedge {

// What an export holds.
struct StoreRows {
  std::vector<BoxRecord> boxes;
  std::vector<CalibrationRow> calibration;
  std::vector<ProfileRow> profiles;
  std::vector<MeasurementRow> measurements;
  std::vector<StatisticsRow> statistics;
};

// Rows that cannot be used stay behind; returns how many. Errors: as SqlFile; kUnavailable where `out` fails.
Result<int64_t> ExportRows(SqlFile& db, std::ostream& out);

// Errors: kBadInput naming line and field, kUnsupported for a later schema.
Result<StoreRows> ReadExport(std::istream& in);

// For use inside a transaction. Errors: as SqlFile; kExhausted where there would be too many boxes.
Result<ImportCounts> PutRows(SqlFile& db, const StoreRows& rows, const ProfileStoreOptions& options);

// A row of the table as a profile: with everything in it checked, also against the row's own columns. Errors:
// kBadInput naming the field.
Result<StoredProfile> ProfileOf(const ProfileRow& row);

// "added" and so on back.
std::optional<ProfileReason> ParseReason(std::string_view text);

}  // namespace deepedge
