// What becomes of the profile store when its file is damaged, full, not ours, not to be written, or shared, and when
// the program is killed.
#include "deepedge/profiler/store/store_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <csignal>
#include <fstream>
#include <functional>
#include <random>

#include "deepedge/profiler/store/profile_for_test.h"
#include "deepedge/profiler/store/profile_store.h"
#include "deepedge/profiler/store/store_schema.h"

namespace deepedge {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class StoreFileTest : public testing::Test {
 protected:
  Result<std::unique_ptr<ProfileStore>> TryOpen(ProfileStoreOptions options = {}) {
    return ProfileStore::Open(folder(), clock_, options);
  }
  std::unique_ptr<ProfileStore> Open(ProfileStoreOptions options = {}) {
    auto store = TryOpen(options);
    EXPECT_TRUE(store.ok()) << store.error().message;
    return std::move(store).value();
  }
  const Path& folder() const { return folder_.path(); }
  Path path() const { return folder_.path() / "profiles.db"; }
  // Some pages of content.
  void Fill(int models) {
    const auto store = Open();
    for (int i = 0; i < models; ++i) {
      ASSERT_TRUE(store->Save(ProfileForTest("model" + std::to_string(i)), ProfileReason::kAdded).ok());
    }
  }
  void Overwrite(int64_t at, const std::string& bytes) {
    std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(at);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    ASSERT_TRUE(file.good());
  }
  // Runs `work` in a process of its own; its exit code.
  static int InChild(const std::function<int()>& work) {
    const pid_t child = fork();
    if (child == 0) _exit(work());
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
  }

