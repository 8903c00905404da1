#include "deepedge/app/report_json.h"

#include <gtest/gtest.h>

namespace deepedge {
namespace {

TEST(SummaryJson, HasAProfileSectionWhereSomebodyWatched) {
  RunReport report{.elapsed = std::chrono::seconds(1)};
  EXPECT_FALSE(SummaryJson(report, {}, {}).contains("profile"));
  report.profile = ProfileReport{.box = {.kappa = 1.25, .source = BoxSource::kStages},
                                 .observed = 7,
                                 .lost = 1,
                                 .stages = {{.key = {"person", {{Precision::kInt8, 416, 416}, 2}, 1},
                                             .generation = 3,
                                             .runs = 50,
                                             .predicted_us = 10'000,
                                             .actual_us = 11'500,
                                             .ratio = 1.15,
                                             .is_drifting = true}},
                                 .served = {{"faces", {{Precision::kFp32, 64, 64}}, 9, 1'234.5678}},
                                 .questions = {"why"}};
  const auto json = SummaryJson(report, {}, {}).at("profile");
  EXPECT_EQ(json.at("kappa"), 1.25);
  EXPECT_EQ(json.at("kappa_from"), ToString(BoxSource::kStages));
  EXPECT_EQ(json.at("observed"), 7);
  EXPECT_EQ(json.at("lost"), 1);
  const auto& stage = json.at("stages").at(0);
  EXPECT_EQ(stage.at("model"), "person");
  EXPECT_EQ(stage.at("setting"), "int8@416x416 batch 2");
  EXPECT_EQ(stage.at("stage"), 2) << "people count from one";
  EXPECT_EQ(stage.at("predicted_ms"), 10);
  EXPECT_EQ(stage.at("actual_ms"), 11.5);
  EXPECT_EQ(stage.at("drifting"), true);
  EXPECT_EQ(json.at("served").at(0).at("median_ms"), 1.235);
  EXPECT_EQ(json.at("questions").at(0), "why");
}

}  // namespace
}  // namespace deepedge
