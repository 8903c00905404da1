#include "deepedge/runtime/profile_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "deepedge/base/file.h"
#include "deepedge/profiler/probe/measured_model.h"
#include "deepedge/runtime/test_fakes.h"

namespace deepedge {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kBox = "box-1";
const VariantKey kVariant{Precision::kFp32, 8, 8};

// One that takes 10 ms, or 6 ms and 4 ms where it is cut.
Profile ProfileOf(const std::string& model, int generation = 1, int stages = 1) {
  SettingCost cost{.setting = {kVariant}, .time = {.median = Duration(10'000), .log_sd = 0.05}};
  for (int i = 0; i < stages; ++i) {
    const Duration median = stages == 1 ? Duration(10'000) : Duration(i == 0 ? 6'000 : 4'000);
    cost.stages.push_back({.time = {.median = median, .p99 = median, .log_sd = 0.05}});
  }
  return {
      .model = model, .sha256 = model + "-file", .box = std::string(kBox), .generation = generation, .costs = {cost}};
}

class ProfileWatchTest : public ::testing::Test {
 protected:
  ProfileWatchTest()
      : folder_(TemporaryFolder::Create("profile_watch").value()),
        store_(ProfileStore::Open(folder_.path(), clock_).value()),
        log_(2, clock_) {
    for (const char* name : {"a", "b", "c", "d"}) models_.push_back(testing::MakeFakeModel(name, 1));
  }

  WatchedModel Watched(size_t index, std::optional<Profile> profile = std::nullopt) const {
    WatchedModel watched = WatchedModelOf(*models_[index], models_[index]->name + "-file");
    watched.profile = std::move(profile);
    return watched;
  }
  std::vector<WatchedModel> AllWatched() const {
    std::vector<WatchedModel> all;
    for (size_t i = 0; i < models_.size(); ++i) all.push_back(Watched(i, ProfileOf(models_[i]->name)));
    return all;
  }

  void RunFor(size_t model, Duration took, EngineRun run = {}, size_t lane = 0) {
    run.model = models_[model].get();
    run.width = 8;
    run.height = 8;
    run.start = log_.lane(lane).Begin();
    clock_.Advance(took);
    run.end = clock_.Now();
    log_.lane(lane).End(run);
  }

  ManualClock clock_{{1'000'000}};
  TemporaryFolder folder_;
  std::unique_ptr<ProfileStore> store_;
  RunLog log_;
  std::vector<std::unique_ptr<LoadedModel>> models_;
};

TEST_F(ProfileWatchTest, ComparesRunsWithWhatWasPredicted) {
  ProfileWatch watch({.box = std::string(kBox)}, {Watched(0, ProfileOf("a", 3, 2))}, log_, store_.get(), clock_);
  for (int i = 0; i < 20; ++i) {
    RunFor(0, Duration(6'000), {.stage = 0, .stages = 2});
    RunFor(0, Duration(5'000), {.stage = 1, .stages = 2});
  }
  watch.Pass();
  const ProfileReport report = watch.Report();
  EXPECT_EQ(report.observed, 40);
  EXPECT_EQ(report.lost, 0);
  EXPECT_TRUE(report.served.empty());
  ASSERT_EQ(report.stages.size(), 2U);
  EXPECT_EQ(report.stages[0].key, (StageKey{"a", {kVariant}, 0}));
  EXPECT_EQ(report.stages[0].generation, 3);
  EXPECT_EQ(report.stages[0].runs, 20);
  EXPECT_NEAR(report.stages[0].actual_us, 6'000, 1);
  EXPECT_NEAR(report.stages[0].ratio, 1.0, 0.01);
  EXPECT_NEAR(report.stages[1].ratio, 1.25, 0.02);
}

TEST_F(ProfileWatchTest, WholeRunsAreComparedWithTheWholeInHoweverManyStagesItMayBeRun) {
  ProfileWatch watch({.box = std::string(kBox)}, {Watched(0, ProfileOf("a", 1, 2))}, log_, nullptr, clock_);
  for (int i = 0; i < 20; ++i) RunFor(0, Duration(10'000));
  watch.Pass();
  const ProfileReport report = watch.Report();
  EXPECT_EQ(report.observed, 20);
  ASSERT_EQ(report.stages.size(), 1U);
  EXPECT_NEAR(report.stages[0].ratio, 1.0, 0.01);
}

// While a box serves, runs of others come between: that is no drift.
TEST_F(ProfileWatchTest, RunsAreExpectedOnColdCaches) {
  Profile profile = ProfileOf("a");
  profile.costs[0].cold = Duration(15'000);
  ProfileWatch watch({.box = std::string(kBox)}, {Watched(0, profile)}, log_, nullptr, clock_);
  for (int i = 0; i < 20; ++i) RunFor(0, Duration(15'000));
  watch.Pass();
  ASSERT_EQ(watch.Report().stages.size(), 1U);
  EXPECT_NEAR(watch.Report().stages[0].ratio, 1.0, 0.01);
}

TEST_F(ProfileWatchTest, ARunThatGoesOnHoldsBackWhatItMayHaveSlowedDown) {
  ProfileWatch watch({.box = std::string(kBox)}, {Watched(0, ProfileOf("a"))}, log_, nullptr, clock_);
  log_.lane(1).Begin();
  RunFor(0, Duration(10'000));
  watch.Pass();
  EXPECT_EQ(watch.Report().observed, 0);
  log_.lane(1).Abandon();
  watch.Pass();
  EXPECT_EQ(watch.Report().observed, 1);
}

TEST_F(ProfileWatchTest, WhatHasNoProfileIsCountedBySettingInCpuTime) {
  ProfileWatch watch({.box = std::string(kBox)}, {Watched(0), Watched(1, ProfileOf("b"))}, log_, store_.get(), clock_);
  for (int i = 0; i < 12; ++i) RunFor(0, Duration(3'000), {.cpu = Duration(2'000)});
  for (int i = 0; i < 5; ++i) RunFor(0, Duration(7'000), {.batch = 4});  // computes elsewhere: by the clock
  RunFor(1, Duration(9'000), {.batch = 2});                              // has a profile, which does not know of two
  watch.Pass();
  const ProfileReport report = watch.Report();
  EXPECT_EQ(report.observed, 0);
  ASSERT_EQ(report.served.size(), 3U);
  EXPECT_EQ(report.served[0].model, "a");
  EXPECT_EQ(report.served[0].runs, 12);
  EXPECT_EQ(report.served[0].median_us, 2'000);
  EXPECT_EQ(report.served[1].setting.batch, 4);
  EXPECT_EQ(report.served[1].median_us, 7'000);
  EXPECT_EQ(report.served[2].model, "b");
}

TEST_F(ProfileWatchTest, AtTheEndWhatServedIsAMeasurement) {
  {
    ProfileWatch watch({.box = std::string(kBox)}, {Watched(0)}, log_, store_.get(), clock_);
    for (int i = 0; i < 12; ++i) RunFor(0, Duration(3'000), {.cpu = Duration(2'000)});
    for (int i = 0; i < 9; ++i) RunFor(0, Duration(3'000), {.batch = 2});  // too few to say anything
    watch.Stop();
  }
  const auto rows = store_->Measurements(kBox, "a-file").value();
  ASSERT_EQ(rows.size(), 1U);
  const ProbeResult probe = ProbeResultFromJson(rows[0].text).value();
  EXPECT_EQ(probe.setting, (Setting{kVariant}));
  EXPECT_EQ(probe.runs, 12);
  EXPECT_EQ(probe.median_us, 2'000);
  EXPECT_EQ(probe.origin, ProbeOrigin::kServing);
}

TEST_F(ProfileWatchTest, TheSameSaidAgainAndAgainIsNotKept) {
  for (int start = 0; start < 7; ++start) {
    ProfileWatch watch({.box = std::string(kBox)}, {Watched(0)}, log_, store_.get(), clock_);
    for (int i = 0; i < 12; ++i) RunFor(0, Duration(3'000));
    watch.Stop();
  }
  EXPECT_EQ(store_->Measurements(kBox, "a-file").value().size(), 4U);
}

TEST_F(ProfileWatchTest, WhatWasLearnedOutlivesTheRun) {
  {
    ProfileWatch watch({.box = std::string(kBox)}, AllWatched(), log_, store_.get(), clock_);
    for (int i = 0; i < 30; ++i) RunFor(0, Duration(12'000));
    watch.Stop();
  }
  const auto rows = store_->Statistics(kBox, "a-file").value();
  ASSERT_EQ(rows.size(), 1U);
  const auto json = nlohmann::json::parse(rows[0].text);
  EXPECT_EQ(json.at("runs"), 30);
  EXPECT_NEAR(json.at("ratio").get<double>(), 1.2, 0.01);

  const ProfileWatch next({.box = std::string(kBox)}, AllWatched(), log_, store_.get(), clock_);
  const ProfileReport report = next.Report();
  ASSERT_EQ(report.stages.size(), 1U);
  EXPECT_EQ(report.stages[0].runs, 30);
  EXPECT_NEAR(report.stages[0].ratio, 1.2, 0.01);
  EXPECT_EQ(report.observed, 0);
  const ProfileWatch elsewhere({.box = "box-2"}, AllWatched(), log_, store_.get(), clock_);
  EXPECT_TRUE(elsewhere.Report().stages.empty());
}

TEST_F(ProfileWatchTest, IsKeptEveryHalfMinute) {
  ProfileWatch watch({.box = std::string(kBox)}, AllWatched(), log_, store_.get(), clock_);
  RunFor(0, Duration(10'000));
  clock_.Advance(std::chrono::seconds(29));
  watch.Pass();
  EXPECT_FALSE(store_->LoadCalibration(kBox, "observer").value().has_value());
  clock_.Advance(std::chrono::seconds(1));
  watch.Pass();
  EXPECT_TRUE(store_->LoadCalibration(kBox, "observer").value().has_value());
}

TEST_F(ProfileWatchTest, WhatCannotBeReadIsLeftAside) {
  ASSERT_TRUE(store_->SaveCalibration(kBox, "observer", "{\"version\": \"moon\"}", true).ok());
  ProfileWatch watch({.box = std::string(kBox)}, AllWatched(), log_, store_.get(), clock_);
  RunFor(0, Duration(10'000));
  watch.Stop();
  EXPECT_EQ(watch.Report().observed, 1);
  EXPECT_THAT(store_->LoadCalibration(kBox, "observer").value()->text, HasSubstr("neighbours"));
}

// Three models keep to their profiles and one does not: it is the one, not the box.
TEST_F(ProfileWatchTest, AsksOnceForAStageThatHasLeftItsProfile) {
  std::vector<StageQuestion> asked;
  ProfileWatch watch({.box = std::string(kBox), .drifted = [&](const StageQuestion& q) { asked.push_back(q); }},
                     AllWatched(), log_, store_.get(), clock_);
  for (int i = 0; i < 400; ++i) {
    for (size_t m = 0; m < 4; ++m) RunFor(m, Duration(m == 3 ? 14'000 : 10'000));
    watch.Pass();
  }
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0].key.model, "d");
  EXPECT_NEAR(asked[0].ratio, 1.4, 0.05);
  const ProfileReport report = watch.Report();
  EXPECT_EQ(report.box.source, BoxSource::kStages);
  EXPECT_NEAR(report.box.kappa, 1, 0.05);
  ASSERT_EQ(report.questions.size(), 1U);
  EXPECT_THAT(report.questions[0], HasSubstr("slower than predicted"));

  watch.SetProfile(ProfileOf("d", 2));
  EXPECT_EQ(watch.Report().stages.size(), 3U) << "nothing is known of the new one yet";
  const SettingCost cost = ProfileOf("a").costs[0];
  EXPECT_EQ(watch.Correct("a", 1, cost).stages.size(), 1U);
}

TEST_F(ProfileWatchTest, MetersAreReadOnceASecond) {
  int read = 0;
  ProfileWatch watch({.box = std::string(kBox),
                      .meters =
                          [&] {
                            ++read;
                            return std::optional<double>(1.5);
                          }},
                     AllWatched(), log_, nullptr, clock_);
  for (int i = 0; i < 45; ++i) {
    clock_.Advance(std::chrono::milliseconds(100));
    watch.Pass();
  }
  EXPECT_EQ(read, 4);
  EXPECT_EQ(watch.Report().box.source, BoxSource::kMeters);
  EXPECT_NEAR(watch.Report().box.kappa, 1.5, 1e-6);
}

TEST_F(ProfileWatchTest, ItsThreadReadsAndStopKeepsTheRest) {
  const RealClock clock;
  RunLog log(1, clock);
  ProfileWatch watch({.box = std::string(kBox), .pass = std::chrono::milliseconds(1)}, AllWatched(), log, store_.get(),
                     clock);
  watch.Start();
  constexpr int kRuns = 500;
  for (int i = 0; i < kRuns; ++i) {
    EngineRun run{.model = models_[0].get(), .width = 8, .height = 8, .start = log.lane(0).Begin()};
    run.end = run.start + Duration(10);
    log.lane(0).End(run);
    EXPECT_LE(watch.Report().observed, kRuns);
  }
  watch.Stop();
  watch.Stop();
  EXPECT_EQ(watch.Report().observed + watch.Report().lost, kRuns);
  EXPECT_TRUE(store_->LoadCalibration(kBox, "observer").value().has_value());
}

}  // namespace
}  // namespace deepedge
