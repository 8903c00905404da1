#include "deepedge/profiler/store/store_transfer.h"

#include <fmt/format.h>

#include <istream>
#include <ostream>
#include <set>
#include <utility>

#include "deepedge/profiler/store/json_fields.h"
#include "deepedge/profiler/store/profile_json.h"
#include "deepedge/profiler/store/store_schema.h"

namespace deepedge {
namespace {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

constexpr std::string_view kKind = "deepedge_profiles";
constexpr size_t kLongestLine = size_t{128} << 20;  // a text of the greatest length, with every character escaped
constexpr size_t kMostBytes = size_t{1} << 30;
constexpr TextRule kName{.least = 1, .most = ProfileStore::kLongestName, .needed = true};
constexpr TextRule kText{.most = ProfileStore::kLongestText, .needed = true, .plain = false};

std::string ToLine(const OrderedJson& json) { return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace); }

Status WriteLine(std::string_view line, std::ostream& out) {
  out << line << '\n';
  if (out.good()) return {};
  return Error{ErrorCode::kUnavailable, "export of profiles: cannot be written"};
}

OrderedJson ToJson(const BoxRecord& row) {
  return {{"type", "box"},
          {"box", row.box},
          {"description", row.description},
          {"first_seen_us", row.first_seen_us},
          {"last_seen_us", row.last_seen_us}};
}

OrderedJson ToJson(const CalibrationRow& row) {
  return {{"type", "calibration"},        {"box", row.box},           {"name", row.name},
          {"created_us", row.created_us}, {"complete", row.complete}, {"text", row.text}};
}

OrderedJson ToJson(const MeasurementRow& row) {
  return {{"type", "measurement"},  {"box", row.box},     {"sha256", row.sha256},
          {"setting", row.setting}, {"at_us", row.at_us}, {"text", row.text}};
}

OrderedJson ToJson(const StatisticsRow& row) {
  return {{"type", "statistics"}, {"box", row.box},   {"sha256", row.sha256},        {"setting", row.setting},
          {"stage", row.stage},   {"text", row.text}, {"updated_us", row.updated_us}};
}

// Null where the row is of no use; reading the line then fails.
OrderedJson ToJson(const ProfileRow& row) {
  const Result<StoredProfile> stored = ProfileOf(row);
  if (!stored.ok()) return nullptr;
  return {{"type", "profile"}, {"reason", row.reason}, {"profile", ProfileToJson(stored.value().profile)}};
}

void ReadSettingName(JsonFields& fields, std::string& setting) {
  fields.Text("setting", setting, kName);
  if (!ParseSetting(setting)) fields.Fail("setting", "not a setting");
}

BoxRecord ReadBox(JsonFields& fields) {
  BoxRecord row;
  fields.Text("box", row.box, kName);
  fields.Text("description", row.description, kText);
  fields.Integer("first_seen_us", row.first_seen_us, {});
  fields.Integer("last_seen_us", row.last_seen_us, {});
  return row;
}

CalibrationRow ReadCalibration(JsonFields& fields) {
  CalibrationRow row;
  fields.Text("box", row.box, kName);
  fields.Text("name", row.name, kName);
  fields.Integer("created_us", row.created_us, {});
  fields.Flag("complete", row.complete);
  fields.Text("text", row.text, kText);
  return row;
}

MeasurementRow ReadMeasurement(JsonFields& fields) {
  MeasurementRow row;
  fields.Text("box", row.box, kName);
  fields.Text("sha256", row.sha256, kName);
  ReadSettingName(fields, row.setting);
  fields.Integer("at_us", row.at_us, {});
  fields.Text("text", row.text, kText);
  return row;
}

StatisticsRow ReadStatistics(JsonFields& fields) {
  StatisticsRow row;
  fields.Text("box", row.box, kName);
  fields.Text("sha256", row.sha256, kName);
  ReadSettingName(fields, row.setting);
  fields.Integer("stage", row.stage, {.most = INT32_MAX, .needed = true});
  fields.Integer("updated_us", row.updated_us, {});
  fields.Text("text", row.text, kText);
  return row;
}

ProfileRow ReadProfile(JsonFields& fields, std::optional<Error>& error) {
  ProfileRow row;
  fields.Text("reason", row.reason, {.most = 64, .needed = true});
  if (!ParseReason(row.reason)) fields.Fail("reason", fmt::format("{} is none of added, drift, asked", row.reason));
  const Json* json = fields.Object("profile", true);
  if (json == nullptr) return row;
  const Result<Profile> read = ProfileFromJson(*json);
  if (!read.ok()) {
    error = Error{read.error().code, "profile." + read.error().message};
    return row;
  }
  const Profile& profile = read.value();
  if (profile.generation < 1 || profile.generation > kLastGeneration) {
    fields.Fail("profile.generation", fmt::format("{} is none", profile.generation));
  }
  row.box = profile.box;
  row.model = profile.model;
  row.sha256 = profile.sha256;
  row.generation = profile.generation;
  row.created_us = profile.created_us;
  row.json = ProfileToText(profile);
  return row;
}

Status CheckHead(JsonFields& fields, const std::string& type, std::optional<Error>& error) {
  if (type != kKind) {
    return Error{ErrorCode::kBadInput, fmt::format("the first line is not of the type \"{}\"", kKind)};
  }
  int64_t schema = 0;
  fields.Integer("schema", schema, {.needed = true});
  if (error) return *error;
  if (schema <= kStoreSchemaVersion) return {};
  return Error{ErrorCode::kUnsupported, fmt::format("written by a later version of deepedge (schema {}, this one knows "
                                                    "{})",
                                                    schema, kStoreSchemaVersion)};
}

Status ReadLine(std::string_view line, bool is_first, StoreRows& rows) {
  DE_TRY(const Json json, ParseJson(line));
  std::optional<Error> error;
  JsonFields fields(json, "", error);
  std::string type;
  fields.Text("type", type, {.most = 64, .needed = true});
  if (error) return *error;
  if (is_first) return CheckHead(fields, type, error);
  if (type == "box") {
    rows.boxes.push_back(ReadBox(fields));
  } else if (type == "calibration") {
    rows.calibration.push_back(ReadCalibration(fields));
  } else if (type == "profile") {
    rows.profiles.push_back(ReadProfile(fields, error));
  } else if (type == "measurement") {
    rows.measurements.push_back(ReadMeasurement(fields));
  } else if (type == "statistics") {
    rows.statistics.push_back(ReadStatistics(fields));
  }  // other types: of a later version that has kept the schema
  if (error) return *error;
  return {};
}

// False: no more. A line without an end is read up to `most` bytes.
bool NextLine(std::istream& in, size_t most, std::string& line) {
  line.clear();
  std::streambuf* buffer = in.rdbuf();
  while (line.size() <= most) {
    const int c = buffer->sbumpc();
    if (c == std::char_traits<char>::eof()) return !line.empty();
    if (c == '\n') return true;
    line += static_cast<char>(c);
  }
  return true;
}

template <typename Row>
Status PutAll(SqlFile& db, const std::vector<Row>& rows, ImportCounts& counts) {
  for (const Row& row : rows) {
    DE_TRY(const bool added, Put(db, row));
    ++(added ? counts.added : counts.known);
  }
  return {};
}

using Pair = std::pair<std::string_view, std::string_view>;

Status KeepLimits(SqlFile& db, const StoreRows& rows, const ProfileStoreOptions& options) {
  std::set<Pair> models, measured, counted;
  for (const ProfileRow& row : rows.profiles) models.insert({row.box, row.model});
  for (const MeasurementRow& row : rows.measurements) measured.insert({row.box, row.sha256});
  for (const StatisticsRow& row : rows.statistics) counted.insert({row.box, row.sha256});
  std::set<std::string_view> calibrated;
  for (const CalibrationRow& row : rows.calibration) calibrated.insert(row.box);
  for (const std::string_view box : calibrated) DE_TRY_STATUS(KeepCalibration(db, box, options.calibrations));
  for (const auto& [box, model] : models) DE_TRY_STATUS(KeepGenerations(db, box, model, options.generations));
  for (const auto& [box, file] : measured) DE_TRY_STATUS(KeepMeasurements(db, box, file, options.measurements));
  for (const auto& [box, file] : counted) DE_TRY_STATUS(KeepStatistics(db, box, file, options.statistics));
  return {};
}

// A box that an export names only in passing is one of the store's boxes too.
Status PutUnnamedBoxes(SqlFile& db, const StoreRows& rows) {
  std::set<std::string_view> boxes;
  for (const CalibrationRow& row : rows.calibration) boxes.insert(row.box);
  for (const ProfileRow& row : rows.profiles) boxes.insert(row.box);
  for (const MeasurementRow& row : rows.measurements) boxes.insert(row.box);
  for (const StatisticsRow& row : rows.statistics) boxes.insert(row.box);
  for (const std::string_view box : boxes) {
    DE_TRY_STATUS(Put(db, BoxRecord{.box = std::string(box)}).status());
  }
  return {};
}

}  // namespace

