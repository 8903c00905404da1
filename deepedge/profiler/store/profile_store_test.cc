#include "deepedge/profiler/store/profile_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <sstream>
#include <thread>

#include "deepedge/profiler/store/profile_for_test.h"
#include "deepedge/profiler/store/profile_json.h"
#include "deepedge/profiler/store/sql_file.h"

namespace deepedge {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int64_t kNowUs = 1'700'000'000'000'000;
const Setting kSetting{{Precision::kFp32, 416, 416}, 4, 2};

class ProfileStoreTest : public testing::Test {
 protected:
  std::unique_ptr<ProfileStore> Open(ProfileStoreOptions options = {}) {
    auto store = ProfileStore::Open(folder_.path(), clock_, options);
    EXPECT_TRUE(store.ok());
    return std::move(store).value();
  }
  // What another program does to the file.
  void Change(const char* sql) {
    SqlFile db = SqlFile::Open(folder_.path() / "profiles.db", SqlFile::Mode::kReadWrite, 1000).value();
    const Status status = db.Execute(sql);
    ASSERT_TRUE(status.ok()) << status.error().message;
  }

  TemporaryFolder folder_ = TemporaryFolder::Create("de_profiles_test").value();
  ManualClock clock_{Time{kNowUs}};
};

std::vector<int> Numbers(const std::vector<ProfileGeneration>& generations) {
  std::vector<int> numbers;
  for (const ProfileGeneration& generation : generations) numbers.push_back(generation.generation);
  return numbers;
}

TEST_F(ProfileStoreTest, GivesBackWhatWasSavedAlsoInTheNextRun) {
  const Profile profile = ProfileForTest();
  EXPECT_EQ(Open()->Save(profile, ProfileReason::kDrift).value(), 1);
  const auto store = Open();
  Profile expected = profile;
  expected.generation = 1;
  for (const std::string& name : {profile.model, profile.sha256}) {
    const auto latest = store->Latest("box-1", name).value();
    ASSERT_TRUE(latest.has_value()) << name;
    EXPECT_EQ(latest->profile, expected);
    EXPECT_EQ(latest->reason, ProfileReason::kDrift);
  }
  EXPECT_FALSE(store->Latest("box-1", "other").value().has_value());
  EXPECT_THAT(store->notes(), IsEmpty());
  EXPECT_TRUE(store->writable());
}

TEST_F(ProfileStoreTest, CountsGenerationsAndKeepsTheNewest) {
  const auto store = Open({.generations = 3});
  for (int i = 1; i <= 5; ++i) {
    Profile profile = ProfileForTest();
    profile.costs[0].probes = i;
    profile.created_us = 0;
    clock_.Set(Time{kNowUs - i});  // set back: the order is that of saving
    EXPECT_EQ(store->Save(profile, i == 1 ? ProfileReason::kAdded : ProfileReason::kDrift).value(), i);
  }
  ASSERT_EQ(store->Save(ProfileForTest("other"), ProfileReason::kAsked).value(), 1) << "each model counts for itself";
  const auto generations = store->Generations("box-1", "yolox_tiny").value();
  EXPECT_THAT(Numbers(generations), ElementsAre(5, 4, 3));
  EXPECT_EQ(generations[0].created_us, kNowUs - 5);
  EXPECT_EQ(store->Latest("box-1", "yolox_tiny").value()->profile.costs[0].probes, 5);
  EXPECT_EQ(store->Get("box-1", "yolox_tiny", 4).value()->profile.costs[0].probes, 4);
  EXPECT_FALSE(store->Get("box-1", "yolox_tiny", 1).value().has_value());
  EXPECT_EQ(store->Latest("box-1", std::string(64, 'a')).value()->profile.model, "other") << "stored last";
  const auto all = store->All("box-1").value();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].profile.model, "other");
  EXPECT_EQ(all[1].profile.generation, 5);
}

