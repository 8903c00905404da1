#include "deepedge/profiler/store/profile_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "deepedge/base/utf8.h"
#include "deepedge/profiler/store/json_fields.h"
#include "deepedge/profiler/store/profile_json.h"
#include "deepedge/profiler/store/store_file.h"
#include "deepedge/profiler/store/store_tables.h"
#include "deepedge/profiler/store/store_transfer.h"

namespace deepedge {
namespace {

constexpr int64_t kMostRows = 100'000;  // of one answer
constexpr std::string_view kOfModel = "box = ?1 AND (model = ?2 OR sha256 = ?2)";
// A name before a file; of a file's names that which was stored last.
constexpr std::string_view kNewestFirst =
    "ORDER BY model = ?2 DESC, CASE WHEN model = ?2 THEN generation ELSE number END DESC";

Status CheckName(std::string_view what, std::string_view name) {
  if (!name.empty() && name.size() <= ProfileStore::kLongestName && IsPlainText(name)) return {};
  return Error{ErrorCode::kBadInput, fmt::format("{} {}: empty, too long or not a line of text", what, Quote(name))};
}

Status CheckText(std::string_view what, std::string_view text) {
  if (text.size() <= ProfileStore::kLongestText && IsStorableText(text)) return {};
  return Error{ErrorCode::kBadInput,
               fmt::format("{}: longer than {} MB, or not text", what, ProfileStore::kLongestText >> 20)};
}

Status InTransaction(SqlFile& db, const char* begin, const std::function<Status(SqlFile&)>& work) {
  DE_TRY_STATUS(db.Execute(begin));
  Status status = work(db);
  if (status.ok()) status = db.Execute("COMMIT");
  if (!status.ok()) db.Execute("ROLLBACK").Ignore("SQLite has rolled back by itself after some errors");
  return status;
}

}  // namespace

std::string_view ToString(ProfileReason reason) {
  switch (reason) {
    case ProfileReason::kAdded: return "added";
    case ProfileReason::kDrift: return "drift";
    case ProfileReason::kAsked: return "asked";
  }
  return "?";
}

ProfileStore::ProfileStore(std::unique_ptr<StoreFile> file, const Clock& clock, ProfileStoreOptions options)
    : clock_(clock), options_(options), file_(std::move(file)) {}

ProfileStore::~ProfileStore() = default;

Result<std::unique_ptr<ProfileStore>> ProfileStore::Open(const Path& state_folder, const Clock& clock,
                                                         ProfileStoreOptions options) {
  auto file = std::make_unique<StoreFile>(
      state_folder, StoreFile::Options{.max_bytes = options.max_bytes, .busy_ms = options.busy_ms});
  DE_TRY_STATUS(file->Open());
  return std::unique_ptr<ProfileStore>(new ProfileStore(std::move(file), clock, options));
}

std::vector<std::string> ProfileStore::notes() const {
  MutexLock lock(mutex_);
  return file_->notes();
}

bool ProfileStore::writable() const {
  MutexLock lock(mutex_);
  return file_->writable();
}

void ProfileStore::AddNote(std::string text) {
  MutexLock lock(mutex_);
  file_->AddNote(fmt::format("{}: {}", file_->path().string(), text));
}

template <typename Work>
auto ProfileStore::Read(Work work) {
  using Answer = decltype(work(std::declval<SqlFile&>()));
  MutexLock lock(mutex_);
  for (bool again = false;; again = true) {
    Result<SqlFile*> db = file_->ToRead();
    if (!db.ok()) return Answer(db.error());
    Answer answer = work(*db.value());
    if (answer.ok() || answer.error().code != ErrorCode::kBadInput || again) return answer;
    const Status put_aside = file_->PutAside(answer.error());
    if (!put_aside.ok()) return Answer(put_aside.error());
  }
}

Status ProfileStore::Write(const std::function<Status(SqlFile&)>& work) {
  MutexLock lock(mutex_);
  for (bool again = false;; again = true) {
    DE_TRY(SqlFile * db, file_->ToWrite());
    Status status = InTransaction(*db, "BEGIN IMMEDIATE", work);
    if (status.ok() || status.error().code != ErrorCode::kBadInput || again) return status;
    DE_TRY_STATUS(file_->PutAside(status.error()));
  }
}

Status ProfileStore::SeenBox(std::string_view box, std::string_view description) {
  DE_TRY_STATUS(CheckName("box", box));
  DE_TRY_STATUS(CheckText("description of a box", description));
  return Write([&](SqlFile& db) -> Status {
    DE_TRY_STATUS(SeeBox(db, box, description, NowUs()));
    return KeepBoxes(db, box, options_.boxes);
  });
}

Result<std::vector<BoxRecord>> ProfileStore::Boxes() {
  return Read([](SqlFile& db) { return RowsOf<BoxRecord>(db, {"ORDER BY last_seen_us DESC, box LIMIT 1000"}); });
}

Status ProfileStore::SaveCalibration(std::string_view box, std::string_view name, std::string_view text,
                                     bool complete) {
  DE_TRY_STATUS(CheckName("box", box));
  DE_TRY_STATUS(CheckName("calibration", name));
  DE_TRY_STATUS(CheckText("calibration", text));
  const CalibrationRow row{.box = std::string(box),
                           .name = std::string(name),
                           .created_us = NowUs(),
                           .complete = complete,
                           .text = std::string(text)};
  return Write([&](SqlFile& db) -> Status {
    DE_TRY_STATUS(SeeBox(db, box, "", NowUs()));
    DE_TRY_STATUS(Replace(db, row));
    DE_TRY_STATUS(KeepCalibration(db, box, options_.calibrations));
    return KeepBoxes(db, box, options_.boxes);
  });
}

Result<std::optional<CalibrationRecord>> ProfileStore::LoadCalibration(std::string_view box, std::string_view name) {
  DE_TRY(std::vector<CalibrationRow> rows,
         Read([&](SqlFile& db) { return RowsOf<CalibrationRow>(db, {"WHERE box = ?1 AND name = ?2", {box, name}}); }));
  if (rows.empty()) return std::optional<CalibrationRecord>();
  CalibrationRow& row = rows.front();
  if (!CheckText("", row.text).ok()) {
    AddNote(fmt::format("calibration {} cannot be used: not text", Quote(name)));
    return std::optional<CalibrationRecord>();
  }
  return std::optional(CalibrationRecord{std::move(row.text), row.complete, row.created_us});
}

Result<int> ProfileStore::Save(const Profile& profile, ProfileReason reason) {
  Profile stored = profile;
  if (stored.created_us == 0) stored.created_us = NowUs();
  stored.generation = 0;
  Status checked = CheckProfile(stored);
  if (checked.ok()) checked = CheckText("profile", ProfileToText(stored));
  if (!checked.ok()) return checked.error().Wrap(fmt::format("keep the profile of {}", Quote(profile.model)));
  const Status written = Write([&](SqlFile& db) -> Status {
    DE_TRY(const int64_t generation, NextGeneration(db, stored.box, stored.model));
    stored.generation = static_cast<int>(generation);
    const ProfileRow row{.box = stored.box,
                         .model = stored.model,
                         .sha256 = stored.sha256,
                         .generation = generation,
                         .created_us = stored.created_us,
                         .reason = std::string(ToString(reason)),
                         .json = ProfileToText(stored)};
    DE_TRY_STATUS(KeepGenerations(db, stored.box, stored.model, options_.generations));
    DE_TRY_STATUS(Put(db, row).status());
    DE_TRY_STATUS(KeepGenerations(db, stored.box, stored.model, options_.generations));
    DE_TRY_STATUS(RemoveForgottenFiles(db, stored.box));
    DE_TRY_STATUS(SeeBox(db, stored.box, "", NowUs()));
    return KeepBoxes(db, stored.box, options_.boxes);
  });
  if (!written.ok()) return written.error();
  return stored.generation;
}

std::optional<StoredProfile> ProfileStore::FirstUsable(std::span<const ProfileRow> rows) {
  for (const ProfileRow& row : rows) {
    Result<StoredProfile> stored = ProfileOf(row);
    if (stored.ok()) return std::move(stored).value();
    AddNote(fmt::format("profile of {}, generation {}, cannot be used: {}", Quote(row.model), row.generation,
                        stored.error().message));
  }
  return std::nullopt;
}

Result<std::optional<StoredProfile>> ProfileStore::Latest(std::string_view box, std::string_view model) {
  // One at a time: the first is nearly always good.
  for (int i = 0; i < options_.generations; ++i) {
    const std::string sql = fmt::format("WHERE {} {} LIMIT 1 OFFSET {}", kOfModel, kNewestFirst, i);
    DE_TRY(const std::vector<ProfileRow> rows,
           Read([&](SqlFile& db) { return RowsOf<ProfileRow>(db, {sql, {box, model}}); }));
    if (rows.empty()) break;
    if (auto found = FirstUsable(rows)) return found;
  }
  return std::optional<StoredProfile>();
}

Result<std::vector<StoredProfile>> ProfileStore::All(std::string_view box) {
  std::vector<StoredProfile> all;
  const std::string sql = fmt::format(
      "WHERE box = ?1 AND generation = (SELECT max(generation) FROM profiles AS own WHERE own.box = profiles.box AND "
      "own.model = profiles.model) ORDER BY model LIMIT {}",
      kMostRows);
  DE_TRY(const std::vector<ProfileRow> rows, Read([&](SqlFile& db) { return RowsOf<ProfileRow>(db, {sql, {box}}); }));
  for (const ProfileRow& row : rows) {
    auto found = FirstUsable(std::span(&row, 1));
    if (!found) {
      DE_TRY(found, Latest(box, row.model));
    }
    if (found) all.push_back(std::move(*found));
  }
  return all;
}

Result<std::vector<ProfileGeneration>> ProfileStore::Generations(std::string_view box, std::string_view model) {
  const std::string sql = fmt::format("WHERE {} {} LIMIT {}", kOfModel, kNewestFirst, kMostRows);
  DE_TRY(const std::vector<ProfileRow> rows,
         Read([&](SqlFile& db) { return RowsOf<ProfileRow>(db, {sql, {box, model}}); }));
  std::vector<ProfileGeneration> generations;
  for (const ProfileRow& row : rows) {
    if (row.model != rows.front().model) continue;  // of the same file, but with numbers of its own
    const auto reason = ParseReason(row.reason);
    if (!reason || row.generation < 0 || row.generation > kLastGeneration) continue;
    generations.push_back({row.model, row.sha256, static_cast<int>(row.generation), row.created_us, *reason});
  }
  return generations;
}

Result<std::optional<StoredProfile>> ProfileStore::Get(std::string_view box, std::string_view model, int generation) {
  const std::string sql = fmt::format("WHERE {} AND generation = {} {} LIMIT 1", kOfModel, generation, kNewestFirst);
  DE_TRY(const std::vector<ProfileRow> rows,
         Read([&](SqlFile& db) { return RowsOf<ProfileRow>(db, {sql, {box, model}}); }));
  if (rows.empty()) return std::optional<StoredProfile>();
  Result<StoredProfile> stored = ProfileOf(rows.front());
  if (!stored.ok()) {
    return stored.error().Wrap(fmt::format("profile of {}, generation {}", Quote(model), generation));
  }
  return std::optional(std::move(stored).value());
}

Result<std::vector<OtherBox>> ProfileStore::OtherBoxes(std::string_view box, std::string_view model) {
  const auto work = [&](SqlFile& db) -> Result<std::vector<OtherBox>> {
    DE_TRY(
        SqlStatement select,
        db.Prepare("SELECT p.box, max(p.generation), p.created_us, b.description, b.first_seen_us, b.last_seen_us "
                   "FROM profiles AS p LEFT JOIN boxes AS b ON b.box = p.box "
                   "WHERE p.box <> ?1 AND (p.model = ?2 OR p.sha256 = ?2) GROUP BY p.box ORDER BY p.box LIMIT 1000"));
    select.Bind(1, box).Bind(2, model);
    std::vector<OtherBox> others;
    while (true) {
      DE_TRY(const bool is_row, select.Step());
      if (!is_row) return others;
      OtherBox other{.generation = static_cast<int>(std::clamp<int64_t>(select.Integer(1), 0, kLastGeneration)),
                     .created_us = select.Integer(2)};
      other.box = {std::string(select.Text(0)), std::string(select.Text(3)), select.Integer(4), select.Integer(5)};
      others.push_back(std::move(other));
    }
  };
  return Read(work);
}

Status ProfileStore::RemoveModel(std::string_view model) {
  return Write([&](SqlFile& db) { return RemoveModelRows(db, model); });
}

Status ProfileStore::AddMeasurement(std::string_view box, std::string_view sha256, const Setting& setting,
                                    std::string_view text) {
  DE_TRY_STATUS(CheckName("box", box));
  DE_TRY_STATUS(CheckName("file", sha256));
  DE_TRY_STATUS(CheckText("measurement", text));
  const MeasurementRow row{.box = std::string(box),
                           .sha256 = std::string(sha256),
                           .setting = ToString(setting),
                           .at_us = NowUs(),
                           .text = std::string(text)};
  return Write([&](SqlFile& db) -> Status {
    DE_TRY_STATUS(SeeBox(db, box, "", NowUs()));
    DE_TRY_STATUS(Put(db, row).status());
    DE_TRY_STATUS(KeepMeasurements(db, box, sha256, options_.measurements));
    return KeepBoxes(db, box, options_.boxes);
  });
}

Result<std::vector<Measurement>> ProfileStore::Measurements(std::string_view box, std::string_view sha256) {
  const std::string sql = fmt::format("WHERE box = ?1 AND sha256 = ?2 ORDER BY number LIMIT {}", kMostRows);
  DE_TRY(std::vector<MeasurementRow> rows,
         Read([&](SqlFile& db) { return RowsOf<MeasurementRow>(db, {sql, {box, sha256}}); }));
  std::vector<Measurement> measurements;
  for (MeasurementRow& row : rows) {
    const auto setting = ParseSetting(row.setting);
    if (setting && CheckText("", row.text).ok()) {
      measurements.push_back({*setting, row.at_us, std::move(row.text)});
    } else {
      AddNote(fmt::format("a measurement of {} cannot be used", Quote(row.setting)));
    }
  }
  return measurements;
}

Status ProfileStore::SaveStatistics(std::string_view box, std::string_view sha256,
                                    std::span<const StageStatistics> rows) {
  DE_TRY_STATUS(CheckName("box", box));
  DE_TRY_STATUS(CheckName("file", sha256));
  const int64_t now_us = NowUs();
  std::vector<StatisticsRow> stored;
  for (const StageStatistics& row : rows) {
    DE_TRY_STATUS(CheckText("statistics", row.text));
    stored.push_back({.box = std::string(box),
                      .sha256 = std::string(sha256),
                      .setting = ToString(row.setting),
                      .stage = row.stage,
                      .updated_us = now_us,
                      .text = row.text});
  }
  return Write([&](SqlFile& db) -> Status {
    DE_TRY_STATUS(SeeBox(db, box, "", now_us));
    DE_TRY_STATUS(Replace(db, stored));
    DE_TRY_STATUS(KeepStatistics(db, box, sha256, options_.statistics));
    return KeepBoxes(db, box, options_.boxes);
  });
}

Result<std::vector<StageStatistics>> ProfileStore::Statistics(std::string_view box, std::string_view sha256) {
  const std::string sql = fmt::format("WHERE box = ?1 AND sha256 = ?2 ORDER BY setting, stage LIMIT {}", kMostRows);
  DE_TRY(std::vector<StatisticsRow> rows,
         Read([&](SqlFile& db) { return RowsOf<StatisticsRow>(db, {sql, {box, sha256}}); }));
  std::vector<StageStatistics> statistics;
  for (StatisticsRow& row : rows) {
    const auto setting = ParseSetting(row.setting);
    if (setting && row.stage >= 0 && row.stage <= INT32_MAX && CheckText("", row.text).ok()) {
      statistics.push_back({*setting, static_cast<int>(row.stage), std::move(row.text)});
    } else {
      AddNote(fmt::format("statistics of {} cannot be used", Quote(row.setting)));
    }
  }
  return statistics;
}

Status ProfileStore::ClearStatistics(std::string_view box, std::string_view sha256) {
  return Write([&](SqlFile& db) { return KeepStatistics(db, box, sha256, 0); });
}

Status ProfileStore::Export(std::ostream& out) {
  const auto left_out = Read([&](SqlFile& db) -> Result<int64_t> {
    int64_t count = 0;
    DE_TRY_STATUS(InTransaction(db, "BEGIN", [&](SqlFile& own) -> Status {
      DE_TRY(count, ExportRows(own, out));
      return {};
    }));
    return count;
  });
  if (!left_out.ok()) return left_out.error();
  if (left_out.value() > 0) AddNote(fmt::format("{} rows cannot be used and are not exported", left_out.value()));
  return {};
}

Result<ImportCounts> ProfileStore::Import(std::istream& in) {
  DE_TRY(const StoreRows rows, ReadExport(in));
  ImportCounts counts;
  DE_TRY_STATUS(Write([&](SqlFile& db) -> Status {
    DE_TRY(counts, PutRows(db, rows, options_));
    return {};
  }));
  return counts;
}

}  // namespace deepedge
