#include "deepedge/profiler/fit/profile_model.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "deepedge/engine/fake/fake_engine.h"
#include "deepedge/profiler/fit/truth_for_test.h"

namespace deepedge {
namespace {

// A model on the fake engine, where a run of one picture takes 1 ms of the test's clock.
class ProfileModelTest : public testing::Test {
 protected:
  ProfileModelTest() {
    TruthForTest truth(2);
    const LayerGraph layers = truth.Network("net").forms.front().graph;
    const Tensor output{.type = ElementType::kF32, .shape = {1, 1}, .data = std::vector<std::byte>(4)};
    engine_.Add({.profile = {.model = "net",
                             .inputs = {{"x", ElementType::kF32, {1, 3, 64, 64}}},
                             .outputs = {{"y", ElementType::kF32, {1, 1}}},
                             .run_time = std::chrono::milliseconds(1),
                             .layers = layers},
                 .outputs = {output}});
    target_ = {.name = "net", .files = {.graph = "net"}, .picture = PictureInput{.width = 64, .height = 64}};
    options_.cores = 1;
  }

  FakeEngine engine_{[this](Duration time) {
    clock_.Advance(time);
    const Duration until = ThreadCpuTime() + time;
    while (ThreadCpuTime() < until) continue;
  }};
  ManualClock clock_;
  ProbeTarget target_;
  ProfileOptions options_;
  BoxModel box_;
};

TEST_F(ProfileModelTest, MeasuresAtMostTheProbesItMayAndPredictsTheRest) {
  options_.probes = 2;
  const ProfiledModel made = ProfileModel(engine_, box_, target_, options_, clock_).value();
  EXPECT_EQ(made.measured.probes.size(), 2u);
  EXPECT_EQ(made.measured.probes.front().setting, (Setting{{Precision::kFp32, 64, 64}}));
  EXPECT_EQ(made.profile.costs.size(), 4u);  // batches 1, 2, 4, 8
  const SettingCost* const own = FindCost(made.profile, {{Precision::kFp32, 64, 64}});
  ASSERT_NE(own, nullptr);
  EXPECT_GT(own->probes, 0);
  EXPECT_GE(own->time.median.count(), 1000);
  for (const SettingCost& cost : made.profile.costs) {
    EXPECT_GT(cost.time.median.count(), 0);
    EXPECT_GE(cost.time.p99, cost.time.median);
    EXPECT_FALSE(cost.stages.empty());
  }
}

TEST_F(ProfileModelTest, WhatIsKnownIsNotMeasuredAgain) {
  options_.probes = 1;
  const ProfiledModel first = ProfileModel(engine_, box_, target_, options_, clock_).value();
  const ProfiledModel second = ProfileModel(engine_, box_, target_, options_, clock_, first.measured).value();
  EXPECT_EQ(second.measured.probes.size(), 2u);
  EXPECT_FALSE(second.measured.probes[0].setting == second.measured.probes[1].setting);
}

TEST_F(ProfileModelTest, BeginsNoProbeThatWouldGoOverItsTime) {
  // Its own setting is measured whatever it takes; it uses the time up.
  options_.budget = std::chrono::milliseconds(15);
  const ProfiledModel made = ProfileModel(engine_, box_, target_, options_, clock_).value();
  EXPECT_EQ(made.measured.probes.size(), 1u);
  EXPECT_EQ(made.profile.costs.size(), 4u);
}

TEST_F(ProfileModelTest, StopsWhenAsked) {
  options_.stop = [] { return true; };
  const ProfiledModel made = ProfileModel(engine_, box_, target_, options_, clock_).value();
  EXPECT_TRUE(made.measured.probes.empty());
  EXPECT_EQ(made.profile.costs.size(), 4u);
}

TEST_F(ProfileModelTest, RefusesAModelThatIsTooBigForMemory) {
  options_.most_memory_bytes = 1000;
  const auto made = ProfileModel(engine_, box_, target_, options_, clock_);
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code, ErrorCode::kExhausted);
  EXPECT_NE(made.error().message.find("memory"), std::string::npos);
}

TEST_F(ProfileModelTest, SaysThatTheBoxIsNotCalibrated) {
  const ProfiledModel made = ProfileModel(engine_, box_, target_, options_, clock_).value();
  EXPECT_TRUE(std::any_of(made.notes.begin(), made.notes.end(),
                          [](const std::string& note) { return note.find("not calibrated") != std::string::npos; }));
}

TEST_F(ProfileModelTest, AModelThatIsNotThereIsAnError) {
  target_.files.graph = "another";
  EXPECT_EQ(ProfileModel(engine_, box_, target_, options_, clock_).error().code, ErrorCode::kNotFound);
}

TEST(WantedSettings, AreOfTheFormsThatThereAre) {
  ProbeTarget target{.name = "net", .picture = PictureInput{.width = 64, .height = 64}};
  ProfileOptions options;
  const std::vector<Precision> precisions{Precision::kFp32, Precision::kInt8, Precision::kBf16};
  const auto settings = WantedSettings(target, precisions, options);
  EXPECT_EQ(settings.front(), (Setting{{Precision::kFp32, 64, 64}}));
  EXPECT_TRUE(std::none_of(settings.begin(), settings.end(),
                           [](const Setting& s) { return s.variant.precision == Precision::kInt8; }));
  target.picture.reset();
  for (const Setting& setting : WantedSettings(target, precisions, options)) EXPECT_EQ(setting.batch, 1);
}

}  // namespace
}  // namespace deepedge