std::optional<ProfileReason> ParseReason(std::string_view text) {
  for (const ProfileReason reason : {ProfileReason::kAdded, ProfileReason::kDrift, ProfileReason::kAsked}) {
    if (text == ToString(reason)) return reason;
  }
  return std::nullopt;
}

Result<StoredProfile> ProfileOf(const ProfileRow& row) {
  const auto reason = ParseReason(row.reason);
  if (!reason) return Error{ErrorCode::kBadInput, "reason: none of added, drift, asked"};
  DE_TRY(Profile profile, ProfileFromText(row.json));
  const std::pair<bool, const char*> columns[] = {{profile.box == row.box, "box"},
                                                  {profile.model == row.model, "model"},
                                                  {profile.sha256 == row.sha256, "sha256"},
                                                  {profile.generation == row.generation, "generation"}};
  for (const auto& [same, name] : columns) {
    if (!same) return Error{ErrorCode::kBadInput, fmt::format("{}: not that of its row", name)};
  }
  return StoredProfile{std::move(profile), *reason};
}

Result<int64_t> ExportRows(SqlFile& db, std::ostream& out) {
  int64_t left_out = 0;
  const auto write = [&](const auto& row) -> Status {
    const std::string line = ToLine(ToJson(row));
    StoreRows scratch;
    if (ReadLine(line, false, scratch).ok()) return WriteLine(line, out);
    ++left_out;
    return {};
  };
  DE_TRY_STATUS(WriteLine(ToLine({{"type", kKind}, {"schema", kStoreSchemaVersion}}), out));
  DE_TRY_STATUS(Each(db, {"ORDER BY box"}, std::function<Status(BoxRecord)>(write)));
  DE_TRY_STATUS(Each(db, {"ORDER BY box, name"}, std::function<Status(CalibrationRow)>(write)));
  DE_TRY_STATUS(Each(db, {"ORDER BY number"}, std::function<Status(ProfileRow)>(write)));
  DE_TRY_STATUS(Each(db, {"ORDER BY number"}, std::function<Status(MeasurementRow)>(write)));
  DE_TRY_STATUS(Each(db, {"ORDER BY rowid"}, std::function<Status(StatisticsRow)>(write)));
  out.flush();
  if (!out.good()) return Error{ErrorCode::kUnavailable, "export of profiles: cannot be written"};
  return left_out;
}