  TemporaryFolder folder_ = TemporaryFolder::Create("de_store_file_test").value();
  ManualClock clock_{Time{1'700'000'000'000'000}};
};

TEST_F(StoreFileTest, ADamagedFileIsPutAsideAndANewOneBegun) {
  struct Case {
    const char* what;
    std::function<void()> damage;
  };
  const auto size = [&] { return static_cast<int64_t>(std::filesystem::file_size(path())); };
  const Case cases[] = {
      {"header", [&] { Overwrite(0, std::string(100, 'x')); }},
      {"header's numbers", [&] { Overwrite(16, std::string(84, '\xFF')); }},
      {"a page in the middle", [&] { Overwrite(size() / 8192 * 4096, std::string(4096, '\xA5')); }},
      {"all but the header", [&] { Overwrite(100, std::string(static_cast<size_t>(size()) - 100, '\0')); }},
      {"cut in half", [&] { std::filesystem::resize_file(path(), static_cast<uintmax_t>(size() / 8192 * 4096)); }},
      {"cut within a page", [&] { std::filesystem::resize_file(path(), 5000); }},
      {"a text", [&] { ASSERT_TRUE(WriteFileAtomically(path(), "somebody's notes").ok()); }},
  };
  for (const Case& c : cases) {
    std::filesystem::remove(path());
    Fill(40);
    ASSERT_GT(size(), 10 * 4096);
    c.damage();
    const auto store = Open();
    EXPECT_TRUE(store->writable()) << c.what;
    ASSERT_FALSE(store->notes().empty()) << c.what;
    EXPECT_THAT(store->notes()[0], HasSubstr("profiles.db: damaged (")) << c.what;
    EXPECT_THAT(store->notes()[0], HasSubstr("; put aside as profiles.db.damaged-")) << c.what;
    EXPECT_THAT(store->All("box-1").value(), IsEmpty()) << c.what;
    EXPECT_EQ(store->Save(ProfileForTest(), ProfileReason::kAdded).value(), 1) << c.what;
    EXPECT_THAT(Open()->notes(), IsEmpty()) << c.what;
  }
}

TEST_F(StoreFileTest, DamageThatShowsWhileItIsOpenIsHealedToo) {
  Fill(400);  // more than it keeps in memory
  const auto store = Open();
  const auto size = static_cast<int64_t>(std::filesystem::file_size(path()));
  for (int64_t at = 4096; at + 4096 <= size; at += 4096) Overwrite(at, std::string(4096, '\xA5'));
  ASSERT_GT(size, 700'000);
  EXPECT_EQ(store->All("box-1").value().size(), 0U);
  ASSERT_FALSE(store->notes().empty());
  EXPECT_THAT(store->notes()[0], HasSubstr("put aside as profiles.db.damaged-1"));
  EXPECT_EQ(store->Save(ProfileForTest(), ProfileReason::kAdded).value(), 1);
  EXPECT_TRUE(store->Latest("box-1", "yolox_tiny").value().has_value());
}

TEST_F(StoreFileTest, KeepsTheNewestTwoDamagedFiles) {
  const Path notes = folder() / "profiles.db.damaged-1-notes";  // somebody else's
  ASSERT_TRUE(WriteFileAtomically(notes, "notes").ok());
  for (int i = 1; i <= 4; ++i) {
    ASSERT_TRUE(WriteFileAtomically(path(), "damage " + std::to_string(i)).ok());
    Open();
  }
  EXPECT_FALSE(std::filesystem::exists(path().string() + ".damaged-2"));
  EXPECT_EQ(ReadFile(path().string() + ".damaged-3").value(), "damage 3");
  EXPECT_EQ(ReadFile(path().string() + ".damaged-4").value(), "damage 4");
  EXPECT_TRUE(std::filesystem::exists(notes));
}

TEST_F(StoreFileTest, AnEmptyFileIsBegunAnewAndSaid) {
  Fill(1);
  std::filesystem::resize_file(path(), 0);
  const auto store = Open();
  EXPECT_THAT(store->notes().at(0), HasSubstr("was empty; it is begun anew"));
  EXPECT_TRUE(store->Save(ProfileForTest(), ProfileReason::kAdded).ok());
}

TEST_F(StoreFileTest, ADamagedFileThatAnotherProgramHasOpenStays) {
  Fill(40);
  const auto first = Open();
  Overwrite(0, std::string(100, 'x'));
  const auto second = Open();
  EXPECT_FALSE(second->writable());
  EXPECT_THAT(second->notes().at(0), HasSubstr("it is put aside as soon as no other program has it open"));
  EXPECT_THAT(second->All("box-1").value(), IsEmpty());
  EXPECT_EQ(second->Save(ProfileForTest(), ProfileReason::kAdded).status().error().code, ErrorCode::kUnavailable);
  EXPECT_FALSE(std::filesystem::exists(path().string() + ".damaged-1"));
}

TEST_F(StoreFileTest, LeavesFilesOfOthersAndOfLaterVersionsAlone) {
  {
    SqlFile other = SqlFile::Open(path(), SqlFile::Mode::kReadWrite, 0).value();
    ASSERT_TRUE(other.Execute("CREATE TABLE mine (x)").ok());
  }
  EXPECT_EQ(TryOpen().status().error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(TryOpen().status().error().message,
            path().string() + ": a database of another program, not a store of profiles");
  std::filesystem::remove(path());
  Fill(1);
  {
    SqlFile other = SqlFile::Open(path(), SqlFile::Mode::kReadWrite, 0).value();
    ASSERT_TRUE(other.Execute("PRAGMA user_version = 9; ALTER TABLE profiles ADD COLUMN more TEXT").ok());
  }
  EXPECT_EQ(TryOpen().status().error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(TryOpen().status().error().message,
            path().string() + ": written by a later version of deepedge (schema 9, this one knows 2)");
  EXPECT_FALSE(std::filesystem::exists(path().string() + ".damaged-1"));
}

TEST_F(StoreFileTest, AnOlderSchemaIsMigratedWithWhatItHolds) {
  {
    SqlFile old = SqlFile::Open(path(), SqlFile::Mode::kReadWrite, 0).value();
    ASSERT_TRUE(MigrateStore(old, path(), 1).ok());
    ASSERT_TRUE(old.Execute("INSERT INTO calibration VALUES ('box-1', 'grid', 5, 1, 'kept')").ok());
    EXPECT_EQ(CheckStoreSchema(old, path()).error().code, ErrorCode::kUnsupported);
  }
  const auto store = Open();
  EXPECT_THAT(store->notes(), IsEmpty());
  EXPECT_EQ(store->LoadCalibration("box-1", "grid").value()->text, "kept");
  EXPECT_TRUE(store->AddMeasurement("box-1", "f", {}, "1").ok());
}

TEST_F(StoreFileTest, WhatIsNotTheTablesOfAStoreIsDamaged) {
  for (const char* change :
       {"DROP TABLE profiles", "DROP TABLE statistics", "PRAGMA user_version = 1", "PRAGMA user_version = 0",
        "PRAGMA application_id = 7", "CREATE TRIGGER t AFTER INSERT ON profiles BEGIN DELETE FROM boxes; END",
        "DROP TABLE boxes; CREATE VIEW boxes AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT "
        "i AS box, '' AS description, 1 AS first_seen_us, 1 AS last_seen_us FROM n"}) {
    Open();
    {
      SqlFile other = SqlFile::Open(path(), SqlFile::Mode::kReadWrite, 0).value();
      ASSERT_TRUE(other.Execute(change).ok()) << change;
    }
    const auto store = Open();
    ASSERT_FALSE(store->notes().empty()) << change;
    EXPECT_THAT(store->notes()[0], HasSubstr("damaged (not the tables of a store)")) << change;
    EXPECT_TRUE(store->Save(ProfileForTest(), ProfileReason::kAdded).ok()) << change;
  }
}

TEST_F(StoreFileTest, AMissingColumnIsHealedWhereItIsNoticed) {
  Fill(1);
  const auto store = Open();
  {
    SqlFile other = SqlFile::Open(path(), SqlFile::Mode::kReadWrite, 0).value();
    ASSERT_TRUE(other.Execute("ALTER TABLE profiles RENAME COLUMN json TO text").ok());
  }
  EXPECT_FALSE(store->Latest("box-1", "model0").value().has_value());
  EXPECT_THAT(store->notes().at(0), HasSubstr("no such column: json"));
  EXPECT_TRUE(store->Save(ProfileForTest(), ProfileReason::kAdded).ok());
}

TEST_F(StoreFileTest, TablesThatALaterVersionHasChangedMeanwhileAreLeftAlone) {
  Fill(1);
  const auto store = Open();
  {
    SqlFile other = SqlFile::Open(path(), SqlFile::Mode::kReadWrite, 0).value();
    ASSERT_TRUE(other.Execute("ALTER TABLE profiles RENAME COLUMN json TO text; PRAGMA user_version = 3").ok());
  }
  EXPECT_EQ(store->Save(ProfileForTest(), ProfileReason::kAdded).status().error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(store->Latest("box-1", "model0").status().error().code, ErrorCode::kUnsupported);
  EXPECT_FALSE(std::filesystem::exists(path().string() + ".damaged-1"));
}

TEST_F(StoreFileTest, AFileThatIsTakenAwayIsBegunAnew) {
  const auto store = Open();
  ASSERT_TRUE(store->Save(ProfileForTest(), ProfileReason::kAdded).ok());
  for (const auto& entry : std::filesystem::directory_iterator(folder())) {
    if (entry.path().filename() != "profiles.db.lock") std::filesystem::remove(entry.path());
  }
  EXPECT_EQ(store->Save(ProfileForTest(), ProfileReason::kAdded).value(), 1);
  EXPECT_THAT(store->notes().at(0), HasSubstr("was taken away"));
  EXPECT_TRUE(Open()->Latest("box-1", "yolox_tiny").value().has_value());
}

TEST_F(StoreFileTest, WhenItsRoomIsUsedUpWritingFailsAndTheRestGoesOn) {
  const auto store = Open({.max_bytes = 256 << 10});
  ASSERT_TRUE(store->Save(ProfileForTest(), ProfileReason::kAdded).ok());
  Status full;
  for (int i = 0; i < 1000 && full.ok(); ++i) {
    full = store->Save(ProfileForTest("model" + std::to_string(i)), ProfileReason::kAdded).status();
  }
  ASSERT_FALSE(full.ok());
  EXPECT_EQ(full.error().code, ErrorCode::kExhausted);
  EXPECT_THAT(full.error().message, HasSubstr("profiles.db: the disk, or the room it may take, is full"));
  EXPECT_TRUE(store->Latest("box-1", "yolox_tiny").value().has_value());
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(store->RemoveModel("model" + std::to_string(i)).ok());
  EXPECT_TRUE(store->Save(ProfileForTest("again"), ProfileReason::kAdded).ok());
}

TEST_F(StoreFileTest, AFullDiskFailsAWriteAndNothingElse) {
  Fill(4);
  const int code = InChild([&] {
    signal(SIGXFSZ, SIG_IGN);
    const auto store = TryOpen();
    if (!store.ok()) return 1;
    rlimit before{};
    getrlimit(RLIMIT_FSIZE, &before);
    const rlimit limit{.rlim_cur = 64 << 10, .rlim_max = before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
    const Status full = store.value()->SaveCalibration("box-1", "grid", std::string(1 << 20, 'x'), true);
    if (full.ok() || full.error().code != ErrorCode::kExhausted) return 2;
    if (!store.value()->Latest("box-1", "model1").value()) return 3;
    setrlimit(RLIMIT_FSIZE, &before);
    if (!store.value()->SaveCalibration("box-1", "grid", std::string(1 << 20, 'x'), true).ok()) return 4;
    return store.value()->notes().empty() ? 0 : 5;
  });
  EXPECT_EQ(code, 0);
  EXPECT_EQ(Open()->LoadCalibration("box-1", "grid").value()->text.size(), size_t{1} << 20);
}

TEST_F(StoreFileTest, AFullDiskAtTheBeginningLeavesAStoreThatKeepsNothing) {
  const int code = InChild([&] {
    signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    getrlimit(RLIMIT_FSIZE, &before);
    const rlimit limit{.rlim_cur = 0, .rlim_max = before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
    const auto store = TryOpen();
    if (!store.ok() || store.value()->writable() || store.value()->notes().size() != 1) return 1;
    const auto saved = store.value()->Save(ProfileForTest(), ProfileReason::kAdded);
    if (saved.ok() || saved.status().error().code != ErrorCode::kExhausted) return 2;
    if (!store.value()->All("box-1").ok()) return 3;
    setrlimit(RLIMIT_FSIZE, &before);
    return store.value()->Save(ProfileForTest(), ProfileReason::kAdded).ok() ? 0 : 4;
  });
  EXPECT_EQ(code, 0);
  EXPECT_TRUE(Open()->Latest("box-1", "yolox_tiny").value().has_value());
}

TEST_F(StoreFileTest, WhateverIsInTheFileItIsReadOrPutAside) {
  Fill(20);
  const std::string whole = ReadFile(path()).value();
  std::minstd_rand random(1);
  int put_aside = 0;
  for (int round = 0; round < 30; ++round) {
    std::string changed = whole;
    for (int i = 0; i < 40; ++i) changed[random() % changed.size()] = static_cast<char>(random() % 256);
    ASSERT_TRUE(WriteFileAtomically(path(), changed).ok());
    const auto opened = TryOpen();
    if (!opened.ok()) {
      EXPECT_EQ(opened.status().error().code, ErrorCode::kUnsupported) << opened.status().error().message;
      continue;
    }
    ProfileStore& store = *opened.value();
    const auto all = store.All("box-1");
    ASSERT_TRUE(all.ok()) << all.error().message;
    for (const StoredProfile& stored : all.value()) EXPECT_EQ(stored.profile.box, "box-1");
    const auto saved = store.Save(ProfileForTest("model3"), ProfileReason::kDrift);
    ASSERT_TRUE(saved.ok()) << saved.error().message;
    ASSERT_TRUE(store.RemoveModel("model3").ok());
    put_aside += std::filesystem::exists(path().string() + ".damaged-" + std::to_string(put_aside + 1)) ? 1 : 0;
  }
  EXPECT_GT(put_aside, 0);
}

TEST_F(StoreFileTest, AFolderThatMayNotBeWrittenIsReadAndEachWriteSaysSo) {
  Fill(2);
  const Path empty = folder() / "empty";
  std::filesystem::create_directory(empty);
  for (const Path& made : {empty, folder()}) ASSERT_EQ(chmod(made.c_str(), 0555), 0);
  std::filesystem::permissions(path(), std::filesystem::perms(0444));
  std::filesystem::permissions(path().string() + ".lock", std::filesystem::perms(0444));
  const auto check = [&]() -> int {
    if (getuid() == 0 && setuid(65534) != 0) return 100;  // root may write everywhere
    const auto store = TryOpen();
    if (!store.ok() || store.value()->writable()) return 1;
    if (!store.value()->Latest("box-1", "model1").value()) return 2;
    const auto saved = store.value()->Save(ProfileForTest(), ProfileReason::kAdded);
    if (saved.ok() || saved.status().error().code != ErrorCode::kUnavailable) return 3;
    if (saved.status().error().message.find("profiles.db.lock: Permission denied") == std::string::npos) return 4;
    if (!store.value()->Latest("box-1", "model1").value()) return 5;
    if (store.value()->notes().size() != 1) return 6;
    const auto none = ProfileStore::Open(empty, clock_);
    if (!none.ok() || !none.value()->All("box-1").value().empty()) return 7;
    if (none.value()->Save(ProfileForTest(), ProfileReason::kAdded).ok()) return 8;
    const auto beneath = ProfileStore::Open(empty / "further" / "down", clock_);
    if (!beneath.ok() || beneath.value()->SeenBox("b", "").ok() || beneath.value()->notes().size() != 1) return 9;
    return 0;
  };
  const int code = InChild(check);
  for (const Path& made : {empty, folder()}) chmod(made.c_str(), 0755);
  if (code == 100) GTEST_SKIP() << "may not become another user here";
  EXPECT_EQ(code, 0);
  EXPECT_FALSE(std::filesystem::exists(path().string() + "-wal")) << "reading leaves nothing behind";
}

TEST_F(StoreFileTest, OnceItCanBeWrittenAWriteSucceeds) {
  const Path state = folder() / "state";
  ASSERT_TRUE(WriteFileAtomically(state, "in the way").ok());
  const auto store = ProfileStore::Open(state, clock_).value();
  EXPECT_FALSE(store->writable());
  EXPECT_FALSE(store->Save(ProfileForTest(), ProfileReason::kAdded).ok());
  std::filesystem::remove(state);
  EXPECT_EQ(store->Save(ProfileForTest(), ProfileReason::kAdded).value(), 1);
  EXPECT_TRUE(store->writable());
}

TEST_F(StoreFileTest, AnotherThatWritesForLongIsNamedAndReadingGoesOn) {
  Fill(1);
  const auto store = Open({.busy_ms = 20});
  SqlFile other = SqlFile::Open(path(), SqlFile::Mode::kReadWrite, 0).value();
  ASSERT_TRUE(other.Execute("BEGIN IMMEDIATE").ok());
  const auto saved = store->Save(ProfileForTest(), ProfileReason::kAdded);
  EXPECT_EQ(saved.status().error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(saved.status().error().message, path().string() + ": locked by another program");
  EXPECT_TRUE(store->Latest("box-1", "model0").value().has_value());
  ASSERT_TRUE(other.Execute("COMMIT").ok());
  EXPECT_TRUE(store->Save(ProfileForTest(), ProfileReason::kAdded).ok());
}

TEST_F(StoreFileTest, TwoProgramsWriteAndReadAtTheSameTime) {
  constexpr int kEach = 20;
  const auto work = [&](const std::string& box) {
    const auto store = TryOpen({.generations = 100});
    if (!store.ok()) return 1;
    for (int i = 1; i <= kEach; ++i) {
      const auto saved = store.value()->Save(ProfileForTest("m", box), ProfileReason::kAdded);
      if (!saved.ok() || saved.value() != i) return 2;
      if (!store.value()->Latest(box, "m").value()) return 3;
    }
    return store.value()->notes().empty() ? 0 : 4;
  };
  const pid_t child = fork();
  if (child == 0) _exit(work("box-1"));
  EXPECT_EQ(work("box-2"), 0);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  const auto store = Open();
  EXPECT_EQ(store->Generations("box-1", "m").value().size(), size_t{kEach});
  EXPECT_EQ(store->Generations("box-2", "m").value().size(), size_t{kEach});
}

TEST_F(StoreFileTest, TwoProgramsThatFindItDamagedRebuildItOnce) {
  ASSERT_TRUE(WriteFileAtomically(path(), "damage").ok());
  const auto work = [&](const std::string& box) {
    const auto store = TryOpen();
    return store.ok() && store.value()->Save(ProfileForTest("m", box), ProfileReason::kAdded).ok() ? 0 : 1;
  };
  const pid_t child = fork();
  if (child == 0) _exit(work("box-1"));
  EXPECT_EQ(work("box-2"), 0);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_FALSE(std::filesystem::exists(path().string() + ".damaged-2"));
  EXPECT_TRUE(Open()->Latest("box-1", "m").value().has_value());
  EXPECT_TRUE(Open()->Latest("box-2", "m").value().has_value());
}

TEST_F(StoreFileTest, KilledInTheMiddleOfWritingItLosesNothingThatWasSaved) {
  for (int round = 1; round <= 3; ++round) {
    int ends[2] = {};
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
      const auto store = TryOpen({.generations = 1000});
      while (store.ok()) {
        const auto saved = store.value()->Save(ProfileForTest(), ProfileReason::kDrift);
        if (!saved.ok() || write(ends[1], &saved.value(), sizeof(int)) != sizeof(int)) _exit(1);
        store.value()
            ->SaveCalibration("box-1", "grid", std::string(300'000, 'x'), true)
            .Ignore("only to be killed in it");
      }
      _exit(2);
    }
    close(ends[1]);
    int last = 0;
    for (int i = 0; i < 5 * round; ++i) ASSERT_EQ(read(ends[0], &last, sizeof(int)), static_cast<ssize_t>(sizeof(int)));
    kill(child, SIGKILL);
    while (read(ends[0], &last, sizeof(int)) == static_cast<ssize_t>(sizeof(int))) {
    }
    close(ends[0]);
    ASSERT_EQ(waitpid(child, nullptr, 0), child);
    const auto store = Open({.generations = 1000});
    EXPECT_THAT(store->notes(), IsEmpty());
    EXPECT_GE(store->Latest("box-1", "yolox_tiny").value()->profile.generation, last);
    EXPECT_EQ(store->Generations("box-1", "yolox_tiny").value().size(),
              static_cast<size_t>(store->Latest("box-1", "yolox_tiny").value()->profile.generation));
    const auto calibration = store->LoadCalibration("box-1", "grid").value();
    if (calibration) {
      EXPECT_EQ(calibration->text.size(), 300'000U) << "whole or not there";
    }
  }
}

}  // namespace
}  // namespace deepedge
