#include "deepedge/profiler/report/profile_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "deepedge/profiler/report/text_table.h"

namespace deepedge {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr int64_t kNowUs = 1'700'000'000'000'000;
constexpr int64_t kHourUs = int64_t{3600} * 1'000'000;

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    EXPECT_NE(end, std::string::npos) << "the last line has its break too";
    if (end == std::string::npos) break;
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

SettingCost CostOf(Setting setting, int64_t median_us, double log_sd, int probes) {
  return {.setting = setting,
          .time = {Duration(median_us), Duration(median_us * 11 / 10), log_sd},
          .bound = {0.7, 0.2, 0.1},
          .probes = probes,
          .memory_bytes = 61'300'000,
          .traffic_bytes = 120'000'000};
}

const Setting kPlain{{Precision::kFp32, 416, 416}, 1, 1};
const Setting kBatch{{Precision::kInt8, 416, 256}, 4, 2};

Profile ProfileOfTwo() {
  return {.model = "yolox_tiny",
          .sha256 = std::string(64, 'c'),
          .box = "box-1",
          .generation = 3,
          .created_us = kNowUs - 5 * kHourUs,
          .costs = {CostOf(kPlain, 41'234, 0.033, 20), CostOf(kBatch, 8'260, 0.25, 0)}};
}

TEST(ProfileText, ShowsEverySettingInARow) {
  EXPECT_THAT(Lines(ProfileText(ProfileOfTwo(), kNowUs)),
              ElementsAre("yolox_tiny (cccccccccccc): generation 3, 5 h old, 2 settings, 1 of them measured, on box-1",
                          "variant       batch  cores  median     90 %     p99  memory  GB/s  from",
                          "fp32@416x416      1      1   41 ms  +-5.6 %   45 ms   61 MB   2.9  measured 20x",
                          "int8@416x256      4      2  8.3 ms   +-51 %  9.1 ms   61 MB    15  predicted"));
}

TEST(ProfileText, WhatIsNotKnownIsADash) {
  Profile profile = ProfileOfTwo();
  profile.costs = {{.setting = {}}};
  const auto lines = Lines(ProfileText(profile, kNowUs));
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[2], "fp32         1      1    0 ms  +-0.0 %  0 ms       -     -  predicted");
  profile.costs.clear();
  EXPECT_EQ(Lines(ProfileText(profile, kNowUs)).size(), 2U);
}

TEST(ProfileListText, ShowsEveryModelInARow) {
  std::vector<StoredProfile> profiles = {{ProfileOfTwo(), ProfileReason::kAdded},
                                         {ProfileOfTwo(), ProfileReason::kDrift}};
  profiles[1].profile.model = "e";
  profiles[1].profile.costs.clear();
  EXPECT_THAT(Lines(ProfileListText(profiles, kNowUs)),
              ElementsAre("model       generation  made   age  settings  measured  fastest a picture                "
                          "       box",
                          "yolox_tiny           3  added  5 h         2         1  2.1 ms int8@416x256 batch 4 on 2 "
                          "cores  box-1",
                          "e                    3  drift  5 h         0         0  -                                "
                          "       box-1"));
  EXPECT_EQ(ProfileListText({}, kNowUs), "no profiles of this box\n");
}

