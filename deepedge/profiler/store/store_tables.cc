#include "deepedge/profiler/store/store_tables.h"

#include <fmt/format.h>

namespace deepedge {
namespace {

Result<bool> PutOne(SqlFile& db, SqlStatement& insert) {
  DE_TRY_STATUS(insert.Run());
  return db.changes() > 0;
}

template <typename Row, typename Make>
Status EachRow(SqlFile& db, std::string_view select, const Which& which, const std::function<Status(Row)>& use,
               Make make) {
  DE_TRY(SqlStatement statement, db.Prepare(fmt::format("{} {}", select, which.sql)));
  for (size_t i = 0; i < which.texts.size(); ++i) statement.Bind(static_cast<int>(i) + 1, which.texts[i]);
  while (true) {
    DE_TRY(const bool is_row, statement.Step());
    if (!is_row) return {};
    DE_TRY_STATUS(use(make(statement)));
  }
}

std::string TextOf(const SqlStatement& row, int column) { return std::string(row.Text(column)); }

Status RunWith(SqlFile& db, std::string_view sql, std::string_view first, std::string_view second, int64_t number) {
  DE_TRY(SqlStatement statement, db.Prepare(sql));
  return statement.Bind(1, first).Bind(2, second).Bind(3, number).Run();
}

}  // namespace

Result<bool> Put(SqlFile& db, const BoxRecord& row) {
  DE_TRY(SqlStatement insert, db.Prepare("INSERT OR IGNORE INTO boxes (box, description, first_seen_us, last_seen_us) "
                                         "VALUES (?, ?, ?, ?)"));
  insert.Bind(1, row.box).Bind(2, row.description).Bind(3, row.first_seen_us).Bind(4, row.last_seen_us);
  return PutOne(db, insert);
}

Result<bool> Put(SqlFile& db, const CalibrationRow& row) {
  DE_TRY(
      SqlStatement insert,
      db.Prepare("INSERT OR IGNORE INTO calibration (box, name, created_us, complete, text) VALUES (?, ?, ?, ?, ?)"));
  insert.Bind(1, row.box).Bind(2, row.name).Bind(3, row.created_us).Bind(4, row.complete ? 1 : 0).Bind(5, row.text);
  return PutOne(db, insert);
}

Result<bool> Put(SqlFile& db, const ProfileRow& row) {
  DE_TRY(SqlStatement insert,
         db.Prepare("INSERT OR IGNORE INTO profiles (box, model, sha256, generation, created_us, reason, json) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?)"));
  insert.Bind(1, row.box).Bind(2, row.model).Bind(3, row.sha256).Bind(4, row.generation).Bind(5, row.created_us);
  insert.Bind(6, row.reason).Bind(7, row.json);
  return PutOne(db, insert);
}

Result<bool> Put(SqlFile& db, const MeasurementRow& row) {
  DE_TRY(SqlStatement insert,
         db.Prepare("INSERT INTO measurements (box, sha256, setting, at_us, json) SELECT ?1, ?2, ?3, ?4, ?5 WHERE NOT "
                    "EXISTS (SELECT 1 FROM measurements WHERE box = ?1 AND sha256 = ?2 AND setting = ?3 AND "
                    "at_us = ?4 AND json = ?5)"));
  insert.Bind(1, row.box).Bind(2, row.sha256).Bind(3, row.setting).Bind(4, row.at_us).Bind(5, row.text);
  return PutOne(db, insert);
}

Result<bool> Put(SqlFile& db, const StatisticsRow& row) {
  DE_TRY(SqlStatement insert,
         db.Prepare("INSERT OR IGNORE INTO statistics (box, sha256, setting, stage, updated_us, json) "
                    "VALUES (?, ?, ?, ?, ?, ?)"));
  insert.Bind(1, row.box).Bind(2, row.sha256).Bind(3, row.setting).Bind(4, row.stage).Bind(5, row.updated_us);
  insert.Bind(6, row.text);
  return PutOne(db, insert);
}

Status Replace(SqlFile& db, const CalibrationRow& row) {
  DE_TRY(SqlStatement insert, db.Prepare("INSERT OR REPLACE INTO calibration (box, name, created_us, complete, text) "
                                         "VALUES (?, ?, ?, ?, ?)"));
  insert.Bind(1, row.box).Bind(2, row.name).Bind(3, row.created_us).Bind(4, row.complete ? 1 : 0).Bind(5, row.text);
  return insert.Run();
}

Status Replace(SqlFile& db, std::span<const StatisticsRow> rows) {
  DE_TRY(SqlStatement insert,
         db.Prepare("INSERT OR REPLACE INTO statistics (box, sha256, setting, stage, updated_us, json) "
                    "VALUES (?, ?, ?, ?, ?, ?)"));
  for (const StatisticsRow& row : rows) {
    insert.Bind(1, row.box).Bind(2, row.sha256).Bind(3, row.setting).Bind(4, row.stage).Bind(5, row.updated_us);
    DE_TRY_STATUS(insert.Bind(6, row.text).Run());
  }
  return {};
}

Status SeeBox(SqlFile& db, std::string_view box, std::string_view description, int64_t now_us) {
  DE_TRY(SqlStatement insert, db.Prepare("INSERT INTO boxes (box, description, first_seen_us, last_seen_us) "
                                         "VALUES (?1, ?2, ?3, ?3) ON CONFLICT (box) DO UPDATE SET last_seen_us = ?3, "
                                         "description = CASE WHEN ?2 = '' THEN description ELSE ?2 END"));
  return insert.Bind(1, box).Bind(2, description).Bind(3, now_us).Run();
}

Result<int64_t> NextGeneration(SqlFile& db, std::string_view box, std::string_view model) {
  DE_TRY(
      SqlStatement select,
      db.Prepare("SELECT max(generation) FROM profiles WHERE box = ?1 AND model = ?2 AND generation BETWEEN 0 AND ?3"));
  DE_TRY(const bool is_row, select.Bind(1, box).Bind(2, model).Bind(3, kLastGeneration - 1).Step());
  return is_row ? select.Integer(0) + 1 : 1;
}

Status KeepGenerations(SqlFile& db, std::string_view box, std::string_view model, int most) {
  // No store writes numbers beyond the last; they would stay for ever.
  DE_TRY_STATUS(RunWith(db, "DELETE FROM profiles WHERE box = ?1 AND model = ?2 AND NOT generation BETWEEN 0 AND ?3",
                        box, model, kLastGeneration));
  return RunWith(db,
                 "DELETE FROM profiles WHERE box = ?1 AND model = ?2 AND number NOT IN (SELECT number FROM profiles "
                 "WHERE box = ?1 AND model = ?2 ORDER BY generation DESC LIMIT ?3)",
                 box, model, most);
}

Status KeepCalibration(SqlFile& db, std::string_view box, int most) {
  DE_TRY(SqlStatement remove,
         db.Prepare("DELETE FROM calibration WHERE box = ?1 AND rowid NOT IN (SELECT rowid FROM calibration WHERE "
                    "box = ?1 ORDER BY rowid DESC LIMIT ?2)"));
  return remove.Bind(1, box).Bind(2, int64_t{most}).Run();
}

Status KeepMeasurements(SqlFile& db, std::string_view box, std::string_view sha256, int most) {
  return RunWith(db,
                 "DELETE FROM measurements WHERE box = ?1 AND sha256 = ?2 AND number NOT IN (SELECT number FROM "
                 "measurements WHERE box = ?1 AND sha256 = ?2 ORDER BY number DESC LIMIT ?3)",
                 box, sha256, most);
}

Status KeepStatistics(SqlFile& db, std::string_view box, std::string_view sha256, int most) {
  return RunWith(db,
                 "DELETE FROM statistics WHERE box = ?1 AND sha256 = ?2 AND rowid NOT IN (SELECT rowid FROM statistics "
                 "WHERE box = ?1 AND sha256 = ?2 ORDER BY rowid DESC LIMIT ?3)",
                 box, sha256, most);
}

Status KeepBoxes(SqlFile& db, std::string_view but, int most) {
  const Which too_many{fmt::format("ORDER BY box = ?1 DESC, last_seen_us DESC, box LIMIT 1000 OFFSET {}", most), {but}};
  DE_TRY(const std::vector<BoxRecord> boxes, RowsOf<BoxRecord>(db, too_many));
  for (const BoxRecord& row : boxes) {
    for (const char* table : {"calibration", "profiles", "measurements", "statistics", "boxes"}) {
      DE_TRY(SqlStatement remove, db.Prepare(fmt::format("DELETE FROM {} WHERE box = ?1", table)));
      DE_TRY_STATUS(remove.Bind(1, row.box).Run());
    }
  }
  return {};
}

Status RemoveModelRows(SqlFile& db, std::string_view model) {
  // A file that a model of another name has too goes on.
  constexpr std::string_view kFiles =
      "(sha256 = ?1 OR sha256 IN (SELECT sha256 FROM profiles WHERE model = ?1)) AND sha256 NOT IN "
      "(SELECT sha256 FROM profiles WHERE model <> ?1 AND sha256 <> ?1)";
  for (const std::string& sql : {fmt::format("DELETE FROM measurements WHERE {}", kFiles),
                                 fmt::format("DELETE FROM statistics WHERE {}", kFiles),
                                 std::string("DELETE FROM profiles WHERE model = ?1 OR sha256 = ?1")}) {
    DE_TRY(SqlStatement remove, db.Prepare(sql));
    DE_TRY_STATUS(remove.Bind(1, model).Run());
  }
  return {};
}

Status RemoveForgottenFiles(SqlFile& db, std::string_view box) {
  constexpr int64_t kNewest = 10'000;
  DE_TRY(SqlStatement statistics, db.Prepare("DELETE FROM statistics WHERE box = ?1 AND sha256 NOT IN "
                                             "(SELECT sha256 FROM profiles WHERE box = ?1)"));
  DE_TRY_STATUS(statistics.Bind(1, box).Run());
  DE_TRY(SqlStatement measurements,
         db.Prepare("DELETE FROM measurements WHERE box = ?1 AND number <= (SELECT max(number) FROM measurements) - ?2 "
                    "AND sha256 NOT IN (SELECT sha256 FROM profiles WHERE box = ?1)"));
  return measurements.Bind(1, box).Bind(2, kNewest).Run();
}

Status Each(SqlFile& db, const Which& which, const std::function<Status(BoxRecord)>& use) {
  return EachRow(db, "SELECT box, description, first_seen_us, last_seen_us FROM boxes", which, use,
                 [](const SqlStatement& row) {
                   return BoxRecord{TextOf(row, 0), TextOf(row, 1), row.Integer(2), row.Integer(3)};
                 });
}

Status Each(SqlFile& db, const Which& which, const std::function<Status(CalibrationRow)>& use) {
  return EachRow(
      db, "SELECT box, name, created_us, complete, text FROM calibration", which, use, [](const SqlStatement& row) {
        return CalibrationRow{TextOf(row, 0), TextOf(row, 1), row.Integer(2), row.Integer(3) == 1, TextOf(row, 4)};
      });
}

Status Each(SqlFile& db, const Which& which, const std::function<Status(ProfileRow)>& use) {
  return EachRow(db, "SELECT box, model, sha256, generation, created_us, reason, json FROM profiles", which, use,
                 [](const SqlStatement& row) {
                   return ProfileRow{TextOf(row, 0), TextOf(row, 1), TextOf(row, 2), row.Integer(3),
                                     row.Integer(4), TextOf(row, 5), TextOf(row, 6)};
                 });
}

Status Each(SqlFile& db, const Which& which, const std::function<Status(MeasurementRow)>& use) {
  return EachRow(
      db, "SELECT box, sha256, setting, at_us, json FROM measurements", which, use, [](const SqlStatement& row) {
        return MeasurementRow{TextOf(row, 0), TextOf(row, 1), TextOf(row, 2), row.Integer(3), TextOf(row, 4)};
      });
}

Status Each(SqlFile& db, const Which& which, const std::function<Status(StatisticsRow)>& use) {
  return EachRow(db, "SELECT box, sha256, setting, stage, updated_us, json FROM statistics", which, use,
                 [](const SqlStatement& row) {
                   return StatisticsRow{TextOf(row, 0), TextOf(row, 1), TextOf(row, 2),
                                        row.Integer(3), row.Integer(4), TextOf(row, 5)};
                 });
}

}  // namespace deepedge
