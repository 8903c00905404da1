// ProfileStore: what the Model Profiler has learned, on disk: the file "profiles.db" in the state folder.
//
//   DE_TRY(auto store, ProfileStore::Open(state_folder, clock));
//   store->SeenBox(box, description).Ignore("said with the first profile that is not kept");
//   DE_TRY(const std::optional<StoredProfile> known, store->Latest(box, "yolox_tiny"));
//   if (!known) { ...; store->Save(profile, ProfileReason::kAdded); }
//   for (const std::string& note : store->notes()) LogWarning("{}", note);
//
//   boxes          fingerprint, description, first and last seen
//   calibration    (box, name): a text; may be incomplete, to be gone on with
//   profiles       (box, model, generation): a Profile, and why it was made; the newest generations are kept
//   measurements   (box, file of a model, setting): raw probes, so that a profile is refined without measuring again
//   statistics     (box, file of a model, setting, stage): what runs have shown
//
// A box is named by its fingerprint, which the engine's version is part of: what was measured on another box or with
// another engine is never given for this one. A model is named as its profile names it, or by the SHA-256 of its file.
// Everything is bounded: calibrations of a box, generations, measurements and statistics of a model, and boxes by
// number (the oldest go; of boxes, with all that is theirs, those not seen for the longest time), the file in bytes
// (then writing fails, and RemoveModel makes room). What was learned of a file goes once no profile is of it any more.
//
// Bad luck: Open does not fail for a file that is damaged (it is put aside, store_file.h) or a folder that may not be
// written (then what is there is read, and each write says why it fails, or succeeds once it can); notes() tells. A
// write is whole or not there, also when the program is killed in it; with a power cut the last writes may be missing.
// A full disk is kExhausted; what was there stays. What is read back is checked as any input; a row that cannot be used
// is passed over, with a note.
//
// Errors: kBadInput for texts that are too long or not UTF-8, kExhausted, kUnavailable (may pass); kUnsupported where
// the file belongs to a later version of this program. Threads: thread-safe; other programs may have the file open too.
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "deepedge/base/clock.h"
#include "deepedge/base/file.h"
#include "deepedge/base/mutex.h"
#include "deepedge/plan/profile.h"

namespace deepedge {

class StoreFile;
class SqlFile;
struct ProfileRow;

enum class ProfileReason {
  kAdded,  // the model was new here
  kDrift,  // runs took another time than the profile said
  kAsked,  // by the user
};
std::string_view ToString(ProfileReason reason);  // "added", "drift", "asked"

struct StoredProfile {
  Profile profile;
  ProfileReason reason = ProfileReason::kAsked;
};

// One row of a model's history.
struct ProfileGeneration {
  std::string model;
  std::string sha256;
  int generation = 0;
  int64_t created_us = 0;
  ProfileReason reason = ProfileReason::kAsked;
};

struct BoxRecord {
  std::string box;
  std::string description;  // as SeenBox was given it; empty: never described
  int64_t first_seen_us = 0;
  int64_t last_seen_us = 0;
};

// That there is a profile which is of no use here, for a message.
struct OtherBox {
  BoxRecord box;
  int generation = 0;  // the newest there
  int64_t created_us = 0;
};

struct CalibrationRecord {
  std::string text;
  bool complete = false;
  int64_t created_us = 0;
};

struct Measurement {
  Setting setting;
  int64_t at_us = 0;
  std::string text;
};

struct StageStatistics {
  Setting setting;
  int stage = 0;
  std::string text;
};

struct ImportCounts {
  int64_t added = 0;
  int64_t known = 0;  // there already; left as it was
};

struct ProfileStoreOptions {
  int generations = 8;     // of a model, kept
  int calibrations = 64;   // of a box, kept
  int measurements = 512;  // of a model's file, kept
  int statistics = 8192;   // rows of a model's file, kept
  int boxes = 64;          // kept
  int64_t max_bytes = int64_t{512} << 20;
  int busy_ms = 2000;  // how long to wait for another program that writes
};

class ProfileStore {
 public:
  static constexpr size_t kLongestText = size_t{32} << 20;  // bytes, of calibration, measurements, statistics
  static constexpr size_t kLongestName = 4096;

  // `clock` must outlive it. Errors: kUnsupported only.
  static Result<std::unique_ptr<ProfileStore>> Open(const Path& state_folder, const Clock& clock,
                                                    ProfileStoreOptions options = {});
  ~ProfileStore();
  ProfileStore(const ProfileStore&) = delete;
  ProfileStore& operator=(const ProfileStore&) = delete;