TEST_F(ProfileStoreTest, ANewFileOfAModelGoesOnCounting) {
  const auto store = Open();
  Profile profile = ProfileForTest();
  ASSERT_TRUE(store->Save(profile, ProfileReason::kAdded).ok());
  profile.sha256 = std::string(64, 'b');
  EXPECT_EQ(store->Save(profile, ProfileReason::kAdded).value(), 2);
  EXPECT_EQ(store->Latest("box-1", "yolox_tiny").value()->profile.sha256, std::string(64, 'b'));
  EXPECT_EQ(store->Latest("box-1", std::string(64, 'a')).value()->profile.generation, 1);
}

TEST_F(ProfileStoreTest, AProfileOfAnotherBoxIsNotUsedButTold) {
  const auto store = Open();
  ASSERT_TRUE(store->SeenBox("box-2", "{\"cpu\":\"other\"}").ok());
  ASSERT_TRUE(store->Save(ProfileForTest("yolox_tiny", "box-2"), ProfileReason::kAdded).ok());
  ASSERT_TRUE(store->Save(ProfileForTest("yolox_tiny", "box-2"), ProfileReason::kAdded).ok());
  EXPECT_FALSE(store->Latest("box-1", "yolox_tiny").value().has_value());
  EXPECT_THAT(store->All("box-1").value(), IsEmpty());
  EXPECT_THAT(store->Generations("box-1", "yolox_tiny").value(), IsEmpty());
  EXPECT_FALSE(store->Get("box-1", "yolox_tiny", 1).value().has_value());
  const auto others = store->OtherBoxes("box-1", "yolox_tiny").value();
  ASSERT_EQ(others.size(), 1U);
  EXPECT_EQ(others[0].box.box, "box-2");
  EXPECT_EQ(others[0].box.description, "{\"cpu\":\"other\"}");
  EXPECT_EQ(others[0].generation, 2);
  EXPECT_THAT(store->OtherBoxes("box-2", "yolox_tiny").value(), IsEmpty());
  EXPECT_EQ(store->OtherBoxes("box-1", std::string(64, 'a')).value().size(), 1U);
}

TEST_F(ProfileStoreTest, RemembersBoxesAndForgetsThoseNotSeenForLong) {
  const auto store = Open({.boxes = 2});
  ASSERT_TRUE(store->SeenBox("a", "first").ok());
  ASSERT_TRUE(store->Save(ProfileForTest("m", "a"), ProfileReason::kAdded).ok());
  ASSERT_TRUE(store->SaveCalibration("a", "grid", "1", true).ok());
  ASSERT_TRUE(store->AddMeasurement("a", "f", kSetting, "1").ok());
  ASSERT_TRUE(store->SaveStatistics("a", "f", std::vector<StageStatistics>{{kSetting, 0, "1"}}).ok());
  clock_.Advance(Duration(10));
  ASSERT_TRUE(store->SeenBox("b", "second").ok());
  ASSERT_TRUE(store->SeenBox("a", "").ok());
  auto boxes = store->Boxes().value();
  ASSERT_EQ(boxes.size(), 2U);
  EXPECT_EQ(boxes[0].description, "first") << "without a description the old one stays";
  EXPECT_EQ(boxes[0].first_seen_us, kNowUs);
  EXPECT_EQ(boxes[0].last_seen_us, kNowUs + 10);
  clock_.Set(Time{5});  // set back: the box that is seen now stays all the same
  ASSERT_TRUE(store->SeenBox("c", "third").ok());
  boxes = store->Boxes().value();
  ASSERT_EQ(boxes.size(), 2U);
  EXPECT_EQ(boxes[0].box, "a");
  EXPECT_EQ(boxes[1].box, "c");
  ASSERT_TRUE(store->SeenBox("d", "").ok());
  ASSERT_TRUE(store->SeenBox("e", "").ok());
  clock_.Set(Time{kNowUs + 50});
  ASSERT_TRUE(store->SeenBox("d", "").ok());
  ASSERT_TRUE(store->SeenBox("e", "").ok());
  EXPECT_FALSE(store->Latest("a", "m").value().has_value());
  EXPECT_FALSE(store->LoadCalibration("a", "grid").value().has_value());
  EXPECT_THAT(store->Measurements("a", "f").value(), IsEmpty());
  EXPECT_THAT(store->Statistics("a", "f").value(), IsEmpty());
}