Result<StoreRows> ReadExport(std::istream& in) {
  StoreRows rows;
  std::string line;
  size_t bytes = 0;
  int64_t number = 0;
  while (NextLine(in, kLongestLine, line)) {
    ++number;
    bytes += line.size();
    if (line.size() > kLongestLine || bytes > kMostBytes) {
      return Error{ErrorCode::kBadInput, fmt::format("import of profiles: line {}: too long, or too many", number)};
    }
    const Status read = ReadLine(line, number == 1, rows);
    if (!read.ok()) return read.error().Wrap(fmt::format("import of profiles: line {}", number));
  }
  if (number == 0) return Error{ErrorCode::kBadInput, "import of profiles: empty"};
  return rows;
}

Result<ImportCounts> PutRows(SqlFile& db, const StoreRows& rows, const ProfileStoreOptions& options) {
  ImportCounts counts;
  DE_TRY_STATUS(PutAll(db, rows.boxes, counts));
  DE_TRY_STATUS(PutUnnamedBoxes(db, rows));
  DE_TRY(const int64_t boxes, db.Number("SELECT count(*) FROM boxes"));
  if (boxes > options.boxes) {
    return Error{ErrorCode::kExhausted,
                 fmt::format("import of profiles: {} boxes, and a store keeps {}", boxes, options.boxes)};
  }
  DE_TRY_STATUS(PutAll(db, rows.calibration, counts));
  DE_TRY_STATUS(PutAll(db, rows.profiles, counts));
  DE_TRY_STATUS(PutAll(db, rows.measurements, counts));
  DE_TRY_STATUS(PutAll(db, rows.statistics, counts));
  DE_TRY_STATUS(KeepLimits(db, rows, options));
  return counts;
}

}  // namespace deepedge