  // What somebody should know, oldest first, each once; at most some dozens.
  std::vector<std::string> notes() const DE_EXCLUDES(mutex_);
  // False: writing fails as things stand.
  bool writable() const DE_EXCLUDES(mutex_);

  // This program runs on it now.
  Status SeenBox(std::string_view box, std::string_view description) DE_EXCLUDES(mutex_);
  Result<std::vector<BoxRecord>> Boxes() DE_EXCLUDES(mutex_);  // seen last first

  Status SaveCalibration(std::string_view box, std::string_view name, std::string_view text, bool complete)
      DE_EXCLUDES(mutex_);
  Result<std::optional<CalibrationRecord>> LoadCalibration(std::string_view box, std::string_view name)
      DE_EXCLUDES(mutex_);

  // Gives the profile its generation, which is returned: one more than the newest that is kept of its box and model.
  // The time is `created_us`, or now where that is 0. Errors: also kBadInput naming the field of a profile that could
  // not be read back.
  Result<int> Save(const Profile& profile, ProfileReason reason) DE_EXCLUDES(mutex_);
  // The newest that can be used. `model` is a name or a SHA-256; a name comes first.
  Result<std::optional<StoredProfile>> Latest(std::string_view box, std::string_view model) DE_EXCLUDES(mutex_);
  // The newest of each model, by name.
  Result<std::vector<StoredProfile>> All(std::string_view box) DE_EXCLUDES(mutex_);
  // Newest first.
  Result<std::vector<ProfileGeneration>> Generations(std::string_view box, std::string_view model) DE_EXCLUDES(mutex_);
  // Errors: also kBadInput where that one cannot be read.
  Result<std::optional<StoredProfile>> Get(std::string_view box, std::string_view model, int generation)
      DE_EXCLUDES(mutex_);
  Result<std::vector<OtherBox>> OtherBoxes(std::string_view box, std::string_view model) DE_EXCLUDES(mutex_);
  // Profiles, measurements and statistics, on all boxes.
  Status RemoveModel(std::string_view model) DE_EXCLUDES(mutex_);

  Status AddMeasurement(std::string_view box, std::string_view sha256, const Setting& setting, std::string_view text)
      DE_EXCLUDES(mutex_);
  // Oldest first.
  Result<std::vector<Measurement>> Measurements(std::string_view box, std::string_view sha256) DE_EXCLUDES(mutex_);

  // All rows or none; what was there under the same setting and stage is replaced.
  Status SaveStatistics(std::string_view box, std::string_view sha256, std::span<const StageStatistics> rows)
      DE_EXCLUDES(mutex_);
  Result<std::vector<StageStatistics>> Statistics(std::string_view box, std::string_view sha256) DE_EXCLUDES(mutex_);
  // A new generation with other stages begins with none.
  Status ClearStatistics(std::string_view box, std::string_view sha256) DE_EXCLUDES(mutex_);

  // Everything, of one moment, as lines of JSON: store_transfer.h. Other threads wait until it is written. Errors: also
  // kUnavailable where `out` fails.
  Status Export(std::ostream& out) DE_EXCLUDES(mutex_);
  // All or nothing. What is there already stays as it is. Errors: kBadInput naming line and field.
  Result<ImportCounts> Import(std::istream& in) DE_EXCLUDES(mutex_);

 private:
  ProfileStore(std::unique_ptr<StoreFile> file, const Clock& clock, ProfileStoreOptions options);
  int64_t NowUs() const { return clock_.EpochMicros(clock_.Now()); }
  void AddNote(std::string text) DE_EXCLUDES(mutex_);

  // Runs `work` on the file, for writing inside a transaction; again on a new file when this one proves to be damaged.
  template <typename Work>
  auto Read(Work work) DE_EXCLUDES(mutex_);
  Status Write(const std::function<Status(SqlFile&)>& work) DE_EXCLUDES(mutex_);

  // The first that can be used; a note for each before it that cannot.
  std::optional<StoredProfile> FirstUsable(std::span<const ProfileRow> rows) DE_EXCLUDES(mutex_);

  const Clock& clock_;
  const ProfileStoreOptions options_;
  mutable Mutex mutex_;
  std::unique_ptr<StoreFile> file_ DE_GUARDED_BY(mutex_);
};

}  // namespace deepedge