TEST_F(ProfileStoreTest, CalibrationIsGoneOnWith) {
  {
    const auto store = Open();
    EXPECT_FALSE(store->LoadCalibration("box-1", "grid").value().has_value());
    ASSERT_TRUE(store->SaveCalibration("box-1", "grid", "half\nof it", false).ok());
  }
  const auto store = Open();
  const auto half = store->LoadCalibration("box-1", "grid").value();
  ASSERT_TRUE(half.has_value());
  EXPECT_EQ(half->text, "half\nof it");
  EXPECT_FALSE(half->complete);
  EXPECT_EQ(half->created_us, kNowUs);
  ASSERT_TRUE(store->SaveCalibration("box-1", "grid", "all", true).ok());
  EXPECT_TRUE(store->LoadCalibration("box-1", "grid").value()->complete);
  EXPECT_FALSE(store->LoadCalibration("box-2", "grid").value().has_value());
  EXPECT_FALSE(store->LoadCalibration("box-1", "bandwidth").value().has_value());
}

TEST_F(ProfileStoreTest, KeepsTheNewestCalibrationsOfABox) {
  const auto store = Open({.calibrations = 2});
  for (const char* name : {"a", "b", "c"}) ASSERT_TRUE(store->SaveCalibration("box-1", name, name, true).ok());
  ASSERT_TRUE(store->SaveCalibration("box-1", "b", "again", true).ok());
  ASSERT_TRUE(store->SaveCalibration("box-1", "d", "d", true).ok());
  EXPECT_EQ(store->LoadCalibration("box-1", "b").value()->text, "again");
  EXPECT_TRUE(store->LoadCalibration("box-1", "d").value().has_value());
  EXPECT_FALSE(store->LoadCalibration("box-1", "c").value().has_value());
}

TEST_F(ProfileStoreTest, WhatWasLearnedOfAFileGoesWithItsLastProfile) {
  const auto store = Open({.generations = 1});
  Profile profile = ProfileForTest();
  const std::string old_file = profile.sha256;
  const std::vector<StageStatistics> statistics = {{kSetting, 0, "x"}};
  ASSERT_TRUE(store->Save(profile, ProfileReason::kAdded).ok());
  ASSERT_TRUE(store->SaveStatistics("box-1", old_file, statistics).ok());
  ASSERT_TRUE(store->AddMeasurement("box-1", old_file, {}, "old").ok());
  ASSERT_TRUE(store->Save(profile, ProfileReason::kDrift).ok());
  EXPECT_EQ(store->Statistics("box-1", old_file).value().size(), 1U);
  profile.sha256 = "new";
  ASSERT_TRUE(store->Save(profile, ProfileReason::kAdded).ok());
  EXPECT_THAT(store->Statistics("box-1", old_file).value(), IsEmpty());
  EXPECT_EQ(store->Measurements("box-1", old_file).value().size(), 1U) << "few: it may be of a model yet to come";
  Change(
      "INSERT INTO measurements (number, box, sha256, setting, at_us, json) VALUES (20000, 'b', 'f', 'fp32', 1, '')");
  ASSERT_TRUE(store->Save(profile, ProfileReason::kDrift).ok());
  EXPECT_THAT(store->Measurements("box-1", old_file).value(), IsEmpty());
}

