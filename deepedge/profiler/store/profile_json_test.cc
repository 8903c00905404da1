#include "deepedge/profiler/store/profile_json.h"

#include <gtest/gtest.h>

#include <limits>

#include "deepedge/profiler/store/profile_for_test.h"

namespace deepedge {
namespace {

using Json = nlohmann::json;

TEST(ProfileJson, GivesBackTheSameProfileToTheLastBit) {
  const Profile profile = ProfileForTest();
  const std::string text = ProfileToText(profile);
  EXPECT_EQ(text.find('\n'), std::string::npos);
  const Result<Profile> read = ProfileFromText(text);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read.value(), profile);
  EXPECT_EQ(ProfileToText(read.value()), text);
}

TEST(ProfileJson, NamesUnitsAndKeepsTheirOrder) {
  const std::string text = ProfileToText(ProfileForTest());
  EXPECT_TRUE(text.starts_with(R"({"model":"yolox_tiny","sha256":"aaaa)")) << text;
  EXPECT_NE(text.find(R"({"setting":"int8@416x256 batch 4 on 2 cores","precision":"int8","width":416,"height":256,)"
                      R"("batch":4,"cores":2,"median_us":61234,"p99_us":95017,"log_sd":0.25,)"),
            std::string::npos)
      << text;
}

TEST(ProfileJson, WhatIsMissingHasItsDefaultAndWhatIsUnknownDoesNotMatter) {
  const Result<Profile> read = ProfileFromText(
      R"({"model":"m","sha256":"s","box":"b","later":[1],"costs":[{"precision":"fp32","median_us":12.0,"x":null}]})");
  ASSERT_TRUE(read.ok()) << read.error().message;
  const Profile expected{
      .model = "m", .sha256 = "s", .box = "b", .costs = {{.setting = {}, .time = {.median = Duration(12)}}}};
  EXPECT_EQ(read.value(), expected);
}

TEST(ProfileJson, SaysWhichFieldIsWrong) {
  struct Case {
    const char* place;  // as nlohmann's pointer
    Json value;
    const char* message;
  };
  const Case cases[] = {
      {"/model", 7, "model: 7 is not a text"},
      {"/model", "", "model: empty"},
      {"/model", "a\nb", "model: 'a\\x0ab' has characters that may not stand there"},
      {"/model", std::string(5000, 'x'), "model: longer than 4096 bytes"},
      {"/generation", -1, "generation: -1 is not within 0 and 2147483647"},
      {"/generation", 1.5, "generation: 1.5 is not a whole number"},
      {"/created_us", uint64_t{1} << 63, "created_us: 9223372036854775808 is not a whole number"},
      {"/costs", 5, "costs: 5 is not a list"},
      {"/costs", Json(std::vector<int>(5000)), "costs: more than 4096 items"},
      {"/costs/1", "x", "costs[1]: 'x' is not an object"},
      {"/costs/1/precision", "fp64", "costs[1].precision: fp64 is none of fp32, bf16, int8"},
      {"/costs/1/width", 0, "costs[1].width: width and height are both 0 or neither is"},
      {"/costs/1/height", 20000, "costs[1].height: 20000 is not within 0 and 16384"},
      {"/costs/1/batch", 0, "costs[1].batch: 0 is not within 1 and 4096"},
      {"/costs/1/cores", 1e300, "costs[1].cores: 1e+300 is not a whole number"},
      {"/costs/1/median_us", nullptr, "costs[1].median_us: null is not a whole number"},
      {"/costs/1/p99_us", -3, "costs[1].p99_us: -3 is not within 0 and 4503599627370496"},
      {"/costs/1/log_sd", "?", "costs[1].log_sd: '?' is not a number"},
      {"/costs/1/log_sd", 1e9, "costs[1].log_sd: 1000000000 is not within 0 and 100"},
      {"/costs/1/probes", true, "costs[1].probes: true is not a whole number"},
      {"/costs/1/bound", Json::array(), "costs[1].bound: a list is not an object"},
      {"/costs/1/bound/cache", 1.5, "costs[1].bound.cache: 1.5 is not within -1e-06 and 1.000001"},
      {"/costs/0/stages/1/flops", -1, "costs[0].stages[1].flops: -1 is not within 0 and 9223372036854775807"},
      {"/costs/0/stages/1/after_op", -2, "costs[0].stages[1].after_op: -2 is not within -1 and 2147483647"},
      {"/costs/0/stages/1/layers", Json::object(), "costs[0].stages[1].layers: an object is not a text"},
      {"/costs/0/stages/1/bound/memory", nullptr, "costs[0].stages[1].bound.memory: null is not a number"},
  };
  for (const Case& c : cases) {
    Json json = Json::parse(ProfileToText(ProfileForTest()));
    json[Json::json_pointer(c.place)] = c.value;
    const Result<Profile> read = ProfileFromJson(json);
    ASSERT_FALSE(read.ok()) << c.message;
    EXPECT_EQ(read.error().code, ErrorCode::kBadInput);
    EXPECT_EQ(read.error().message, c.message);
  }
}

TEST(ProfileJson, SaysWhichFieldIsMissing) {
  for (const char* place : {"/model", "/sha256", "/box", "/costs"}) {
    Json json = Json::parse(ProfileToText(ProfileForTest()));
    json.erase(place + 1);
    EXPECT_EQ(ProfileFromJson(json).status().error().message, std::string(place + 1) + ": missing");
  }
  Json json = Json::parse(ProfileToText(ProfileForTest()));
  json["costs"][0]["stages"][1].erase("median_us");
  EXPECT_EQ(ProfileFromJson(json).status().error().message, "costs[0].stages[1].median_us: missing");
  json["costs"][0].erase("precision");
  EXPECT_EQ(ProfileFromJson(json).status().error().message, "costs[0].precision: missing");
}

TEST(ProfileJson, WhatIsNoJsonIsAnError) {
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("\"\xFF\""), std::string("[]"), std::string("null"),
        std::string("{\"model\":1e999}"), std::string(200'000, '['), std::string("{}x"), std::string(1, '\0')}) {
    const Result<Profile> read = ProfileFromText(text);
    ASSERT_FALSE(read.ok()) << text.substr(0, 20);
    EXPECT_EQ(read.error().code, ErrorCode::kBadInput) << read.error().message;
  }
}

TEST(ProfileJson, WhatCouldNotBeReadBackIsFoundBefore) {
  EXPECT_TRUE(CheckProfile(ProfileForTest()).ok());
  Profile profile = ProfileForTest();
  profile.costs[1].time.log_sd = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(CheckProfile(profile).error().message, "costs[1].log_sd: null is not a number");
  profile = ProfileForTest();
  profile.costs[0].stages[1].time.p99 = Duration(-1);
  EXPECT_EQ(CheckProfile(profile).error().message,
            "costs[0].stages[1].p99_us: -1 is not within 0 and 4503599627370496");
  profile = ProfileForTest();
  profile.model = "caf\xE9";
  EXPECT_EQ(CheckProfile(profile).error().code, ErrorCode::kBadInput);
  profile.model.clear();
  EXPECT_EQ(CheckProfile(profile).error().message, "model: empty");
}

TEST(ParseSetting, IsTheInverseOfToString) {
  for (const Precision precision : {Precision::kFp32, Precision::kBf16, Precision::kInt8}) {
    for (const int side : {0, 32, 416}) {
      for (const int batch : {1, 4}) {
        for (const int cores : {1, 2}) {
          const Setting setting{{precision, side, side == 0 ? 0 : side + 1}, batch, cores};
          EXPECT_EQ(ParseSetting(ToString(setting)), setting) << ToString(setting);
        }
      }
    }
  }
  for (const char* text : {"", "fp64", "fp32@0x0", "fp32 batch 1", "fp32 batch 0", "fp32 batch 4 ", "fp32 batch x",
                           "fp32 on 2 cores batch 4", "fp32 on 2", "fp32 on -2 cores", "fp32@416x416x3", " fp32",
                           "fp32 batch 99999999999999", "fp32 batch 5000", "fp32@416x416  batch 2"}) {
    EXPECT_FALSE(ParseSetting(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace deepedge
