#include "deepedge/app/report_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace deepedge {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(RenderTable, SpeaksOfEventsOnlyWhereThereAreSome) {
  const RunReport report{.elapsed = std::chrono::seconds(2)};
  EXPECT_THAT(RenderTable(report, nullptr, {}).at(0), Not(HasSubstr("events")));
  EXPECT_THAT(RenderTable(report, nullptr, {.overall = {.accepted = 7, .delivered = 7}}).at(0), HasSubstr("events: 7"));
  EXPECT_THAT(RenderTable(report, nullptr, {.overall = {.accepted = 7, .lost = 2}}).at(0),
              HasSubstr("events: 7 (2 lost)"));
}

TEST(RenderTable, SaysWhatACourierWaitsFor) {
  const EventReport events{.overall = {.accepted = 7, .delivered = 7},
                           .sinks = {},
                           .couriers = {{.name = "mqtt", .delivered = 3, .waiting = 4, .last_error = "refused"}}};
  EXPECT_THAT(RenderTable(RunReport{}, nullptr, events),
              ::testing::Contains("mqtt: 3 events arrived, 4 wait (refused)"));
}

TEST(RenderTable, SpeaksOfProfilesOnlyWhereRunsLeaveThem) {
  const StageReport kept{.key = {"person", {{Precision::kFp32, 416, 416}}, 0}, .ratio = 1.02};
  StageReport left = kept;
  left.key.stage = 1;
  left.ratio = 1.3;
  left.is_drifting = true;
  struct Case {
    double kappa;
    std::vector<StageReport> stages;
    std::vector<std::string> expected;
  };
  const std::string of_stage = "person fp32@416x416 stage 2 takes 1.30 times what was predicted";
  const std::string of_box = "profile: this box is 1.25 times as slow as when it was measured";
  for (const Case& c :
       {Case{1.1, {kept}, {}}, Case{1.25, {kept}, {of_box}}, Case{1, {left, kept}, {"profile: " + of_stage}},
        Case{1.25, {left, left, left}, {of_box + "; " + of_stage + ", and 2 more have left their profiles"}}}) {
    RunReport report;
    report.profile = ProfileReport{.box = {.kappa = c.kappa}, .stages = c.stages};
    std::vector<std::string> lines = RenderTable(report, nullptr, {});
    std::erase_if(lines, [](const std::string& line) { return !line.starts_with("profile"); });
    EXPECT_EQ(lines, c.expected);
    for (const std::string& line : RenderTable(report, &report, {})) EXPECT_THAT(line, Not(HasSubstr("profile:")));
  }
}

}  // namespace
}  // namespace deepedge