TEST_F(ProfileStoreTest, KeepsTheNewestMeasurementsOfEachFile) {
  const auto store = Open({.measurements = 3});
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(store->AddMeasurement("box-1", "f", kSetting, "{\"n\":" + std::to_string(i) + "}").ok());
  }
  ASSERT_TRUE(store->AddMeasurement("box-1", "g", {}, "other").ok());
  const auto measurements = store->Measurements("box-1", "f").value();
  ASSERT_EQ(measurements.size(), 3U);
  EXPECT_EQ(measurements[0].text, "{\"n\":2}");
  EXPECT_EQ(measurements[2].text, "{\"n\":4}");
  EXPECT_EQ(measurements[0].setting, kSetting);
  EXPECT_EQ(measurements[0].at_us, kNowUs);
  EXPECT_EQ(store->Measurements("box-1", "g").value().size(), 1U);
  EXPECT_THAT(store->Measurements("box-2", "f").value(), IsEmpty());
}

TEST_F(ProfileStoreTest, StatisticsAreReplacedAllAtOnce) {
  const auto store = Open({.statistics = 3});
  ASSERT_TRUE(store->SaveStatistics("box-1", "f", std::vector<StageStatistics>{{{}, 0, "a"}, {{}, 1, "b"}}).ok());
  ASSERT_TRUE(store->SaveStatistics("box-1", "f", std::vector<StageStatistics>{{{}, 0, "c"}, {kSetting, 0, "d"}}).ok());
  const auto texts = [&] {
    std::vector<std::string> all;
    const std::vector<StageStatistics> rows = store->Statistics("box-1", "f").value();
    for (const StageStatistics& row : rows) all.push_back(row.text);
    return all;
  };
  EXPECT_THAT(texts(), ElementsAre("c", "b", "d"));
  ASSERT_TRUE(store->SaveStatistics("box-1", "f", std::vector<StageStatistics>{{kSetting, 1, "e"}}).ok());
  EXPECT_THAT(texts(), ElementsAre("c", "d", "e")) << "what was not written for longest goes";
  ASSERT_FALSE(store->SaveStatistics("box-1", "f", std::vector<StageStatistics>{{{}, 0, "x"}, {{}, 1, "\xFF"}}).ok());
  EXPECT_THAT(texts(), ElementsAre("c", "d", "e"));
  ASSERT_TRUE(store->ClearStatistics("box-1", "f").ok());
  EXPECT_THAT(texts(), IsEmpty());
}

TEST_F(ProfileStoreTest, RemovesAModelButNotTheFileOfAnother) {
  const auto store = Open();
  Profile twin = ProfileForTest("twin");
  Profile own = ProfileForTest("own");
  own.sha256 = "own-file";
  for (const Profile& profile : {ProfileForTest(), twin, own}) {
    ASSERT_TRUE(store->Save(profile, ProfileReason::kAdded).ok());
    ASSERT_TRUE(store->AddMeasurement("box-1", profile.sha256, {}, "1").ok());
  }
  ASSERT_TRUE(store->RemoveModel("own").ok());
  EXPECT_FALSE(store->Latest("box-1", "own").value().has_value());
  EXPECT_THAT(store->Measurements("box-1", "own-file").value(), IsEmpty());
  ASSERT_TRUE(store->RemoveModel("twin").ok());
  EXPECT_EQ(store->Measurements("box-1", twin.sha256).value().size(), 1U);
  ASSERT_TRUE(store->RemoveModel(twin.sha256).ok());
  EXPECT_THAT(store->All("box-1").value(), IsEmpty());
  EXPECT_THAT(store->Measurements("box-1", twin.sha256).value(), IsEmpty());
}

