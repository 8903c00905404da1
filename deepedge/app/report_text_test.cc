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

}  // namespace
}  // namespace deepedge
