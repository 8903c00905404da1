// The profile store's statements: rows in and out of its tables, and what keeps the tables small. Inside the store
// only. Times are microseconds since the Unix epoch. What is read may be anything (the file may come from elsewhere);
// what is put has been checked. Errors: as SqlFile, so that kBadInput says that the file is damaged.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "deepedge/profiler/store/profile_store.h"
#include "deepedge/profiler/store/sql_file.h"

namespace deepedge {

struct CalibrationRow {
  std::string box, name;
  int64_t created_us = 0;
  bool complete = false;
  std::string text;
};
struct ProfileRow {
  std::string box, model, sha256;
  int64_t generation = 0;
  int64_t created_us = 0;
  std::string reason, json;
};
struct MeasurementRow {
  std::string box, sha256, setting;
  int64_t at_us = 0;
  std::string text;
};
struct StatisticsRow {
  std::string box, sha256, setting;
  int64_t stage = 0;
  int64_t updated_us = 0;
  std::string text;
};

inline constexpr int64_t kLastGeneration = 2'000'000'000;

// True: it was put; false: there was one of its key (for measurements: the very same) already, which stays.
Result<bool> Put(SqlFile& db, const BoxRecord& row);
Result<bool> Put(SqlFile& db, const CalibrationRow& row);
Result<bool> Put(SqlFile& db, const ProfileRow& row);
Result<bool> Put(SqlFile& db, const MeasurementRow& row);
Result<bool> Put(SqlFile& db, const StatisticsRow& row);

// In place of what is there.
Status Replace(SqlFile& db, const CalibrationRow& row);
Status Replace(SqlFile& db, std::span<const StatisticsRow> rows);
// Seen now; with a description, it is described by it.
Status SeeBox(SqlFile& db, std::string_view box, std::string_view description, int64_t now_us);
// Behind the newest that is there.
Result<int64_t> NextGeneration(SqlFile& db, std::string_view box, std::string_view model);

// Leave so many, the newest.
Status KeepGenerations(SqlFile& db, std::string_view box, std::string_view model, int most);
Status KeepCalibration(SqlFile& db, std::string_view box, int most);
Status KeepMeasurements(SqlFile& db, std::string_view box, std::string_view sha256, int most);
Status KeepStatistics(SqlFile& db, std::string_view box, std::string_view sha256, int most);
// `but` stays in any case; of boxes that go, all goes.
Status KeepBoxes(SqlFile& db, std::string_view but, int most);
Status RemoveModelRows(SqlFile& db, std::string_view model);
// Of a box, what was learned of files that no profile is of any more; but not the newest measurements, which a first
// profile may be about to be made of.
Status RemoveForgottenFiles(SqlFile& db, std::string_view box);

// Which rows: "WHERE .. ORDER BY .. LIMIT ..", with texts for ?1, ?2, ..
struct Which {
  std::string sql;
  std::vector<std::string_view> texts = {};
};
// One after the other, until `use` fails.
Status Each(SqlFile& db, const Which& which, const std::function<Status(BoxRecord)>& use);
Status Each(SqlFile& db, const Which& which, const std::function<Status(CalibrationRow)>& use);
Status Each(SqlFile& db, const Which& which, const std::function<Status(ProfileRow)>& use);
Status Each(SqlFile& db, const Which& which, const std::function<Status(MeasurementRow)>& use);
Status Each(SqlFile& db, const Which& which, const std::function<Status(StatisticsRow)>& use);

// All of them at once.
template <typename Row>
Result<std::vector<Row>> RowsOf(SqlFile& db, const Which& which) {
  std::vector<Row> rows;
  const std::function<Status(Row)> keep = [&rows](Row row) {
    rows.push_back(std::move(row));
    return Status();
  };
  DE_TRY_STATUS(Each(db, which, keep));
  return rows;
}

}  // namespace deepedge