TEST_F(ProfileStoreTest, RefusesWhatCouldNotBeReadBack) {
  const auto store = Open();
  Profile profile = ProfileForTest();
  profile.costs[1].time.log_sd = -1;
  const auto saved = store->Save(profile, ProfileReason::kAdded);
  EXPECT_EQ(saved.status().error().code, ErrorCode::kBadInput);
  EXPECT_EQ(saved.status().error().message,
            "keep the profile of 'yolox_tiny': costs[1].log_sd: -1 is not within 0 and 100");
  EXPECT_FALSE(store->SeenBox("", "x").ok());
  EXPECT_FALSE(store->SeenBox("a\nb", "x").ok());
  EXPECT_FALSE(store->SaveCalibration("b", std::string(5000, 'n'), "x", true).ok());
  EXPECT_FALSE(store->SaveCalibration("b", "n", std::string("a\0b", 3), true).ok());
  EXPECT_FALSE(store->SaveCalibration("b", "n", std::string((size_t{32} << 20) + 1, 'x'), true).ok());
  EXPECT_FALSE(store->AddMeasurement("b", "f", {}, "\xC3").ok());
  EXPECT_THAT(store->Boxes().value(), IsEmpty());
}

TEST_F(ProfileStoreTest, PassesOverRowsThatCannotBeUsed) {
  const auto store = Open();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(store->Save(ProfileForTest(), ProfileReason::kAdded).ok());
  ASSERT_TRUE(store->AddMeasurement("box-1", "f", {}, "good").ok());
  ASSERT_TRUE(store->SaveCalibration("box-1", "grid", "good", true).ok());
  Change("UPDATE profiles SET json = replace(json, '\"median_us\":900', '\"median_us\":-1') WHERE generation = 3");
  Change("UPDATE profiles SET reason = x'00FF' WHERE generation = 2");
  Change("INSERT INTO measurements (box, sha256, setting, at_us, json) VALUES ('box-1', 'f', 'fp99', 1, 'x')");
  Change("INSERT INTO statistics VALUES ('box-1', 'f', 'fp32', -5, 1, 'x')");
  Change("UPDATE calibration SET text = x'FF00FF'");
  EXPECT_EQ(store->Latest("box-1", "yolox_tiny").value()->profile.generation, 1);
  EXPECT_EQ(store->All("box-1").value().at(0).profile.generation, 1);
  EXPECT_EQ(store->Get("box-1", "yolox_tiny", 3).status().error().message,
            "profile of 'yolox_tiny', generation 3: costs[2].median_us: -1 is not within 0 and 4503599627370496");
  EXPECT_EQ(store->Measurements("box-1", "f").value().size(), 1U);
  EXPECT_THAT(store->Statistics("box-1", "f").value(), IsEmpty());
  EXPECT_FALSE(store->LoadCalibration("box-1", "grid").value().has_value());
  const std::vector<std::string> notes = store->notes();
  EXPECT_EQ(notes.size(), 5U) << "each once: " << testing::PrintToString(notes);
  EXPECT_THAT(notes[0], HasSubstr("profile of 'yolox_tiny', generation 3, cannot be used: costs[2].median_us"));
}

TEST_F(ProfileStoreTest, ARowMustBeWhatItsColumnsSay) {
  const auto store = Open();
  ASSERT_TRUE(store->Save(ProfileForTest("m", "box-2"), ProfileReason::kAdded).ok());
  for (const char* sql : {"UPDATE profiles SET box = 'box-1'", "UPDATE profiles SET generation = 7, box = 'box-2'",
                          "UPDATE profiles SET generation = 9223372036854775807",
                          "UPDATE profiles SET generation = 1, sha256 = 'x'", "UPDATE profiles SET json = ''"}) {
    Change(sql);
    EXPECT_FALSE(store->Latest("box-1", "m").value().has_value()) << sql;
    EXPECT_FALSE(store->Latest("box-2", "m").value().has_value()) << sql;
    ASSERT_TRUE(store->OtherBoxes("box-1", "m").ok()) << sql;
  }
  Change("UPDATE profiles SET generation = 9223372036854775807");
  EXPECT_EQ(store->Save(ProfileForTest("m", "box-2"), ProfileReason::kAdded).value(), 1);
  EXPECT_EQ(store->Latest("box-2", "m").value()->profile.generation, 1);
}