TEST(ProfileComparisonText, TellsADifferenceFromTheError) {
  struct Case {
    const char* what;
    int64_t median_us;
    double log_sd;
    const char* ending;
  };
  // A takes 41.234 ms, give or take 5.6 %.
  const Case cases[] = {
      {"the same", 41'234, 0.033, "1.00  within the error"},
      {"a little more", 45'000, 0.033, "1.09  within the error"},
      {"more", 48'000, 0.033, "1.16  B is slower"},
      {"more, but not sure", 48'000, 0.1, "1.16  within the error"},
      {"less", 30'000, 0.033, "0.73  B is faster"},
      {"no time", 0, 0.033, "-  -"},
  };
  for (const Case& c : cases) {
    Profile b = ProfileOfTwo();
    b.costs = {CostOf(kPlain, c.median_us, c.log_sd, 1)};
    const auto lines = Lines(ProfileComparisonText(ProfileOfTwo(), b));
    ASSERT_EQ(lines.size(), 5U) << c.what;
    EXPECT_THAT(lines[3], testing::EndsWith(c.ending)) << c.what;
    EXPECT_THAT(lines[4], HasSubstr("settings in both: 1, ")) << c.what;
    EXPECT_THAT(lines[4], HasSubstr(", in A only: 1")) << c.what;
    EXPECT_THAT(lines[4], Not(HasSubstr("in B only"))) << c.what;
  }
}

TEST(ProfileComparisonText, NothingInCommonIsSaid) {
  Profile b = ProfileOfTwo();
  b.model = "other";
  b.costs.erase(b.costs.begin());
  Profile a = ProfileOfTwo();
  a.costs.pop_back();
  EXPECT_THAT(Lines(ProfileComparisonText(a, b)),
              ElementsAre("A: yolox_tiny (cccccccccccc), generation 3, on box-1",
                          "B: other (cccccccccccc), generation 3, on box-1",
                          "settings in both: 0, of them beyond the error: 0, in A only: 1, in B only: 1"));
}

TEST(ProfileExplanationText, ShowsEveryStage) {
  Profile profile = ProfileOfTwo();
  const StageCost first{.after_op = 117,
                        .time = {Duration(30'000), Duration(33'000), 0.05},
                        .bound = {0.8, 0.15, 0.05},
                        .flops = 6'450'000'000,
                        .weight_bytes = 4'200'000,
                        .live_bytes = 12'000'000,
                        .border_bytes = 409'600,
                        .layers = "convolution 12, pointwise 8"};
  StageCost last = first;
  last.after_op = -1;
  last.time.median = Duration(10'000);
  last.border_bytes = 0;
  last.layers.clear();
  profile.costs[0].stages = {first, last};
  EXPECT_THAT(
      Lines(ProfileExplanationText(profile, profile.costs[0])),
      ElementsAre("yolox_tiny (cccccccccccc), fp32@416x416: 41 ms +-5.6 %, p99 45 ms, 61 MB of memory",
                  "measured 20x as a whole; what its stages take of it is predicted",
                  "bound by: compute 70 %, cache 20 %, memory 10 %; 2.9 GB/s to and from memory",
                  "stage  after op  median     90 %  share  compute  cache  memory  GFLOP/s  weights   live  border",
                  "    0       117   30 ms  +-8.6 %   75 %     80 %   15 %     5 %      215   4.2 MB  12 MB  410 kB",
                  "    1       end   10 ms  +-8.6 %   25 %     80 %   15 %     5 %      645   4.2 MB  12 MB       -",
                  "stage 0: convolution 12, pointwise 8"));
}

TEST(ProfileExplanationText, SaysWhatWasMeasured) {
  Profile profile = ProfileOfTwo();
  EXPECT_THAT(ProfileExplanationText(profile, profile.costs[1]),
              HasSubstr("\npredicted; measured were fp32@416x416 (20x)\n"));
  EXPECT_THAT(ProfileExplanationText(profile, profile.costs[1]), HasSubstr("no stages are known\n"));
  EXPECT_EQ(SettingToExplain(profile), &profile.costs[0]);
  profile.costs[0].probes = 0;
  EXPECT_THAT(ProfileExplanationText(profile, profile.costs[1]), HasSubstr("nothing of this model was measured"));
  profile.costs.clear();
  EXPECT_EQ(SettingToExplain(profile), nullptr);
}

TEST(OtherBoxesText, SaysWhyAProfileIsNotUsed) {
  EXPECT_EQ(OtherBoxesText("m", {}, kNowUs), "");
  const OtherBox other{.box = {.box = "box-2"}, .generation = 4, .created_us = kNowUs - 72 * kHourUs};
  EXPECT_EQ(
      OtherBoxesText("m", std::vector{other}, kNowUs),
      "m: there is a profile of generation 4, 3 d old, of another box or engine, which is not used here: box-2\n");
}

TEST(ReportParts, NumbersHaveTheDigitsThatSaySomething) {
  struct Case {
    std::string text;
    const char* expected;
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Case cases[] = {
      {MillisText(0), "0 ms"},
      {MillisText(4), "0.004 ms"},
      {MillisText(840), "0.84 ms"},
      {MillisText(8'260), "8.3 ms"},
      {MillisText(41'234), "41 ms"},
      {MillisText(1'234'567), "1235 ms"},
      {ErrorBarText(0), "+-0.0 %"},
      {ErrorBarText(0.02), "+-3.3 %"},
      {ErrorBarText(0.1), "+-18 %"},
      {ErrorBarText(5), ">999 %"},
      {ErrorBarText(nan), ">999 %"},
      {AgeText(0, kNowUs), "?"},
      {AgeText(kNowUs + 1, kNowUs), "?"},
      {AgeText(kNowUs - 5'000'000, kNowUs), "5 s"},
      {AgeText(kNowUs - kHourUs, kNowUs), "60 min"},
      {AgeText(kNowUs - 30 * kHourUs, kNowUs), "30 h"},
      {AgeText(kNowUs - 72 * kHourUs, kNowUs), "3 d"},
  };
  for (const Case& c : cases) EXPECT_EQ(c.text, c.expected);
}

TEST(ReportParts, NoLineIsLongerThanAllowedWhateverTheNames) {
  Profile profile = ProfileOfTwo();
  profile.model = std::string(300, 'm') + "\n\x1B[31m\xFF";
  profile.box = "b\xC3\xA4 " + std::string(300, 'b') + " end";
  profile.costs[0].time = {Duration(int64_t{1} << 52), Duration(int64_t{1} << 52), 100};
  profile.costs[0].memory_bytes = INT64_MAX;
  for (int i = 0; i < 3; ++i) {
    profile.costs[0].stages.push_back({.after_op = INT32_MAX,
                                       .time = profile.costs[0].time,
                                       .flops = INT64_MAX,
                                       .weight_bytes = INT64_MAX,
                                       .live_bytes = INT64_MAX,
                                       .border_bytes = INT64_MAX,
                                       .layers = "convolution 12, " + std::string(400, 'l') + " a\tb " +
                                                 std::string(90, 'k') + " " + std::string(60, 'j')});
  }
  const OtherBox other{.box = {.box = profile.box}};
  const std::string text = ProfileText(profile, kNowUs) +
                           ProfileListText(std::vector<StoredProfile>{{profile, ProfileReason::kAsked}}, kNowUs) +
                           ProfileComparisonText(profile, profile) + ProfileExplanationText(profile, profile.costs[0]) +
                           OtherBoxesText(profile.model, std::vector{other}, kNowUs);
  for (const std::string& line : Lines(text)) {
    EXPECT_LE(CountCharacters(line), kReportColumns) << line;
    EXPECT_EQ(PrintableText(line), line);
    EXPECT_EQ(line.find_last_not_of(' ') + 1, line.size()) << line;
  }
  EXPECT_THAT(text, HasSubstr("end"));
}

TEST(TextTable, CutsTheWidestColumn) {
  TextTable table({{"name"}, {"n", TextTable::Align::kRight}});
  table.Add({std::string(200, 'x'), "7"});
  table.Add({"\xC3\xA9", "12"});
  const auto lines = Lines(table.Text());
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[1], std::string(114, 'x') + ".." + "   7");
  EXPECT_EQ(lines[2], "\xC3\xA9" + std::string(115, ' ') + "  12");
}

}  // namespace
}  // namespace deepedge