TEST_F(ProfileStoreTest, ExportAndImportMoveEverything) {
  const auto store = Open();
  ASSERT_TRUE(store->SeenBox("box-1", "a box, described").ok());
  ASSERT_TRUE(store->SaveCalibration("box-1", "grid", "{\"x\":\n1}", false).ok());
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(store->Save(ProfileForTest(), ProfileReason::kDrift).ok());
  ASSERT_TRUE(store->AddMeasurement("box-1", "f", kSetting, "m\xC3\xA9").ok());
  ASSERT_TRUE(store->SaveStatistics("box-1", "f", std::vector<StageStatistics>{{kSetting, 2, "s"}}).ok());
  std::stringstream out;
  ASSERT_TRUE(store->Export(out).ok());
  EXPECT_TRUE(
      out.str().starts_with("{\"type\":\"deepedge_profiles\",\"schema\":2}\n{\"type\":\"box\",\"box\":\"box-1\","))
      << out.str().substr(0, 200);

  const TemporaryFolder other = TemporaryFolder::Create("de_profiles_other").value();
  const ManualClock later(Time{kNowUs + 1000});
  const auto copy = ProfileStore::Open(other.path(), later).value();
  std::stringstream in(out.str());
  const auto counts = copy->Import(in);
  ASSERT_TRUE(counts.ok()) << counts.error().message;
  EXPECT_EQ(counts.value().added, 6);
  EXPECT_EQ(counts.value().known, 0);
  std::stringstream again;
  ASSERT_TRUE(copy->Export(again).ok());
  EXPECT_EQ(again.str(), out.str());
  std::stringstream twice(out.str());
  EXPECT_EQ(copy->Import(twice).value().known, 6);
  EXPECT_EQ(copy->Latest("box-1", "yolox_tiny").value()->profile,
            store->Latest("box-1", "yolox_tiny").value()->profile);
  EXPECT_THAT(copy->notes(), IsEmpty());
}

TEST_F(ProfileStoreTest, AnImportIsAllOrNothingAndSaysWhatIsWrong) {
  const std::string head = "{\"type\":\"deepedge_profiles\",\"schema\":2}\n";
  const std::string box = "{\"type\":\"box\",\"box\":\"b\",\"description\":\"\"}\n";
  struct Case {
    std::string text;
    const char* message;
  };
  const Case cases[] = {
      {"", "import of profiles: empty"},
      {"hello\n", "import of profiles: line 1: not JSON at byte 1"},
      {"[]", "import of profiles: line 1: a list is not an object"},
      {box, "import of profiles: line 1: the first line is not of the type \"deepedge_profiles\""},
      {"{\"type\":\"deepedge_profiles\",\"schema\":99}\n",
       "import of profiles: line 1: written by a later version of deepedge (schema 99, this one knows 2)"},
      {head + box + "\n", "import of profiles: line 3: not JSON at byte 1"},
      {head + box + "{\"type\":\"box\"}", "import of profiles: line 3: box: missing"},
      {head + box + "{\"type\":\"profile\",\"reason\":\"fun\",\"profile\":{}}",
       "import of profiles: line 3: reason: fun is none of added, drift, asked"},
      {head + box + "{\"type\":\"profile\",\"reason\":\"drift\",\"profile\":{\"model\":3}}",
       "import of profiles: line 3: profile.model: 3 is not a text"},
      {head + box + "{\"type\":\"profile\",\"reason\":\"drift\",\"profile\":" + ProfileToText({"m", "s", "b"}) + "}",
       "import of profiles: line 3: profile.generation: 0 is none"},
      {head + box + "{\"type\":\"measurement\",\"box\":\"b\",\"sha256\":\"s\",\"setting\":\"fast\",\"text\":\"\"}",
       "import of profiles: line 3: setting: not a setting"},
      {head + box + "{\"type\":\"statistics\",\"box\":\"b\",\"sha256\":\"s\",\"setting\":\"fp32\",\"text\":\"\"}",
       "import of profiles: line 3: stage: missing"},
  };
  const auto store = Open();
  for (const Case& c : cases) {
    std::stringstream in(c.text);
    const auto counts = store->Import(in);
    ASSERT_FALSE(counts.ok()) << c.message;
    EXPECT_EQ(counts.error().message, c.message);
    EXPECT_THAT(store->Boxes().value(), IsEmpty()) << c.message;
  }
}

TEST_F(ProfileStoreTest, AnImportOfAnythingEndsWithAnError) {
  const auto store = Open();
  ASSERT_TRUE(store->SaveCalibration("box-1", "grid", "1", true).ok());
  ASSERT_TRUE(store->Save(ProfileForTest(), ProfileReason::kDrift).ok());
  ASSERT_TRUE(store->SaveStatistics("box-1", "f", std::vector<StageStatistics>{{kSetting, 2, "s"}}).ok());
  std::stringstream out;
  ASSERT_TRUE(store->Export(out).ok());
  std::minstd_rand random(1);
  int refused = 0;
  for (int i = 0; i < 300; ++i) {
    std::string text = out.str();
    for (int flips = 0; flips < 3; ++flips) text[random() % text.size()] = static_cast<char>(random() % 256);
    std::stringstream in(text);
    const auto counts = store->Import(in);
    if (counts.ok()) continue;
    ++refused;
    EXPECT_THAT(counts.error().message, HasSubstr("import of profiles: "));
  }
  EXPECT_GT(refused, 0);
  EXPECT_TRUE(store->Latest("box-1", "yolox_tiny").value().has_value());
}

TEST_F(ProfileStoreTest, AnImportKeepsToTheLimits) {
  const auto store = Open();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(store->Save(ProfileForTest(), ProfileReason::kAdded).ok());
  ASSERT_TRUE(store->SeenBox("box-2", "").ok());
  std::stringstream out;
  ASSERT_TRUE(store->Export(out).ok());
  const TemporaryFolder other = TemporaryFolder::Create("de_profiles_other").value();
  const auto copy = ProfileStore::Open(other.path(), clock_, {.generations = 2, .boxes = 2}).value();
  std::stringstream in(out.str());
  ASSERT_TRUE(copy->Import(in).ok());
  EXPECT_THAT(Numbers(copy->Generations("box-1", "yolox_tiny").value()), ElementsAre(5, 4));
  std::stringstream third(
      "{\"type\":\"deepedge_profiles\",\"schema\":1}\n{\"type\":\"box\",\"box\":\"c\",\"description\":\"\"}");
  EXPECT_EQ(copy->Import(third).status().error().message, "import of profiles: 3 boxes, and a store keeps 2");
  EXPECT_EQ(copy->Boxes().value().size(), 2U);
}

TEST_F(ProfileStoreTest, AnExportThatCannotBeWrittenIsAnError) {
  const auto store = Open();
  std::stringstream out;
  out.setstate(std::ios::failbit);
  EXPECT_EQ(store->Export(out).error().code, ErrorCode::kUnavailable);
  ASSERT_TRUE(store->Save(ProfileForTest(), ProfileReason::kAdded).ok()) << "goes on";
}

TEST_F(ProfileStoreTest, ManyThreadsUseItAtOnce) {
  const auto store = Open({.generations = 100});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&store, t] {
      for (int i = 0; i < 10; ++i) {
        EXPECT_TRUE(store->Save(ProfileForTest("shared"), ProfileReason::kAdded).ok());
        EXPECT_TRUE(
            store->SaveStatistics("box-1", std::string(64, 'a'), std::vector<StageStatistics>{{{}, t, "x"}}).ok());
        EXPECT_TRUE(store->Latest("box-1", "shared").value().has_value());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(store->Generations("box-1", "shared").value().size(), 40U);
  EXPECT_EQ(store->Statistics("box-1", std::string(64, 'a')).value().size(), 4U);
}

}  // namespace
}  // namespace deepedge
